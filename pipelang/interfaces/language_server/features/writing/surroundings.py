"""The surroundings of a place that is being completed, as far as its tokens tell them."""

from __future__ import annotations

from pipelang.interfaces.language_server.features.braces import open_brace
from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.syntax.option_table import words_of


def block_around(place: CompletionPlace) -> str:
    """The word before the innermost brace that is open: `slo`, `tool`, `options`, ..."""
    tokens = place.before
    index = open_brace(tokens)
    if index < 0:
        return ""
    if index and tokens[index - 1].text in ("slo", "watch", "breaker"):
        return tokens[index - 1].text
    if index and any(one.text == "traffic" for one in tokens[max(0, index - 2) : index]):
        return "traffic"
    if tokens[0].text in ("tool", "tier", "role", "provider", "memory") and index < 30:
        return tokens[0].text
    return "options" if place.keywords & words_of("ask") else ""


def is_route(place: CompletionPlace) -> bool:
    """Whether the `match` that is open here chooses who answers."""
    tokens = place.before
    at = next((i for i in range(len(tokens) - 1, 0, -1) if tokens[i].text == "match"), 0)
    return at > 0 and tokens[at - 1].text == "by"


def statement(place: CompletionPlace) -> str:
    """The last word that begins an outcome or an action."""
    words = ("escalate", "agent", "ask", "return", "call")
    return next((t.text for t in reversed(place.before) if t.text in words), "")


def listing(place: CompletionPlace) -> tuple[str, ...] | None:
    """The kinds that a list of names is of, behind one of its commas."""
    tokens = place.before
    at = len(tokens) - 1
    while at > 0 and tokens[at].text == "," and tokens[at - 1].text.isidentifier():
        at -= 2
    word = tokens[at].text if at >= 0 else ""
    if word == "with" and statement(place) == "agent":
        return ("tool", "pipeline")
    return ("tier",) if word == "(" and at and tokens[at - 1].text == "cascade" else None


def is_sampled(place: CompletionPlace) -> bool:
    """Whether a step of `sample 5% of STEP, STEP by ROLE` stands here."""
    tokens = place.before
    at = len(tokens) - 1
    while at > 0 and tokens[at].text == "," and tokens[at - 1].text.isidentifier():
        at -= 2
    if at < 1 or tokens[at].text != "of":
        return False
    return any(token.text == "sample" for token in tokens[max(0, at - 3) : at])


def only_people_answer(place: CompletionPlace) -> bool:
    """Whether the `by` that ends here takes a role alone."""
    words = ("approve", "hold", "sample", "ask", "agent")
    last = next((t.text for t in reversed(place.before) if t.text in words), "")
    return last in ("approve", "hold", "sample")


def is_cache_key(place: CompletionPlace) -> bool:
    """Whether the `by` that ends here is that of `cache 1h by KEY`, which takes values."""
    return place.word() == "by" and place.word(3) == "cache"


def is_type_place(place: CompletionPlace) -> bool:
    """Whether a type stands here: the labels of types may, too."""
    return "untrusted" in place.keywords


def is_metric_place(place: CompletionPlace, inside: str) -> bool:
    if inside not in ("slo", "watch"):
        return False
    before = place.word()
    return before not in (">=", "<=", "<", ">", "over", "when", "alert", "(")


def fitting_options(place: CompletionPlace) -> frozenset[str] | None:
    """The options that the action or gate before the open brace may have."""
    tokens, depth, within = place.before, 0, 0
    for index in range(len(tokens) - 1, 0, -1):
        word = tokens[index].text
        depth += (word == "}") - (word == "{")
        if depth >= 0:
            continue
        # The `else` of a route in parentheses begins no action.
        within += (word == ")") - (word == "(")
        if within > 0:
            continue
        if word in ("ask", "agent", "call", "run", "each", "gate"):
            return words_of(word)
        if word in ("step", "else", "=>"):
            return words_of("value")
    return None


def takes_option(place: CompletionPlace, word: str) -> bool:
    """Whether the keyword begins an option here, and not something of the same name."""
    return place.word() not in ("expect", "mock", "")
