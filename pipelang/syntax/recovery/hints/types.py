"""Hints about types: a `?` or a label behind the type, bounds without their word, several types for
one value.
"""

from __future__ import annotations

from pipelang.syntax.bad_tokens import ENUM, UNION
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

_CONSTRAINTS = ("max", "in", "matches")
_LABELS = ("untrusted", "private", "secret")


def late_mark(spot: ErrorSite) -> Hint | None:
    """`text max 10 tokens?`: the `?` stands right behind the type, and the bounds behind it."""
    if spot.text != "?" or spot.kind not in ("field", "parameter", "declaration", "item"):
        return None
    for distance in range(1, 12):
        word, core = spot.before(distance), spot.before(distance + 1)
        if word.text in (":", "->", "{", "(", ",") or spot.lines.is_first(word):
            return None
        named = core.text[:1].isalpha() and core.text not in _CONSTRAINTS
        if word.text in _CONSTRAINTS and (named or core.text in ("]", "}")):
            break
    else:
        return None
    while spot.before(distance + 1).text not in ("]", "}") and _bounds(spot, distance + 1):
        distance += 1
    bounds = " ".join(spot.before(n).text for n in range(distance, 0, -1)).replace(" .. ", "..")
    core = spot.before(distance + 1)
    help = f"`?` stands right behind the type: `{_core(spot, distance + 1)}? {bounds}`"
    return Hint(help, TokenEdit(0, 1), safe=True, moved=(core.end, "?"))


def early_mark(spot: ErrorSite) -> Hint | None:
    """`note?: text`: the `?` stands at the type and not at the name."""
    if spot.text != "?" or spot.after().text != ":" or not spot.wants(":"):
        return None
    help = f"`?` stands right behind the type: `{spot.before().text}: TYPE?`"
    return Hint(help, TokenEdit(0, 1))


def texts(spot: ErrorSite) -> Hint | None:
    """`size: "small" | "large"`: texts that may be there are no type."""
    small = ("field", "parameter", "declaration")
    if spot.token.type != "STRING" or not spot.wants_type or spot.kind not in small:
        return None
    return Hint(ENUM, TokenEdit(0, 1, (("NAME", "json"),)))


def late_label(spot: ErrorSite) -> Hint | None:
    """`text untrusted max 10 tokens`: the label was read as the name of the next field."""
    label, last = spot.before(), spot.before(2)
    if label.text not in _LABELS or not spot.wants(":") or spot.lines.is_first(label):
        return None
    if not (last.text[:1].isalpha() or last.text == "]") or last.text in _CONSTRAINTS:
        return None
    help = f"a label stands before the type: `{label.text} {_core(spot, 2)}`"
    return Hint(
        help, TokenEdit(1, 0), 1, found=f"`{label.text}`", expected="a constraint or a name"
    )


def _bounds(spot: ErrorSite, distance: int) -> bool:
    """Whether bounds go on before that token: `text max 10 tokens matches x`."""
    found = (spot.before(n).text for n in range(distance, distance + 5))
    for text in found:
        if text in (":", "->", "{", "(", ",", "[", "]"):
            return False
        if text in _CONSTRAINTS:
            return True
    return False


def _core(spot: ErrorSite, distance: int) -> str:
    """A type that ends at that token, as it is written."""
    last = spot.before(distance).text
    if last not in ("]", "}"):
        return last
    inside, depth, at = [last], 1, distance + 1
    while depth and at < distance + 12:
        text = spot.before(at).text
        depth += {"]": 1, "}": 1, "[": -1, "{": -1}.get(text, 0)
        inside.append(text)
        at += 1
    return "[T]" if depth or len(inside) > 3 else "".join(reversed(inside))


def union(spot: ErrorSite) -> Hint | None:
    """`text or int`: a value is of one type."""
    if spot.text != "or" or not spot.wants("?"):
        return None
    if spot.kind not in ("field", "parameter", "declaration"):
        return None
    other = spot.after()
    if other.text in ("none", "None", "null"):
        help = f"what may be absent is written `{spot.before().text}?`"
        return Hint(help, spot.instead("?", skip=2))
    return Hint(UNION, TokenEdit(0, 2 if other.text.isidentifier() else 1))


def bare_bounds(spot: ErrorSite) -> Hint | None:
    """`int 0..10`, `text 10 tokens`, `[A] 5`: bounds begin with `in` or `max`."""
    number = spot.text.removeprefix("$")[:1].isdigit()
    if not number or spot.on_new_line or not spot.wants("max"):
        return None
    word, bounds = "max", spot.text
    if spot.after().text == "..":
        word, bounds = "in", f"{spot.text}..{spot.after(2).text}"
    elif spot.before().text not in ("text", "document", "]", "}"):
        return None
    help = f"bounds begin with `{word}`: `{_core(spot, 1)} {word} {bounds}`"
    return Hint(help, TokenEdit(0, 0, spot.put(word)), safe=True)
