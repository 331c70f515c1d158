"""The lines between boxes, as corners of polylines.

A `NEXT` edge climbs out of the parts that its source stands in, up to the one that holds both ends,
goes across there, and down into its target. Parts are left at the bottom of their axis and entered
at the top of it, so lines that go the same way lie on one another.
"""

from __future__ import annotations

from pipelang.interfaces.export.graph import Edge, EdgeKind, Graph
from pipelang.interfaces.export.svg.assembly import Trails
from pipelang.interfaces.export.svg.boxes import LINE_SIZE, Box, text_width
from pipelang.interfaces.export.svg.layers import Layers
from pipelang.interfaces.export.svg.parts import Fork, Lane, NodeRow, Part, PartColumn, boxes
from pipelang.records import dataclass

Point = tuple[float, float]

_SAME = 0.01
"""Closer than this is the rounding of the arithmetic."""


@dataclass(frozen=True, slots=True)
class Route:
    """`label_at` is the left end of the label's base line."""

    edge: Edge
    points: tuple[Point, ...]
    label_at: Point | None = None


def routes(graph: Graph, trails: Trails) -> list[Route]:
    """A route for every edge of a graph whose parts are placed."""
    placed = {box.node.id: box for trail in trails.values() for box in boxes(trail[-1])}
    made = []
    for edge in graph.edges:
        source, target = placed[edge.source], placed[edge.target]
        match edge.kind:
            case EdgeKind.ELSE:
                made.append(_aside(edge, source, target))
            case EdgeKind.REDO:
                made.append(_back(edge, trails))
            case EdgeKind.NEXT:
                made.append(_next(edge, source, trails))
    return made


def _aside(edge: Edge, source: Box, target: Box) -> Route:
    y = source.y
    middle = (source.right + target.left - 6) / 2
    start = middle - text_width(edge.label, LINE_SIZE) / 2
    return Route(edge, ((source.right, y), (target.left, y)), (start, y - 5))


def _back(edge: Edge, trails: Trails) -> Route:
    lane = _lane(edge, trails[edge.source])
    source, target, x = lane.source, lane.target, lane.x
    above = trails[edge.target][-1].top - 10
    into = target.left + min(18.0, target.width / 4)
    points = ((source.left, source.y), (x, source.y), (x, above), (into, above), (into, target.top))
    return Route(edge, points, (x + 8, source.y - 5))


def _lane(edge: Edge, trail: tuple[Part, ...]) -> Lane:
    for part in trail:
        if isinstance(part, PartColumn):
            for lane in part.lanes:
                if lane.edge is edge:
                    return lane
    raise LookupError(edge)


def _next(edge: Edge, source: Box, trails: Trails) -> Route:
    out, into = trails[edge.source], trails[edge.target]
    shared = 0
    while out[shared] is into[shared]:
        shared += 1
    points = _leave(source, out[-1])
    for around, inner in zip(reversed(out[shared:-1]), reversed(out[shared + 1 :]), strict=True):
        points += _out_of(around, inner)
    label_at: Point | None = None
    holder = out[shared - 1]
    if isinstance(holder, Fork) and out[shared] is holder.row:
        across, label_at = _into_column(holder, into[shared], edge)
        points = across if holder.beside else [*points, *across]
    elif isinstance(holder, Layers):
        first, second = out[shared], into[shared]
        assert isinstance(first, NodeRow)
        assert isinstance(second, NodeRow)
        points += holder.way(first, second)
    elif edge.label:  # straight on, past an empty branch
        fork = out[-2]
        assert isinstance(fork, Fork)
        label_at = (fork.axis + 7, fork.row.bottom + 14)
    for around, inner in zip(into[shared:-1], into[shared + 1 :], strict=True):
        points += _in_to(around, inner)
    head = into[-1]
    points.append((head.axis, head.head.top if isinstance(head, NodeRow) else head.top))
    return Route(edge, simplified(points), label_at)


def _leave(source: Box, row: Part) -> list[Point]:
    """From a box to the bottom of its row's axis."""
    assert isinstance(row, NodeRow)
    points = [(source.x, source.bottom)]
    if source is not row.head:
        points += [(source.x, row.merge), (row.axis, row.merge)]
    return [*points, (row.axis, row.bottom)]


def _out_of(around: Part, inner: Part) -> list[Point]:
    """From the bottom of a part to the bottom of the one around it."""
    end = (around.axis, around.bottom)
    match around, inner:
        case Fork(), PartColumn():
            return [(inner.axis, around.merge), (around.axis, around.merge), end]
        case Layers(), NodeRow():
            return [*around.way_out(inner), end]
        case _:
            return [end]


def _in_to(around: Part, inner: Part) -> list[Point]:
    """From the top of a part to the top of one that it begins with."""
    match around, inner:
        case Layers(), NodeRow():
            return around.way_in(inner)
        case _:
            return [(around.axis, around.top), (inner.axis, inner.top)]


def _into_column(fork: Fork, column: Part, edge: Edge) -> tuple[list[Point], Point]:
    """From the diamond to the top of a branch; and where its label stands."""
    top = (column.axis, column.top)
    if fork.beside:
        head = fork.row.head
        start = (head.right + column.axis - text_width(edge.label, LINE_SIZE)) / 2
        return [(head.right, head.y), (column.axis, head.y), top], (start, head.y - 5)
    return [(fork.axis, fork.bus), (column.axis, fork.bus), top], (column.axis + 7, fork.bus + 15)


def simplified(points: list[Point]) -> tuple[Point, ...]:
    """The corners only: no point twice, and none in the middle of a straight line."""
    kept: list[Point] = []
    for point in points:
        if kept and all(abs(kept[-1][i] - point[i]) < _SAME for i in (0, 1)):
            continue
        if len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _straight(a: Point, b: Point, c: Point) -> bool:
    return any(abs(a[i] - b[i]) < _SAME and abs(b[i] - c[i]) < _SAME for i in (0, 1))
