"""Tokens of a long text, by passes over all of them at once.

The kind of a token hangs on its letters alone once a text is cut into pieces, so a kind is looked
for once for all tokens that have the same letters, and what is left a token is a few steps in C: a
quarter of the time of a look at each. Whatever has to be looked at in its place (text that is no
token, a number that is too long, a template with an escaped end, a comment with a carriage return)
is left to who looks at each.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import accumulate, compress
from operator import add

from pipelang.records import NamedTuple
from pipelang.syntax.lexicon import LONGEST_NUMBER
from pipelang.syntax.tables import Tables, tables

LONG = 20_000
"""Characters from which on a text is cut into pieces: the expression for it takes milliseconds."""

NUMERALS = frozenset({"INT", "NUMBER", "PERCENT", "MONEY", "DURATION", "RATE"})
_BLANKS = " \t\r\n\f"


class Pieces(NamedTuple):
    """The tokens of a text, by column; comments stand among them."""

    kinds: list[str]
    texts: list[str]
    starts: list[int]
    ends: list[int]


def pieces(text: str, start: int) -> Pieces | None:
    """The pieces of a text from an offset on; None if one has to be looked at in its place."""
    cut = _cutter().findall(text, start)
    starts = list(accumulate(map(len, cut), initial=start))
    del starts[-1:]
    texts = list(map(str.rstrip, cut))
    if texts and not texts[0]:
        if cut[0].strip(_BLANKS):
            return None
        del texts[:1], starts[:1]
    kinds = list(map(_Kinds(tables()).__getitem__, texts))
    if "" in kinds:
        return None
    return Pieces(kinds, texts, starts, list(map(add, starts, map(len, texts))))


def without_comments(found: Pieces) -> Pieces:
    """The same pieces but for comments."""
    kept = [kind != "COMMENT" for kind in found.kinds]
    return Pieces(*(list(compress(column, kept)) for column in found))  # type: ignore[arg-type]


class _Kinds(dict[str, str]):
    """The kinds of tokens by their letters, "" where those do not tell."""

    def __init__(self, grammar: Tables) -> None:
        super().__init__(grammar.by_letters)
        self["/*"] = self["//"] = ""
        self.match = grammar.lexer.match
        self.blanks = "WHITESPACE"

    def __missing__(self, text: str) -> str:
        self[text] = kind = self._kind(text)
        return kind

    def _kind(self, text: str) -> str:
        hit = self.match(text)
        kind = (hit and hit.lastgroup) or ""
        if hit is None or hit.end(kind) != len(text) or kind in ("SIGN", self.blanks):
            return ""
        if kind in ("COMMENT", "STRING") and "\r" in text:
            return ""
        if kind == "TEMPLATE":
            return "" if text[-4] == "\\" and len(text) > 6 else kind
        if len(text) > LONGEST_NUMBER and (kind in NUMERALS or is_long_amount(kind, text, 0)):
            return ""
        return kind


def is_long_amount(kind: str, text: str, at: int) -> bool:
    """Whether the number of an amount of tokens or pages is too long."""
    return kind in ("TOKENS", "PAGES") and not text[at : at + LONGEST_NUMBER].strip("0123456789.")


@cache
def _cutter() -> re.Pattern[str]:
    """An expression that cuts a text into tokens, each with the blanks behind it. What is none is
    cut off with all that follows it, so that it cannot be taken for one by its letters.
    """
    grammar = tables()
    whole = grammar.lexer.pattern
    whole = re.sub(r"\(\?P<\w+>", "(?:", whole)
    whole = re.sub(r"(?<!\\)\((?!\?)", "(?:", whole)
    head = "(?:"
    assert whole.startswith(head)
    # A comment of another language, and a template without an end.
    return re.compile(rf'(?:(?!//|/\*|"""(?![\s\S]*?""")){whole}|[\s\S]+)', re.ASCII)
