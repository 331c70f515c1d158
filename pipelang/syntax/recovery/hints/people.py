"""Hints about the parts of an `approve`, a `hold` and an `escalate`, which stand in one order."""

from __future__ import annotations

from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit
from pipelang.syntax.tokens import Token

_ORDERS = {
    "approve": "`approve NAME by ROLE when EXPR within D showing EXPR`",
    "hold": "`hold NAME for D by ROLE when EXPR showing EXPR`",
}
_PARTS = ("by", "for", "when", "within", "showing")
_OTHER_ITEMS = ("step", "gate", "let", "return", "escalate", "reject", "fail", "remember", "match")
_MOST = 60
"""Tokens of a part that are looked at."""


def another_order(spot: ErrorSite) -> Hint | None:
    """A part that stands elsewhere: to leave it out would ask of others, at another time or in
    other cases than the author wrote.
    """
    item = _item(spot) if spot.text in _PARTS else None
    if item is None:
        return None
    said = f"the parts stand in this order: {_ORDERS[item]}"
    swapped = _swapped(spot, item)
    if swapped:
        return Hint(said, TokenEdit(0, 4, swapped))
    return Hint(said, TokenEdit(0, _length(spot)))


def text_behind_with(spot: ErrorSite) -> Hint | None:
    """`escalate to desk with x "text"`: the text would be lost."""
    if spot.token.type != "STRING":
        return None
    before = [spot.before(distance).text for distance in range(1, 20)]
    to = before.index("escalate") if "escalate" in before else 0
    if "with" not in before[:to] or {"{", "}", "else"} & {*before[:to]}:
        return None
    said = 'the text stands before what goes along: `escalate to ROLE "text" with EXPR`'
    return Hint(said, TokenEdit(0, 1))


def _item(spot: ErrorSite) -> str | None:
    """The `approve` or `hold` whose parts these are."""
    depth = 0
    for distance in range(1, _MOST):
        token = spot.before(distance)
        depth += (token.text in (")", "]", "}")) - (token.text in ("(", "[", "{"))
        if depth < 0 or token.type == "$END":
            return None
        if depth:
            continue
        if token.text in _ORDERS:
            name = spot.before(distance - 1).text
            return token.text if name.isidentifier() and name not in _PARTS else None
        if token.text in ("else", *_OTHER_ITEMS):
            return None
    return None


def _swapped(spot: ErrorSite, item: str) -> tuple[tuple[str, str], ...]:
    """The role and the time the other way round, where both stand and one was read first."""
    first, one, second, two = (spot.token, *(spot.after(n) for n in (1, 2, 3)))
    if {first.text, second.text} not in ({"by", "for"}, {"by", "within"}):
        return ()
    role, time = (one, two) if first.text == "by" else (two, one)
    by, late = spot.put("by"), spot.put("within" if item == "approve" else "for")
    parts = (by, _as_read(role), late, _as_read(time))
    if item == "hold":
        parts = (late, _as_read(time), by, _as_read(role))
    return tuple(token for part in parts for token in part)


def _as_read(token: Token) -> tuple[tuple[str, str], ...]:
    return ((token.type, token.text),)


def _length(spot: ErrorSite) -> int:
    """The tokens of the part, up to the next one."""
    depth = 0
    for length in range(1, _MOST):
        text = spot.after(length).text
        depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if depth < 0 or (depth == 0 and text in ("else", *_PARTS)):
            return length
    return 1
