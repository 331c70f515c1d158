"""Hints about names that the outside chose and that the language cannot spell."""

from __future__ import annotations

import json
import re

from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

_OWNERS = {"enum": "{", "type": "{", "tool": "(", "pipeline": "("}
"""Declarations whose parts may have an outer name, with the bracket around the parts."""

_PARTS = {"enum": "member", "type": "field"}


def outer_name(spot: ErrorSite) -> Hint | None:
    """`max: int`, `"New York"`, `Notion-Version: text` where a name is declared."""
    owner = _owner(spot)
    if owner is None or spot.wants_expression or spot.wants_type:
        return None
    if "NAME" in spot.expected:
        ends = owner == "enum" or spot.after().text == ":"
        if spot.token.type == "STRING" and ends:
            outer = spot.text[1:-1]
            if outer.isidentifier() and outer not in spot.grammar.reserved:
                return None  # it needs no outer name, only no quotes
            return _hint(spot, owner, outer, 0, 1)
        if spot.text in spot.grammar.reserved and ends:
            return _hint(spot, owner, spot.text, 0, 1)
    before = spot.before()
    if before.text.isidentifier() and "STRING" in spot.expected and spot.token.start == before.end:
        more = []
        for token in spot.line():
            if token.text in (":", ",", "}", ")", "=", "{", "("):
                break
            more.append(token)
        outer = before.text + "".join(token.text for token in more)
        if more and more[-1].text not in "-./":
            return _hint(spot, owner, outer, 1, len(more))
    return None


def _hint(spot: ErrorSite, owner: str, outer: str, drop: int, skip: int) -> Hint:
    inner = spelled(outer, spot.grammar.reserved)
    more = "" if owner == "enum" else ": TYPE"
    part = _PARTS.get(owner, "parameter")
    help = f"a {part} that is called so outside has a name for this file before it: "
    help += f"`{inner} {json.dumps(outer, ensure_ascii=False)}{more}`"
    insert = (("NAME", inner), ("STRING", f'"{outer}"'))
    return Hint(help, TokenEdit(drop, skip, insert))


def spelled(outer: str, reserved: frozenset[str] | set[str] | list[str] | tuple[str, ...]) -> str:
    """A name that the language can spell for one that it cannot."""
    inner = re.sub(r"\W+", "_", outer, flags=re.ASCII).strip("_").lower() or "other"
    if inner[0].isdigit():
        inner = f"n{inner}"
    return f"{inner}_" if inner in reserved else inner


def _owner(spot: ErrorSite) -> str | None:
    """The keyword of the declaration among whose parts the error stands."""
    for distance in range(1, spot.index + 1):
        word = spot.before(distance).text
        bracket = _OWNERS.get(word)
        opened = distance > 2 and spot.before(distance - 2).text == bracket
        if opened and spot.before(distance - 1).text.isidentifier():
            inside = [spot.before(d).text for d in range(1, distance - 2)]
            closing = ")" if bracket == "(" else "}"
            return word if inside.count(closing) <= inside.count(bracket or "") else None
    return None
