"""Places as the protocol counts them: lines from 0, columns in units that client and server chose.

Lines end where the protocol says (`\\n`, `\\r\\n`, `\\r`), which is neither where Python's
`splitlines` ends them nor where pipelang does. Offsets are those of a text without its byte order
mark, which a client may have sent nevertheless: then its columns of the first line count the mark.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types as lsp

from pipelang.diagnostics import Span
from pipelang.records import dataclass, field

_BREAK = re.compile(r"\r\n|\n|\r")

UTF8, UTF16, UTF32 = "utf-8", "utf-16", "utf-32"


def units(text: str, encoding: str) -> int:
    """The length of a text in the units of an encoding."""
    if encoding == UTF32 or text.isascii():
        return len(text)
    if encoding == UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(letter > "\uffff" for letter in text)


MARK = "\ufeff"
"""A byte order mark, with which a text may begin."""


@dataclass(frozen=True, slots=True)
class TextLines:
    """A text with its lines; `starts` are the offsets at which they begin. `marked` says whether a
    byte order mark stands before it where the client has it.
    """

    text: str
    encoding: str = UTF16
    marked: bool = False
    starts: list[int] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, sent: str, encoding: str) -> TextLines:
        """The lines of a text as a client sent it, with or without a mark."""
        return cls(sent.removeprefix(MARK), encoding, sent.startswith(MARK))

    def _before(self, line: int) -> int:
        """The units of what stands before a line's text: of the mark."""
        return units(MARK, self.encoding) if self.marked and line == 0 else 0

    def _starts(self) -> list[int]:
        if not self.starts:
            self.starts.append(0)
            self.starts.extend(hit.end() for hit in _BREAK.finditer(self.text))
        return self.starts

    @property
    def count(self) -> int:
        return len(self._starts())

    def line(self, number: int) -> str:
        """The text of a line, counted from 0, without its end."""
        begin, past = self.bounds(number)
        return self.text[begin:past]

    def bounds(self, number: int) -> tuple[int, int]:
        """The offsets of a line's text, without its end."""
        starts = self._starts()
        if not 0 <= number < len(starts):
            return len(self.text), len(self.text)
        begin = starts[number]
        past = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        while past > begin and self.text[past - 1] in "\r\n":
            past -= 1
        return begin, past

    def number(self, offset: int) -> int:
        """The line of an offset."""
        return bisect_right(self._starts(), offset) - 1

    def offset(self, position: lsp.Position) -> int:
        """The offset of a place; of one that is not there the nearest before it."""
        starts = self._starts()
        if position.line >= len(starts):
            return len(self.text)
        line = self.line(position.line)
        column = position.character - self._before(position.line)
        if self.encoding == UTF32 or line.isascii():
            return starts[position.line] + max(0, min(column, len(line)))
        taken = at = 0
        while at < len(line):
            taken += units(line[at], self.encoding)
            if taken > column:
                break
            at += 1
        return starts[position.line] + at

    def position(self, offset: int) -> lsp.Position:
        """The place of an offset."""
        offset = max(0, min(offset, len(self.text)))
        number = self.number(offset)
        return lsp.Position(number, self.column(number, offset))

    def column(self, number: int, offset: int) -> int:
        """The column of an offset in its line."""
        return self._before(number) + self.units(self._starts()[number], offset)

    def units(self, start: int, end: int) -> int:
        """The length of a part in the units of the encoding."""
        if self.encoding == UTF32 or self.text.isascii():  # known of a text, not looked for
            return end - start
        return units(self.text[start:end], self.encoding)

    def range(self, start: int, end: int) -> lsp.Range:
        """The places of two offsets."""
        return lsp.Range(self.position(start), self.position(end))

    def range_of(self, span: Span) -> lsp.Range:
        """The places of a span."""
        return self.range(span.start, span.end)

    def changed(self, change: lsp.TextDocumentContentChangeEvent) -> TextLines:
        """The text after a change that a client tells."""
        if not isinstance(change, lsp.TextDocumentContentChangePartial):
            return TextLines.of(change.text, self.encoding)
        sent = self
        if self.marked:  # the change may take the mark away, or write before it
            sent = TextLines(MARK + self.text, self.encoding)
        start, end = sent.offset(change.range.start), sent.offset(change.range.end)
        text = sent.text[:start] + change.text + sent.text[max(start, end) :]
        return TextLines.of(text, self.encoding)


@dataclass(frozen=True, slots=True)
class TextChange:
    """The change that made one text another, from the first letter that differs to the
    last: `head` letters before it are as they were, and so are those from `rest` on, which stand
    `by` letters further on now.
    """

    head: int
    rest: int
    by: int

    def moved(self, start: int, end: int) -> tuple[int, int] | None:
        """A span of the text in what became of it; None if the change touches it."""
        if end <= self.head:
            return start, end
        if start >= self.rest:
            return start + self.by, end + self.by
        return None


def change_between(before: str, after: str) -> TextChange:
    """The change that made a text another one."""
    if before == after:
        return TextChange(len(before), len(before), 0)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    return TextChange(head, len(before) - tail, len(after) - len(before))


def _common(one: str, other: str) -> int:
    """The length of what two texts begin with alike, found by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
