"""Hints about declarations without the word that they begin with: `Ticket { id: text }`.

What stands behind the name says which word it was. Put in, the declaration is read as it was meant;
without it, its braces would be taken for more of the declaration above.
"""

from __future__ import annotations

from pipelang.syntax.lexicon import DECLARING, ITEMS
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

FAR = 300
"""Tokens of a head that are looked through."""

_OF_TOOLS = frozenset(
    "python mcp effect permit rate timeout retry succeeds accuracy latency cost idempotent".split()
)
_OF_BLOCKS = {
    "provider": frozenset("kind key base_url available".split()),
    "tier": frozenset("provider model price transient context as_of".split()),
    "role": frozenset(
        "people handles responds accuracy hours must_differ_from weight rushed cost".split()
    ),
}


def forgotten_word(spot: ErrorSite) -> Hint | None:
    """A hint to put `pipeline`, `type`, `tool` and so on before what can only be one."""
    if not spot.wants_declaration or not (spot.on_new_line or spot.index == 0):
        return None
    word = _meant(spot)
    if word is None:
        return None
    return Hint(f"put `{word}` before it", TokenEdit(0, 0, spot.put(word)))


def _meant(spot: ErrorSite) -> str | None:
    name, behind = spot.token, spot.after().text
    if name.type == "STRING":
        return "test" if behind == "{" and spot.after(2).text == "given" else None
    if not name.text.isidentifier() or name.text in DECLARING - {"test"} or name.text in ITEMS:
        return None
    if name.text == "std" and behind == ".":
        return "use"
    if behind == "(":
        return _called(spot)
    if behind == "{":
        return _braced(spot)
    if behind == ":":
        return _claimed(spot)
    return None


def _called(spot: ErrorSite) -> str | None:
    """The word before `NAME(...)`: by what stands behind the parameters and the type."""
    at, depth = 1, 0
    while at < FAR:
        depth += {"(": 1, ")": -1}.get(spot.after(at).text, 0)
        if depth == 0:
            break
        at += 1
    first = spot.after(at + 1)
    if first.type == "TEMPLATE" or first.text == "from":
        return "prompt"
    if first.text == "{":
        inside = spot.after(at + 2).text
        return "prompt" if inside in ("system", "user") else "tool" if inside in _OF_TOOLS else None
    if first.text != "->":
        return None
    for place in range(at + 3, min(at + 40, FAR)):
        text, inside = spot.after(place).text, spot.after(place + 1).text
        if text in ("=", "python"):
            return "fn"
        if text == "{":
            return "tool" if inside in _OF_TOOLS else "memory" if inside == "keeps" else "pipeline"
    return None


def _braced(spot: ErrorSite) -> str | None:
    """The word before `NAME {`: by the first words in the braces."""
    first, second = spot.after(2), spot.after(3)
    if first.type == "STRING":
        return "patterns"
    if spot.text[0].isupper():
        named = second.type == "STRING" and spot.after(4).text == ":"
        if second.text == ":" or named:
            return "type"
        return "enum" if first.text.isidentifier() else None
    words = _OF_BLOCKS.items()
    return next((word for word, options in words if first.text in options), None)


def _claimed(spot: ErrorSite) -> str | None:
    """The word before `NAME:`: a claim about a pipeline, or a setting with its range."""
    texts = [spot.after(at).text for at in range(2, max(2, spot.rest_of_line()))]
    if "never" in texts[:4] or "escalates" in texts[:1] or texts[1:2] in (["only"], ["at"]):
        return "prove"
    return "setting" if "=" in texts else None
