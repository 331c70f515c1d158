"""`pipelang sketch`: figures of a few steps in a row, without any file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import Any

import click

from pipelang.analysis.sketch.figures import (
    DAYS_A_MONTH,
    SketchFigures,
    better_by,
    figures,
    needed,
)
from pipelang.analysis.sketch.reading import NoSketch, Sketch, read
from pipelang.diagnostics.columns import wrap
from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.exit_codes import USAGE
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.text.colours import Paint, painter
from pipelang.interfaces.text.number_format import exact_money, exact_percent, plural, rate
from pipelang.interfaces.text.table import Cell, Row, bar, lay_out
from pipelang.semantics.metrics import FAILURE, SILENT_ERROR, SUCCESS
from pipelang.semantics.quantities import show_seconds

POINTS = (1, 2, 3, 4)
TARGETS = ("0.9", "0.95", "0.99")
ONE_POINT = Decimal("0.01")


@click.command(
    name="sketch", short_help="Say what steps of some reliability come to; needs no file."
)
@click.argument("sketch", nargs=-1, required=True, metavar="SKETCH")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to print it; json is for machines.",
)
@click.pass_context
def command(ctx: click.Context, sketch: tuple[str, ...], form: str) -> None:
    """Say what steps of some reliability come to.

    \b
    0.95 x 4                        four steps in a row, each right 95% of the time
    95% x 4 then 98%                ... and a fifth at 98%
    95% x 4, $0.02 each, 2s each    with what every attempt costs and takes
    95% x 3 fails 5% retry 2        attempts fail 5% of the time, and are made up to 3 times
    95% fails 5% with fallback 90%  something else answers where all attempts failed
    95% x 4 for 90%                 how right must each be, for 90% in the end?
    95% x 4, $0.02 each, 500/day    what a month of it costs

    What stands behind a comma is said of every step. A step that reads something wrong is wrong; a
    retry and a fallback help where an attempt fails, not against wrong answers. Put the sketch in
    single quotes, so that the shell leaves the dollars alone.
    """
    text = " ".join(sketch)
    try:
        found = read(text)
    except NoSketch as mistake:
        warn(shown_mistake(text, mistake))
        ctx.exit(USAGE)
    if form == "json":
        write(dumps(as_json(found)) + "\n")
        return
    paint = painter(wants_colour(sys.stdout))
    write("\n".join(as_text(found, paint, text_width(sys.stdout))) + "\n")


def shown_mistake(text: str, mistake: NoSketch) -> str:
    """The line with a caret under what is wrong, and the mend."""
    line = text.replace("\t", " ").replace("\n", " ")
    marks = " " * mistake.start + "^" * max(1, mistake.end - mistake.start)
    return f"pipelang sketch: {mistake}\n  {line}\n  {marks}\n  help: {mistake.help}"


# -------------------------------------------------------------------------------------- JSON


def as_json(sketch: Sketch) -> dict[str, Any]:
    """All figures as plain numbers."""
    found = figures(sketch)
    month = _month(sketch, found)
    return {
        "version": 1,
        "steps": sum(steps.count for steps in sketch.steps),
        "outcomes": {
            SUCCESS: float(found.success),
            SILENT_ERROR: float(found.silent_error),
            FAILURE: float(found.failure),
        },
        "cost": {
            "mean": float(found.cost_mean),
            "worst": float(found.cost_worst),
            "month": None if month is None else float(month),
        },
        "seconds": {"mean": float(found.seconds_mean), "worst": float(found.seconds_worst)},
        "better": [
            {"points": points, SUCCESS: float(figures(better_by(sketch, share)).success)}
            for points, share in _better(sketch)
        ],
        "notes": list(sketch.notes),
        "needs": [
            {SUCCESS: float(target), "accuracy": None if least is None else float(least)}
            for target, least in _needs(sketch)
        ],
    }


def _month(sketch: Sketch, found: SketchFigures) -> Decimal | None:
    """Dollars a month; None if nobody said how many runs there are."""
    return None if sketch.per_day is None else found.cost_mean * sketch.per_day * DAYS_A_MONTH


def _better(sketch: Sketch) -> list[tuple[int, Decimal]]:
    """By how many points all steps could be better, as points and as a share."""
    least = min(steps.accuracy for steps in sketch.steps)
    return [(n, n * ONE_POINT) for n in POINTS if least + n * ONE_POINT <= 1]


def _needs(sketch: Sketch) -> list[tuple[Decimal, Decimal | None]]:
    """Targets (that which was asked for, or usual ones) with the accuracy that each step needs."""
    asked = sketch.target
    targets = [Decimal(target) for target in TARGETS] if asked is None else [asked]
    return [(target, needed(sketch, target)) for target in targets]


# -------------------------------------------------------------------------------------- text


def as_text(sketch: Sketch, paint: Paint, width: int) -> list[str]:
    """The answer in words first, then changes and their effect."""
    found = figures(sketch)
    blocks: list[tuple[list[Row], str]] = [
        (_outcomes(found), "<><"),
        (_spending(sketch, found), "<><"),
        (_changes(sketch, found), "<>>"),
        (_targets(sketch), "<<"),
    ]
    lines = [_sentence(sketch, found)]
    for rows, align in blocks:
        lines += ["", *lay_out(rows, align, paint, width=width)] if rows else []
    for note in sketch.notes:
        lines += ["", *(paint(line, "unsure") for line in wrap(f"Note: {note}.", width))]
    return lines


def _share(share: Decimal) -> str:
    return exact_percent(float(share))


def _sentence(sketch: Sketch, found: SketchFigures) -> str:
    count = sum(steps.count for steps in sketch.steps)
    exact = f"{found.success.normalize():f}"
    tail = f" ({exact})" if len(exact) <= 14 else ""
    one = "its" if count == 1 else "their"
    return (
        f"{plural(count, 'step')}: right at {one} end in {_share(found.success)} of the runs{tail}."
    )


def _outcomes(found: SketchFigures) -> list[Row]:
    return [
        [name, _share(share), Cell(bar(float(share), 40), style)]
        for name, share, style in (
            ("answered right", found.success, "good"),
            ("answered wrong", found.silent_error, "bad"),
            ("failed", found.failure, "unsure"),
        )
        if share or name == "answered right"
    ]


def _spending(sketch: Sketch, found: SketchFigures) -> list[Row]:
    rows: list[Row] = []
    if found.cost_worst:
        rows.append(_spent("cost", found.cost_mean, found.cost_worst, exact_money))
        if found.success:
            rows.append(["a right answer", exact_money(float(found.cost_mean / found.success)), ""])
        month = _month(sketch, found)
        if sketch.per_day is not None and month is not None:
            runs = rate(float(sketch.per_day))
            rows.append([f"a month at {runs} a day", exact_money(float(month)), ""])
    if found.seconds_worst:
        rows.append(_spent("time", found.seconds_mean, found.seconds_worst, show_seconds))
    return rows


def _spent(name: str, mean: Decimal, worst: Decimal, show: Callable[[float], str]) -> Row:
    most = "" if mean == worst else f"on average; {show(float(worst))} at most"
    return [name, show(float(mean)), most]


def _changes(sketch: Sketch, found: SketchFigures) -> list[Row]:
    """Better steps: all of them by some points, then each group by one."""

    def row(label: str, share: Decimal, index: int | None = None) -> Row:
        better = figures(better_by(sketch, share, index)).success
        return [label, _share(better), f"+{(better - found.success) * 100:.2f}"]

    rows = [
        row(f"{_every(sketch)} {plural(points, 'point')} better", share)
        for points, share in _better(sketch)
    ]
    if len(sketch.steps) > 1:
        for number, steps in enumerate(sketch.steps):
            if steps.accuracy + ONE_POINT <= 1:
                many = f" x {steps.count}" if steps.count > 1 else ""
                label = f"{_share(steps.accuracy)}{many}, 1 point better"
                rows.append(row(label, ONE_POINT, number))
    return rows


def _targets(sketch: Sketch) -> list[Row]:
    rows: list[Row] = []
    for target, least in _needs(sketch):
        how = "cannot be reached: too much fails"
        if least is not None:
            # What must be reached is rounded up, never down.
            up = least.quantize(Decimal("0.0001"), ROUND_CEILING) if least < 1 else least
            how = f"{_every(sketch)} right {_share(up)}"
        rows.append([f"for {_share(target)}", how])
    return rows


def _every(sketch: Sketch) -> str:
    return "every step" if sum(steps.count for steps in sketch.steps) > 1 else "the step"
