"""Files as text, and places in them.

A `Span` is two character offsets and the name of a file. Lines and columns are computed only
when something is shown, because a parser makes a hundred thousand spans and shows a handful.
"""

from __future__ import annotations

from bisect import bisect_right

from pipelang.records import NamedTuple, dataclass, field


class Span(NamedTuple):
    """A half-open range of characters `[start, end)` in the file called `file`."""

    file: str
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The range from the start of this span to the end of another in the same file."""
        return Span(self.file, self.start, other.end)


class Position(NamedTuple):
    """A place as an editor counts it: line and column, both from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name as shown to people, and its text."""

    name: str
    text: str
    _starts: list[int] = field(default_factory=list, repr=False, compare=False)

    def position(self, offset: int) -> Position:
        """Line and column of a character offset."""
        starts = self._line_starts()
        line = bisect_right(starts, offset) - 1
        return Position(line + 1, offset - starts[line] + 1)

    def line(self, number: int) -> str:
        """The text of a line (from 1) without its line break; empty past the end."""
        starts = self._line_starts()
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def start(self, number: int) -> int:
        """The offset of the first character of a line (from 1)."""
        return self._line_starts()[number - 1]

    def _line_starts(self) -> list[int]:
        if not self._starts:
            self._starts.append(0)
            find, at = self.text.find, 0
            while (at := find("\n", at)) != -1:
                at += 1
                self._starts.append(at)
        return self._starts


Sources = dict[str, Source]
"""Every file that was read, by the name that spans carry."""
