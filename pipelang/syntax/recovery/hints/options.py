"""Hints about options: outside their braces, of the wrong owner, under another name."""

from __future__ import annotations

from pipelang.syntax.lexicon import ITEMS
from pipelang.syntax.option_table import ACTIONS, words_of
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit
from pipelang.syntax.recovery.hints.words import OUTCOMES


def option_outside(spot: ErrorSite) -> Hint | None:
    """`step x = call t() timeout 5s`, an option after the braces."""
    words = spot.grammar.keywords
    fits = spot.text in OPTIONS_OF["an action"] and spot.text in words
    if fits and spot.wants("else", "{") and spot.kind in ("item", "arm"):
        return Hint(f"options stand in braces after the action: `{{ {spot.text} ... }}`")
    return None


def option_behind_else(spot: ErrorSite) -> Hint | None:
    """`else escalate to desk { timeout 5s }`: the options are the action's."""
    braces = spot.text == "{"
    word = spot.after() if braces else spot.token
    if word.text not in OPTIONS_OF["an action"] or not spot.wants_item or spot.on_new_line:
        return None
    if not _is_behind_else(spot):
        return None
    length = spot.rest_of_line("}")
    if braces:
        length = next((n for n in range(1, 400) if spot.after(n).text == "}"), 0) + 1
    help = f"options stand behind their action, before `else`: `{{ {word.text} ... }} else OUTCOME`"
    return Hint(help, TokenEdit(0, length))


def _is_behind_else(spot: ErrorSite) -> bool:
    """Whether what was read last is `else` with an outcome."""
    for distance in range(1, 60):
        token = spot.before(distance)
        if token.text in OUTCOMES and spot.before(distance + 1).text == "else":
            return True
        if token.text in ITEMS and token.text not in OUTCOMES:
            return False
    return False


def late_wait(spot: ErrorSite) -> Hint | None:
    """`backoff 1s..30s retry 2`, `retry 2 timeout 3s backoff 1s..30s`."""
    if spot.text != "backoff" or spot.kind != "option":
        return None
    help = "the wait stands behind the number of attempts: `retry N backoff 1s..30s`"
    length = 1
    while spot.after(length).type in ("DURATION", "INT") or spot.after(length).text in ("..", "to"):
        length += 1
    wait = [(token.type, token.text) for token in map(spot.after, range(1, length))]
    number = spot.after(length + 1)
    if spot.after(length).text == "retry" and spot.after(length + 2).text != "backoff":
        retry = (*spot.put("retry"), (number.type, number.text))
        return Hint(help, TokenEdit(0, length + 2, (*retry, *spot.put("backoff"), *wait)))
    return Hint(help, TokenEdit(0, length))


def late_answerer(spot: ErrorSite) -> Hint | None:
    """`ask p(x) { ... } by t`."""
    if spot.text == "by" and spot.before().text == "}" and spot.wants("else"):
        who = spot.after().text
        help = f"who answers stands before the options: `ask PROMPT(...) by {who} {{ ... }}`"
        return Hint(help, TokenEdit(0, 2))
    return None


def amount_forgotten(spot: ErrorSite) -> Hint | None:
    """`retry timeout 10s`: the next option's word was read as a name."""
    taken, option = spot.before(), spot.before(2).text
    words = OPTIONS_OF["an action"]
    if not spot.taken_as_name or spot.kind != "option" or taken.text not in words:
        return None
    if spot.token.type not in _AMOUNTS or option not in (*words, "shift"):
        return None
    amount = {"timeout": ("DURATION", "10s"), "retry": ("INT", "1")}.get(option, ("PERCENT", "50%"))
    edit = TokenEdit(1, 0, (amount, *spot.put(taken.text)))
    help = f"`{option}` has an amount, such as `{option} {amount[1]}`"
    return Hint(help, edit, 1, "a quantity", f"`{taken.text}`")


_AMOUNTS = frozenset({"INT", "DURATION", "PERCENT", "MONEY"})


def number_first(spot: ErrorSite) -> Hint | None:
    """`2 people`: the number of an option stands behind its word."""
    word = spot.after()
    option = word.type != "NAME" or word.text in spot.grammar.keywords
    if spot.token.type not in _AMOUNTS or spot.kind != "option":
        return None
    if not (option and word.text.isidentifier()) or word.type not in spot.expected:
        return None
    if spot.lines.is_first(word):
        return None
    swapped = ((word.type, word.text), (spot.token.type, spot.text))
    edit = TokenEdit(0, 2, swapped)
    return Hint(f"the word stands before its amount: `{word.text} {spot.text}`", edit, safe=True)


def option_at_the_top(spot: ErrorSite) -> Hint | None:
    """`accuracy from "sort.jsonl"` outside of everything."""
    if not spot.wants_declaration or not spot.on_new_line:
        return None
    owners = [owner for owner, words in OPTIONS_OF.items() if spot.text in words]
    if not owners:
        return None
    return Hint(f"`{spot.text}` is an option: it stands in the braces of {' or '.join(owners)}")


def option_elsewhere(spot: ErrorSite) -> Hint | None:
    """A tool's option at a step, a tier's at a role."""
    if spot.kind != "option" or "RBRACE" not in spot.expected:
        return None
    word = _OPTIONS.get(spot.text)
    if word is not None and spot.wants(word):
        return Hint(f"did you mean `{word}`?", spot.instead(word))
    owners = [owner for owner, words in OPTIONS_OF.items() if spot.text in words]
    if owners:
        what = " or ".join(owners)
        return Hint(f"`{spot.text}` is an option of {what} and cannot stand here")
    if spot.text in ITEMS and (length := _whole_block(spot)):
        help = f"`{spot.text}` is an item of the pipeline: write it outside of these options"
        return Hint(help, TokenEdit(0, length))
    if spot.text in ITEMS:
        help = f"`{spot.text}` is an item; is the `}}` of these options missing?"
        return Hint(help, TokenEdit(0, 0, spot.put("}")))
    return None


def _whole_block(spot: ErrorSite) -> int:
    """The number of tokens of `WORD ... { ... }`, if the `}` of the options stands right behind it;
    else 0.
    """
    depth = 0
    for distance in range(1, 400):
        token = spot.after(distance)
        if token.type == "$END" or (not depth and (token.text == "}" or token.text in ITEMS)):
            return 0
        depth += (token.text == "{") - (token.text == "}")
        if token.text == "}" and not depth:
            return distance + 1 if spot.after(distance + 1).text == "}" else 0
    return 0


_OPTIONS = {
    **dict.fromkeys(("retries", "max_retries", "attempts", "tries"), "retry"),
    **dict.fromkeys(("deadline", "time_limit", "timeouts"), "timeout"),
    **dict.fromkeys(("max_tokens", "tokens", "length"), "output"),
    **dict.fromkeys(("concurrency", "workers"), "parallel"),
    **dict.fromkeys(("reasoning",), "effort"),
    **dict.fromkeys(("thinking_budget", "thinking_tokens", "think"), "thinking"),
    **dict.fromkeys(("votes", "samples"), "vote"),
    **dict.fromkeys(("max_turns",), "turns"),
    **dict.fromkeys(("max_steps",), "steps"),
}


OPTIONS_OF = {
    "an action": words_of(*ACTIONS),
    **{f"a {owner}": words_of(owner) for owner in "tool tier role provider memory gate".split()},
}


BEGINNING = frozenset({"given", "mock", "expect"}).union(ITEMS, *OPTIONS_OF.values())
"""Words that, first on a line, are more likely the beginning of something than a name."""
