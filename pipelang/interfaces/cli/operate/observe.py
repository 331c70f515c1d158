"""`pipelang observe`: runs as they were, beside the prediction."""

from __future__ import annotations

import sys

import click

from pipelang.interfaces.cli.exit_codes import FINDINGS
from pipelang.interfaces.cli.operate.sources import program_of, source_of
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.programs import chosen, deliver, stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn
from pipelang.interfaces.runs.state_folder import DEFAULT


@click.command(name="observe", short_help="Put what runs did beside what was predicted.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--store", metavar="URL", help="The store of durable runs.")
@click.option("--state", default=DEFAULT, show_default=True, help="The state folder, without it.")
@click.option("--since", type=Duration(1), default="7d", show_default=True, help="How far back.")
@click.option("--program", metavar="RELEASE", help="Runs of another program: a release, or a hash.")
@click.option("--strict", is_flag=True, help="Exit code 1 where something differs.")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text")
@click.option("-o", "--output", "out", metavar="OUT", help="A file instead of standard output.")
def command(
    file: str,
    pipeline: str | None,
    store: str | None,
    state: str,
    since: float,
    program: str | None,
    strict: bool,
    form: str,
    out: str | None,
) -> None:
    """Observe the runs of PIPELINE of FILE (of all that ran by default): every metric of `check` as
    it was, with its exact 95% interval, beside the prediction; each step beside its declaration.
    What differs is told at 99.9%. HTML is the dashboard.

    Exit code 0; 1 if there is nothing to observe, or with --strict where something differs; 3 if
    the store cannot be reached.
    """
    from pipelang.diagnostics.render import dumps
    from pipelang.interfaces.check.check import check_file
    from pipelang.interfaces.cli.programs import read_program
    from pipelang.interfaces.observation.observation import observe

    built, _ = read_program(file)
    names = chosen(built, pipeline)
    checked = check_file(file)
    if checked.program is None:
        stop(f"`{file}` has errors: `pipelang check {file}` lists them", FINDINGS)
    found = []
    with source_of(store, state) as source:
        then = source.now() - since
        for analysis in checked.analyses:
            name = analysis.pipeline.name
            if name not in names:
                continue
            runs = source.runs(name, then)
            if not runs and pipeline is None:
                continue
            own = program_of(file, name, source, runs, program, checked.program.hash)
            found.append(observe(checked.program, analysis, source, then, own))
        if not found or not any(one.runs or one.unfinished for one in found):
            what = f"`{pipeline}`" if pipeline else "its pipelines"
            help = "a larger --since looks further back; --store or --state names the place"
            stop(f"there are no runs of {what} in {source.shown} since then", FINDINGS, help)
    match form:
        case "json":
            record = {"version": 1, "pipelines": {one.pipeline: one.as_json() for one in found}}
            deliver(dumps(record, allow_nan=False) + "\n", out)
        case "html":
            from pipelang.interfaces.report.observed.dashboard import dashboard_html

            deliver(dashboard_html(found), out)
        case _:
            from pipelang.interfaces.report.observed.text import observation_text
            from pipelang.interfaces.text.colours import painter

            paint = painter(out is None and wants_colour(sys.stdout))
            texts = [observation_text(one, paint, text_width(sys.stdout)) for one in found]
            deliver("\n".join(texts), out)
    if strict and any(one.first is not None for one in found):
        warn("something differs from the prediction")
        sys.exit(FINDINGS)
