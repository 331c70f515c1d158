"""What an evidence file says: in words, as a table and a curve, and as an SVG picture."""

from __future__ import annotations

from pipelang.analysis.calibration import Bin, Calibration
from pipelang.interfaces.report.paint import Paint
from pipelang.interfaces.report.table import Cell, Row, lay_out
from pipelang.interfaces.report.words import count, percent, spread

ROWS, COLUMNS = 11, 41
"""The curve in a terminal: tenths upwards, fortieths to the right."""


def calibration_text(name: str, found: Calibration, paint: Paint, width: int) -> list[str]:
    """The file's accuracy, its reliability table, its curve, and what thresholds would do."""
    low, high = found.interval
    lines = [
        f"{name}: {count(found.right)} of {count(found.count)} answers are right,"
        f" {percent(found.right / found.count)} ({spread(low, high, percent)})."
    ]
    if found.ece is None:
        return [*lines, "Rows without a `confidence` say nothing about thresholds."]
    lines += [_verdict(found), "", paint("Confidence against accuracy", "heading")]
    rows: list[Row] = [
        [Cell(text, "dim") for text in ("confidence", "answers", "mean", "right", "", "")]
    ]
    for one in found.bins:
        rows.append(
            [
                f"{one.low:.0%}–{one.high:.0%}",
                count(one.count),
                percent(one.confidence),
                percent(one.accuracy),
                Cell(spread(*one.interval, percent), "dim"),
                _word(one),
            ]
        )
    lines += [*lay_out(rows, "<>>><<", paint, width=width, whole=True), ""]
    lines += [paint(line, "dim" if "●" not in line else "") for line in curve(found)]
    lines += ["", paint("A gate at", "heading")]
    rows = [
        [Cell(text, "dim") for text in ("", "passes", "right of those", "catches", "false alarms")]
    ]
    for gate in found.thresholds:
        rows.append(
            [
                f">= {percent(float(gate.at), 0)}",
                percent(gate.passes),
                _share(gate.accuracy),
                _share(gate.catches),
                _share(gate.false_alarms),
            ]
        )
    return [*lines, *lay_out(rows, "<>>>>", paint, width=width)]


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _word(one: Bin) -> Cell:
    """Whether the confidence is within what the count leaves open."""
    low, high = one.interval
    if one.confidence > high:
        return Cell("too sure", "bad")
    return Cell("not sure enough", "unsure") if one.confidence < low else Cell("")


def _verdict(found: Calibration) -> str:
    assert found.ece is not None
    mean = sum(one.count * one.confidence for one in found.bins) / found.count
    gap = mean - found.accuracy
    side = "too sure" if gap > 0 else "not sure enough"
    text = f"Expected calibration error {percent(found.ece)}"
    if abs(gap) < 0.005:
        return f"{text}; on average as sure as it is right."
    return f"{text}; on average {percent(abs(gap))} {side}."


def curve(found: Calibration) -> list[str]:
    """Accuracy over confidence: ● a bin, │ its interval, · where both are the same."""
    grid = [[" "] * COLUMNS for _ in range(ROWS)]
    for column in range(COLUMNS):
        grid[_row(column / (COLUMNS - 1))][column] = "·"
    for one in found.bins:
        column = round(one.confidence * (COLUMNS - 1))
        low, high = one.interval
        for row in range(_row(high), _row(low) + 1):
            grid[row][column] = "│"
        grid[_row(one.accuracy)][column] = "●"
    lines = []
    for number, cells in enumerate(grid):
        label = f"{1 - number / (ROWS - 1):.0%}" if number % 5 == 0 else ""
        lines.append(f"  {label:>4} ┤{''.join(cells).rstrip()}")
    lines.append(f"       └{'─' * COLUMNS}")
    lines.append("        0%" + "50%".rjust(COLUMNS // 2) + "100%".rjust(COLUMNS // 2))
    return lines


def _row(share: float) -> int:
    return round((1 - share) * (ROWS - 1))


SIDE, LEFT, TOP, BARS = 320, 56, 44, 64


def calibration_svg(name: str, found: Calibration) -> str:
    """The reliability diagram, with how many answers there are below it."""
    from xml.sax.saxutils import escape

    most = max((one.count for one in found.bins), default=1)
    parts = [
        f'<text x="{LEFT}" y="22" class="title">{escape(name)}</text>',
        f'<text x="{LEFT}" y="37" class="note">{percent(found.accuracy)} of {count(found.count)}'
        + (f" right, ECE {percent(found.ece)}" if found.ece is not None else " right")
        + "</text>",
        f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" class="frame"/>',
    ]
    for step in range(0, 101, 25):
        share = step / 100
        x, y = _x(share), _y(share)
        parts += [
            f'<path d="M{x:.1f} {TOP}V{TOP + SIDE}M{LEFT} {y:.1f}H{LEFT + SIDE}" class="grid"/>',
            f'<text x="{x:.1f}" y="{TOP + SIDE + BARS + 28}" class="tick middle">{step}%</text>',
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" class="tick end">{step}%</text>',
        ]
    parts.append(f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" class="ideal"/>')
    points = " ".join(f"{_x(one.confidence):.1f},{_y(one.accuracy):.1f}" for one in found.bins)
    parts.append(f'<polyline points="{points}" class="line"/>')
    floor = TOP + SIDE + BARS + 12
    for one in found.bins:
        low, high = one.interval
        x = _x(one.confidence)
        height = BARS * one.count / most
        parts += [
            f'<path d="M{x:.1f} {_y(low):.1f}V{_y(high):.1f}" class="range"/>',
            f'<circle cx="{x:.1f}" cy="{_y(one.accuracy):.1f}" r="4.5" class="point"/>',
            f'<rect x="{_x(one.low) + 2:.1f}" y="{floor - height:.1f}" width="{SIDE / 10 - 4:.1f}"'
            f' height="{height:.1f}" class="bar"/>',
        ]
    middle = LEFT + SIDE / 2
    parts += [
        f'<text x="{middle}" y="{floor + 36}" class="tick middle">confidence</text>',
        f'<text x="14" y="{TOP + SIDE / 2}" class="tick middle"'
        f' transform="rotate(-90 14 {TOP + SIDE / 2})">right</text>',
    ]
    width, height = LEFT + SIDE + 24, floor + 48
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img">\n<style>{_STYLE}</style>\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _x(share: float) -> float:
    return LEFT + share * SIDE


def _y(share: float) -> float:
    return TOP + (1 - share) * SIDE


_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:15px;font-weight:600}"
    ".note,.tick{fill:#666}.middle{text-anchor:middle}.end{text-anchor:end}"
    ".frame{fill:none;stroke:#999}.grid{stroke:#eee;fill:none}"
    ".ideal{stroke:#999;stroke-dasharray:4 4;fill:none}.line{stroke:#2563a8;fill:none}"
    ".range{stroke:#2563a8;stroke-opacity:.45;stroke-width:3}.point{fill:#2563a8}"
    ".bar{fill:#c7d8ea}"
)
