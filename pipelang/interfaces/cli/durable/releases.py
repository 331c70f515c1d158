"""`pipelang releases`: the versions that are out, and the way forward and back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.durable.opening import opened, store_option
from pipelang.interfaces.cli.durable.release import is_said, noted
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.inbox import user
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import write
from pipelang.interfaces.runs.state_folder import DEFAULT
from pipelang.interfaces.text.number_format import plural
from pipelang.semantics.metrics import COST_MEAN

if TYPE_CHECKING:
    from pipelang.interfaces.releases.proof import NoWorse
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.versions.guards import GuardState
    from pipelang.runtime.durable.versions.releases import Release


@click.group(name="releases", short_help="List, promote and roll back versions.")
def command() -> None:
    """The versions of pipelines that were put out by `pipelang release`."""


_PIPELINE = click.option("--pipeline", metavar="NAME", help="Of this pipeline.")
_STATE = click.option(
    "--state", default=DEFAULT, show_default=True, help="The folder of the audit log."
)


@command.command(name="list", short_help="The versions, with their guards.")
@store_option()
@_PIPELINE
@click.option("--log", "with_log", is_flag=True, help="Who did what, when, and why.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text")
def list_command(store: str, pipeline: str | None, with_log: bool, form: str) -> None:
    """List the versions that were released, newest first, and how a canary's guards stand.

    Exit code 0, 1 if the log of a store was changed, 3 if the store cannot be reached.
    """
    with opened(store) as ready:
        from pipelang.runtime.durable.versions import releases

        found = releases.releases(ready, pipeline)
        states = {
            (one.pipeline, one.version): _states(ready, one, found)
            for one in found
            if one.state == releases.CANARY
        }
        entries, broken = releases.log(ready, pipeline)
        if form == "json":
            _json(found, states, entries if with_log else [])
        else:
            for one in found:
                write(_line(one))
                for state in states.get((one.pipeline, one.version), ()):
                    write(f"  {_guard(state)}\n")
            if not found:
                write("nothing is released\n")
            for entry in entries if with_log else ():
                write(
                    f"{_moment(entry.at)}  {entry.by}  {entry.version} of {entry.pipeline}: "
                    f"{entry.act}  {entry.why}\n"
                )
        if broken is not None:
            stop(f"entry {broken} of the log is not as it was written", FINDINGS)


@command.command(name="promote", short_help="Have all runs be of a version.")
@click.argument("version")
@store_option()
@_PIPELINE
@click.option("--why", required=True, help="Why it may be.")
@click.option("--by", help="Who promotes. Default: the user of this machine.")
@_STATE
def promote_command(
    version: str, store: str, pipeline: str | None, why: str, by: str | None, state: str
) -> None:
    """Have all new runs be of VERSION, a canary or one that was out before. What it showed beside
    the current one is printed: whether it is no worse, and how sure that is.

    Exit code 0, 1 if it is refused, 3 if the store cannot be reached.
    """
    who = _who(by, why)
    with opened(store) as ready:
        from pipelang.interfaces.releases.proof import no_worse
        from pipelang.runtime.durable.versions import releases

        found = releases.find(ready, pipeline, version)
        current = _current(ready, found.pipeline)
        if current is not None and found.state == releases.CANARY:
            for one in no_worse(ready, found, current):
                write(_proof(one))
        releases.promote(ready, found, who, why)
        noted(state, found.pipeline, version, "promoted", who, why)
        write(f"{version} of `{found.pipeline}` is current\n")


@command.command(name="rollback", short_help="Take a version back.")
@click.argument("version")
@store_option()
@_PIPELINE
@click.option("--why", required=True, help="Why it must be.")
@click.option("--by", help="Who takes it back. Default: the user of this machine.")
@_STATE
def rollback_command(
    version: str, store: str, pipeline: str | None, why: str, by: str | None, state: str
) -> None:
    """Take VERSION back: the next run, and those that wait and have not begun, are of the version
    before it. What has begun goes on; `pipelang kill` stops that.

    Exit code 0, 1 if it is refused, 3 if the store cannot be reached.
    """
    who = _who(by, why)
    with opened(store) as ready:
        from pipelang.runtime.durable.versions import releases

        found = releases.find(ready, pipeline, version)
        back = releases.roll_back(ready, found, who, why)
        if back is None:
            now = releases.find(ready, found.pipeline, version).state.replace("_", " ")
            stop(f"`{version}` of `{found.pipeline}` is not out: it is {now}", FINDINGS)
        noted(state, found.pipeline, version, "rolled back", who, why)
        write(f"{version} of `{found.pipeline}` is rolled back: {back.version} is current\n")


@command.command(name="guard", short_help="Look at the guards of all canaries now.")
@store_option()
@_STATE
def guard_command(store: str, state: str) -> None:
    """Look at all canaries, and take back those whose guards say that they are worse. Workers do
    that every ten seconds.

    Exit code 0, 1 if one was taken back, 3 if the store cannot be reached.
    """
    with opened(store) as ready:
        from pipelang.runtime.durable.versions.guards import BY, ReleaseGuards

        back = ReleaseGuards(ready).look()
        for release, why in back:
            noted(state, release.pipeline, release.version, "rolled back", BY, why)
            write(f"{release.version} of `{release.pipeline}` is rolled back: {why}\n")
        if not back:
            write("no canary is shown to be worse\n")
    raise SystemExit(FINDINGS if back else 0)


def _who(by: str | None, why: str) -> str:
    is_said("--why", why)
    is_said("--by", by)
    who = by or user()
    if who is None:
        stop("this machine has no name for you: say who you are with --by NAME", USAGE)
    return who


def _current(store: Store, pipeline: str) -> Release | None:
    from pipelang.runtime.durable.versions import releases

    every = releases.releases(store, pipeline)
    return next((one for one in every if one.state == releases.CURRENT), None)


def _states(store: Store, canary: Release, found: list[Release]) -> list[GuardState]:
    from pipelang.runtime.durable.versions.guards import guard_states

    current = _current(store, canary.pipeline)
    return [] if current is None else guard_states(store, canary, current)


def _line(one: Release) -> str:
    share = f" for {one.share:.0%}" if one.state == "canary" else ""
    words = one.state.replace("_", " ")
    head = f"{one.version} of {one.pipeline}: {words}{share}, program {one.program[:12]}"
    return f"{head}, by {one.by} {_moment(one.made)}: {one.purpose}\n"


def _guard(state: GuardState) -> str:
    guard = state.guard
    tolerance = f" + {guard.tolerance:.0%}" if guard.tolerance else ""
    labels = ""
    if guard.labels is not None:
        labels = f", judged at {plural(guard.labels, 'label')}"
    money = guard.metric == COST_MEAN
    own = f"${state.canary[0]:.6f}" if money else f"{state.canary[0]:.2%}"
    other = f"${state.current[0]:.6f}" if money else f"{state.current[0]:.2%}"
    return (
        f"{guard.metric}{tolerance}: {own} of {state.canary[1]:,} beside {other} of "
        f"{state.current[1]:,}; evidence {state.evidence:.3g} of {state.needed:.0f}{labels}"
    )


def _proof(one: NoWorse) -> str:
    low, high = one.interval
    (hits_a, runs_a), (hits_b, runs_b) = one.current, one.canary
    verdict = "proved" if one.is_proved else "not proved"
    return (
        f"{one.metric}: {hits_b} of {runs_b:,} ({low:.2%} to {high:.2%}) beside {hits_a} of "
        f"{runs_a:,}; no worse by {one.margin:.1%} or more: {verdict} (evidence "
        f"{one.evidence:.3g} of 20)\n"
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _json(
    found: list[Release],
    states: dict[tuple[str, str], list[GuardState]],
    entries: list[Any],
) -> None:
    from pipelang.diagnostics.render import dumps

    said = [
        {
            "pipeline": one.pipeline,
            "version": one.version,
            "program": one.program,
            "state": one.state,
            "share": one.share,
            "for": one.purpose,
            "by": one.by,
            "made": _moment(one.made),
            "changed": _moment(one.changed),
            "guards": [
                {
                    "metric": guard.metric,
                    "tolerance": guard.tolerance,
                    "labels": guard.labels,
                }
                for guard in one.guards
            ],
            "standing": [
                {
                    "metric": state.guard.metric,
                    "canary": state.canary[0],
                    "canary_runs": state.canary[1],
                    "current": state.current[0],
                    "current_runs": state.current[1],
                    "evidence": state.evidence,
                    "needed": state.needed,
                    "worse": state.is_worse,
                }
                for state in states.get((one.pipeline, one.version), ())
            ],
        }
        for one in found
    ]
    log = [
        {
            "at": _moment(entry.at),
            "pipeline": entry.pipeline,
            "version": entry.version,
            "act": entry.act,
            "by": entry.by,
            "why": entry.why,
        }
        for entry in entries
    ]
    write(dumps({"version": 1, "releases": said, "log": log}) + "\n")
