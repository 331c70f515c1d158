"""The Pareto front as SVG: success against cost, silent errors against escalations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import floor, log10
from xml.sax.saxutils import escape

from pipelang.analysis.tuning.search import Point
from pipelang.analysis.tuning.tune import Tuned
from pipelang.interfaces.export.svg.marks import number as _n
from pipelang.interfaces.export.svg.marks import path as _path
from pipelang.interfaces.export.svg.marks import text as _text
from pipelang.interfaces.export.svg.style import stylesheet
from pipelang.interfaces.text.number_format import exact_money, percent, plural
from pipelang.records import dataclass
from pipelang.semantics.metrics import ESCALATION, SILENT_ERROR, SUCCESS

PLOT, TALL = 420.0, 300.0
"""Of one plot, in pixels."""
LEFT, TOP, GAP, RIGHT, BOTTOM = 72.0, 92.0, 92.0, 28.0, 56.0
MOST_DOTS = 3000

_OWN = """\
.pipelang .grid { stroke-width: 1px; fill: none; stroke: #d0d7de }
.pipelang .front { stroke-width: 1.8px; fill: none; stroke: #3b7dd8 }
.pipelang .faint { fill: #8c959f; fill-opacity: 0.35 }
@media (prefers-color-scheme: dark) {
.pipelang .grid { stroke: #30363d }
.pipelang .front { stroke: #58a6ff }
}"""

Read = Callable[[Point], float]


@dataclass(frozen=True, slots=True)
class PixelAxis:
    """A figure over a range of pixels, with its ticks; the first pixel shows `low`."""

    name: str
    read: Read
    show: Callable[[float], str]
    low: float
    high: float
    start: float
    length: float

    def at(self, point: Point) -> float:
        return self.place(self.read(point))

    def place(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * self.length

    def ticks(self) -> list[float]:
        """Four to nine round numbers."""
        step = 10 ** floor(log10(self.high - self.low))
        while (self.high - self.low) / step < 4:
            step /= 2
        first = -floor(-self.low / step)
        return [n * step for n in range(first, floor(self.high / step + 1e-9) + 1)]


def front_svg(tuned: Tuned) -> str:
    """The picture, as a document of its own."""
    points = tuned.found.known()
    second = any(one.kind.value in ("threshold", "setting") for one in tuned.found.dimensions)
    width = LEFT + PLOT + RIGHT + ((GAP + PLOT) if second else 0)
    height = TOP + TALL + BOTTOM
    size = f'width="{_n(width)}" height="{_n(height)}"'
    name = tuned.pipeline.name
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pipelang" role="img" {size} '
        f'viewBox="0 0 {_n(width)} {_n(height)}">',
        f"<title>{escape(name)}: what can be had for what</title>",
        f"<style>\n{stylesheet()}\n{_OWN}\n</style>",
        f'<rect class="ground" {size}/>',
        _text(name, LEFT, 28, "title", "start"),
        _text(_said(tuned), LEFT, 46, "name", "start"),
    ]
    x = _axis("cost of a mean run", lambda one: one.cost, exact_money, points, LEFT, PLOT)
    y = _axis("answered right", _figure(SUCCESS), percent, points, TOP + TALL, -TALL)
    body += _plot(tuned, points, tuned.front, x, y)
    if second:
        start = LEFT + PLOT + GAP
        x = _axis("to a person", _figure(ESCALATION), percent, points, start, PLOT)
        y = _axis("answered wrong", _figure(SILENT_ERROR), percent, points, TOP + TALL, -TALL)
        body += _plot(tuned, points, tuned.errors, x, y)
    return "\n".join([*body, "</svg>"]) + "\n"


def _said(tuned: Tuned) -> str:
    done = plural(len(tuned.found.points), "combination")
    if tuned.best is None:
        return f"{done} worked out"
    return f"{done} worked out; the best costs {exact_money(tuned.best.cost)} a run"


def _figure(name: str) -> Read:
    return lambda one: one.figures[name]


def _axis(
    name: str,
    read: Read,
    show: Callable[[float], str],
    points: Sequence[Point],
    start: float,
    length: float,
) -> PixelAxis:
    values = [read(one) for one in points]
    low, high = min(values), max(values)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 0.1
    return PixelAxis(name, read, show, max(0.0, low - margin), high + margin, start, length)


def _plot(
    tuned: Tuned, points: Sequence[Point], front: Sequence[Point], x: PixelAxis, y: PixelAxis
) -> Iterator[str]:
    yield f'<rect class="frame" x="{_n(x.start)}" y="{_n(TOP)}" {_size(PLOT, TALL)}/>'
    for tick in x.ticks():
        yield _path("grid", f"M{_n(x.place(tick))} {_n(TOP)}V{_n(TOP + TALL)}")
        yield _text(x.show(tick), x.place(tick), TOP + TALL + 18, "name")
    for tick in y.ticks():
        yield _path("grid", f"M{_n(x.start)} {_n(y.place(tick))}h{_n(PLOT)}")
        yield _text(y.show(tick), x.start - 8, y.place(tick) + 4, "name", "end")
    yield _text(x.name, x.start + PLOT / 2, TOP + TALL + 40, "line")
    yield _text(y.name, x.start - 8, TOP - 14, "line", "start")
    shown = points[:: 1 + len(points) // MOST_DOTS]
    for one in shown:
        yield f'<circle class="faint" cx="{_n(x.at(one))}" cy="{_n(y.at(one))}" r="2.2"/>'
    if len(front) > 1:
        steps = f"M{_n(x.at(front[0]))} {_n(y.at(front[0]))}"
        steps += "".join(f"H{_n(x.at(one))}V{_n(y.at(one))}" for one in front[1:])
        yield _path("front", steps)
    for one in front:
        yield _dot("ask", one, tuned, x, y)
    yield _dot("test", tuned.now, tuned, x, y, "now")
    if tuned.best is not None:
        yield _dot("answered", tuned.best, tuned, x, y, "best")


def _dot(look: str, one: Point, tuned: Tuned, x: PixelAxis, y: PixelAxis, label: str = "") -> str:
    changes = ", ".join(f"{name} {a} → {b}" for name, a, b in tuned.changes(one)) or "as it is"
    tip = f"{x.name} {x.show(x.read(one))}, {y.name} {y.show(y.read(one))}: {changes}"
    cx, cy = x.at(one), y.at(one)
    circle = f'<circle class="shape" cx="{_n(cx)}" cy="{_n(cy)}" r="{5 if label else 3.6}"/>'
    # What is best stands below its label, what is written above: they may be one point.
    above = -10 if label == "best" else 18
    anchor = "end" if cx > x.start + PLOT * 0.85 else "start"
    side = -6 if anchor == "end" else 6
    named = _text(label, cx + side, cy + above, "label", anchor) if label else ""
    return f'<g class="{look}"><title>{escape(tip)}</title>{circle}{named}</g>'


# ------------------------------------------------------------------------------------- pieces


def _size(width: float, height: float) -> str:
    return f'width="{_n(width)}" height="{_n(height)}"'
