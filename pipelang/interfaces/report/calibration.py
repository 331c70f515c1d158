"""An evidence file as text: how often right, how far its confidence can be believed, thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelang.analysis.model.calibration import Bin, Calibration, Threshold
from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import percent, plural, spread
from pipelang.interfaces.text.table import Cell, Row, bar, labelled, lay_out
from pipelang.semantics.kernels.decisions import PROBABILITIES, WORD

PLOT_WIDTH, PLOT_HEIGHT = 61, 21
"""Columns and lines of the curve; odd, so that 0%, 50% and 100% have one of their own."""


def calibration_text(
    name: str,
    found: Calibration,
    sources: Mapping[str, Calibration],
    thresholds: Sequence[Threshold],
    width: int,
    paint: Paint,
) -> str:
    """The whole text of `pipelang evidence show`. `sources` are its rows apart by what their
    confidences are, where they say it.
    """
    count = plural(found.rows, "row")
    gap = max(2, width - len(name) - len(count))
    head = paint(name, "title") + " " * gap + paint(count, "dim")
    blocks = [[head, paint("─" * width, "dim"), *_summary(found, sources, width, paint)]]
    if found.graded:
        blocks += [curve(found, thresholds, paint), reliability(found.bins, width, paint)]
        blocks += [holding_back(thresholds, width, paint)] if thresholds else []
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


_SOURCES = {PROBABILITIES: "probabilities that were told", WORD: "the model's own word"}


def _summary(
    found: Calibration, sources: Mapping[str, Calibration], width: int, paint: Paint
) -> list[str]:
    right = f"{found.right:,} of {found.rows:,}: {_share(found.accuracy)}"
    parts = [("right", f"{right} ({_range(found.accuracy)})")]
    if found.ece is None or found.by_chance is None:
        parts.append(
            ("confidence", "no row has any, so thresholds cannot be measured on this file")
        )
    else:
        said = (
            f"{percent(found.ece)} on the mean (ECE, ten bins); one that is right exactly as often"
        )
        said += f" as it says would show about {percent(found.by_chance)} on so many rows"
        parts.append(("off by", said))
        for name, one in sources.items():
            told = f"{_SOURCES[name]}: {_share(one.accuracy)} of {plural(one.rows, 'row')} right"
            if one.ece is not None and one.by_chance is not None:
                told += f", off by {percent(one.ece)}, where {percent(one.by_chance)} is chance"
            parts.append(("of these", told))
        if found.graded < found.rows:
            without = plural(found.rows - found.graded, "row")
            parts.append(
                ("left out", f"{without} without a `confidence`; a gate refuses such a file")
            )
        if found.right in (0, found.rows):
            kind = "wrong" if found.right else "right"
            said = f"there is no {kind} row, so what a threshold does to {kind} answers is unknown:"
            parts.append(("missing", f"{said} label answers until some are {kind}"))
    parts.append(
        ("basis", "measured; 95% intervals of Jeffreys' prior, as `pipelang check` has them")
    )
    return labelled(parts, paint, width=width, label="dim")


def curve(found: Calibration, thresholds: Sequence[Threshold], paint: Paint) -> list[str]:
    """Accuracy over confidence, a point a bin with its interval; marks below for thresholds."""
    grid = [[" "] * PLOT_WIDTH for _ in range(PLOT_HEIGHT)]
    for line in range(PLOT_HEIGHT):
        grid[line][_column(_height(line))] = "·"
    for part in found.bins:
        number = part.accuracy
        if part.confidence is None or number.value is None:
            continue
        assert number.low is not None and number.high is not None
        column = _column(part.confidence)
        for line in range(_line(number.high), _line(number.low) + 1):
            grid[line][column] = "│"
        grid[_line(number.value)][column] = "●"
    lines = [paint("How often answers are right, by how sure they are", "heading")]
    lines.append(
        paint("  ● right, with its 95% interval │    · where as often right as sure", "dim")
    )
    for line, cells in enumerate(grid):
        label = f"{_height(line):.0%}" if line % 5 == 0 else ""
        side = "┤" if line % 5 == 0 else "│"
        body = "".join(paint(one, _STYLE.get(one, "")) for one in cells).rstrip()
        lines.append(f"  {label:>4} {side}{body}")
    ticks = "".join("┴" if column % 15 == 0 else "─" for column in range(PLOT_WIDTH))
    lines.append(f"       └{ticks}")
    marks = [" "] * PLOT_WIDTH
    for one in thresholds:
        marks[_column(float(one.cut[0]))] = "▲"
    if thresholds:
        lines.append(" " * 8 + paint("".join(marks).rstrip(), "unsure"))
    labels = "".join(f"{share:<15.0%}" for share in (0, 0.25, 0.5, 0.75)) + "100%"
    lines.append(" " * 8 + labels + "  confidence" + (" (▲ threshold)" if thresholds else ""))
    return lines


_STYLE = {"●": "people", "│": "people", "·": "dim"}


def _height(line: int) -> float:
    return 1 - line / (PLOT_HEIGHT - 1)


def _line(share: float) -> int:
    return round((1 - share) * (PLOT_HEIGHT - 1))


def _column(share: float) -> int:
    return round(share * (PLOT_WIDTH - 1))


def reliability(bins: Sequence[Bin], width: int, paint: Paint) -> list[str]:
    """A row a bin that has rows, the surest first."""
    most = max(part.count for part in bins)
    rows: list[Row] = [
        _dim("confidence", "rows", "", "mean", "right", "95% interval", "gap"),
    ]
    for part in reversed(bins):
        if part.confidence is None or part.accuracy.value is None:
            continue
        gap = part.accuracy.value - part.confidence
        low, high = part.accuracy.low or 0.0, part.accuracy.high or 0.0
        off = not low <= part.confidence <= high
        rows.append(
            [
                f"{part.low:.1f}–{part.high:.1f}",
                f"{part.count:,}",
                Cell(bar(part.count / most, 12), "people"),
                percent(part.confidence),
                percent(part.accuracy.value),
                Cell(_range(part.accuracy), "dim"),
                Cell(f"{gap:+.1%}" + (" *" if off else "  "), "unsure" if off else ""),
            ]
        )
    note = "each bin with its lower bound; * the mean confidence lies outside the interval"
    head = paint("Reliability", "heading") + paint(f"  {note}", "dim")
    return [head, *lay_out(rows, "<><>>>>", paint, width=width, whole=True)]


def holding_back(thresholds: Sequence[Threshold], width: int, paint: Paint) -> list[str]:
    """A row for each threshold: answers let pass, wrong ones caught, right ones held back."""
    rows: list[Row] = [
        _dim("confidence", "passes", "right of them", "", "catches wrong", "", "false alarms", "")
    ]
    for one in thresholds:
        value, strict = one.cut
        rows.append(
            [
                f"{'> ' if strict else '>='} {value:f}",
                f"{one.passed:,}",
                *_with_range(one.accuracy),
                *_with_range(one.catches),
                *_with_range(one.false_alarms),
            ]
        )
    note = "of answers like these, one threshold at a time; ranges are 95% intervals"
    head = paint("What a threshold does", "heading") + paint(f"  {note}", "dim")
    return [head, *lay_out(rows, "<>><><><", paint, width=width, whole=True)]


def _with_range(number: Number) -> list[Cell | str]:
    return [_share(number), Cell(_range(number), "dim")]


def _dim(*words: str) -> list[Cell | str]:
    return [Cell(word, "dim") for word in words]


def _share(number: Number) -> str:
    return "unknown" if number.value is None else percent(number.value)


def _range(number: Number) -> str:
    if number.low is None or number.high is None:
        return ""
    return spread(number.low, number.high, percent)
