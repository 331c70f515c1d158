"""Letters put into a text so that they stay a word, or a sign, of their own."""

from __future__ import annotations

from pipelang.diagnostics import Edit, Source, Span


def replacing(source: Source, start: int, end: int, letters: str) -> Edit:
    """Letters in place of others, with spaces where they would run together with a neighbour."""
    text = source.text
    before, after = text[start - 1 : start], text[end : end + 1]
    if letters:
        if _sticks(before, letters[:1]) or (start == end and letters != ","):
            letters = f" {letters}"
        if _sticks(letters[-1:], after):
            letters = f"{letters} "
    elif _sticks(before, after):
        letters = " "
    return Edit(Span(source.name, start, end), letters)


_WORDLIKE = frozenset("_$%")
_SIGNS = frozenset("=<>-+*/&|!.:")


def _sticks(first: str, second: str) -> bool:
    """Whether two letters side by side would be read as one word or one sign."""
    if not first or not second:
        return False
    if first in _SIGNS and second in _SIGNS:
        return True
    return all(letter.isalnum() or letter in _WORDLIKE for letter in (first, second))
