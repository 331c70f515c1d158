"""`pipelang watch`: evaluates watched lines, and tells alerts once for each cause."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.durable.opening import UNREACHABLE
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.operate.sources import source_of
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.programs import chosen, stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import RunSource
    from pipelang.interfaces.watching.alerts import AlertTarget
    from pipelang.interfaces.watching.evaluation import LineStatus
    from pipelang.semantics import program as p


@click.command(name="watch", short_help="Say what production no longer keeps, and alert.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--store", metavar="URL", help="The store of durable runs.")
@click.option("--state", default=DEFAULT, show_default=True, help="The state folder, without it.")
@click.option("--every", type=Duration(1), help="Go on, and look every so often, e.g. 1h.")
@click.option(
    "--alert",
    "alerts",
    multiple=True,
    metavar="[ROLE=]TARGET",
    help="Where alerts go: a web address, or a file that gets a line each.",
)
@click.option("--secret", metavar="env:NAME", help="The secret that signs what is posted.")
@click.option(
    "--baseline", metavar="RELEASE", help="Whose runs are the baseline: a release, or a hash."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    file: str,
    pipeline: str | None,
    store: str | None,
    state: str,
    every: float | None,
    alerts: tuple[str, ...],
    secret: str | None,
    baseline: str | None,
    form: str,
) -> None:
    """Hold the `watch` lines of PIPELINE of FILE (of all by default) against what its runs did. A
    pipeline without any has the usual ones: accuracy under 85%, 20% more escalations, 95% of the
    runs over 30 s.

    Each line is tested at any time, with false alarms below 5% for all of a pipeline's lines over
    their whole life. An alert is told once, and when its cause is over. What was counted is kept
    beside the runs, so that a look reads only what is new.

    Exit code 0; 1 while an alert stands, or if one was not taken where it was told; 3 if the store
    cannot be reached. With --every it ends by a signal.
    """
    from pipelang.interfaces.cli.programs import read_program
    from pipelang.interfaces.watching.alerts import NoTarget, targets_from

    built, _ = read_program(file)
    names = chosen(built, pipeline)
    try:
        targets = targets_from(alerts, secret, built.roles)
    except NoTarget as wrong:
        why, help = wrong.args
        stop(why, USAGE, help)
    while True:
        try:
            with source_of(store, state) as source:
                code = _look(built, names, source, targets, baseline, form, pipeline is not None)
        except SystemExit as ended:
            # A store that is away may be back the next time; who looks once wants to know.
            if every is None or ended.code != UNREACHABLE:
                raise
            code = UNREACHABLE
        if every is None:
            sys.exit(code)
        try:
            time.sleep(every)
        except KeyboardInterrupt:
            sys.exit(130)


def _look(
    program: p.Program,
    names: list[str],
    source: RunSource,
    targets: list[AlertTarget],
    baseline: str | None,
    form: str,
    named: bool,
) -> int:
    """Evaluate once; the exit code."""
    from pipelang.diagnostics.render import dumps
    from pipelang.interfaces.report.observed.watch_text import watch_text
    from pipelang.interfaces.text.colours import painter
    from pipelang.interfaces.watching.evaluation import LineState, name_of

    paint = painter(wants_colour(sys.stdout))
    report: dict[str, Any] = {}
    texts, code = [], 0
    for name in names:
        pipeline = program.pipelines[name]
        if not named and not pipeline.watch and not source.runs(name):
            continue
        against = None if baseline is None else _release(source, name, baseline)
        with source.turn(name_of(name, program.hash)):
            statuses, problems = _told(program, pipeline, source, targets, against)
        _of_others(source, name, program.hash)
        for problem in problems:
            warn(f"error: {problem}")
        if problems or any(status.state is LineState.ALERT for status in statuses):
            code = FINDINGS
        report[name] = [status.as_json() for status in statuses]
        texts.append(watch_text(name, statuses, source.shown, paint, text_width(sys.stdout)))
    if not report:
        stop(
            f"nothing is watched: no pipeline has a `watch`, or runs in {source.shown}",
            FINDINGS,
            "`watch { escalation <= baseline + 20% over 1d else alert ROLE }`",
        )
    if form == "json":
        write(dumps({"version": 1, "pipelines": report}, allow_nan=False) + "\n")
    else:
        write("\n".join(texts))
    return code


def _told(
    program: p.Program,
    pipeline: p.Pipeline,
    source: RunSource,
    targets: list[AlertTarget],
    against: str | None,
) -> tuple[list[LineStatus], list[str]]:
    """The lines of a pipeline, whose alerts have been told, and what did not work in that."""
    from pipelang.interfaces.watching.alerts import tell_all
    from pipelang.interfaces.watching.evaluation import evaluate, name_of
    from pipelang.interfaces.watching.kept_state import KeptStateBroken

    kept = name_of(pipeline.name, program.hash)
    try:
        statuses, state = evaluate(program, pipeline, source, program.hash, against)
    except KeptStateBroken:
        stop(
            f"what the watch kept in {source.shown} as `{kept}` cannot be read",
            FINDINGS,
            "take it away, and the watch begins anew",
        )
    problems = tell_all(statuses, targets, program.hash, source.shown)
    source.keep(kept, state.text())
    return statuses, problems


def _of_others(source: RunSource, pipeline: str, own: str) -> None:
    """Say that none of the runs of the last two days is of this program."""
    recent = source.runs(pipeline, source.now() - 2 * 86_400)
    programs = sorted({run.program[:12] for run in recent})
    if programs and not any(own.startswith(one) for one in programs):
        warn(
            f"note: the runs of `{pipeline}` in {source.shown} are of {', '.join(programs)}, and "
            f"this file is {own[:12]}: what is deployed is another program"
        )


def _release(source: RunSource, pipeline: str, wanted: str) -> str:
    """The program of a release, or of a hash by its beginning; ends the command without one."""
    named = source.release(pipeline, wanted)
    if named is not None:
        return named
    found = sorted({run.program for run in source.runs(pipeline)})
    fitting = [one for one in found if one.startswith(wanted) or wanted.startswith(one)]
    if len(fitting) != 1:
        there = ", ".join(one[:12] for one in found) or "none"
        stop(f"no release of `{pipeline}` is `{wanted}`", FINDINGS, f"there are: {there}")
    return fitting[0]
