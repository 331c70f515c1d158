"""Text on a terminal: its width in columns, wrapped lines, control characters made harmless."""

from __future__ import annotations

import re
import unicodedata

_ACTS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
    "|\r(?!\n)"
)
"""What could move a cursor, change colours, turn text round or hide in it."""


def harmless(text: str) -> str:
    """A text, letter for letter, with a sign in place of what would act on a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return _ACTS.sub("\N{REPLACEMENT CHARACTER}", text)


def cells_of(text: str) -> int:
    """The number of columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def wrap(text: str, width: int, indent: int = 0, hanging: int | None = None) -> list[str]:
    """A paragraph in lines of at most `width` columns; `hanging` indents all but the first."""
    further = " " * (indent if hanging is None else hanging)
    lines: list[str] = []
    line = " " * indent
    empty = True
    for word in text.split():
        if not empty and cells_of(line) + 1 + cells_of(word) > width:
            lines.append(line)
            line, empty = further, True
        line += word if empty else f" {word}"
        empty = False
    return [*lines, line] if not empty else lines
