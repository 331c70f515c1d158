"""Parts of a worker at the command line: programs, their providers, tools, people and sinks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.run.program import program_to_run
from pipelang.interfaces.cli.terminal import warn
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.switches import StoredSwitches
    from pipelang.runtime.host.handle import Handle, LoadedProgram


def handles_of(
    files: Sequence[str], store: Store, switches: StoredSwitches, cache: bool
) -> dict[tuple[str, str], Handle]:
    """The pipelines of files that this machine can run, by the hash of their program and their
    name. Those that it cannot are told, and left to other workers.
    """
    found: dict[tuple[str, str], Handle] = {}
    for file in files:
        loaded, missed = program_to_run(file, (), cache)
        if missed:
            warn(f"note: {missed}")
        found |= _handles(file, loaded, store, switches)
    return found


def _handles(
    file: str, loaded: LoadedProgram, store: Store, switches: StoredSwitches
) -> dict[tuple[str, str], Handle]:
    from pipelang.interfaces.cli.run.services import plug
    from pipelang.interfaces.runs.provider_choice import NoProvider, set_up
    from pipelang.runtime.durable.cases import inbox_of
    from pipelang.runtime.durable.memories import StoredMemories
    from pipelang.runtime.durable.quotas import StoredQuotas
    from pipelang.runtime.durable.shared.breakers import StoredBreakers
    from pipelang.runtime.durable.shared.caches import StoredCache
    from pipelang.runtime.durable.shared.rates import StoredRates
    from pipelang.runtime.sinks.audit import AuditLog
    from pipelang.runtime.sinks.traces import TraceFiles
    from pipelang.runtime.tools.binding import ToolMissing

    state = StateFolder(Path(DEFAULT))
    try:
        state.prepare()
        setup = set_up(file, loaded, "auto", 0, state)
    except NoProvider as error:
        stop(str(error), 2)
    except OSError as error:
        stop(f"`{DEFAULT}` cannot keep traces and the audit log: {error.strerror or error}", 2)
    if setup.note:
        warn(f"note: {setup.note}")
    plug(setup, file, state)
    setup.runtime.people = inbox_of(store, patient=True)
    setup.runtime.switches = switches
    setup.runtime.memories = StoredMemories(store)
    setup.runtime.rates = StoredRates(store)
    setup.runtime.breakers = StoredBreakers(store)
    setup.runtime.cache = StoredCache(store)
    setup.runtime.quotas = StoredQuotas(store)
    found: dict[tuple[str, str], Handle] = {}
    for name in loaded.pipelines:
        try:
            found[loaded.hash, name] = loaded.pipeline(name, runtime=setup.runtime)
        except ToolMissing as missing:
            warn(f"note: runs of `{name}` are left to other workers: {missing}")
    references = tuple(dict.fromkeys(one for each in found.values() for one in each.references))
    sinks: tuple[Any, ...] = (
        TraceFiles(state.traces, False, references),
        AuditLog(state.audit, references),
    )
    setup.runtime.sinks = (*setup.runtime.sinks, *sinks)
    return found
