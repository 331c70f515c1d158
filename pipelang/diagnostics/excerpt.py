"""Excerpt of a source file: the line of a finding, with its span underlined."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelang.diagnostics.columns import cells_of, harmless, one_line
from pipelang.diagnostics.source import Source, Span

Paint = Callable[[str, str], str]
"""A text in an ANSI style, or as it is."""

_BEFORE = 40
"""Columns that are left before the place where a line is too long to be shown from its start."""
_DIM = "34"


def excerpt(
    source: Source, span: Span, *, sign: str, tone: str, gutter: int, width: int, paint: Paint
) -> list[str]:
    """The location, the line and the underline; of a very long line, the part around the span.

    `gutter` is how many columns the line's number has; letters count by the columns they take.
    """
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    text = without_secrets(harmless(source.line(line)).replace("\t", " "))
    first = min(column - 1, len(text))
    last = min(end_column - 1, len(text)) if end_line == line else len(text)
    room = max(2 * _BEFORE, width - gutter - 3)
    start = 0
    if cells_of(text[:first]) + cells_of(text[first:last]) > room:
        start = first - len(_fitting(text[:first][::-1], _BEFORE))
    shown = _fitting(text[start:], room)
    if len(shown) < len(text) - start and start + len(shown) > last:
        shown = _fitting(shown, room - 1) + "…"
    mark = " " * cells_of(text[start:first])
    under = max(1, min(cells_of(text[first:last]), room - len(mark)))
    number = str(line).rjust(gutter)
    blank = " " * gutter
    return [
        f"{blank}--> {one_line(source.name)}:{line}:{column}",
        f"{paint(_DIM, number + ' |')} {shown}".rstrip(),
        f"{paint(_DIM, blank + ' |')} {mark}{paint(tone, sign * under)}",
    ]


_SECRETS = (
    re.compile(r"(://)([^/\s\"@]+)(?=@)"),  # the user and the password of an address
    re.compile(r"(\bkey\s+\")((?!env:|file:)[^\"]+)"),
)


def without_secrets(text: str) -> str:
    """A line without what should stand in no file, and less in what is shown of one."""
    for secret in _SECRETS:
        text = secret.sub(lambda found: found[1] + "*" * len(found[2]), text)
    return text


def _fitting(text: str, room: int) -> str:
    """As much of a text as fits into some columns."""
    if cells_of(text) <= room:
        return text
    text = text[:room]
    while cells_of(text) > room:
        text = text[:-1]
    return text


def gutter_of(sources: dict[str, Source], spans: list[Span]) -> int:
    """The columns that the longest of the lines' numbers takes."""
    numbers = [sources[span.file].position(span.start).line for span in spans]
    return len(str(max(numbers, default=0)))
