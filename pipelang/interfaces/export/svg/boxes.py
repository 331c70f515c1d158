"""Nodes as boxes with wrapped text.

Text is set in a monospaced font, whose widths are known without the font: 0.602 em a letter in
those that are common (Menlo, DejaVu, Liberation, Courier), less in the others.
"""

from __future__ import annotations

from pipelang.diagnostics.columns import cells_of, wrap
from pipelang.interfaces.export.graph import BRANCHES, OUTCOMES, GraphNode, NodeKind
from pipelang.interfaces.text.table import cut
from pipelang.records import dataclass

TITLE_SIZE, LINE_SIZE = 13.0, 11.5
TITLE_STEP, LINE_STEP = 18.0, 15.5
LETTER = 0.61
LINES_OF_ONE = 3
"""A condition in more lines than this ends in an ellipsis; hovering shows it all."""

_WIDEST = {True: 30, False: 36}
_PAD_X, _PAD_Y = 14.0, 9.0


@dataclass(slots=True)
class Box:
    """A node with its size, and its centre once it has a place. `lines` are wrapped."""

    node: GraphNode
    title: str
    lines: tuple[str, ...]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2


def text_width(text: str, size: float) -> float:
    return cells_of(text) * size * LETTER


_MOST_READ = 8 * (LINES_OF_ONE + 1)
"""Lines' worth of characters that are folded at most: marks above letters take no room."""


def is_diamond(node: GraphNode) -> bool:
    return node.kind is NodeKind.GATE or node.kind in BRANCHES


def boxed(node: GraphNode) -> Box:
    """The box of a node: its text wrapped, and as large as that needs."""
    widest = _WIDEST[node.kind in OUTCOMES]
    lines: list[str] = []
    for text in node.lines:
        wrapped = _folded(text[: _MOST_READ * widest], widest)
        if len(wrapped) > LINES_OF_ONE:
            wrapped = [*wrapped[: LINES_OF_ONE - 1], cut(f"{wrapped[LINES_OF_ONE - 1]} …", widest)]
        lines += wrapped
    title = cut(node.title, widest)
    widths = [text_width(title, TITLE_SIZE), *(text_width(line, LINE_SIZE) for line in lines)]
    height = TITLE_STEP + LINE_STEP * len(lines) + 2 * _PAD_Y
    aside = height / 2 if is_diamond(node) else _PAD_X
    return Box(node, title, tuple(lines), max(widths) + 2 * aside, height)


def _folded(text: str, widest: int) -> list[str]:
    """A text in lines; a word that is longer than a line is broken."""
    lines = []
    for line in wrap(text, widest):
        while cells_of(line) > widest:
            head = line[:widest]  # no character is narrower than a cell, but for marks above one
            while cells_of(head) > widest:
                head = head[:-1]
            lines.append(head)
            line = line[len(head) :]
        lines.append(line)
    return lines or [""]
