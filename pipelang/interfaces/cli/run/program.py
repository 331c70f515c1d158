"""The program of `pipelang run`: kept from the last time, or loaded, checked and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.interfaces.cache.programs import KeptProgram, entry_of, recall, remember
from pipelang.interfaces.check.disk_loader import SeeingLoader
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.interfaces.check.refusals import Analyses, missed_promises, without_ignored
from pipelang.interfaces.cli.programs import load_program
from pipelang.interfaces.cli.run.services import as_set
from pipelang.runtime.host.handle import LoadedProgram

if TYPE_CHECKING:
    from pipelang.diagnostics import Sources


def program_to_run(
    file: str, settings: tuple[str, ...], cache: bool, tiers: tuple[tuple[str, str], ...] = ()
) -> tuple[LoadedProgram, str | None]:
    """The program of a file, set as a command line says, and a line about the promises that it
    misses (None: it misses none). Ends the command if it is refused. `tiers` stand in for its own.

    With `cache` a program is kept that is as its file says; no other is, for settings are checked
    against the text.
    """
    place = entry_of("run", file, tiers) if cache and not settings else None
    kept = None if place is None else recall(place)
    if kept is not None:
        return LoadedProgram(kept.program), _note(kept.about, file)
    seen = FileSnapshot()
    verified = load_program(file, loader=SeeingLoader(seen), tiers=dict(tiers))
    loaded = as_set(verified.loaded, settings)
    analyses = Analyses(loaded.program) if settings else verified.analyses
    missed = _missed(analyses, verified.sources)
    if place is not None:
        remember(place, KeptProgram(loaded.program, missed), seen)
    return loaded, _note(missed, file)


def _missed(analyses: Analyses, sources: Sources) -> tuple[str, ...]:
    """The code of each promise that a program misses, in the order of the findings."""
    found = without_ignored(missed_promises(analyses), analyses.program.file, sources)
    return tuple(one.rule.code for one in found if one.is_error)


def _note(missed: tuple[str, ...], file: str) -> str | None:
    if not missed:
        return None
    codes = ", ".join(dict.fromkeys(missed))
    what = "a promise is missed" if len(missed) == 1 else f"{len(missed)} promises are missed"
    return f"{what} ({codes}): `pipelang check {file}` says which"
