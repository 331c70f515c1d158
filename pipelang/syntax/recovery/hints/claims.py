"""Hints about claims: words in another order, and numbers in words."""

from __future__ import annotations

from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

_NUMBERS = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "twice": "2",
    "thrice": "3",
}


def claim(spot: ErrorSite) -> Hint | None:
    """`send max 3 times`, `send after good`, `send never`, `at most twice`, `... if EXPR`."""
    if spot.wants("only") and spot.wants("at"):
        return _after_the_tool(spot)
    if spot.wants("once") and spot.text in _NUMBERS:
        count = _NUMBERS[spot.text]
        skip = 2 if spot.after().text in ("time", "times") else 1
        edit = TokenEdit(0, skip, (("INT", count), *spot.put("times")))
        return Hint(f"write the number: `at most {count} times`", edit)
    if spot.wants("most") and spot.text == "least":
        return Hint("a claim bounds from above: `TOOL at most N times`", spot.instead("most"))
    if spot.wants("times") and spot.text != "time" and spot.before(2).text == "most":
        count = spot.before().text
        return Hint(f"write `at most {count} times`", TokenEdit(0, 0, spot.put("times")))
    if spot.text == "if" and spot.wants("when") and spot.wants_declaration:
        return Hint("a claim says `when`", spot.instead("when"), safe=True)
    return None


def _after_the_tool(spot: ErrorSite) -> Hint | None:
    text, tool = spot.text, spot.before().text
    if text in ("max", "maximum", "no"):
        return Hint(f"write `{tool} at most N times`")
    if text == "after":
        edit = TokenEdit(0, 0, spot.put("only"))
        return Hint(f"write `{tool} only after GATE`", edit, safe=True)
    if text == "before":
        return Hint("say it the other way round: `TOOL only after GATE`")
    if text == "never" and spot.after().text == "reaches":
        return Hint("what is followed is a label: `untrusted`, `private` or `secret`")
    if text == "never":
        return Hint(f"`never` comes first: `never {tool}`")
    if text in ("once", "twice", "exactly"):
        return Hint(f"write `{tool} at most once` or `{tool} at most N times`")
    return None


def condition_first(spot: ErrorSite) -> Hint | None:
    """`slo { when EXPR success >= 60% }`, `slo { success when EXPR >= 60% }`."""
    behind = 1 if spot.before().text in ("when", "if") else 0
    first = spot.text in ("when", "if")
    if not {"slo line", "slo"} & set(spot.around) or not (behind or first):
        return None
    begins = first and "NAME" in spot.expected
    if not begins and not (spot.wants("<=") and not spot.on_new_line):
        return None
    length = spot.rest_of_line("}")
    metric = "METRIC" if behind or begins else spot.before().text
    help = f"what is promised stands before the condition: `{metric} >= 60% when EXPR`"
    # The line is left out: which of its comparisons is the promise nobody can say for sure.
    edit = TokenEdit(0 if begins else 1, length)
    return Hint(help, edit, behind, None if metric == spot.before().text else "a metric")
