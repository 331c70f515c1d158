"""A document as text: groups that fit on their line are set flat, the others are broken."""

from __future__ import annotations

from itertools import groupby
from typing import assert_never

from pipelang.records import dataclass, field
from pipelang.syntax.format.document import (
    STEP,
    Document,
    Group,
    Indent,
    Line,
    Remarks,
    Row,
    Space,
    Word,
)
from pipelang.syntax.format.leaf import Remark

WIDTH = 100
BEFORE_COMMENT = "  "


@dataclass(slots=True)
class _Page:
    """The text so far. `comment` waits for the end of the line that is being written."""

    lines: list[tuple[str, str | None]] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    column: int = 0
    comment: str | None = None
    margin: int = 0

    def break_line(self, margin: int, gap: bool = False) -> None:
        self.lines.append(("".join(self.parts).rstrip(), self.comment))
        if gap:
            self.lines.append(("", None))
        self.parts, self.comment = [], None
        self.column = self.margin = margin

    def write(self, text: str) -> None:
        if not self.parts:
            self.parts.append(" " * self.margin)
        self.parts.append(text)
        newline = text.rfind("\n")
        self.column = self.column + len(text) if newline < 0 else len(text) - newline - 1

    def remark(self, remarks: tuple[Remark, ...], margin: int) -> None:
        """Comments on lines of their own; leaves the page at the start of a line."""
        if self.parts:
            self.break_line(margin)
        for remark in remarks:
            self.write(remark.text)
            self.break_line(self.margin, remark.gap)


def render(document: Document) -> str:
    """The text of a document, with a line break at its end unless it is empty."""
    page = _Page()
    stack: list[tuple[int, bool, Document]] = [(0, False, document)]
    while stack:
        margin, flat, top = stack.pop()
        match top:
            case Word():
                _word(page, top, margin)
            case Space():
                if page.parts:  # none at the start of a line
                    page.write(" " if flat else " " * top.size)
            case Line():
                if flat and page.comment is None:
                    page.write(top.flat)
                else:
                    page.break_line(margin, top.gap)
            case Remarks():
                page.remark(top.remarks[:-1], margin)
                page.write(top.remarks[-1].text)
            case Indent():
                stack.append((margin + STEP, flat, top.content))
            case Group():
                inner = flat or (not top.forced and _fits(top, stack, WIDTH - page.column))
                stack.append((margin, inner, top.content))
            case Row():
                stack.extend((margin, flat, part) for part in reversed(top.parts))
            case _:
                assert_never(top)
    if page.parts:
        page.break_line(0)
    return _joined(page.lines)


def _word(page: _Page, word: Word, margin: int) -> None:
    leaf = word.leaf
    if page.parts and (leaf.opens_line or page.comment is not None):
        page.break_line(margin + STEP)
    if leaf.remarks:
        page.remark(leaf.remarks, margin)
    page.write(leaf.text)
    page.comment = leaf.trailing


def _fits(group: Group, rest: list[tuple[int, bool, Document]], room: int) -> bool:
    """Whether a flat group and all that follows it up to the next possible break have room."""
    room -= group.width
    if room < 0 or (group.last is not None and group.last.trailing is not None):
        return room >= 0
    below = len(rest)
    todo: list[Document] = []
    while room >= 0:
        if todo:
            top = todo.pop()
        elif below:
            below -= 1
            top = rest[below][2]
        else:
            return True
        match top:
            case Word():
                if top.leaf.opens_line:
                    return True
                end = top.leaf.text.find("\n")
                room -= top.width if end < 0 else end
                if room >= 0 and (end >= 0 or top.leaf.trailing is not None):
                    return True
            case Space():
                room -= top.size
            case Line() | Remarks():
                return True
            case Indent() | Group():
                todo.append(top.content)
            case Row():
                todo.extend(reversed(top.parts))
            case _:
                assert_never(top)
    return False


def _joined(lines: list[tuple[str, str | None]]) -> str:
    """Lines with their comments; those of neighbours that start in one column stand in one too."""
    while lines and lines[0] == ("", None):
        del lines[0]
    done: list[str] = []
    for (_, commented), run in groupby(lines, lambda line: (_margin(line[0]), bool(line[1]))):
        neighbours = list(run)
        column = max(_width(code) for code, _ in neighbours) if commented else 0
        for code, comment in neighbours:
            space = " " * (column - _width(code)) + BEFORE_COMMENT if comment else ""
            done.append(f"{code}{space}{comment or ''}\n")
    return "".join(done)


def _margin(code: str) -> int:
    return len(code) - len(code.lstrip(" "))


def _width(code: str) -> int:
    return len(code) - code.rfind("\n") - 1
