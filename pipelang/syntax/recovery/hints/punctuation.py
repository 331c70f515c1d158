"""Hints about punctuation."""

from __future__ import annotations

from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

_COMPARISONS = {"==", "!=", "<=", ">=", "<", ">"}
_CLOSING = {")", "]", "}"}


def assignment(spot: ErrorSite) -> Hint | None:
    """`=` for `:`, `:` for `=`, `==` for `=`, `:=`, `=` for a comparison."""
    text, after = spot.text, spot.after()
    if text == ":" and after.text == "=" and after.start == spot.token.end and spot.wants("="):
        return Hint("write `=` here", spot.instead("=", skip=2), safe=True)
    if text == ":" and spot.wants("=") and not spot.wants_expression:
        return Hint("write `=` here", spot.instead("="), safe=True)
    if text in ("=", "==") and spot.wants(":") and not spot.wants("="):
        return Hint("write `:` here", spot.instead(":"), safe=True)
    if text == "==" and spot.wants("="):
        return Hint("write one `=`: `==` compares", spot.instead("="), safe=True)
    if text == "=" and spot.before().text == ":" and spot.wants_type:
        return Hint("write `=` alone, or a type between the two", TokenEdit(1, 0))
    if spot.before().text == ":" and spot.before(3).text in ("let", "step") and spot.wants_type:
        help = f"write `=` before a value: `{spot.before(3).text} NAME = ...`"
        return Hint(help, TokenEdit(1, 0, spot.put("=")), 1, "`=`")
    if text == "=" and spot.kind in ("slo line", "watch line") and spot.wants("<="):
        return Hint("a promise compares: `cost.mean <= $1`", spot.instead("<="))
    if text == "=" and spot.wants("=="):
        return Hint(
            "write `==` to compare: `=` gives a name its value", spot.instead("=="), safe=True
        )
    if text == "=" and spot.before().text in ("=", "<", ">", "!") and spot.wants_expression:
        return Hint("one `=` is enough", TokenEdit(0, 1), safe=True)
    return None


def colon_after_word(spot: ErrorSite) -> Hint | None:
    """`people: 5`, `timeout: 30s`, `slo: {`, `when a: {`."""
    before = spot.before()
    if spot.text != ":" or spot.wants("="):
        return None
    if spot.wants("]") and before.start > spot.before(2).start and spot.before(2).text == "[":
        return Hint("lists have no slices: `xs[i]` takes one element")
    if spot.wants("{") and not spot.on_new_line and spot.after().text != "{":
        return Hint("a block stands in braces: `{ ... }`", TokenEdit(0, 1, spot.put("{")))
    if before.text.isidentifier():
        return Hint(f"leave out the `:` after `{before.text}`", TokenEdit(0, 1), safe=True)
    return Hint("leave out the `:`", TokenEdit(0, 1), safe=True)


def equals_after_word(spot: ErrorSite) -> Hint | None:
    """`timeout = 30s`."""
    before = spot.before()
    if spot.text == "=" and before.type in spot.grammar.keyword_of and spot.kind == "option":
        return Hint(f"leave out the `=` after `{before.text}`", TokenEdit(0, 1), safe=True)
    return None


def arrow(spot: ErrorSite) -> Hint | None:
    """`=>` and `->` for each other, `:` or nothing for either."""
    text = spot.text
    if spot.wants("->") and not spot.wants_expression:
        if text == "=>":
            return Hint("write `->` before the type of a result", spot.instead("->"), safe=True)
        if text == ":":
            return Hint("the type of a result stands after `->`", spot.instead("->"), safe=True)
        if text == "-" and spot.after().text == ">":
            return Hint("write `->` in one piece", spot.instead("->", skip=2), safe=True)
        if text == ">":
            return Hint("write `->` before the type of a result", spot.instead("->"), safe=True)
    if spot.wants("=>"):
        if text in ("->", ":", "="):
            return Hint("an arm is written `PATTERN => VALUE`", spot.instead("=>"), safe=True)
        if text == "{":
            return Hint("an arm of an expression is written `PATTERN => VALUE`, without braces")
    # Where the brace is there, it is enough to leave out what stands before it.
    braceless = text in ("->", ":") and spot.kind == "arm" and spot.after().text != "{"
    if (text == "=>" or braceless) and spot.wants("{"):
        return Hint("an arm of items stands in braces: `NAME { ... }`")
    return None


