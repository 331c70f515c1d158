"""Text on a terminal: its width in columns, wrapped lines, control characters made harmless."""

from __future__ import annotations

import re
import unicodedata

ACTS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
    "|\r(?!\n)"
)
"""Signs that could move a cursor, change colours, turn text round or hide in it."""


def harmless(text: str) -> str:
    """A text, letter for letter, with a sign in place of what would act on a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return ACTS.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """A text that is no sentence of ours, such as a file's name, harmless and on one line."""
    return harmless(text).replace("\n", "\N{REPLACEMENT CHARACTER}")


_COLOUR = re.compile("\x1b\\[(?:0|1;3[1-6]|[12]|3[1-6])m")
"""The sequences of `Paint`; no other one ever leaves."""

_COMMAND = re.compile(r"^(\s*:):(?=[\w-])|(?<=##)(?=(?:\w+)?\[)", re.MULTILINE)
"""A line that begins like `::error`, or holds `##[error]` or `##vso[`: a command to whoever runs a
workflow and reads its log (GitHub's actions/runner, ActionCommand.cs; Azure Pipelines).
"""


def for_people(text: str, colour: bool) -> str:
    """A whole output that can act neither on a terminal nor on the machine that keeps a log.

    Colours of ours stay where they are wanted; a blank takes the meaning out of a command.
    """
    if colour:
        between = map(harmless, _COLOUR.split(text))
        codes = [*_COLOUR.findall(text), ""]
        text = "".join(f"{part}{code}" for part, code in zip(between, codes, strict=True))
    else:
        text = harmless(text)
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: f"{found[1] or ''} {':' if found[1] else ''}", text)
    return text


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
    for word in harmless(text).split():
        if not empty and cells_of(line) + 1 + cells_of(word) > width:
            lines.append(line)
            line, empty = further, True
        line += word if empty else f" {word}"
        empty = False
    return [*lines, line] if not empty else lines
