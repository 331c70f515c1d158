"""Positions of template text in the file, so that a message points at the exact word."""

from __future__ import annotations

import re

from pipelang.diagnostics import Source, Span
from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """A template's text, and the file in which its first line is line `first` (from 1).

    `whole` is the place of the template as a whole.
    """

    text: str
    file: Source
    first: int
    whole: Span

    def find(self, line: int, word: str | None) -> Span:
        """The place of a word on a line of the template, else of the line, else of the whole."""
        number = self.first + line - 1
        content = self.file.line(number)
        if not content.strip():
            return self.whole
        start = self.file.start(number)
        if word is not None:
            behind = max(0, self._start() - start)
            hit = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)").search(content, behind)
            if hit is not None:
                return Span(self.file.name, start + hit.start(), start + hit.end())
        indent = len(content) - len(content.lstrip())
        end = max(start + indent + 1, min(start + len(content.rstrip()), self._end()))
        return Span(self.file.name, max(start + indent, self._start()), end)

    def _start(self) -> int:
        return self.whole.start if self.whole.file == self.file.name else 0

    def _end(self) -> int:
        return self.whole.end if self.whole.file == self.file.name else len(self.file.text)


def inline(text: str, span: Span, source: Source) -> TemplateSource:
    """A template between triple quotes at `span`; `text` is what was left after dedenting."""
    written = source.text[span.start : span.end].removeprefix('"""')
    if written.startswith(("\n", "\r\n")):
        skipped = 1
    else:
        skipped = written[: len(written) - len(written.lstrip())].count("\n")
    return TemplateSource(text, source, source.position(span.start).line + skipped, span)


def from_file(source: Source) -> TemplateSource:
    """A template that is a file of its own."""
    text = source.text.replace("\r\n", "\n")
    return TemplateSource(text, source, 1, Span(source.name, 0, len(source.text)))
