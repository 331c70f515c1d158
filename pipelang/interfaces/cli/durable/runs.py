"""`pipelang runs`: lists, shows, waits for, cancels, resumes, forks and prunes durable runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.durable.opening import TIMED_OUT, opened, store_option
from pipelang.interfaces.cli.exit_codes import FINDINGS
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.programs import complain
from pipelang.interfaces.cli.terminal import warn, write

STATES = (
    "queued",
    "delayed",
    "running",
    "waiting",
    "answered",
    "escalated",
    "rejected",
    "failed",
)

form_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.group(name="runs", short_help="List, show, wait for, cancel or resume durable runs.")
def command() -> None:
    """Look at the runs in a store, and change what becomes of them.

    Exit code 0, 1 if there is no such run or it cannot be done, 2 on wrong usage, 3 if the store
    cannot be reached or is of another version.
    """


@command.command(name="list", short_help="List runs, newest first.")
@store_option()
@click.option("--status", type=click.Choice(STATES))
@click.option("--pipeline", metavar="NAME")
@click.option("--tenant")
@click.option("--limit", type=click.IntRange(1), help="The newest so many.")
@form_option
def list_(
    store: str,
    status: str | None,
    pipeline: str | None,
    tenant: str | None,
    limit: int | None,
    form: str,
) -> None:
    """List the runs in a store, newest first."""

    with opened(store) as ready:
        from pipelang.runtime.durable import listing

        found = listing.runs(ready, status=status, pipeline=pipeline, tenant=tenant, limit=limit)
        _listed(found, form, f"there are no such runs in {ready.address.shown}")


@command.command(name="show", short_help="Show one run.")
@click.argument("run")
@store_option()
@form_option
def show(run: str, store: str, form: str) -> None:
    """Show a run, with its result or with what it waits for."""
    with opened(store) as ready:
        from pipelang.runtime.durable import listing
        from pipelang.runtime.durable.shared.quotas import held_of

        found = listing.run(ready, run)
        held = held_of(ready, run)
    if form == "json":
        write(dumps(found, allow_nan=True) + "\n")
        return
    lines = [f"{name:12} {_said(value)}" for name, value in found.items()]
    lines += [f"{'quota':12} {_of_quota(one)}" for one in held]
    write("\n".join(lines) + "\n")


@command.command(name="wait", short_help="Wait until runs have ended.")
@click.argument("ids", nargs=-1, required=True, metavar="RUN...")
@store_option()
@click.option("--timeout", type=Duration(), help="Wait no longer than this.")
@form_option
def wait(ids: tuple[str, ...], store: str, timeout: float | None, form: str) -> None:
    """Wait until runs have ended, and print them, with JSON one a line.

    Exit code 0 when all are answered, escalated or rejected, 1 when one failed, 124 when it took
    longer than --timeout.
    """
    with opened(store) as ready:
        from pipelang.runtime.durable import listing

        found = listing.wait_for(ready, ids, timeout)
    if found is None:
        warn("the time is up: not all of the runs have ended")
        sys.exit(TIMED_OUT)
    for one in found:
        write((dumps(one, indent=None, allow_nan=True) if form == "json" else _line(one)) + "\n")
    sys.exit(1 if any(one["status"] == "failed" for one in found) else 0)


@command.command(name="cancel", short_help="End runs that have not ended.")
@click.argument("ids", nargs=-1, required=True, metavar="RUN...")
@store_option()
def cancel(ids: tuple[str, ...], store: str) -> None:
    """End runs as failed with the code `cancelled`. A call that acts and has begun may still be
    performed, once.
    """
    with opened(store) as ready:
        from pipelang.runtime.durable import upkeep

        _each(ids, lambda one: upkeep.cancel(ready, one), "is cancelled")


@command.command(name="resume", short_help="Go on with runs that crashed or were cancelled.")
@click.argument("ids", nargs=-1, required=True, metavar="RUN...")
@store_option()
def resume(ids: tuple[str, ...], store: str) -> None:
    """Go on with runs that crashed or were cancelled, from what is recorded of them."""
    with opened(store) as ready:
        from pipelang.runtime.durable import upkeep

        _each(ids, lambda one: upkeep.resume(ready, one), "is queued again")


@command.command(name="fork", short_help="Begin a run anew from one of its items.")
@click.argument("run")
@store_option()
@click.option("--from", "item", metavar="ITEM", help="The step or approval. Default: the last one.")
def fork(run: str, store: str, item: str | None) -> None:
    """Submit a new run that has what RUN recorded until ITEM began, and print its id. What was done
    before is not done again; all from ITEM on is done anew, calls that act included.
    """
    with opened(store) as ready:
        from pipelang.runtime.durable.history import forking

        made = forking.fork(ready, run, item)
        if made.again:
            calls = "a call that acts" if made.again == 1 else f"{made.again} calls that act"
            warn(f"note: run {run} made {calls} from `{made.item}` on: the new run makes its own")
        write(f"{made.run}\n")


@command.command(name="prune", short_help="Delete runs that ended long ago.")
@store_option()
@click.option(
    "--older-than", type=Duration(unit=True), required=True, help="How long ago, e.g. 90d."
)
def prune(store: str, older_than: float) -> None:
    """Delete runs that ended long ago, with all that is recorded of them."""
    with opened(store) as ready:
        from pipelang.runtime.durable import upkeep

        write(f"{upkeep.prune(ready, older_than)} runs are deleted\n")


@command.command(name="stuck", short_help="List runs that do not get on.")
@store_option()
@form_option
def stuck(store: str, form: str) -> None:
    """List the runs that a worker has, and of which nothing was recorded for ten minutes."""
    with opened(store) as ready:
        from pipelang.runtime.durable import listing

        _listed(listing.stuck(ready), form, "no run is stuck")


def _each(ids: tuple[str, ...], act: Callable[[str], None], done: str) -> None:
    """Do something with each run, also behind one with which it cannot be done."""
    from pipelang.runtime.durable.address import NotPossible, UnknownRun

    failed = False
    for one in ids:
        try:
            act(one)
        except (NotPossible, UnknownRun) as problem:
            failed = True
            complain(str(problem), problem.help)
        else:
            write(f"run {one} {done}\n")
    if failed:
        sys.exit(FINDINGS)


def _of_quota(held: dict[str, Any]) -> str:
    """The part of a quota that a run holds or took, in words."""
    words = {"money": "${}", "tokens": "{} tokens", "runs": "{} run"}
    amounts = [form.format(held[what]) for what, form in words.items() if what in held]
    return (
        f"{held['state']}: {', '.join(amounts)} of `{held['pipeline']}` "
        f"in {' and '.join(held['windows'])}"
    )


def _listed(found: list[dict[str, Any]], form: str, nothing: str) -> None:
    if form == "json":
        write(dumps({"version": 1, "runs": found}, allow_nan=True) + "\n")
    elif found:
        write("".join(f"{_line(one)}\n" for one in found))
    else:
        write(f"{nothing}\n")


def _line(run: dict[str, Any]) -> str:
    parts = [run["id"], run["status"].ljust(9), run["pipeline"]]
    waiting, result = run["waiting_for"], run["result"] or {}
    if waiting is not None:
        until = f" until {waiting['due']}" if waiting["due"] else ""
        name = waiting["name"]
        if waiting["kind"] == "worker":
            name = f"with program {name[:12]}"
        parts.append(f"waits for {waiting['kind']} {name}{until}")
    if run["status"] == "failed":
        parts.append(f"`{result.get('code')}` at `{result.get('reason')}`")
    elif "reason" in result:
        parts.append(f"by `{result['reason']}`")
    if run["ended"]:
        parts.append("cost unknown" if run["cost"] is None else f"${run['cost']}")
    return "  ".join(parts)


def _said(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else dumps(value, indent=None, allow_nan=True)
