"""Hints about syntax of other languages."""

from __future__ import annotations

from pipelang.syntax.lexicon import ITEMS
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit
from pipelang.syntax.recovery.hints.words import ACTIONS

_FOREIGN = {
    "def": "`fn` or `pipeline`",
    "function": "`fn` or `pipeline`",
    "func": "`fn` or `pipeline`",
    "class": "`type`",
    "struct": "`type`",
    "interface": "`type`",
    "record": "`type`",
    "model": "`tier`",
    "agent": "`step NAME: T = agent PROMPT(...) by TIER with TOOL`",
    "workflow": "`pipeline`",
    "import": "`use`",
    "include": "`use`",
    "from": "`use std.NAME { names }`",
    "const": "`setting` for a number that operators turn, or `let` inside a pipeline",
    "var": "`let`",
    "val": "`let`",
    "set": "`let`",
    "for": "`step NAME = each X in LIST { ... }`",
    "foreach": "`step NAME = each X in LIST { ... }`",
    "while": "`redo STEP up to N` in the `else` of a gate; nothing else repeats",
    "loop": "`step NAME = each X in LIST { ... }`",
    "repeat": "`redo STEP up to N` in the `else` of a gate",
    "try": "`else` after the action that may not work",
    "catch": "`else` after the action that may not work",
    "except": "`else` after the action that may not work",
    "switch": "`match`",
    "case": "`match EXPR { PATTERN { items } }`",
    "raise": '`fail "code"`',
    "throw": '`fail "code"`',
    "exit": '`fail "code"`',
    "assert": "`gate NAME: CONDITION else OUTCOME`",
    "require": "`gate NAME: CONDITION else OUTCOME`",
    "check": "`gate NAME: CONDITION else OUTCOME`",
    "output": "`return`",
    "yield": "`return`",
    "given": "`given` inside a `test`",
    "input": "inputs as parameters: `pipeline NAME(x: TYPE) -> TYPE { ... }`",
    "human": "`approve NAME by ROLE showing EXPR`",
    "on": "`else` after the action that may not work",
    "promise": "`slo { METRIC >= TARGET }`",
}


_NEEDLESS = {
    "print": "leave it out: the trace of a run shows every value",
    "log": "leave it out: the trace of a run shows every value",
    "pass": "leave it out: a block may be empty",
    "await": "leave it out: steps run side by side by themselves",
    "async": "leave it out: steps run side by side by themselves",
    "parallel": "leave it and its braces out: steps run side by side by themselves",
    "sequential": "leave it and its braces out: a step waits for the values that it reads",
}


_SAME = {
    **dict.fromkeys(("class", "struct", "interface", "record"), "type"),
    **dict.fromkeys(("import", "include"), "use"),
    **dict.fromkeys(("def", "func", "function"), "fn"),
    **dict.fromkeys(("var", "val", "set"), "let"),
    **dict.fromkeys(("raise", "throw", "exit"), "fail"),
    **dict.fromkeys(("output", "yield"), "return"),
    "switch": "match",
    "while": "when",
    "workflow": "pipeline",
    "model": "tier",
}


_FOREIGN_DECLARATIONS = {"const", "model", "agent", "record", "workflow", "class", "struct"}


_FOREIGN_VALUES = {"lambda": "`fn NAME(x: T) -> T = EXPR`", "new": "the record itself: `{a: 1}`"}


def else_if(spot: ErrorSite) -> Hint | None:
    """`} else if c {`, `elif c {`, `elseif c {`."""
    help = "there is no `else if`: put a `when` inside the braces of `else`"
    if spot.text in ("if", "when") and spot.before().text == "else" and spot.wants("{"):
        return Hint(help, TokenEdit(1, 1, spot.put("when")))
    if spot.text in ("elif", "elseif", "elsif") and spot.wants_item:
        return Hint(help.replace("else if", spot.text), spot.instead("when"))
    return None


def branch(spot: ErrorSite) -> Hint | None:
    """`if c {` among items; `unless`; `then` of a `when`."""
    if spot.text == "if" and spot.wants_item:
        return Hint("write `when` for a branch of items", spot.instead("when"), safe=True)
    if spot.text == "unless" and spot.wants_item:
        return Hint("write `when not`", spot.instead("when", "not"))
    if spot.text == "if" and spot.wants("when"):
        return Hint("write `when`", spot.instead("when"), safe=True)
    if spot.text in ("then", "do") and spot.wants("{"):
        return Hint("a branch of items stands in braces: `when EXPR { ... }`", TokenEdit(0, 1))
    if spot.text == "else" and spot.wants_item:
        what = "this `else` belongs to nothing: it stands after the action, gate or block it helps"
        return Hint(what)
    return None


def foreign(spot: ErrorSite) -> Hint | None:
    """A word of another language where an item or a declaration starts."""
    starts = spot.wants_item or spot.wants_declaration
    if starts and spot.text in _NEEDLESS:
        return Hint(_NEEDLESS[spot.text])
    if spot.text in ("raise", "throw", "exit") and spot.wants("fail"):
        return Hint('pipelang writes `fail "code"`', spot.instead("fail"))
    if spot.text == "const" and spot.wants("let"):
        return Hint("pipelang writes `let`", spot.instead("let"))
    meant = _FOREIGN.get(spot.text) if starts else None
    if meant is None or (spot.text in _FOREIGN_DECLARATIONS and not spot.wants_declaration):
        return None
    same = _SAME.get(spot.text)
    edit = spot.instead(same) if same is not None and spot.wants(same) else None
    return Hint(f"pipelang writes {meant}", edit, safe=same in ("let", "use"))


