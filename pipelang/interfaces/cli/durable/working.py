"""Parts of a worker at the command line: programs, their providers, tools, people and sinks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.run.program import program_to_run
from pipelang.interfaces.cli.terminal import warn
from pipelang.interfaces.runs.provider_choice import NoProvider
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelang.runtime.durable.programs import StoredProgram
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.switches import StoredSwitches
    from pipelang.runtime.host.handle import Handle, LoadedProgram


def programs_of(files: Sequence[str], cache: bool) -> dict[str, LoadedProgram]:
    """The programs of files, by their paths. Ends the command if one is refused."""
    loaded: dict[str, LoadedProgram] = {}
    for file in files:
        loaded[file], missed = program_to_run(file, (), cache)
        if missed:
            warn(f"note: {missed}")
    return loaded


def served(
    loaded: Mapping[str, LoadedProgram], store: Store, switches: StoredSwitches
) -> tuple[dict[tuple[str, str], Handle], EarlierVersions]:
    """Handles on the pipelines of files that this machine can run, and on those of other versions
    of these files that runs in the store began with. Those that it cannot are told, and left to
    other workers.
    """
    handles: dict[tuple[str, str], Handle] = {}
    for file, one in loaded.items():
        handles |= handles_of_program(file, one, store, switches)
    return handles, EarlierVersions(loaded, store, switches)


class EarlierVersions:
    """Versions of files, by their paths, that runs in a store need and that are not those that the
    files have now.
    """

    def __init__(
        self, loaded: Mapping[str, LoadedProgram], store: Store, switches: StoredSwitches
    ) -> None:
        self._loaded = loaded
        self._store = store
        self._switches = switches
        self._seen = {one.hash for one in loaded.values()}

    def handles(self) -> dict[tuple[str, str], Handle]:
        """Handles on the pipelines of stored programs that runs need now, and that are other
        versions of one of these files: of the same name, with a pipeline in common. Each program
        is looked at once.
        """
        from pipelang.runtime.durable import programs

        found: dict[tuple[str, str], Handle] = {}
        for one in programs.needed(self._store):
            if one.hash not in self._seen:
                file = next((file for file in self._loaded if self._is_of(one, file)), None)
                if file is not None:
                    found |= self._of_stored(one, file)
                self._seen.add(one.hash)
        return found

    def _is_of(self, one: StoredProgram, file: str) -> bool:
        pipelines = self._loaded[file].pipelines
        return one.file == Path(file).name and not {*one.pipelines}.isdisjoint(pipelines)

    def _of_stored(self, one: StoredProgram, file: str) -> dict[tuple[str, str], Handle]:
        from pipelang.runtime.durable import programs
        from pipelang.runtime.host.handle import LoadedProgram
        from pipelang.semantics.stored.text import NotReadable

        left = f"note: runs of the version {one.hash[:12]} of {file} are left to other workers"
        try:
            stored = LoadedProgram(programs.read(self._store, one.hash, file))
        except NotReadable as unreadable:
            why = f"pipelang {one.version} wrote it, and this one cannot read it"
            warn(f"{left}: {why}: {unreadable}")
            return {}
        except LookupError:
            return {}
        own, able = self._loaded[file].program, []
        for name in stored.pipelines:
            strange = programs.strange_reach(stored.program, stored.program.pipelines[name], own)
            if strange:
                warn(f"{left}: `{name}` needs {', '.join(strange)}, which {file} does not name")
            else:
                able.append(name)
        try:
            return _handles(file, stored, able, self._store, self._switches, again=True)
        except NoProvider as error:
            warn(f"{left}: {error}")
            return {}


def handles_of_program(
    file: str, loaded: LoadedProgram, store: Store, switches: StoredSwitches
) -> dict[tuple[str, str], Handle]:
    """The pipelines of a program that this machine can run, by the hash of their program and their
    name. Those that it cannot are told, and left to others.
    """
    try:
        return _handles(file, loaded, loaded.pipelines, store, switches)
    except NoProvider as error:
        stop(str(error), 2)


def _handles(
    file: str,
    loaded: LoadedProgram,
    names: Iterable[str],
    store: Store,
    switches: StoredSwitches,
    again: bool = False,
) -> dict[tuple[str, str], Handle]:
    """Handles on pipelines. `again` says that the notes about the file are told already. Raises
    `NoProvider`.
    """
    from pipelang.interfaces.cli.run.services import plug
    from pipelang.interfaces.runs.provider_choice import set_up
    from pipelang.runtime.durable.cases import inbox_of
    from pipelang.runtime.durable.shared.breakers import StoredBreakers
    from pipelang.runtime.durable.shared.caches import StoredCache
    from pipelang.runtime.durable.shared.memories import StoredMemories
    from pipelang.runtime.durable.shared.quotas import StoredQuotas
    from pipelang.runtime.durable.shared.rates import StoredRates
    from pipelang.runtime.sinks.audit import AuditLog
    from pipelang.runtime.sinks.traces import TraceFiles
    from pipelang.runtime.tools.binding import ToolMissing

    state = StateFolder(Path(DEFAULT))
    try:
        state.prepare()
        setup = set_up(file, loaded, "auto", 0, state)
    except OSError as error:
        stop(f"`{DEFAULT}` cannot keep traces and the audit log: {error.strerror or error}", 2)
    if setup.note and not again:
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
    for name in names:
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
