"""Brackets of a broken declaration: which kinds are too few or too many, and which one is to blame.

A declaration reaches from one line that starts with a declaring word to the next. Indentation
means nothing in the language; here it says which of several blocks its author forgot to close.
"""

from __future__ import annotations

from pipelang.diagnostics import Source
from pipelang.syntax.recovery.line_starts import LineStarts
from pipelang.syntax.tokens import Token

CLOSING = {"{": "}", "(": ")", "[": "]"}
OPENING = {closing: opening for opening, closing in CLOSING.items()}
_WIDE = 20_000
"""So many tokens of a declaration are looked at, before the error and behind it."""


def balance(
    tokens: list[Token], lines: LineStarts, index: int
) -> tuple[frozenset[str], frozenset[str]]:
    """The brackets of which the declaration has too few, and those of which it has too many."""
    last = index + 1
    while last < len(tokens) and last - index < _WIDE and not lines.declares(tokens[last]):
        last += 1
    counts = dict.fromkeys(CLOSING, 0)
    for token in tokens[_first(tokens, lines, index) : last]:
        if token.text in CLOSING:
            counts[token.text] += 1
        elif token.text in OPENING:
            counts[OPENING[token.text]] -= 1
    extra = {CLOSING[sign] for sign, count in counts.items() if count < 0}
    unopened = {sign for sign, count in counts.items() if count < 0}
    unclosed = {CLOSING[sign] for sign, count in counts.items() if count > 0}
    return frozenset(unclosed | unopened), frozenset(extra)


def culprit(source: Source, tokens: list[Token], lines: LineStarts, at: int) -> Token | None:
    """The block that seems to be closed by another's brace, which stands further left."""
    opened: list[Token] = []
    for token in tokens[_first(tokens, lines, at - 1) : at]:
        if token.text == "{":
            opened.append(token)
        elif token.text == "}" and opened:
            opening = opened.pop()
            if lines.is_first(token) and _indent(source, token) < _indent(source, opening):
                return opening
    return None


def _first(tokens: list[Token], lines: LineStarts, index: int) -> int:
    """The first token of the declaration that a token stands in."""
    first = min(index, len(tokens) - 1)
    while first > 0 and index - first < _WIDE and not lines.declares(tokens[first]):
        first -= 1
    return max(first, 0)


def _indent(source: Source, token: Token) -> int:
    start = source.text.rfind("\n", 0, token.start) + 1
    line = source.text[start : token.start]
    return len(line) - len(line.lstrip())
