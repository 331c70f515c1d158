"""A calibration curve as SVG: accuracy over confidence, the rows of each bin below, thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from pipelang.analysis.model.calibration import Bin, Calibration, Threshold
from pipelang.interfaces.export.svg.marks import number as _n
from pipelang.interfaces.export.svg.marks import path as _path
from pipelang.interfaces.export.svg.marks import text as _text
from pipelang.interfaces.export.svg.style import stylesheet
from pipelang.interfaces.text.number_format import percent, plural, spread

SIDE = 400.0
"""Of the square in which the curve lies, in pixels."""
LEFT, TOP, RIGHT = 62.0, 84.0, 28.0
BARS_TOP = TOP + SIDE + 22
BARS = 76.0
_CHARACTER = 6.95
LONGEST = 50
"""Characters of a file's name that fit above the square."""
WIDTH, HEIGHT = LEFT + SIDE + RIGHT, BARS_TOP + BARS + 44

_OWN = """\
.pipelang .grid { stroke-width: 1px; fill: none }
.pipelang .range { fill: none; stroke-width: 1.6px }
.pipelang .grid { stroke: #d0d7de }
.pipelang .range { stroke: #3b7dd8 }
@media (prefers-color-scheme: dark) {
.pipelang .grid { stroke: #30363d }
.pipelang .range { stroke: #58a6ff }
}"""


def calibration_stylesheet() -> str:
    """The CSS of a curve."""
    return f"{stylesheet()}\n{_OWN}"


def calibration_svg(name: str, found: Calibration, thresholds: Sequence[Threshold]) -> str:
    """The picture, as a document of its own."""
    size = f'width="{_n(WIDTH)}" height="{_n(HEIGHT)}"'
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pipelang" role="img" {size} '
        f'viewBox="0 0 {_n(WIDTH)} {_n(HEIGHT)}">',
        f"<title>{escape(name)}: accuracy by confidence</title>",
        f"<style>\n{calibration_stylesheet()}\n</style>",
        f'<rect class="ground" {size}/>',
        *_head(name, found),
        *_axes(),
        *_bars(found.bins),
        *_thresholds(thresholds),
        *(part for one in found.bins for part in _point(one)),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _head(name: str, found: Calibration) -> Iterator[str]:
    shown = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
    yield _text(shown, LEFT, 28, "title", "start")
    number = found.accuracy
    said = plural(found.rows, "row")
    if number.value is not None and number.low is not None and number.high is not None:
        said += f", {percent(number.value)} right ({spread(number.low, number.high, percent)})"
    if found.ece is not None:
        said += f", ECE {percent(found.ece)}"
    yield _text(said, LEFT, 46, "name", "start")


def _axes() -> Iterator[str]:
    """The square with its grid, and the line on which confidence and accuracy agree."""
    yield _rect("frame", LEFT, TOP, SIDE, SIDE)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _x(share), _y(share)
        if 0 < share < 1:
            yield _path("grid", f"M{_n(LEFT)} {_n(y)}H{_n(LEFT + SIDE)}")
            yield _path("grid", f"M{_n(x)} {_n(TOP)}V{_n(TOP + SIDE)}")
        yield _text(f"{share:.0%}", LEFT - 8, y + 4, "name", "end")
        yield _text(f"{share:.0%}", x, BARS_TOP + BARS + 16, "name")
    yield _path("next", f"M{_n(_x(0))} {_n(_y(0))}L{_n(_x(1))} {_n(_y(1))}")
    place = f"translate({_n(_x(0.06))} {_n(_y(0.06) - 8)}) rotate(-45)"
    yield f'<text class="name" transform="{place}">'
    yield "as often right as sure</text>"
    yield _text("confidence", LEFT + SIDE / 2, BARS_TOP + BARS + 34, "line")
    yield _text("right", LEFT - 8, TOP - 12, "line", "end")
    yield _text("rows", LEFT - 8, BARS_TOP + 10, "line", "end")


def _bars(bins: Sequence[Bin]) -> Iterator[str]:
    most = max(1, *(part.count for part in bins))
    for part in bins:
        if not part.count:
            continue
        height = max(1.5, part.count / most * (BARS - 14))
        x, y = _x(float(part.low)) + 2, BARS_TOP + BARS - height
        bar = _rect("shape", x, y, SIDE / len(bins) - 4, height)
        yield f'<g class="input">{bar}</g>'
        yield _text(f"{part.count:,}", x + SIDE / len(bins) / 2 - 2, y - 4, "name")
    yield _path("grid", f"M{_n(LEFT)} {_n(BARS_TOP + BARS)}h{_n(SIDE)}")


def _point(part: Bin) -> Iterator[str]:
    number = part.accuracy
    if part.confidence is None or number.value is None:
        return
    assert number.low is not None and number.high is not None
    x, low, high = _x(part.confidence), _y(number.low), _y(number.high)
    tip = (
        f"{part.low}–{part.high}: {part.right:,} of {part.count:,} right, "
        f"{percent(number.value)} ({spread(number.low, number.high, percent)}); "
        f"mean confidence {percent(part.confidence)}"
    )
    ends = f"M{_n(x - 4)} {_n(high)}h8M{_n(x - 4)} {_n(low)}h8"
    yield f'<g class="ask"><title>{escape(tip)}</title>'
    yield _path("range", f"M{_n(x)} {_n(low)}V{_n(high)}{ends}")
    yield f'<circle class="shape" cx="{_n(x)}" cy="{_n(_y(number.value))}" r="4.5"/></g>'


def _thresholds(thresholds: Sequence[Threshold]) -> Iterator[str]:
    free = 0.0  # where a label may begin
    for one in sorted(thresholds, key=lambda one: one.cut):
        value, strict = one.cut
        x = _x(float(value))
        tip = f"passes {one.passed:,}"
        for number, words in ((one.catches, "catches"), (one.false_alarms, "false alarms")):
            if number.value is not None:
                tip += f", {words} {percent(number.value)}"
        yield f"<g><title>{escape(tip)}</title>"
        yield _path("else", f"M{_n(x)} {_n(TOP)}V{_n(TOP + SIDE)}") + "</g>"
        label = f"{'>' if strict else '≥'} {value:f}"
        half = len(label) * _CHARACTER / 2
        if x - half >= free:  # where two labels would meet, the line alone stands for the second
            yield _text(label, x, TOP - 8, "name")
            free = x + half + 3


# ------------------------------------------------------------------------------------- pieces


def _x(share: float) -> float:
    return LEFT + share * SIDE


def _y(share: float) -> float:
    return TOP + (1 - share) * SIDE


def _rect(style: str, x: float, y: float, width: float, height: float) -> str:
    size = f'width="{_n(width)}" height="{_n(height)}"'
    return f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" {size}/>'
