"""Phrases for the tokens that the parser expected and for the one that it found."""

from __future__ import annotations

from collections.abc import Iterable

from pipelang.syntax.lexicon import DECLARING, ITEMS
from pipelang.syntax.option_table import ACTIONS, words_of
from pipelang.syntax.tables import Tables
from pipelang.syntax.tokens import Token


def _terminals(words: Iterable[str]) -> set[str]:
    """The terminals of some keywords."""
    return {word.upper() for word in words}


_WORDS = {
    "NAME": "a name",
    "STRING": 'a text "..."',
    "TEMPLATE": 'a template """..."""',
    "INT": "a whole number",
    "NUMBER": "a number",
    "PERCENT": "a share like 70%",
    "MONEY": "an amount like $0.08",
    "DURATION": "a duration like 30s",
    "TOKENS": "an amount like 40k tokens",
    "PAGES": "an amount like 20 pages",
    "RATE": "a rate like 100/min",
    "$END": "the end of the file",
}

_QUANTITY = {"INT", "NUMBER", "PERCENT", "MONEY", "DURATION", "TOKENS", "PAGES", "RATE"}
_EXPRESSION = _QUANTITY | {"NAME", "STRING", "TRUE", "FALSE", "NONE", "LPAR", "LSQB"}
_GROUPS: tuple[tuple[str, set[str], set[str]], ...] = (
    ("an expression", _EXPRESSION, {"IF", "NOT", "MINUS", "LBRACE", "MATCH", "MAX"}),
    ("a quantity", _QUANTITY | {"NAME", "LPAR"}, set()),
    ("a quantity", _QUANTITY, set()),
    ("a type", {"NAME", "LSQB", "LBRACE", "SECRET", "PRIVATE", "UNTRUSTED"}, {"DECISION"}),
    ("an item (step, gate, when, return, ...)", _terminals(ITEMS), set()),
    ("an option (timeout, retry, accuracy, ...)", _terminals(words_of(*ACTIONS)), set()),
    ("an option (effect, timeout, succeeds, ...)", _terminals(words_of("tool")), set()),
    ("an option (model, price, latency, ...)", _terminals(words_of("tier")), set()),
    ("an option (people, handles, responds, ...)", _terminals(words_of("role")), set()),
    ("a constraint (max, in, matches)", {"MAX", "IN", "MATCHES"}, set()),
    ("a declaration (type, tool, pipeline, ...)", _terminals(DECLARING), set()),
)
"""A phrase, the terminals that it stands for if all are expected, and those that it swallows."""

_OPERATORS = {
    "PLUS", "MINUS", "STAR", "SLASH", "AND", "OR", "NOT", "IN", "MATCHES", "DOT", "QMARK", "LSQB",
    "LPAR",
}  # fmt: skip
_COMPARISONS = {"==", "!=", "<=", ">=", "<", ">"}
_MOST = 8


def _word(terminal: str, grammar: Tables) -> str:
    letters = grammar.keyword_of.get(terminal) or grammar.signs.get(terminal)
    return f"`{letters}`" if letters else _WORDS.get(terminal, terminal.lower())


def describe_expected(expected: set[str], grammar: Tables) -> str:
    """A set of terminals as a phrase of at most a handful of words."""
    left = set(expected)
    if left == {grammar.letters[":"], "STRING"}:  # few parts have an outer name, all have a type
        left.discard("STRING")
    phrases: list[str] = []
    for phrase, members, swallowed in _GROUPS:
        if members <= left:
            phrases.append(phrase)
            left -= members | swallowed
    comparisons = {t for t in left if grammar.signs.get(t) in _COMPARISONS}
    left -= comparisons
    operators = left & _OPERATORS
    if len(operators) > 3:  # after an expression nearly everything may come; name what ends it
        left -= operators
    elif comparisons:
        phrases.append("a comparison like `<=`")
    words = sorted((_word(terminal, grammar) for terminal in left), key=lambda w: (len(w), w))
    if len(words) > _MOST:
        words = [*words[: _MOST - 1], "..."]
    phrases += words
    if len(phrases) < 2:
        return phrases[0] if phrases else "an operator"
    return ", ".join(phrases[:-1]) + " or " + phrases[-1]


def describe_found(token: Token, grammar: Tables) -> str:
    """The token that did not fit, in the user's own letters."""
    if token.type == "$END":
        return "the end of the file"
    text = token.text if len(token.text) <= 40 else token.text[:37] + "..."
    if token.type in grammar.keyword_of and token.text in grammar.reserved:
        return f"the reserved word `{text}`"
    return f"`{text}`"
