"""`pipelang evidence`: what a file of labelled answers says by itself."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.evidence.pull import pull_command
from pipelang.interfaces.cli.evidence.reading import read_evidence_file
from pipelang.interfaces.cli.evidence.stamp import stamp_command
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import deliver, must_be_replaceable, stop
from pipelang.interfaces.cli.terminal import WIDEST, text_width, wants_colour

if TYPE_CHECKING:
    from pipelang.analysis.model.calibration import Calibration, Threshold
    from pipelang.analysis.model.evidence import Cut

FORMATS = ("text", "json", "svg", "png")
USUAL = ("0.5", "0.7", "0.8", "0.9", "0.95")


@click.group(name="evidence", short_help="Look into a file of labelled answers.")
def command() -> None:
    """Look into an evidence file: a file of answers that somebody labelled right or wrong."""


command.add_command(stamp_command)
command.add_command(pull_command)


def _cuts(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[Cut, ...]:
    return tuple(_cut(one) for one in given)


def _cut(given: str) -> Cut:
    """`0.7`, `70%`, `>=0.7` or `>0.7`."""
    text = given.replace(" ", "")
    strict = text.startswith(">") and not text.startswith(">=")
    number = text.lstrip(">").removeprefix("=")
    try:
        share = Decimal(number.removesuffix("%"))
    except InvalidOperation:
        raise click.BadParameter(f"`{given}` is no threshold: write 0.7, 70% or >0.7") from None
    share = share / 100 if number.endswith("%") else share
    if not share.is_finite() or not 0 <= share <= 1:
        raise click.BadParameter(f"`{given}`: a threshold lies between 0 and 1")
    return share, strict


@command.command(name="show", short_help="Accuracy, calibration curve, and what thresholds do.")
@click.argument("file")
@click.option(
    "--threshold",
    "cuts",
    callback=_cuts,
    multiple=True,
    metavar="SHARE",
    help=f"0.7, 70% or '>0.7'; as often as wanted. If none: {', '.join(USUAL)}.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", "out", metavar="OUT", help="A file instead of standard output.")
def show(file: str, cuts: tuple[Cut, ...], form: str, out: str | None) -> None:
    """Show what FILE, an evidence file, says: how often the answers are right, whether their
    confidence can be believed (ECE, a reliability table, a curve), and how many wrong and right
    answers each threshold would hold back. Intervals are those that `pipelang check` works with.

    PNG needs `pip install "pipelang-dsl[png]"`; any tool that turns SVG into PNG does as well, such
    as `rsvg-convert curve.svg -o curve.png`. Exit code 1 if the file is malformed, 2 if it is not
    there.
    """
    from pipelang.analysis.model.calibration import at_threshold, by_source, calibration
    from pipelang.analysis.model.evidence import LabelledAnswers

    answers = LabelledAnswers(read_evidence_file(file))
    if not cuts and form in ("text", "json"):
        cuts = tuple((Decimal(usual), False) for usual in USUAL)
    found = calibration(answers)
    graded = bool(found.graded)
    thresholds = [at_threshold(answers, cut) for cut in sorted(set(cuts))] if graded else []
    if form == "png":
        _deliver_png(_svg(file, found, thresholds), out)
    else:
        to_file = out not in (None, "-")
        deliver(_shown(file, found, by_source(answers), thresholds, form, to_file), out)


def _share(ctx: click.Context, option: click.Parameter, given: str | None) -> float | None:
    """`0.2` or `20%`."""
    if given is None:
        return None
    try:
        share = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        raise click.BadParameter(f"`{given}` is no share: write 0.2 or 20%") from None
    if not 0 < share < 1:
        raise click.BadParameter(f"`{given}`: a share of hard cases lies between 0 and 1")
    return share


@command.command(name="fit", short_help="Split files that share cases into easy and hard ones.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--hard", callback=_share, metavar="SHARE", help="How many cases are hard: 20%.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True
)
def fit(files: tuple[str, ...], hard: float | None, form: str) -> None:
    """Fit hard cases to evidence FILES whose rows say which input they are about (`case`), and
    print counted rates to paste. It takes three files, or two and `--hard`.

    First it says whether wrong answers fall on the same cases more often than chance has it. Exit
    code 1 if a file is malformed or there is no fit, 2 if a file is not there.
    """
    from pipelang.analysis.model.class_likelihood import NoFit
    from pipelang.analysis.model.shared_cases import dependence
    from pipelang.analysis.model.two_classes import fitted
    from pipelang.interfaces.report.fitted import fit_json, fit_text

    read = [read_evidence_file(file) for file in files]
    try:
        found = fitted(read, hard)
    except NoFit as none:
        stop(none.why, FINDINGS, none.help)
    test = dependence(read)
    if form == "json":
        from pipelang.diagnostics.render import dumps

        click.echo(dumps(fit_json(found, test)))
    else:
        click.echo(fit_text(found, test, given=hard is not None), nl=False)


def _shown(
    file: str,
    found: Calibration,
    sources: dict[str, Calibration],
    thresholds: list[Threshold],
    form: str,
    to_file: bool,
) -> str:
    match form:
        case "json":
            from pipelang.diagnostics.render import dumps

            seen = [one.as_json() for one in thresholds]
            told: dict[str, Any] = {"version": 1, "file": file, **found.as_json()}
            if sources:
                told["by_source"] = {name: one.as_json() for name, one in sources.items()}
            return dumps({**told, "thresholds": seen}) + "\n"
        case "svg":
            return _svg(file, found, thresholds)
        case _:
            from pipelang.interfaces.report.calibration import calibration_text
            from pipelang.interfaces.text.colours import painter

            colour = not to_file and wants_colour(sys.stdout)
            width = WIDEST if to_file else text_width(sys.stdout)
            return calibration_text(file, found, sources, thresholds, width, painter(colour))


def _svg(file: str, found: Calibration, thresholds: list[Threshold]) -> str:
    from pipelang.interfaces.export.calibration_svg import calibration_svg

    return calibration_svg(file, found, thresholds)


def _deliver_png(picture: str, out: str | None) -> None:
    """The picture at twice its size, for screens that show two points in the place of one."""
    if out in (None, "-") and sys.stdout.isatty():
        stop("a PNG is no text for a terminal", USAGE, "name a file: --output curve.png")
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        help = 'pip install "pipelang-dsl[png]"; or take --format svg, and convert it: '
        stop("PNG needs the package `resvg-py`", USAGE, help + "rsvg-convert c.svg -o c.png")
    from pipelang.runtime.files.whole_files import write_whole

    data = svg_to_bytes(svg_string=picture, zoom=2.0)
    try:
        if out is None or out == "-":
            sys.stdout.buffer.write(data)
        else:
            must_be_replaceable(out)
            write_whole(out, data)
    except OSError as error:
        stop(f"`{out}` cannot be written: {error.strerror or error}")