def foreign_value(spot: ErrorSite) -> Hint | None:
    """`lambda x: x`, `await call t(x)`, `await t(x)`."""
    before = spot.before().text
    if before in ("await", "async") and spot.text in ACTIONS:
        return Hint(_NEEDLESS[before], TokenEdit(1, 0), back=1, found=f"`{before}`")
    if before in ("await", "async") and spot.token.type == "NAME" and spot.after().text == "(":
        help = "a tool is called with `call`, and what needs its answer waits by itself"
        return Hint(help, TokenEdit(1, 0, spot.put("call")), back=1, found=f"`{before}`")
    if before in _FOREIGN_VALUES:
        return Hint(f"pipelang writes {_FOREIGN_VALUES[before]}")
    return None


def prefixed_text(spot: ErrorSite) -> Hint | None:
    """`f"..."`, `r"..."`."""
    before = spot.before()
    if (
        spot.token.type == "STRING"
        and before.text in ("f", "r", "b", "rf", "fr")
        and (before.end == spot.token.start)
    ):
        help = "texts have no prefix; values are put into texts by a prompt's template: {{ name }}"
        return Hint(help, TokenEdit(1, 0) if before.type == "NAME" else None)
    return None


def capitals(spot: ErrorSite) -> Hint | None:
    """`STEP x = ...`, `Pipeline p()`."""
    low = spot.text.lower()
    word = spot.text != low and spot.token.type == "NAME" and low in spot.grammar.keywords
    if word and spot.wants(low):
        return Hint(
            f"words of the language are written small: `{low}`", spot.instead(low), safe=True
        )
    return None


def list_item(spot: ErrorSite) -> Hint | None:
    """`- step: x` as in YAML."""
    dash = spot.before(2)
    if dash.text == "-" and spot.before().text in ITEMS and spot.taken_as_name:
        edit = TokenEdit(2, 0, spot.put(spot.before().text))
        help = "entries have no dash: a block in braces holds one after the other"
        return Hint(help, edit, 2, "an item", "`-`")
    entry = spot.wants_item or spot.wants_declaration or "RBRACE" in spot.expected
    if spot.text == "-" and spot.on_new_line and entry and not spot.wants_expression:
        return Hint(
            "entries have no dash: a block in braces holds one after the other", TokenEdit(0, 1)
        )
    return None


def in_a_test(spot: ErrorSite) -> Hint | None:
    """`assert answered`, `expect escalate good`."""
    before = spot.before().text
    if spot.text in ("assert", "then", "should", "check", "verify") and spot.wants("expect"):
        return Hint("a test says what it expects: `expect answered`", spot.instead("expect"))
    if spot.before(2).text == "expect" and before in _PAST:
        meant = _PAST[before]
        edit = TokenEdit(1, 0, spot.put(meant))
        return Hint(f"did you mean `{meant}`?", edit, 1, "an outcome, a call or a condition")
    return None


_PAST = {
    **dict.fromkeys(("escalate", "escalates", "escalation"), "escalated"),
    **dict.fromkeys(("answer", "answers", "return", "returned", "success"), "answered"),
    **dict.fromkeys(("reject", "rejects"), "rejected"),
    **dict.fromkeys(("fail", "fails"), "failed"),
    **dict.fromkeys(("call", "calls"), "called"),
}


def assigned(spot: ErrorSite) -> Hint | None:
    """`x = 5`, `x += 1` as items."""
    sign = spot.after()
    if not spot.wants_item or spot.token.type != "NAME":
        return None
    if sign.text == "=":
        return Hint("a value is made with `let NAME = EXPR`", TokenEdit(0, 0, spot.put("let")))
    if sign.text in ("+", "-", "*", "/") and spot.after(2).text == "=":
        return Hint("a value never changes: give the new one its own name, `let NAME = EXPR`")
    return None


def other_types(spot: ErrorSite) -> Hint | None:
    """`int[]`, `list[str]`, `Optional[T]`, `List<T>`, `a | b` as types."""
    before, text = spot.before(), spot.text
    if before.type != "NAME" or text not in ("[", "<", "(") or spot.wants("or"):
        return None
    if not spot.wants("?") or spot.kind not in ("field", "parameter", "declaration"):
        return None
    close = {"[": "]", "<": ">", "(": ")"}[text]
    name, inner = before.text, spot.after()
    if inner.text == close:
        return Hint(f"a list is written `[{name}]`", TokenEdit(0, 2))
    plain = inner.text if inner.text.isidentifier() else "T"
    forms = {
        "list": f"a list is written `[{plain}]`",
        "optional": f"what may be absent is written `{plain}?`",
        "dict": "a map is written `{text: T}`",
        "map": "a map is written `{text: T}`",
        "union": "a type is one type; an `enum` names the cases",
        "literal": "an `enum` names the cases",
    }
    help = forms.get(name.lower(), "types have no parameters: `[T]`, `{text: T}`, `T?`")
    skip = 3 if spot.after(2).text == close else 0
    return Hint(help, TokenEdit(0, skip) if skip else None)


def quoted_name(spot: ErrorSite) -> Hint | None:
    """`type T { "a": int }`, `step "x" = ...`."""
    inner = spot.text[1:-1]
    name = spot.token.type == "STRING" and inner.isidentifier() and "NAME" in spot.expected
    if name and not spot.wants_quantity and "STRING" not in spot.expected:
        return Hint(f"names stand without quotes: `{inner}`", TokenEdit(0, 1, (("NAME", inner),)))
    return None
