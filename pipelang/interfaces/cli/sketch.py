"""`pipelang sketch`: what a few steps come to, without any file."""

from __future__ import annotations

import sys
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.exit_codes import USAGE
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write

if TYPE_CHECKING:
    from pipelang.analysis.sketch.figures import SketchFigures
    from pipelang.analysis.sketch.reading import NoSketch, Sketch
    from pipelang.interfaces.text.colours import Paint

POINTS = (1, 2, 3, 4)
TARGETS = ("0.9", "0.95", "0.99")


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
    from pipelang.analysis.sketch.reading import NoSketch, read

    text = " ".join(sketch)
    try:
        found = read(text)
    except NoSketch as mistake:
        warn(shown_mistake(text, mistake))
        ctx.exit(USAGE)
    if form == "json":
        from pipelang.diagnostics.render import dumps

        write(dumps(as_json(found)) + "\n")
        return
    from pipelang.interfaces.text.colours import painter

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
    from pipelang.analysis.sketch.figures import DAYS_A_MONTH, better_by, figures

    found = figures(sketch)
    month = None
    if sketch.per_day is not None:
        month = float(found.cost_mean * sketch.per_day * DAYS_A_MONTH)
    return {
        "version": 1,
        "steps": sum(steps.count for steps in sketch.steps),
        "outcomes": {
            "success": float(found.success),
            "silent_error": float(found.silent_error),
            "failure": float(found.failure),
        },
        "cost": {
            "mean": float(found.cost_mean),
            "worst": float(found.cost_worst),
            "month": month,
        },
        "seconds": {"mean": float(found.seconds_mean), "worst": float(found.seconds_worst)},
        "better": [
            {"points": points, "success": float(figures(better_by(sketch, hundredths)).success)}
            for points, hundredths in _better(sketch)
        ],
        "notes": list(sketch.notes),
        "needs": [
            {"success": float(target), "accuracy": None if least is None else float(least)}
            for target, least in _needs(sketch)
        ],
    }


def _better(sketch: Sketch) -> list[tuple[int, Decimal]]:
    """By how many points the steps could be better, as points and as a share."""
    least = min(steps.accuracy for steps in sketch.steps)
    return [(n, Decimal(n) / 100) for n in POINTS if least + Decimal(n) / 100 <= 1]


def _needs(sketch: Sketch) -> list[tuple[Decimal, Decimal | None]]:
    """For some targets (the one that was asked for, or usual ones), how right each step must be."""
    from pipelang.analysis.sketch.figures import needed

    targets = [Decimal(target) for target in TARGETS]
    if sketch.target is not None:
        targets = [sketch.target]
    return [(target, needed(sketch, target)) for target in targets]


# -------------------------------------------------------------------------------------- text


def as_text(sketch: Sketch, paint: Paint, width: int) -> list[str]:
    """The answer in words first, then what would change it."""
    from pipelang.analysis.sketch.figures import figures
    from pipelang.diagnostics.columns import wrap

    found = figures(sketch)
    lines = [_sentence(sketch, found), "", *_outcomes(found, paint, width)]
    lines += _spending(sketch, found, paint, width)
    lines += _changes(sketch, found, paint, width)
    for note in sketch.notes:
        lines += ["", *(paint(line, "unsure") for line in wrap(f"Note: {note}.", width))]
    return lines


def _share(share: Decimal) -> str:
    from pipelang.interfaces.text.number_format import exact_percent

    return exact_percent(float(share))


def _least(share: Decimal) -> str:
    """A share that must be reached: rounded up, never down."""
    return _share(share.quantize(Decimal("0.0001"), ROUND_CEILING)) if share < 1 else _share(share)


def _sentence(sketch: Sketch, found: SketchFigures) -> str:
    from pipelang.interfaces.text.number_format import plural

    count = sum(steps.count for steps in sketch.steps)
    exact = f"{found.success.normalize():f}"
    tail = f" ({exact})" if len(exact) <= 14 else ""
    one = "its" if count == 1 else "their"
    return (
        f"{plural(count, 'step')}: right at {one} end in {_share(found.success)} of the runs{tail}."
    )


def _outcomes(found: SketchFigures, paint: Paint, width: int) -> list[str]:
    from pipelang.interfaces.text.table import Cell, Row, bar, lay_out

    rows: list[Row] = [
        [name, _share(share), Cell(bar(float(share), 40), style)]
        for name, share, style in (
            ("answered right", found.success, "good"),
            ("answered wrong", found.silent_error, "bad"),
            ("failed", found.failure, "unsure"),
        )
        if share or name == "answered right"
    ]
    return lay_out(rows, "<><", paint, width=width)


def _spending(sketch: Sketch, found: SketchFigures, paint: Paint, width: int) -> list[str]:
    from pipelang.analysis.sketch.figures import DAYS_A_MONTH
    from pipelang.interfaces.text.number_format import exact_money, rate
    from pipelang.interfaces.text.table import Row, lay_out
    from pipelang.semantics.quantities import show_seconds

    rows: list[Row] = []
    if found.cost_worst:
        rows.append(
            [
                "cost",
                exact_money(float(found.cost_mean)),
                _most(found.cost_mean, found.cost_worst, exact_money),
            ]
        )
        if found.success:
            rows.append(["a right answer", exact_money(float(found.cost_mean / found.success)), ""])
        if sketch.per_day is not None:
            month = float(found.cost_mean * sketch.per_day * DAYS_A_MONTH)
            rows.append([f"a month at {rate(float(sketch.per_day))} a day", exact_money(month), ""])
    if found.seconds_worst:
        rows.append(
            [
                "time",
                show_seconds(float(found.seconds_mean)),
                _most(found.seconds_mean, found.seconds_worst, show_seconds),
            ]
        )
    return ["", *lay_out(rows, "<><", paint, width=width)] if rows else []


def _most(mean: Decimal, worst: Decimal, show: Any) -> str:
    return "" if mean == worst else f"on average; {show(float(worst))} at most"


def _changes(sketch: Sketch, found: SketchFigures, paint: Paint, width: int) -> list[str]:
    from pipelang.analysis.sketch.figures import better_by, figures
    from pipelang.interfaces.text.table import Row, lay_out

    lines: list[str] = []
    each = "every step" if sum(steps.count for steps in sketch.steps) > 1 else "the step"
    rows: list[Row] = []
    for points, hundredths in _better(sketch):
        better = figures(better_by(sketch, hundredths)).success
        label = f"{each} {points} {'point' if points == 1 else 'points'} better"
        rows.append([label, _share(better), f"+{(better - found.success) * 100:.2f}"])
    if len(sketch.steps) > 1:
        for number, steps in enumerate(sketch.steps):
            if steps.accuracy + Decimal("0.01") <= 1:
                better = figures(better_by(sketch, Decimal("0.01"), number)).success
                many = f" x {steps.count}" if steps.count > 1 else ""
                label = f"{_share(steps.accuracy)}{many}, 1 point better"
                rows.append([label, _share(better), f"+{(better - found.success) * 100:.2f}"])
    if rows:
        lines += ["", *lay_out(rows, "<>>", paint, width=width)]
    needs: list[Row] = []
    for target, least in _needs(sketch):
        how = (
            "cannot be reached: too much fails"
            if least is None
            else f"{each} right {_least(least)}"
        )
        needs.append([f"for {_share(target)}", how])
    return [*lines, "", *lay_out(needs, "<<", paint, width=width)]