def missing_result(spot: ErrorSite) -> Hint | None:
    """`pipeline p() {`, `fn f() = x`: the type of the result left out."""
    if spot.wants("->") and spot.before().text == ")" and spot.text in ("{", "="):
        if spot.wants("{", "="):
            return None
        what = "a pipeline" if spot.text == "{" else "a `fn`"
        put = (*spot.put("->"), ("NAME", "json"))
        help = f"{what} says what it gives: `(...) -> TYPE {spot.text} ...`"
        return Hint(help, TokenEdit(0, 0, put))
    if spot.wants("->") and spot.token.type == "NAME" and spot.before().text == ")":
        return Hint(
            "write `->` before the type of a result", TokenEdit(0, 0, spot.put("->")), safe=True
        )
    return None


def comma(spot: ErrorSite) -> Hint | None:
    """Commas between items, fields, options, members, arms; behind the last element."""
    before = spot.before()
    if spot.text in _CLOSING and before.text == ",":
        return Hint("leave out the last comma", TokenEdit(1, 0), 0, safe=True)
    if spot.text == "," and before.text == ",":
        return Hint("one comma is enough", TokenEdit(0, 1), safe=True)
    if spot.text == "," and (spot.wants("}") or spot.on_new_line or spot.wants_item):
        return Hint(
            "leave out the comma: nothing is needed between entries", TokenEdit(0, 1), safe=True
        )
    if spot.text == "," and spot.wants("and"):
        return Hint(
            "leave out the comma: nothing is needed between entries", TokenEdit(0, 1), safe=True
        )
    return None


def missing_comma(spot: ErrorSite) -> Hint | None:
    """`call t(a b)`, `[1 2]`, `{a: 1 b: 2}`."""
    value = spot.token.type in ("NAME", "STRING", "INT", "NUMBER", "TRUE", "FALSE", "NONE")
    if value and spot.wants(",") and spot.wants(")", "]") and not spot.on_new_line:
        return Hint(
            "a comma is needed between two of them", TokenEdit(0, 0, spot.put(",")), safe=True
        )
    if spot.wants(",") and spot.wants("}") and spot.after().text == ":":
        return Hint(
            "a comma is needed between two fields", TokenEdit(0, 0, spot.put(",")), safe=True
        )
    return None


def chained(spot: ErrorSite) -> Hint | None:
    """`a == b == c`."""
    if spot.text in _COMPARISONS and spot.wants("and"):
        return Hint(
            "comparisons cannot be chained: join two of them with `and`", spot.instead("and")
        )
    return None


def doubled(spot: ErrorSite) -> Hint | None:
    """`a ++`, `x += 1`, `a ** 2`, `a // b`, `a ?? b`, `a ? b : c`, `a[1:2]`."""
    text, before = spot.text, spot.before()
    if text == "=" and before.text in ("+", "-", "*", "/"):
        return Hint("a value never changes: give the new one a name of its own, `let NAME = ...`")
    if text == "*" and before.text == "*":
        return Hint("a power is a product written out, as in `x * x`")
    value = spot.token.type in ("STRING", "INT", "NAME") and not spot.on_new_line
    if before.text == "?" and (text == "?" or value):
        return Hint("write `if c then a else b`; `x?` asks whether x is there")
    return None


def method(spot: ErrorSite) -> Hint | None:
    """`a.upper()`."""
    called = spot.text == "(" and spot.before(2).text == "." and not spot.wants("(")
    if called and spot.before().text.isidentifier():
        return Hint("values have no methods: a `fn` is called as `NAME(value)`")
    return None


def extra_closing(spot: ErrorSite) -> Hint | None:
    """A bracket that was never opened; items behind a pipeline that is closed."""
    if spot.text in _CLOSING and spot.wants_declaration:
        return Hint(f"nothing is open here: leave out the `{spot.text}`", TokenEdit(0, 1))
    return None


SLIPS = (
    assignment,
    equals_after_word,
    arrow,
    missing_result,
    comma,
    colon_after_word,
    missing_comma,
    chained,
    doubled,
    method,
    extra_closing,
)
