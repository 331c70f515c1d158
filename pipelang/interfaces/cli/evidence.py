"""`pipelang evidence`: what files of labelled answers say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.terminal import text_width, wants_colour, write

if TYPE_CHECKING:
    from pipelang.analysis.calibration import Calibration


@click.group(name="evidence", short_help="Show what an evidence file says.")
def command() -> None:
    """Look at evidence: JSON Lines, {"confidence": 0.93, "correct": true} a labelled answer."""


@command.command(name="show")
@click.argument("file")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "svg"]),
    default="text",
    help="How to show it; svg draws the calibration curve.",
)
@click.option("-o", "--output", metavar="PATH", help="Write to a file.")
@click.pass_context
def show(ctx: click.Context, file: str, form: str, output: str | None) -> None:
    """Show how right the answers of FILE are, what their confidence is worth, and what a gate at
    some confidence would do.
    """
    from pipelang.analysis.calibration import calibration

    found = calibration(_rows(ctx, file))
    if form == "json":
        from pipelang.diagnostics.render import dumps

        text = dumps(as_json(found)) + "\n"
    elif form == "svg":
        from pipelang.interfaces.report.calibration import calibration_svg

        if found.ece is None:
            ctx.fail(f"`{file}` has rows without a `confidence`, so there is no curve to draw")
        text = calibration_svg(Path(file).name, found)
    else:
        from pipelang.interfaces.report.calibration import calibration_text
        from pipelang.interfaces.report.paint import painter

        colour = output is None and wants_colour(sys.stdout)
        lines = calibration_text(file, found, painter(colour), text_width(sys.stdout))
        text = "\n".join(lines) + "\n"
    if output is None:
        write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        ctx.fail(f"`{output}` cannot be written: {(error.strerror or str(error)).lower()}")


def _rows(ctx: click.Context, file: str) -> Any:
    from pipelang.interfaces.disk import DiskLoader
    from pipelang.semantics.elaborate.rates import BadRow, evidence_rows
    from pipelang.semantics.loading import Unreadable

    try:
        text = DiskLoader().read(file)
        if text is None:
            ctx.fail(f"there is no file `{file}`")
        return evidence_rows(text)
    except Unreadable as problem:
        ctx.fail(f"`{file}` cannot be read: {problem}")
    except BadRow as bad:
        ctx.fail(f"`{file}`, line {bad.line}: {bad}")


def as_json(found: Calibration) -> dict[str, Any]:
    """All that the text says, as plain numbers."""
    low, high = found.interval
    return {
        "version": 1,
        "rows": found.count,
        "right": found.right,
        "accuracy": {"value": found.accuracy, "low": low, "high": high},
        "ece": found.ece,
        "bins": [
            {
                "low": one.low,
                "high": one.high,
                "count": one.count,
                "confidence": one.confidence,
                "accuracy": one.accuracy,
                "accuracy_low": one.interval[0],
                "accuracy_high": one.interval[1],
            }
            for one in found.bins
        ],
        "thresholds": [
            {
                "at": float(gate.at),
                "passes": gate.passes,
                "accuracy": gate.accuracy,
                "catches": gate.catches,
                "false_alarms": gate.false_alarms,
            }
            for gate in found.thresholds
        ],
    }
