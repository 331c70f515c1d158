"""Slips of words: other languages' keywords, words left out, misspelt or in the wrong place."""

from __future__ import annotations

from difflib import get_close_matches

from pipelang.diagnostics.spelling import only_slip
from pipelang.syntax.slips.spot import Edit, Mend, Spot
from pipelang.syntax.tokens import DECLARING

ACTIONS = frozenset({"ask", "agent", "call", "run", "recall", "each"})
_ITEMS = frozenset(
    "budget permits slo traffic watch let step gate approve hold when match remember breaker "
    "return escalate reject fail".split()
)
_OUTCOMES = ("return", "escalate", "reject", "fail")
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
}
_NEEDLESS = {
    "print": "leave it out: the trace of a run shows every value",
    "log": "leave it out: the trace of a run shows every value",
    "pass": "leave it out: a block may be empty",
    "await": "leave it out: steps run side by side by themselves",
    "async": "leave it out: steps run side by side by themselves",
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


def else_if(spot: Spot) -> Mend | None:
    """`} else if c {`, `elif c {`, `elseif c {`."""
    help = "there is no `else if`: put a `when` inside the braces of `else`"
    if spot.text in ("if", "when") and spot.before().text == "else" and spot.wants("{"):
        return Mend(help, Edit(1, 1, spot.put("when")))
    if spot.text in ("elif", "elseif", "elsif") and spot.wants_item:
        return Mend(help.replace("else if", spot.text), spot.instead("when"))
    return None


def branch(spot: Spot) -> Mend | None:
    """`if c {` among items; `unless`; `then` of a `when`."""
    if spot.text == "if" and spot.wants_item:
        return Mend("write `when` for a branch of items", spot.instead("when"), safe=True)
    if spot.text == "unless" and spot.wants_item:
        return Mend("write `when not`", spot.instead("when", "not"))
    if spot.text in ("then", "do") and spot.wants("{"):
        return Mend("a branch of items stands in braces: `when EXPR { ... }`", Edit(0, 1))
    if spot.text == "else" and spot.wants_item:
        what = "this `else` belongs to nothing: it stands after the action, gate or block it helps"
        return Mend(what)
    return None


def second_else(spot: Spot) -> Mend | None:
    """`else reject else escalate to r`: nothing comes after an outcome."""
    if spot.text != "else":
        return None
    behind = range(1, 7)
    if any(spot.before(n).text in _OUTCOMES for n in behind) and (
        spot.wants_item or spot.wants("step")
    ):
        return Mend("an outcome ends the chain: nothing comes after it")
    return None


def foreign(spot: Spot) -> Mend | None:
    """A word of another language where an item or a declaration starts."""
    starts = spot.wants_item or spot.wants_declaration
    if starts and spot.text in _NEEDLESS:
        return Mend(_NEEDLESS[spot.text])
    if spot.text in ("raise", "throw", "exit") and spot.wants("fail"):
        return Mend('pipelang writes `fail "code"`', spot.instead("fail"))
    meant = _FOREIGN.get(spot.text) if starts else None
    if meant is None or (spot.text in _FOREIGN_DECLARATIONS and not spot.wants_declaration):
        return None
    same = _SAME.get(spot.text)
    edit = spot.instead(same) if same is not None and spot.wants(same) else None
    return Mend(f"pipelang writes {meant}", edit, safe=same in ("let", "use"))


def foreign_value(spot: Spot) -> Mend | None:
    """`lambda x: x`."""
    before = spot.before().text
    if before in ("await", "async") and spot.text in ACTIONS:
        return Mend(_NEEDLESS[before], Edit(1, 0), back=1, found=f"`{before}`")
    if before in _FOREIGN_VALUES:
        return Mend(f"pipelang writes {_FOREIGN_VALUES[before]}")
    return None


def prefixed_text(spot: Spot) -> Mend | None:
    """`f"..."`, `r"..."`."""
    before = spot.before()
    if (
        spot.token.type == "STRING"
        and before.text in ("f", "r", "b", "rf", "fr")
        and (before.end == spot.token.start)
    ):
        help = "texts have no prefix; values are put into texts by a prompt's template: {{ name }}"
        return Mend(help, Edit(1, 0) if before.type == "NAME" else None)
    return None


def capitals(spot: Spot) -> Mend | None:
    """`STEP x = ...`, `Pipeline p()`."""
    low = spot.text.lower()
    word = spot.text != low and spot.token.type == "NAME" and low in spot.grammar.keywords
    if word and spot.wants(low):
        return Mend(
            f"words of the language are written small: `{low}`", spot.instead(low), safe=True
        )
    return None


def reserved_name(spot: Spot) -> Mend | None:
    """`type max { }`, `step match = ...`."""
    text = spot.text
    if text in spot.grammar.reserved and "NAME" in spot.expected and not spot.wants_quantity:
        if spot.wants_expression:
            return None
        help = f"`{text}` is a word of the language; choose another name"
        return Mend(help, Edit(0, 1, (("NAME", text),)))
    return None


def action_alone(spot: Spot) -> Mend | None:
    """`call t(a)` as an item."""
    if spot.text in ACTIONS and spot.wants_item and spot.on_new_line:
        help = f"an action stands in a step: `step NAME = {spot.text} ...`"
        return Mend(help, Edit(0, 0, (*spot.put("step"), ("NAME", "it"), *spot.put("="))))
    return None


def missing_word(spot: Spot) -> Mend | None:
    """`ask p() haiku`, `escalate support`, `redo x 2`, `up 2`, `hold v 15m`, `if a b else c`."""
    before, text = spot.before().text, spot.text
    if spot.wants("by") and spot.before(2).text == "approve":
        return Mend("say who approves: `approve NAME by ROLE`", Edit(0, 0, spot.put("by")))
    if spot.wants("by") and spot.kind == "option":
        return Mend("say what tells the entries apart: `cache 1h by ticket.id`")
    if spot.wants("by") and (before == ")" or "by" in text.lower() or text in ("with", "using")):
        if text in ("with", "using", "via", "from", "to", "on"):
            return Mend("who answers stands after `by`", spot.instead("by"))
        if spot.token.type == "NAME":
            return Mend(
                "who answers stands after `by`: `ask PROMPT(...) by TIER`",
                Edit(0, 0, spot.put("by")),
            )
        return Mend(
            "say who answers: `ask PROMPT(...) by TIER`",
            Edit(0, 0, (*spot.put("by"), ("NAME", "nobody"))),
        )
    if spot.wants("to") and before in ("escalate", "up"):
        help = {
            "escalate": "name the role that takes over: `escalate to ROLE`",
            "up": "say how often at most: `redo STEP up to N`",
        }[before]
        named = spot.token.type in ("NAME", "INT") and not spot.on_new_line
        return Mend(help, Edit(0, 0, spot.put("to")) if named else None)
    if spot.wants("up") and spot.before(2).text == "redo":
        more = 1 if text in ("x", "times") else 0
        help = "say how often at most: `redo STEP up to N`"
        if spot.token.type == "INT" or more:
            return Mend(help, Edit(0, more, spot.put("up", "to")))
        return Mend(help, Edit(0, 0, (*spot.put("up", "to"), ("INT", "1"))))
    if spot.wants("for") and spot.before(2).text == "hold":
        return Mend("say how long: `hold NAME for 15m by ROLE`", Edit(0, 0, spot.put("for")))
    if spot.wants("until") and before == ")":
        return Mend(
            "say when an answer is good enough: `cascade(...) until EXPR`, where the answer is `it`"
        )
    if spot.wants("then") and not spot.wants("by"):
        if text in ("{", ":"):
            return Mend("write `if c then a else b`", spot.instead("then"))
        return Mend("write `if c then a else b`", Edit(0, 0, spot.put("then")))
    if (
        spot.wants("else")
        and spot.kind == "item"
        and not spot.wants_item
        and (spot.on_new_line or spot.token.type == "$END")
    ):
        if spot.expected <= {"ELSE", "LBRACE"}:
            return Mend("say what happens then: `else OUTCOME`, as in `else escalate to ROLE`")
        if "ELSE" in spot.expected and len(spot.expected) < 30 and not spot.wants("{"):
            return Mend("an `if` has both ways: `if c then a else b`")
    if spot.wants("=") and spot.before().text == ")" and spot.kind == "item":
        return Mend("say what is remembered: `remember MEMORY(key) = EXPR`")
    if spot.wants("over") and "watch line" in spot.around:
        return Mend("say over what time: `latency.p95 <= 30s over 1h`")
    return None


def missing_outcome(spot: Spot) -> Mend | None:
    """`else` with an expression where only an outcome can stand."""
    if spot.before().text == "else" and spot.wants("escalate") and not spot.wants_expression:
        return Mend(
            'an outcome comes here: `escalate to ROLE`, `reject`, `fail "code"` or `return EXPR`'
        )
    return None


def without_quotes(spot: Spot) -> Mend | None:
    """`fail reply_not_sent`, `prompt p() Sort this`, `python a.b:c`."""
    before = spot.before().text
    if "STRING" not in spot.expected or spot.wants_expression or spot.wants_item:
        return None
    if spot.token.type != "NAME" and spot.token.type not in spot.grammar.keyword_of:
        return None
    if spot.on_new_line and before in ("fail", "python", "permit", "permits", "mcp"):
        example = {"fail": 'fail "code"', "python": 'python "module:function"'}
        meant = example.get(before) or f'{before} "..."'
        return Mend(f"a text is needed: `{meant}`")
    if before in ("fail", "permit", "permits", "python", "model", "key", "from", "test", "mcp"):
        parts = spot.line()
        while len(parts) > 1 and parts[-1].text in (",", ")", "}", "{"):
            parts.pop()
        whole = "".join(part.text for part in parts).replace('"', "")
        meant = f'{before} "{whole}"'
        edit = Edit(0, len(parts), (("STRING", f'"{whole}"'),))
        return Mend(f"texts stand in double quotes: `{meant}`", edit)
    return None


def without_template(spot: Spot) -> Mend | None:
    """`prompt p() Sort this ticket`, `prompt p() "..."`, `prompt p() = \"\"\"`."""
    if "TEMPLATE" not in spot.expected:
        return None
    help = 'a template stands in three double quotes, or in a file: `from "prompts/p.j2"`'
    if spot.token.type == "STRING":
        return Mend(help, Edit(0, 1, (("TEMPLATE", f'""{spot.text}""'),)))
    if spot.text in ("=", ":", "->") and spot.after().type == "TEMPLATE":
        return Mend(f"leave out the `{spot.text}`: the template follows the parameters", Edit(0, 1))
    return Mend(help)


def missing_value(spot: Spot) -> Mend | None:
    """`return` alone; `let x =`; `accuracy` alone."""
    if (
        spot.before().text == "return"
        and spot.wants_expression
        and (spot.on_new_line or spot.text == "}")
    ):
        return Mend("say what the pipeline gives: `return EXPR`")
    return None


def call_without_parentheses(spot: Spot) -> Mend | None:
    """`call search_kb`, `ask classify by haiku`."""
    word, name = spot.before(2).text, spot.before().text
    if spot.wants("(") and word in ACTIONS and spot.before().text.isidentifier():
        if spot.wants("=", ":"):
            return None
        given = spot.token.type in ("NAME", "STRING") and not spot.on_new_line
        edit = None if given and spot.text != "by" else Edit(0, 0, spot.put("(", ")"))
        return Mend(f"arguments stand in parentheses: `{word} {name}(...)`", edit)
    return None


def missing_name(spot: Spot) -> Mend | None:
    """`gate a >= 3 else reject`, `gate x = ...`, `step = ...`, `step x: call t()`."""
    before = spot.before().text
    if before == "gate" and spot.before(2).text != "gate" and "NAME" in spot.expected:
        return Mend("a gate has a name: `gate NAME: CONDITION else OUTCOME`")
    if spot.before(2).text == "gate" and spot.wants(":") and spot.text != "=":
        return Mend("a gate has a name: `gate NAME: CONDITION else OUTCOME`")
    if before in ("step", "let") and "NAME" in spot.expected and spot.text == "=":
        return Mend(
            f"a {before} has a name: `{before} NAME = ...`", Edit(0, 0, (("NAME", "nameless"),))
        )
    if spot.before(2).text == "step" and spot.wants("=") and spot.text in ACTIONS:
        return Mend("write `=` before the action", Edit(0, 0, spot.put("=")))
    if spot.before(3).text == "step" and spot.before(2).type == "NAME" and spot.text in ACTIONS:
        return None
    return None


def action_inside(spot: Spot) -> Mend | None:
    """`1 + call t(a)`: the action's word was read as a name."""
    word = spot.before()
    if not spot.taken_as_name or word.text not in ACTIONS or not spot.text.isidentifier():
        return None
    end, depth = 1, 0
    while spot.after(end).type != "$END" and end < 200:
        depth += {"(": 1, ")": -1}.get(spot.after(end).text, 0)
        end += 1
        if depth == 0:
            break
    if spot.after(end).text == "by":
        end += 2
    return Mend(None, Edit(0, end), back=1)


def swallowed_word(spot: Spot) -> Mend | None:
    """`ask p(a by h`, `f(a else b`: the word behind a forgotten bracket was read as a name."""
    word = spot.before()
    if spot.taken_as_name and word.text == "by" and spot.wants(")"):
        edit = Edit(1, 0, spot.put(")", "by"))
        return Mend("put `)` before `by`", edit, 1, "`)`", "`by`")
    return None


def colon_for_equals(spot: Spot) -> Mend | None:
    """`step x: ask p() by h`: the action was read as a type."""
    for distance in (1, 2, 3):
        word = spot.before(distance)
        if (
            word.text in ACTIONS
            and spot.before(distance + 1).text == ":"
            and (spot.before(distance + 3).text == "step")
        ):
            return Mend(
                "write `=` before the action: `step NAME = ...`, or `step NAME: TYPE = ...`",
                back=distance + 1,
            )
    return None


def option_outside(spot: Spot) -> Mend | None:
    """`step x = call t() timeout 5s`, an option after the braces."""
    words = spot.grammar.keywords
    fits = spot.text in OPTIONS_OF["an action"] and spot.text in words
    if fits and spot.wants("else", "{") and spot.kind in ("item", "arm"):
        return Mend(f"options stand in braces after the action: `{{ {spot.text} ... }}`")
    return None


def option_elsewhere(spot: Spot) -> Mend | None:
    """A tool's option at a step, a tier's at a role."""
    if spot.kind != "option" or "RBRACE" not in spot.expected:
        return None
    word = _OPTIONS.get(spot.text)
    if word is not None and spot.wants(word):
        return Mend(f"did you mean `{word}`?", spot.instead(word))
    owners = [owner for owner, words in OPTIONS_OF.items() if spot.text in words]
    if owners:
        what = " or ".join(owners)
        return Mend(f"`{spot.text}` is an option of {what} and cannot stand here")
    if spot.text in _ITEMS:
        help = f"`{spot.text}` is an item; is the `}}` of these options missing?"
        return Mend(help, Edit(0, 0, spot.put("}")))
    return None


_OPTIONS = {
    **dict.fromkeys(("retries", "max_retries", "attempts", "tries"), "retry"),
    **dict.fromkeys(("deadline", "time_limit", "timeouts"), "timeout"),
    **dict.fromkeys(("max_tokens", "tokens", "length"), "output"),
    **dict.fromkeys(("concurrency", "workers"), "parallel"),
    **dict.fromkeys(("reasoning", "thinking"), "effort"),
    **dict.fromkeys(("votes", "samples"), "vote"),
    **dict.fromkeys(("max_turns",), "turns"),
    **dict.fromkeys(("max_steps",), "steps"),
}
OPTIONS_OF = {
    "an action": frozenset(
        "retry timeout accuracy catches false_alarms output effort cache hits batch vote steps "
        "turns recovers correlation parallel need".split()
    ),
    "a tool": frozenset(
        "python mcp effect permit rate timeout retry succeeds accuracy latency cost "
        "idempotent".split()
    ),
    "a tier": frozenset("provider model price latency transient context as_of".split()),
    "a role": frozenset("people handles responds accuracy hours must_differ_from".split()),
    "a provider": frozenset("kind key base_url available".split()),
    "a memory": frozenset({"keeps"}),
    "a gate": frozenset("evidence catches false_alarms".split()),
}
BEGINNING = frozenset({"given", "mock", "expect"}).union(_ITEMS, *OPTIONS_OF.values())
"""Words that, first on a line, are more likely the beginning of something than a name."""


def item_outside(spot: Spot) -> Mend | None:
    """`step` at the top of a file, `tool` inside a pipeline."""
    if spot.wants_declaration and spot.text in _ITEMS:
        if spot.before().text == "}":
            return Mend("items stand inside a pipeline: is one `}` too many before it?")
        return Mend("items stand inside a pipeline: `pipeline NAME(...) -> TYPE { ... }`")
    return None


def declaration_inside(spot: Spot) -> Mend | None:
    """`tool` inside a pipeline."""
    if spot.wants_item and spot.text in DECLARING and spot.after().text.isidentifier():
        return Mend(f"a `{spot.text}` is declared at the top of a file, outside of pipelines")
    return None


def in_a_test(spot: Spot) -> Mend | None:
    """`assert answered`, `expect escalate good`."""
    before = spot.before().text
    if spot.text in ("assert", "then", "should", "check", "verify") and spot.wants("expect"):
        return Mend("a test says what it expects: `expect answered`", spot.instead("expect"))
    if spot.before(2).text == "expect" and before in _PAST:
        meant = _PAST[before]
        edit = Edit(1, 0, spot.put(meant))
        return Mend(f"did you mean `{meant}`?", edit, 1, "what is expected")
    return None


_PAST = {
    **dict.fromkeys(("escalate", "escalates", "escalation"), "escalated"),
    **dict.fromkeys(("answer", "answers", "return", "returned", "success"), "answered"),
    **dict.fromkeys(("reject", "rejects"), "rejected"),
    **dict.fromkeys(("fail", "fails"), "failed"),
    **dict.fromkeys(("call", "calls"), "called"),
}


def assigned(spot: Spot) -> Mend | None:
    """`x = 5`, `x += 1` as items."""
    sign = spot.after()
    if not spot.wants_item or spot.token.type != "NAME":
        return None
    if sign.text == "=":
        return Mend("a value is made with `let NAME = EXPR`", Edit(0, 0, spot.put("let")))
    if sign.text in ("+", "-", "*", "/") and spot.after(2).text == "=":
        return Mend("a value never changes: give the new one its own name, `let NAME = EXPR`")
    return None


def fields_and_parameters(spot: Spot) -> Mend | None:
    """`int a`, `ticket` without a type, `a:` without one."""
    token, before = spot.token, spot.before()
    if spot.kind in ("field", "parameter") and spot.wants(":") and len(spot.expected) == 1:
        if token.type == "NAME" and before.text.isidentifier() and not spot.on_new_line:
            made = (("NAME", token.text), *spot.put(":"), ("NAME", before.text))
            return Mend(f"the name comes first: `{token.text}: {before.text}`", Edit(1, 1, made))
        if token.text in (")", ",", "}") or spot.on_new_line:
            help = f"a {spot.kind} has a type: `{before.text}: TYPE`"
            return Mend(help, Edit(0, 0, (*spot.put(":"), ("NAME", "json"))))
    if token.text == ":" and spot.before(2).text == ":" and spot.kind == "field":
        made = (("NAME", "json"), ("NAME", before.text))
        help = f"a field has a type: `{spot.before(3).text}: TYPE`"
        return Mend(help, Edit(1, 0, made), 1, "a type")
    if spot.wants(":") and spot.text == "=" and spot.before(2).text == "setting":
        help = "a setting has a type: `setting NAME: int in 1..10 = 5`"
        return Mend(help, Edit(0, 0, (*spot.put(":"), ("NAME", "json"))))
    return None


def heads(spot: Spot) -> Mend | None:
    """What is missing or strange in the first line of a declaration."""
    text, before, word = spot.text, spot.before().text, spot.before(2).text
    if spot.wants("(") and word in ("tool", "fn", "prompt", "memory", "pipeline"):
        help = f"parameters stand in parentheses, also where there are none: `{word} {before}()`"
        return Mend(help, Edit(0, 0, spot.put("(", ")")))
    if text == "{" and spot.wants("=") and spot.wants("python"):
        return Mend("the body of a `fn` is one expression: `fn f(x: int) -> int = EXPR`")
    if spot.wants("{") and spot.token.type == "$END" and spot.kind == "declaration":
        return Mend("its contents stand in braces: `{ ... }`", Edit(0, 0, spot.put("{", "}")))
    if text == "=" and spot.wants("}") and spot.kind == "declaration":
        return Mend("members of an `enum` have no values: leave out the `=`", Edit(0, 2))
    if before == "effect" and spot.on_new_line:
        return Mend("say what it does to the world: `effect read`, or pure, write, irreversible")
    if before == "effort":
        return Mend("write `effort low`, `effort medium` or `effort high`")
    if before == "language":
        return Mend("write `language 1`", Edit(0, 1, (("INT", "1"),)))
    if before == "use" and text == "{":
        return Mend("the library comes first: `use std.tiers { haiku }`")
    if text == "/" and any(spot.before(n).text == "use" for n in (2, 4, 6)):
        return Mend("names of libraries have points: `use std.tiers`", spot.instead("."))
    if text == "*" and before == ".":
        help = "leave out `.*`: without names in braces, all is imported"
        return Mend(help, Edit(1, 1))
    return None


def list_item(spot: Spot) -> Mend | None:
    """`- step: x` as in YAML."""
    dash = spot.before(2)
    if dash.text == "-" and spot.before().text in _ITEMS and spot.taken_as_name:
        edit = Edit(2, 0, spot.put(spot.before().text))
        help = "entries have no dash: a block in braces holds one after the other"
        return Mend(help, edit, 2, "an item", "`-`")
    entry = spot.wants_item or spot.wants_declaration or "RBRACE" in spot.expected
    if spot.text == "-" and spot.on_new_line and entry and not spot.wants_expression:
        return Mend("entries have no dash: a block in braces holds one after the other", Edit(0, 1))
    return None


def quoted_name(spot: Spot) -> Mend | None:
    """`type T { "a": int }`, `step "x" = ...`."""
    inner = spot.text[1:-1]
    name = spot.token.type == "STRING" and inner.isidentifier() and "NAME" in spot.expected
    if name and not spot.wants_quantity and "STRING" not in spot.expected:
        return Mend(f"names stand without quotes: `{inner}`", Edit(0, 1, (("NAME", inner),)))
    return None


def other_types(spot: Spot) -> Mend | None:
    """`int[]`, `list[str]`, `Optional[T]`, `List<T>`, `a | b` as types."""
    before, text = spot.before(), spot.text
    if before.type != "NAME" or text not in ("[", "<", "(") or spot.wants("or"):
        return None
    if not spot.wants("?") or spot.kind not in ("field", "parameter", "declaration"):
        return None
    close = {"[": "]", "<": ">", "(": ")"}[text]
    name, inner = before.text, spot.after()
    if inner.text == close:
        return Mend(f"a list is written `[{name}]`", Edit(0, 2))
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
    return Mend(help, Edit(0, skip) if skip else None)


def misspelt(spot: Spot) -> Mend | None:
    """A word that is nearly one of those that fit."""
    text, grammar = spot.text, spot.grammar
    if spot.token.type != "NAME" and spot.token.type not in grammar.keyword_of:
        return None
    words = sorted(grammar.keyword_of[t] for t in spot.expected if t in grammar.keyword_of)
    plain = {word.replace("_", ""): word for word in words}
    close = plain.get(text.lower().replace("_", "")) or next(
        iter(get_close_matches(text, words, n=1, cutoff=0.7)), None
    )
    if close is None and len(words) == 1 and not spot.on_new_line and len(spot.expected) == 1:
        return Mend(f"write `{words[0]}` here", spot.instead(words[0]))
    if close is None:
        return None
    safe = only_slip(text, words) == close
    return Mend(f"did you mean `{close}`?", spot.instead(close), safe=safe)


SLIPS = (
    else_if,
    second_else,
    branch,
    in_a_test,
    list_item,
    assigned,
    foreign,
    capitals,
    action_alone,
    item_outside,
    declaration_inside,
    prefixed_text,
    foreign_value,
    colon_for_equals,
    reserved_name,
    quoted_name,
    without_template,
    without_quotes,
    call_without_parentheses,
    action_inside,
    swallowed_word,
    missing_name,
    fields_and_parameters,
    heads,
    missing_outcome,
    missing_value,
    other_types,
    option_outside,
    option_elsewhere,
    missing_word,
)
