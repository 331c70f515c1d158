"""The parts that a picture is put together from, and how much room each takes.

A part has an axis, on which it is entered (above) and left (below). `left` and `right` are how far
it reaches from the axis; `place` gives it its axis and its top.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelang.interfaces.export.graph import Edge, Graph
from pipelang.interfaces.export.svg.boxes import LINE_SIZE, Box, boxed, text_width
from pipelang.records import dataclass

GAP = 30.0
"""Between a part and the next one below it."""

BESIDE = 34.0
"""Between parts side by side."""

MERGE = 16.0
"""Below a row whose fallback comes back to the axis, or whose branches do."""


class Part:
    """`axis` and `top` are known once it is placed."""

    left = right = height = 0.0
    axis = top = 0.0

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def place(self, axis: float, top: float) -> None:
        self.axis, self.top = axis, top

    def inner(self) -> Sequence[Part]:
        """The parts directly inside it."""
        return ()


def walk(part: Part) -> Iterator[Part]:
    """A part and all inside it."""
    yield part
    for inner in part.inner():
        yield from walk(inner)


def boxes(part: Part) -> Iterator[Box]:
    """All boxes in a part."""
    for inner in walk(part):
        if isinstance(inner, NodeRow):
            yield from inner.chain


class NodeRow(Part):
    """A node on the axis, and to its right where its `else` leads, link by link."""

    def __init__(self, graph: Graph, node: str) -> None:
        self.chain = [boxed(graph.nodes[node])]
        self.gaps: list[float] = []
        at = node
        while (edge := graph.aside.get(at)) is not None:
            self.gaps.append(max(40.0, text_width(edge.label, LINE_SIZE) + 26))
            self.chain.append(boxed(graph.nodes[edge.target]))
            at = edge.target
        self.returns = any(box.node.fallback for box in self.chain)
        self.row = max(box.height for box in self.chain)
        self.height = self.row + (MERGE if self.returns else 0.0)
        self.left = self.head.width / 2
        self.measure()

    def measure(self) -> None:
        """Work out how far it reaches to the right."""
        aside = sum(self.gaps) + sum(box.width for box in self.chain[1:])
        self.right = self.head.width / 2 + aside

    @property
    def head(self) -> Box:
        return self.chain[0]

    @property
    def merge(self) -> float:
        """The y of the line on which fallbacks return to the axis."""
        return self.top + self.row + MERGE / 2

    def place(self, axis: float, top: float) -> None:
        super().place(axis, top)
        x = axis - self.head.width / 2
        for box, gap in zip(self.chain, [*self.gaps, 0.0], strict=True):
            box.x, box.y = x + box.width / 2, top + self.row / 2
            x += box.width + gap


@dataclass(slots=True)
class Lane:
    """A way back up: from a gate's left side to the top of the step that is done again.

    `x` is how far left of the axis it runs, and its place once the line is placed.
    """

    edge: Edge
    source: Box
    target: Box
    x: float


class PartColumn(Part):
    """Parts one below the other, with the ways back between them on the left."""

    def __init__(self, parts: Sequence[Part], redos: Sequence[Edge] = ()) -> None:
        self.parts = list(parts)
        self.lanes: list[Lane] = []
        _align([part for part in self.parts if isinstance(part, NodeRow)])
        self.left = max((part.left for part in self.parts), default=0.0)
        self.right = max((part.right for part in self.parts), default=0.0)
        self.height = sum(part.height for part in self.parts) + GAP * max(0, len(self.parts) - 1)
        homes = {box.node.id: (i, box) for i, part in enumerate(parts) for box in boxes(part)}
        for edge in redos:
            last, source = homes[edge.source]
            first, target = homes[edge.target]
            label = text_width(edge.label, LINE_SIZE) + 18
            room = max(part.left for part in self.parts[first : last + 1]) + 20
            room = max([room, source.width / 2 + label, *(lane.x + label for lane in self.lanes)])
            self.lanes.append(Lane(edge, source, target, room))
            self.left = max(self.left, room + 6)

    def inner(self) -> Sequence[Part]:
        return self.parts

    def place(self, axis: float, top: float) -> None:
        super().place(axis, top)
        for lane in self.lanes:
            lane.x = axis - lane.x
        for part in self.parts:
            part.place(axis, top)
            top += part.height + GAP


def _align(rows: Sequence[NodeRow]) -> None:
    """Align, below one another, all rows that lead aside to one thing only."""
    short = [row for row in rows if len(row.chain) == 2]
    start = max((row.left + row.gaps[0] for row in short), default=0.0)
    for row in short:
        row.gaps[0] = start - row.left
        row.measure()


class Fork(Part):
    """A `when` or `match` with its branches as columns.

    `straight` if one of them is empty: then the axis leads on, and the columns stand to its right.
    With only one column, its line starts at the side of the diamond (`beside`).
    """

    def __init__(
        self, row: NodeRow, columns: Sequence[tuple[PartColumn, str]], straight: bool
    ) -> None:
        self.row = row
        self.columns = [column for column, _ in columns]
        self.beside = straight and len(columns) == 1
        labels = [text_width(label, LINE_SIZE) for _, label in columns]
        at = max(46.0, max(labels, default=0.0) + 30) if straight else 0.0
        self.offsets: list[float] = []
        for column, label in zip(self.columns, labels, strict=True):
            self.offsets.append(at + column.left)
            at += column.left + max(column.right, label + 10) + BESIDE
        if self.beside:
            self.offsets[0] = max(self.offsets[0], row.left + labels[0] + 44)
        if not straight:
            middle = (self.offsets[0] + self.offsets[-1]) / 2
            self.offsets = [offset - middle for offset in self.offsets]
        self.drop = GAP * 0.7 if self.beside else GAP * 1.5
        tall = max((column.height for column in self.columns), default=0.0)
        self.height = row.height + self.drop + tall + MERGE
        ends = list(zip(self.offsets, self.columns, strict=True))
        self.left = max([row.left, *(column.left - x for x, column in ends)])
        self.right = max([row.right, *(column.right + x for x, column in ends)])

    @property
    def bus(self) -> float:
        """The y of the line that leads to the columns."""
        return self.top + self.row.height + self.drop / 3

    @property
    def merge(self) -> float:
        """The y of the line on which the branches join again."""
        return self.bottom - MERGE / 2

    def inner(self) -> Sequence[Part]:
        return (self.row, *self.columns)

    def place(self, axis: float, top: float) -> None:
        super().place(axis, top)
        self.row.place(axis, top)
        for offset, column in zip(self.offsets, self.columns, strict=True):
            column.place(axis + offset, top + self.row.height + self.drop)
