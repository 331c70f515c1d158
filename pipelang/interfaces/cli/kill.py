"""`pipelang kill`: switches off one tool, one pipeline or everything, and back on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.options.places import refuse_state_beside
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder

if TYPE_CHECKING:
    from pipelang.runtime.shared.kill_switches import Switches


@click.command(name="kill", short_help="Switch off a tool, a pipeline or everything.")
@click.option("--tool", metavar="NAME", help="Runs stop before they call this tool.")
@click.option("--pipeline", metavar="NAME", help="Runs of this pipeline stop, and do not begin.")
@click.option("--all", "everything", is_flag=True, help="All runs stop, and none begins.")
@click.option("--undo", is_flag=True, help="Switch it on again.")
@click.option("--reason", default="", help="Why, for whoever reads the results.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder that runs look at.")
@click.option("--store", metavar="URL", help="The store of durable runs, instead of a folder.")
def command(
    tool: str | None,
    pipeline: str | None,
    everything: bool,
    undo: bool,
    reason: str,
    state: str,
    store: str | None,
) -> None:
    """Switch off one tool, one pipeline or everything that runs with this state folder.

    Runs stop before their next call or effect, and those that wait for people stop waiting; they
    end as failed with the code `killed` and what they have so far. It stays off until --undo.
    Without a name, say what is switched off.
    """
    refuse_state_beside(store)
    named = [tool is not None, pipeline is not None, everything]
    if sum(named) > 1:
        raise click.UsageError("name one of --tool, --pipeline and --all")
    for option, name in (("--tool", tool), ("--pipeline", pipeline)):
        if name is not None and not _can_be_a_name(name):
            # A switch that nothing can be named by would look thrown, and stop nothing.
            raise click.UsageError(f"{option} needs a name, as a program declares it")
    if not any(named) and (undo or reason):
        raise click.UsageError("say what: --tool NAME, --pipeline NAME or --all")
    with _switches_at(state, store, (None, None) if undo else (tool, pipeline)) as switches:
        if not any(named):
            write(_listed(switches))
            return
        _throw(switches, tool, pipeline, undo, reason, state)


def _can_be_a_name(text: str) -> bool:
    """Whether a program can declare a tool or pipeline under this name; dots lead to another's."""
    return all(part.isascii() and part.isidentifier() for part in text.split("."))


@contextmanager
def _switches_at(
    state: str, store: str | None, named: tuple[str | None, str | None]
) -> Iterator[Switches]:
    """The switches of a state folder, or of a store; a tool or a pipeline that is named and that
    the store does not know is told, once its switch is thrown.
    """
    if store is None:
        from pipelang.runtime.shared.kill_switches import FolderSwitches

        folder = StateFolder(Path(state))
        yield FolderSwitches(folder.kills)
        _note_if_unknown_in(folder, *named)
        return
    from pipelang.interfaces.cli.durable.opening import (
        note_if_unknown,
        note_if_unknown_tool,
        opened,
    )

    with opened(store) as ready:
        from pipelang.runtime.durable.switches import StoredSwitches

        yield StoredSwitches(ready)
        tool, pipeline = named
        if pipeline is not None:
            note_if_unknown(ready, pipeline)
        if tool is not None:
            note_if_unknown_tool(ready, tool)


_MOST_READ = 100
"""Traces that are read to know the names of pipelines and tools."""


def _note_if_unknown_in(folder: StateFolder, tool: str | None, pipeline: str | None) -> None:
    """Say that no recent run of a state folder is of a pipeline, or called a tool: its name may be
    mistyped, and what is meant goes on.
    """
    if tool is None and pipeline is None:
        return
    from pipelang.interfaces.runs.trace_files import read, recent

    pipelines: set[str] = set()
    tools: set[str] = set()
    for path in recent(folder.traces)[:_MOST_READ]:
        with suppress(OSError):
            trace = read(path)
            pipelines.add(str(trace.header.get("pipeline")))
            for event in trace.events:
                if event.kind == "runs":
                    pipelines.add(str(event.data.get("pipeline")))
                elif isinstance(event.data.get("tool"), str):
                    tools.add(event.data["tool"])
    if pipeline is not None and pipelines and pipeline not in pipelines:
        listed = ", ".join(f"`{one}`" for one in sorted(pipelines))
        warn(f"note: no recent run here is of `{pipeline}`; there are runs of {listed}")
    if tool is not None and tools and tool not in tools:
        listed = ", ".join(f"`{one}`" for one in sorted(tools))
        warn(f"note: no recent run here called a tool `{tool}`; called were {listed}")


def _throw(
    switches: Switches,
    tool: str | None,
    pipeline: str | None,
    undo: bool,
    reason: str,
    state: str,
) -> None:
    from pipelang.runtime.shared.kill_switches import switch

    what = switch(tool, pipeline)
    try:
        if not undo:
            switches.kill(tool=tool, pipeline=pipeline, reason=reason)
            write(f"{what} is switched off\n")
        elif switches.revive(tool=tool, pipeline=pipeline):
            write(f"{what} is switched on again\n")
        else:
            write(f"{what} was not switched off\n")
    except OSError as error:
        raise click.ClickException(f"`{state}` cannot be written: {error.strerror}") from None


def _listed(switches: Switches) -> str:
    off = switches.off()
    if not off:
        return "nothing is switched off\n"
    lines = [f"{one} is switched off" + (f": {why}" if why else "") for one, why in off.items()]
    return "\n".join(lines) + "\n"
