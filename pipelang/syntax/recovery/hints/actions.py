"""Hints about steps, gates and outcomes: words left out or in the wrong place."""

from __future__ import annotations

from pipelang.syntax.recovery.hints.error_site import UNNAMED, ErrorSite, Hint, TokenEdit
from pipelang.syntax.recovery.hints.options import BEGINNING
from pipelang.syntax.recovery.hints.words import ACTIONS, OUTCOMES
from pipelang.syntax.tokens import Token


def second_else(spot: ErrorSite) -> Hint | None:
    """`else reject else escalate to r`: nothing comes after an outcome."""
    if spot.text != "else":
        return None
    behind = range(1, 7)
    if any(spot.before(n).text in OUTCOMES for n in behind) and (
        spot.wants_item or spot.wants("step")
    ):
        return Hint("an outcome ends the chain: nothing comes after it")
    return None


def action_alone(spot: ErrorSite) -> Hint | None:
    """`call t(a)` as an item."""
    if spot.text in ACTIONS and spot.wants_item and spot.on_new_line:
        help = f"an action stands in a step: `step NAME = {spot.text} ...`"
        return Hint(help, TokenEdit(0, 0, (*spot.put("step"), UNNAMED, *spot.put("="))))
    return None


def missing_word(spot: ErrorSite) -> Hint | None:
    """`ask p() haiku`, `escalate support`, `redo x 2`, `up 2`, `hold v 15m`, `if a b else c`."""
    before, text = spot.before().text, spot.text
    if spot.wants("by") and spot.before(2).text == "approve":
        return Hint("say who approves: `approve NAME by ROLE`", TokenEdit(0, 0, spot.put("by")))
    if spot.wants("by") and spot.kind == "option":
        return Hint("say what tells the entries apart: `cache 1h by ticket.id`")
    if spot.wants("by") and (before == ")" or "by" in text.lower() or text in ("with", "using")):
        if text in ("with", "using", "via", "from", "to", "on"):
            return Hint("who answers stands after `by`", spot.instead("by"))
        if spot.token.type == "NAME":
            return Hint(
                "who answers stands after `by`: `ask PROMPT(...) by TIER`",
                TokenEdit(0, 0, spot.put("by")),
            )
        return Hint(
            "say who answers: `ask PROMPT(...) by TIER`",
            TokenEdit(0, 0, (*spot.put("by"), UNNAMED)),
        )
    if spot.wants("to") and before in ("escalate", "up"):
        help = {
            "escalate": "name the role that takes over: `escalate to ROLE`",
            "up": "say how often at most: `redo STEP up to N`",
        }[before]
        named = spot.token.type in ("NAME", "INT") and not spot.on_new_line
        return Hint(help, TokenEdit(0, 0, spot.put("to")) if named else None)
    if spot.wants("up") and spot.before(2).text == "redo":
        more = 1 if text in ("x", "times") else 0
        help = "say how often at most: `redo STEP up to N`"
        if spot.token.type == "INT" or more:
            return Hint(help, TokenEdit(0, more, spot.put("up", "to")))
        return Hint(help, TokenEdit(0, 0, (*spot.put("up", "to"), ("INT", "1"))))
    if spot.wants("for") and spot.before(2).text == "hold":
        length = (("DURATION", "15m"),) if text == "by" else ()
        edit = TokenEdit(0, 0, (*spot.put("for"), *length))
        return Hint("say how long: `hold NAME for 15m by ROLE`", edit)
    if spot.wants("until") and before == ")":
        return Hint(
            "say when an answer is good enough: `cascade(...) until EXPR`, where the answer is `it`"
        )
    if spot.wants("then") and not spot.wants("by"):
        if text in ("{", ":"):
            return Hint("write `if c then a else b`", spot.instead("then"))
        return Hint("write `if c then a else b`", TokenEdit(0, 0, spot.put("then")))
    if (
        spot.wants("else")
        and spot.kind == "item"
        and not spot.wants_item
        and (spot.on_new_line or spot.token.type == "$END")
    ):
        if _is_in_if(spot):
            return Hint("an `if` has both ways: `if c then a else b`")
        if spot.expected <= {"ELSE", "LBRACE"}:
            return Hint("say what happens then: `else OUTCOME`, as in `else escalate to ROLE`")
        if spot.wants("showing"):  # an `approve` or a `hold` may still say what is shown
            return Hint("say what happens if a person says no: `else OUTCOME`, as in `else reject`")
    if spot.wants("=") and spot.before().text == ")" and spot.kind == "item":
        return Hint("say what is remembered: `remember MEMORY(key) = EXPR`")
    if spot.wants("over") and "watch line" in spot.around:
        return Hint("say over what time: `latency.p95 <= 30s over 1h`")
    return None


_BEGINS = ("let", "step", "gate", "approve", "hold", "return", "when", "match", "$END")


def _is_in_if(spot: ErrorSite) -> bool:
    """Whether an `if` before the error, in the same item, has a `then` and no `else` yet."""
    closed, distance = 0, 1
    while (text := spot.before(distance).text) not in _BEGINS:
        if text == "then" and not closed:
            return True
        closed += (text == "else") - (text == "then")
        distance += 1
    return False


