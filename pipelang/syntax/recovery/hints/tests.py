"""Hints about the lines of tests: counts, comparisons, what people say, an agent's turns."""

from __future__ import annotations

from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

_COUNTS = {"twice": "2", "thrice": "3"}
_BOUNDS = frozenset({"at", "more", "less", "exactly", "<", "<=", ">", ">=", "==", "up"})
_VERDICTS = {
    **dict.fromkeys(
        ("approved", "approves", "approve", "accepted", "accepts", "ok", "true"), "yes"
    ),
    **dict.fromkeys(("rejected", "rejects", "denied", "denies", "refused", "false"), "no"),
    **dict.fromkeys(("vetoed", "vetoes"), "veto"),
}
_GIVES = frozenset({"returns", "gives", "answers", "says", "is", "->", "=>", ":"})


def test_line(spot: ErrorSite) -> Hint | None:
    """The slips of `expect` and `mock`, wherever one of their lines may end or go on."""
    for rule in (_count, _called, _verdict, _turn, _mocked, _compared):
        hint = rule(spot)
        if hint is not None:
            return hint
    return None


def _ends_line(spot: ErrorSite) -> bool:
    return spot.wants("mock") and spot.wants("expect") and not spot.on_new_line


def _count(spot: ErrorSite) -> Hint | None:
    """`expect called x 2`, `twice`, `exactly 2 times`, `at most 2 times`, `never`."""
    before = spot.before()
    counted = spot.wants("times") and before.type == "INT" and len(spot.expected) == 1
    if counted and spot.before(2).text != "most":  # that one is a claim's
        edit = TokenEdit(0, 0, spot.put("times"))
        if spot.text == "x" and not spot.on_new_line:
            edit = spot.instead("times")
        return Hint(f"a count is written `{before.text} times`", edit, safe=True)
    if not (_ends_line(spot) and spot.wants("once")):
        return None
    text = spot.text
    if text in _COUNTS:
        number = _COUNTS[text]
        edit = TokenEdit(0, 1, (("INT", number), *spot.put("times")))
        return Hint(f"a count is written `{number} times`", edit, safe=True)
    if text == "never":
        return Hint(f"write `expect not called {before.text}`", TokenEdit(0, 1))
    if text == "exactly":
        help = "a count is exact without that: `2 times`"
        return Hint(help, TokenEdit(0, 1), safe=True)
    if text in _BOUNDS:
        return Hint(
            "a test counts exactly: `2 times`; `prove PIPELINE: TOOL at most 2 times` bounds it",
            TokenEdit(0, 2 if spot.after().text == "most" else 1),
        )
    return None


def _called(spot: ErrorSite) -> Hint | None:
    """`expect x called`, `expect calls x`, `expect called x with (a: 1)`."""
    before, text = spot.before(), spot.text
    if _ends_line(spot) and spot.wants("once") and text in ("with", "by"):
        help = f"arguments stand right behind the name: `called {before.text}(NAME: VALUE)`"
        return Hint(help, TokenEdit(0, 1))
    if _ends_line(spot) and text == "called" and spot.before(2).text == "expect":
        return Hint(f"write `expect called {before.text}`", TokenEdit(0, 1))
    line = [spot.before(n).text for n in (3, 2)]
    if _ends_line(spot) and line == ["not", "called"] and spot.token.type == "INT":
        more = 2 if spot.after().text == "times" else 1
        help = f"what is not called has no count: `expect not called {before.text}`"
        return Hint(help, TokenEdit(0, more))
    return None


def _verdict(spot: ErrorSite) -> Hint | None:
    """`mock good no because "too long"`, `mock good yes "fine"`."""
    before, text = spot.before(), spot.text
    if not _ends_line(spot) or before.text not in ("yes", "no"):
        return None
    if before.text == "no" and spot.after().type == "STRING" and text in ("because", ":", "="):
        help = 'the reason stands right behind: `no "too long"`'
        return Hint(help, TokenEdit(0, 1), safe=True)
    if before.text == "yes" and spot.token.type == "STRING":
        return Hint("only a `no` has a reason", TokenEdit(0, 1))
    return None


def _turn(spot: ErrorSite) -> Hint | None:
    """`mock act = call search(q: "x")`: a turn of an agent is written `calls`."""
    if not (spot.taken_as_name and spot.before().text == "call" and spot.token.type == "NAME"):
        return None
    for distance in range(2, 40):
        token = spot.before(distance)
        if token.text == "mock":
            help = f"a turn of an agent is written `calls {spot.text}(...)`"
            found = "`call`"
            return Hint(help, TokenEdit(1, 0, spot.put("calls")), 1, "a value or `calls`", found)
        if token.text in ("step", "let", "expect", "else", "=>") or token.type == "$END":
            return None
    return None


def _mocked(spot: ErrorSite) -> Hint | None:
    """`mock x returns 3`, `mock good maybe`, `mock good nobody`."""
    begins = spot.before(2).text == "mock" and spot.wants("=") and spot.wants("fails")
    if begins and spot.text in _GIVES:
        return Hint(f"write `mock {spot.before().text} = VALUE`", spot.instead("="), safe=True)
    if begins and spot.text in _VERDICTS and not spot.on_new_line:
        verdict = _VERDICTS[spot.text]
        help = f"a person's answer is written `mock {spot.before().text} {verdict}`"
        return Hint(help, spot.instead(verdict), safe=True)
    if begins and spot.token.type == "NAME" and not spot.on_new_line:
        help = "a person says `yes`, `no`, `no answer` or, of a hold, `veto`; a step's value stands"
        return Hint(f"{help} behind `=`", TokenEdit(0, 1, spot.put("yes")))
    return None


def _compared(spot: ErrorSite) -> Hint | None:
    """`expect x is 1`, `expect that x == 1`."""
    if not _ends_line(spot):
        return None
    if spot.text in ("is", "equals", "be"):
        return Hint("write `==` to compare", TokenEdit(0, 2))
    word, first = spot.before().text, spot.before(2).text
    if first == "expect" and word in ("that", "to") and spot.token.type == "NAME":
        help = f"leave out `{word}`: `expect` takes the condition itself"
        return Hint(help, TokenEdit(1, 0), 1, "a condition", f"`{word}`")
    return None
