"""The place whose runs a command observes: a store, or a state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelang.interfaces.cli.exit_codes import FINDINGS
from pipelang.interfaces.cli.inbox import note_broken_cases
from pipelang.interfaces.cli.options.places import refuse_state_beside
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn
from pipelang.interfaces.text.number_format import plural

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import ObservedRun, RunSource


@contextmanager
def source_of(store: str | None, state: str) -> Iterator[RunSource]:
    """The place that a command line names; ends the command if it cannot be read."""
    refuse_state_beside(store)
    if store is not None:
        from pipelang.interfaces.cli.durable.opening import opened
        from pipelang.interfaces.observation.store_source import StoreSource

        with opened(store) as ready:
            of_store = StoreSource(ready)
            try:
                yield of_store
            finally:
                note_broken_cases(of_store.broken_cases)
        return
    from pipelang.interfaces.observation.folder_source import FolderSource

    if not Path(state).is_dir():
        help = "`pipelang run` leaves traces there; `--store URL` observes a store"
        stop(f"there is no state folder `{state}`", FINDINGS, help)
    from pipelang.runtime.inbox.cases import InboxBroken

    source = FolderSource(Path(state))
    try:
        yield source
    except InboxBroken as broken:
        stop(str(broken), FINDINGS)
    finally:
        note_broken_cases(source.broken_cases)
        if source.unreadable:
            count = plural(len(source.unreadable), "trace")
            warn(
                f"note: {count} in {state} cannot be read, and what ran there is left out: "
                f"`{min(source.unreadable)}`"
                + (" and others" if len(source.unreadable) > 1 else "")
            )
        if source.damaged:
            first = min(source.damaged)
            count = plural(sum(map(len, source.damaged.values())), "line")
            traces = plural(len(source.damaged), "trace")
            warn(
                f"note: {count} of {traces} in {state} cannot be read, and what happened there is "
                f"missing: `{first}`, line {source.damaged[first][0]}"
            )


def program_of(
    file: str, name: str, source: RunSource, runs: list[ObservedRun], wanted: str | None, own: str
) -> str:
    """The hash of the program whose runs are meant: the file's, or the one that was asked for by
    its release or the beginning of its hash. Ends the command where there are no such runs.
    """
    where = source.shown
    named = None if wanted is None else source.release(name, wanted)
    version, wanted = wanted, wanted if named is None else named
    programs = sorted({run.program for run in runs})
    if wanted is None:
        if not programs or any(own.startswith(one) for one in programs):
            return own
        others = ", ".join(one[:12] for one in programs)
        stop(
            f"`{where}` has no runs of `{name}` by this `{file}` ({own[:12]}), only by {others}",
            FINDINGS,
            f"--program {programs[-1][:12]} puts those beside this file's prediction",
        )
    fitting = [one for one in programs if one.startswith(wanted) or wanted.startswith(one)]
    if len(fitting) != 1:
        there = ", ".join(one[:12] for one in programs) or "none"
        if named is not None:
            why = f"`{where}` has no runs of `{version}` of `{name}` ({named[:12]}) since then"
            stop(why, FINDINGS, f"there are some of: {there}")
        what = "several programs" if fitting else "no program"
        begin = "begin" if fitting else "begins"
        stop(f"{what} of `{name}` {begin} with `{wanted}`", FINDINGS, f"there are: {there}")
    return fitting[0]