def misplaced_ordered(spot: ErrorSite) -> Hint | None:
    """`ordered` anywhere but before the braces of an `each`: what it governs must not be lost."""
    words = "`ordered` stands before the braces: `each X in LIST ordered { ... }`"
    if spot.text == "ordered":
        opening = _braces_of_each(spot)
        moved = None if opening is None else (opening.start, "ordered ")
        # `check --fix` moves only what surely belongs to one `each`, and is allowed there.
        at_once = any(spot.before(n).text == "parallel" for n in range(1, 12))
        safe = moved is not None and not at_once
        return Hint(words, TokenEdit(0, 1), safe=safe, moved=moved)
    if spot.before().text != "ordered":
        return None
    in_body = spot.before(2).text == "{" and spot.text in ACTIONS
    if (
        in_body
        or spot.text == "each"
        or (spot.before(2).text == "each" and spot.after().text == "in")
    ):
        return Hint(words, TokenEdit(1, 0), 1, found="`ordered`")
    return None


def _braces_of_each(spot: ErrorSite) -> Token | None:
    """The opening brace of the `each` before the error, in the same step; None if it is ordered."""
    depth, opening = 0, None
    for distance in range(1, 400):
        token = spot.before(distance)
        if token.text in ("}", ")", "]"):
            depth += 1
        elif token.text in ("{", "(", "["):
            depth -= 1
            if token.text == "{":
                before = spot.before(distance + 1).text
                opening = token if before != "ordered" else None
        elif token.text == "each" and depth <= 0:
            return opening
        elif token.text in ("step", "pipeline") or token.type == "$END":
            return None
    return None


def ending_in_an_arm(spot: ErrorSite) -> Hint | None:
    """`step x = match y { a => escalate to desk ... }`: the word was read as a value."""
    words = [spot.before(n).text for n in (1, 2, 3)]
    if "=>" not in words[1:] or words[words.index("=>") - 1] not in OUTCOMES:
        return None
    help = "an arm of a step gives a value; to end the run, write `match X { ... }` without `step`"
    return Hint(help)


def missing_outcome(spot: ErrorSite) -> Hint | None:
    """`else` with an expression where only an outcome can stand."""
    if spot.before().text == "else" and spot.wants("escalate") and not spot.wants_expression:
        if spot.text == "redo":
            return Hint("only a gate and an approval send something back, and once")
        return Hint(
            'an outcome comes here: `escalate to ROLE`, `reject`, `fail "code"` or `return EXPR`'
        )
    return None


def redo_in_part(spot: ErrorSite) -> Hint | None:
    """A redo that says nothing of the end, or is called a retry."""
    if spot.wants("else") and spot.wants("because"):
        help = "say what happens when no redo is left: `redo STEP up to N else OUTCOME`"
        return Hint(help, TokenEdit(0, 0, spot.put("else", "reject")))
    if spot.text == "because" and spot.wants("up") and spot.before(2).text == "redo":
        help = "how often stands before the reason: `redo STEP up to N because EXPR`"
        return Hint(help, _reason_first(spot))
    if spot.text == "retry" and spot.wants("redo") and spot.before().text == "else":
        return Hint(
            "a step that is sent back is done again: `redo STEP up to N`", spot.instead("redo")
        )
    return None


def _reason_first(spot: ErrorSite) -> TokenEdit:
    """`because E up to N` the other way round; without a number, `up to 1` put in."""
    depth = 0
    for at in range(1, 60):
        token = spot.after(at)
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth < 0 or token.text == "else" or token.type == "$END":
            break
        if not depth and token.text == "up" and spot.after(at + 1).text == "to":
            number = spot.after(at + 2)
            reason = [(token.type, token.text) for token in map(spot.after, range(1, at))]
            times = (*spot.put("up", "to"), (number.type, number.text))
            return TokenEdit(0, at + 3, (*times, *spot.put("because"), *reason))
    return TokenEdit(0, 0, (*spot.put("up", "to"), ("INT", "1")))


def missing_value(spot: ErrorSite) -> Hint | None:
    """`return` alone; `let x =`; `accuracy` alone."""
    if (
        spot.before().text == "return"
        and spot.wants_expression
        and (spot.on_new_line or spot.text == "}")
    ):
        return Hint("say what the pipeline gives: `return EXPR`")
    if spot.wants_expression and spot.on_new_line and spot.text in BEGINNING:
        return Hint("the line above is not finished: a value is missing there")
    return None


def call_without_parentheses(spot: ErrorSite) -> Hint | None:
    """`call search_kb`, `ask classify by haiku`."""
    word, name = spot.before(2).text, spot.before().text
    if spot.wants("(") and word in ACTIONS and spot.before().text.isidentifier():
        if spot.wants("=", ":"):
            return None
        given = spot.token.type in ("NAME", "STRING") and not spot.on_new_line
        edit = None if given and spot.text != "by" else TokenEdit(0, 0, spot.put("(", ")"))
        return Hint(f"arguments stand in parentheses: `{word} {name}(...)`", edit)
    return None


