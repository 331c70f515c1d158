"""A curve over days as SVG: a share with its exact interval, a predicted band, and marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from pipelang.interfaces.export.svg.marks import number as _n
from pipelang.interfaces.export.svg.marks import path as _path
from pipelang.interfaces.export.svg.marks import text as _text
from pipelang.interfaces.export.svg.style import stylesheet
from pipelang.interfaces.text.number_format import percent
from pipelang.statistics.intervals import exact_share

WIDTH, HEIGHT = 860.0, 300.0
LEFT, TOP, RIGHT, BOTTOM = 62.0, 52.0, 20.0, 42.0

_OWN = """\
.pipelang .grid { stroke-width: 1px; fill: none; stroke: #d0d7de }
.pipelang .band { fill: #3b7dd8; fill-opacity: .13; stroke: none }
.pipelang .curve { fill: none; stroke: #3b7dd8; stroke-width: 1.8px }
.pipelang .other { fill: none; stroke: #8b949e; stroke-width: 1.4px; stroke-dasharray: 4 3 }
.pipelang .mark { stroke: #cf222e; stroke-width: 1.2px; fill: none }
.pipelang .marked { fill: #cf222e }
@media (prefers-color-scheme: dark) {
.pipelang .grid { stroke: #30363d }
.pipelang .curve { stroke: #58a6ff }
.pipelang .mark { stroke: #ff7b72 }
.pipelang .marked { fill: #ff7b72 }
}"""


def days_stylesheet() -> str:
    """The style of such pictures, for a page that has its own sheet."""
    return f"{stylesheet()}\n{_OWN}"


def day_curve(
    title: str,
    days: Sequence[str],
    shares: Sequence[float],
    runs: Sequence[int],
    *,
    band: tuple[float, float] | None = None,
    other: Sequence[float] = (),
    marks: Mapping[int, str] | None = None,
) -> str:
    """The picture, as a document of its own. `band` is the predicted range, `other` a second curve,
    `marks` words at days by their place.
    """
    ends = [exact_share(share * n, n) for share, n in zip(shares, runs, strict=True) if n]
    highs = [*(min(high, 3 * max(shares)) for _, high in ends), *other, *shares]
    if band is not None and band[1] < 1:
        highs.append(band[1])
    top = min(1.0, max([*highs, 0.01]) * 1.08)
    chart = _Chart(len(days), top)
    size = f'width="{_n(WIDTH)}" height="{_n(HEIGHT)}"'
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pipelang" role="img" {size} '
        f'viewBox="0 0 {_n(WIDTH)} {_n(HEIGHT)}">',
        f"<title>{escape(title)}, day by day</title>",
        f"<style>\n{days_stylesheet()}\n</style>",
        f'<rect class="ground" {size}/>',
        _text(title, LEFT, 26, "title", "start"),
        *chart.axes(days),
    ]
    if band is not None and band != (0.0, 1.0):
        low, high = chart.y(band[0]), chart.y(min(band[1], top))
        area = f"M{_n(LEFT)} {_n(low)}H{_n(WIDTH - RIGHT)}V{_n(high)}H{_n(LEFT)}z"
        body.append(f'<path class="band" d="{area}"><title>predicted</title></path>')
    if other:
        body.append(chart.curve("other", other))
    body.append(chart.curve("curve", shares))
    for number, (at, words) in enumerate(sorted((marks or {}).items())):
        x = chart.x(at)
        body.append(_path("mark", f"M{_n(x)} {_n(TOP)}V{_n(HEIGHT - BOTTOM)}"))
        anchor = "end" if at > 0.8 * len(days) else "start"
        place = x + (-4 if anchor == "end" else 4)
        body.append(
            f'<text class="marked name" x="{_n(place)}" y="{_n(TOP + 12 + 14 * (number % 4))}" '
            f'text-anchor="{anchor}">{escape(words)}</text>'
        )
    return "\n".join([*body, "</svg>"]) + "\n"


class _Chart:
    """The square of a curve: places of days and shares in it."""

    def __init__(self, days: int, top: float) -> None:
        self._days, self._top = max(days - 1, 1), top

    def x(self, day: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * day / self._days

    def y(self, share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, self._top) / self._top

    def axes(self, days: Sequence[str]) -> Iterator[str]:
        for part in range(5):
            share = self._top * part / 4
            y = self.y(share)
            yield _path("grid", f"M{_n(LEFT)} {_n(y)}H{_n(WIDTH - RIGHT)}")
            yield _text(percent(share), LEFT - 8, y + 4, "name", "end")
        step = max(1, len(days) // 8)
        for at in range(0, len(days), step):
            yield _text(days[at], self.x(at), HEIGHT - BOTTOM + 18, "name")

    def curve(self, style: str, shares: Sequence[float]) -> str:
        points = [f"{_n(self.x(at))} {_n(self.y(share))}" for at, share in enumerate(shares)]
        return _path(style, "M" + "L".join(points)) if points else ""
