"""Boxes and routes as SVG: shapes, rounded lines, tooltips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot
from xml.sax.saxutils import escape

from pipelang.interfaces.export.graph import OUTCOMES, PEOPLE, Graph, GraphNode, NodeKind
from pipelang.interfaces.export.svg.assembly import assembly
from pipelang.interfaces.export.svg.boxes import LINE_STEP, TITLE_STEP, Box, is_diamond
from pipelang.interfaces.export.svg.layers import Layers
from pipelang.interfaces.export.svg.parts import boxes, walk
from pipelang.interfaces.export.svg.routes import Point, Route, routes
from pipelang.interfaces.export.svg.style import LOOK, stylesheet

MARGIN = 24.0
BETWEEN_PIPELINES = 48.0
_ROUND = 7.0
_TIP = 7.0


def svg(graph: Graph, states: Mapping[str, str] | None = None) -> str:
    """The picture of a graph, as a document of its own. `states` are classes of nodes by their ids,
    for a page that shows where a run stands.
    """
    states = {} if states is None else states
    lines, trails = assembly(graph)
    axis = MARGIN + max((line.left for line in lines), default=0.0)
    top = MARGIN
    for line in lines:
        line.place(axis, top)
        top += line.height + BETWEEN_PIPELINES
    width = axis + max((line.right for line in lines), default=0.0) + MARGIN
    height = top + MARGIN - (BETWEEN_PIPELINES if lines else 0.0)
    ways = routes(graph, trails)
    regions = [part for line in lines for part in walk(line) if isinstance(part, Layers)]
    names = ", ".join(graph.clusters[cluster].title for cluster in graph.pipelines)
    size = f'width="{_n(width)}" height="{_n(height)}"'
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pipelang" role="img" {size} '
        f'viewBox="0 0 {_n(width)} {_n(height)}">',
        f"<title>{_text(names)}</title>",
        f"<style>\n{stylesheet()}\n</style>",
        f'<rect class="ground" {size}/>',
        *(part for region in regions for part in _frame(region)),
        *(part for way in ways for part in _route(way)),
        *(part for line in lines for box in boxes(line) for part in _box(box, states)),
        *(part for way in ways for part in _label(way)),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def without_style(picture: str) -> str:
    """A picture of ours for a page that has its stylesheet already, and allows none in its markup.

    Texts in a picture are escaped: the first `<style>` is the picture's own.
    """
    before, _, rest = picture.partition("<style>")
    return before + rest.partition("</style>\n")[2] if rest else picture


def _frame(region: Layers) -> list[str]:
    x, y = region.axis - region.left, region.top
    size = f'width="{_n(region.left + region.right)}" height="{_n(region.height)}"'
    return [
        f'<rect class="frame" x="{_n(x)}" y="{_n(y)}" {size} rx="8"/>',
        f'<text class="name" x="{_n(x + 10)}" y="{_n(y + 16)}">region</text>',
    ]


# --------------------------------------------------------------------------------------- boxes


def _box(box: Box, states: Mapping[str, str]) -> list[str]:
    node = box.node
    look = LOOK[node.kind] + (" fallback" if node.fallback else "")
    look += f" {states[node.id]}" if node.id in states else ""
    y = box.y - (TITLE_STEP + LINE_STEP * len(box.lines)) / 2 + 13.5
    words = [_words(box.title, "title", box.x, y)]
    for number, line in enumerate(box.lines):
        words.append(_words(line, "line", box.x, y + TITLE_STEP + number * LINE_STEP))
    tooltip = f"<title>{_text(_known(node))}</title>"
    return [f'<g class="{look}">', tooltip, *_shape(box), *words, "</g>"]


def _words(text: str, style: str, x: float, y: float) -> str:
    place = f'x="{_n(x)}" y="{_n(y)}" text-anchor="middle"'
    return f'<text class="{style}" {place}>{_text(text)}</text>'


def _known(node: GraphNode) -> str:
    """All that is known of a node, whatever was cut."""
    return "\n".join([node.title, *node.lines, *([node.doc] if node.doc else [])])


def _shape(box: Box) -> list[str]:
    if is_diamond(box.node):
        reach = box.height / 2
        corners = [
            (box.left, box.y),
            (box.left + reach, box.top),
            (box.right - reach, box.top),
            (box.right, box.y),
            (box.right - reach, box.bottom),
            (box.left + reach, box.bottom),
        ]
        return [f'<polygon class="shape" points="{_points(corners)}"/>']
    ends = box.node.kind in OUTCOMES or box.node.kind is NodeKind.INPUT
    shapes = [_rectangle(box, 0, 18 if ends else 6)]
    if box.node.kind in PEOPLE:
        shapes.append(_rectangle(box, 3, 4))
    return shapes


def _rectangle(box: Box, inset: float, corner: float) -> str:
    x, y = box.left + inset, box.top + inset
    size = f'width="{_n(box.width - 2 * inset)}" height="{_n(box.height - 2 * inset)}"'
    return f'<rect class="shape" x="{_n(x)}" y="{_n(y)}" {size} rx="{_n(corner)}"/>'


# --------------------------------------------------------------------------------------- lines


def _route(route: Route) -> list[str]:
    kind = route.edge.kind.value
    (x0, y0), (x, y) = route.points[-2:]
    length = hypot(x - x0, y - y0) or 1.0
    dx, dy = (x - x0) / length, (y - y0) / length
    neck = (x - _TIP * dx, y - _TIP * dy)
    side = _TIP / 2
    tip = [
        (x, y),
        (neck[0] - side * dy, neck[1] + side * dx),
        (neck[0] + side * dy, neck[1] - side * dx),
    ]
    return [
        f'<path class="{kind}" d="{_path([*route.points[:-1], neck])}"/>',
        f'<polygon class="{kind}-tip" points="{_points(tip)}"/>',
    ]


def _path(points: Sequence[Point]) -> str:
    """A polyline with rounded corners."""
    parts = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _towards(corner, before), _towards(corner, after)
        parts.append(f"L{_at(into)}Q{_at(corner)} {_at(out)}")
    return "".join([*parts, f"L{_at(points[-1])}"])


def _towards(corner: Point, end: Point) -> Point:
    length = hypot(end[0] - corner[0], end[1] - corner[1]) or 1.0
    share = min(_ROUND, length / 2) / length
    return corner[0] + (end[0] - corner[0]) * share, corner[1] + (end[1] - corner[1]) * share


def _label(route: Route) -> list[str]:
    if route.label_at is None or not route.edge.label:
        return []
    x, y = route.label_at
    return [f'<text class="label" x="{_n(x)}" y="{_n(y)}">{_text(route.edge.label)}</text>']


# ---------------------------------------------------------------------------------------- text


def _n(number: float) -> str:
    """A number in as few letters as it needs."""
    return f"{number:.1f}".removesuffix(".0")


def _at(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _text(text: str) -> str:
    """Text in XML, without the characters that XML does not allow."""
    return escape("".join(letter if _allowed(ord(letter)) else "\ufffd" for letter in text))


def _allowed(code: int) -> bool:
    """The production `Char` of XML 1.0, without the control characters that it discourages."""
    if code < 0x20 or 0x7F <= code < 0xA0:
        return code in (0x9, 0xA)
    return not 0xD800 <= code < 0xE000 and code not in (0xFFFE, 0xFFFF)