def missing_name(spot: ErrorSite) -> Hint | None:
    """`gate a >= 3 else reject`, `gate x = ...`, `step = ...`, `step x: call t()`."""
    before = spot.before().text
    if before == "gate" and spot.before(2).text != "gate" and "NAME" in spot.expected:
        return Hint("a gate has a name: `gate NAME: CONDITION else OUTCOME`")
    if spot.before(2).text == "gate" and spot.wants(":") and spot.text != "=":
        return Hint("a gate has a name: `gate NAME: CONDITION else OUTCOME`")
    if before in ("step", "let") and "NAME" in spot.expected and spot.text in ("=", ":"):
        return Hint(
            f"a {before} has a name: `{before} NAME = ...`",
            TokenEdit(0, 0, (UNNAMED,)),
        )
    if spot.before(2).text == "step" and spot.wants("=") and spot.text in ACTIONS:
        return Hint("write `=` before the action", TokenEdit(0, 0, spot.put("=")))
    if spot.before(3).text == "step" and spot.before(2).type == "NAME" and spot.text in ACTIONS:
        return None
    return None


def action_inside(spot: ErrorSite) -> Hint | None:
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
    return Hint(None, TokenEdit(0, end), back=1)


def swallowed_word(spot: ErrorSite) -> Hint | None:
    """`ask p(a by h`, `f(a else b`: the word behind a forgotten bracket was read as a name."""
    word = spot.before()
    if spot.taken_as_name and word.text == "by" and spot.wants(")"):
        edit = TokenEdit(1, 0, spot.put(")", "by"))
        return Hint("put `)` before `by`", edit, 1, "`)`", "`by`")
    return None


def colon_for_equals(spot: ErrorSite) -> Hint | None:
    """`step x: ask p() by h`: the action was read as a type."""
    for distance in (1, 2, 3):
        word = spot.before(distance)
        if (
            word.text in ACTIONS
            and spot.before(distance + 1).text == ":"
            and (spot.before(distance + 3).text == "step")
        ):
            return Hint(
                "write `=` before the action: `step NAME = ...`, or `step NAME: TYPE = ...`",
                back=distance + 1,
            )
    return None


def without_quotes(spot: ErrorSite) -> Hint | None:
    """`fail reply_not_sent`, `prompt p() Sort this`, `python a.b:c`, `key env "NAME"`."""
    before = spot.before().text
    if "STRING" not in spot.expected or spot.wants_expression or spot.wants_item:
        return None
    if spot.token.type != "NAME" and spot.token.type not in spot.grammar.keyword_of:
        return None
    if spot.on_new_line and before in ("fail", "python", "permit", "permits", "mcp"):
        example = {"fail": 'fail "code"', "python": 'python "module:function"'}
        meant = example.get(before) or f'{before} "..."'
        return Hint(f"a text is needed: `{meant}`")
    if before in ("fail", "permit", "permits", "python", "model", "key", "from", "test", "mcp"):
        named = spot.after()
        if before == "key" and spot.text in ("env", "file") and named.type in ("NAME", "STRING"):
            reference = f'"{spot.text}:{named.text.strip(chr(34))}"'
            edit = TokenEdit(0, 2, (("STRING", reference),))
            return Hint(f"write `key {reference}`", edit, safe=True)
        parts = spot.line()
        while len(parts) > 1 and parts[-1].text in (",", ")", "}", "{"):
            parts.pop()
        whole = "".join(part.text for part in parts).replace('"', "")
        meant = f'{before} "{whole}"'
        edit = TokenEdit(0, len(parts), (("STRING", f'"{whole}"'),))
        return Hint(f"texts stand in double quotes: `{meant}`", edit)
    return None


def text_asked(spot: ErrorSite) -> Hint | None:
    """`ask "Sort this" by small`: a prompt has a name."""
    if spot.token.type not in ("STRING", "TEMPLATE") or spot.before().text not in ("ask", "agent"):
        return None
    help = 'a prompt is declared and asked by its name: `prompt NAME(x: TYPE) """..."""`'
    return Hint(help)


def condition_behind(spot: ErrorSite) -> Hint | None:
    """`escalate to team when x > 3`: an outcome was read, and a `when` that has no block."""
    if not spot.wants("{") or not spot.on_new_line:
        return None
    when = next((n for n in range(1, _LINE) if spot.before(n).text == "when"), 0)
    if not when or spot.lines.is_first(spot.before(when)):
        return None
    first = next((n for n in range(when, _LINE) if spot.lines.is_first(spot.before(n))), 0)
    outcome = spot.before(first).text if first else ""
    if outcome not in OUTCOMES:
        return None
    help = f"the condition comes first: `when CONDITION {{ {outcome} ... }}`"
    return Hint(help, TokenEdit(0, 0, spot.put("{", "}")))


_LINE = 40
"""Tokens of a line that are looked at."""
