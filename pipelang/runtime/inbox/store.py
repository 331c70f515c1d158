"""The protocol of a store of cases, which is in memory or over a folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pipelang.runtime.inbox.cases import Case, Refused
from pipelang.runtime.inbox.wakeups import Look

Change = Callable[[Case, tuple[Case, ...]], Case]
"""A function of a case and all cases of its run to the changed case. May raise `Refused`."""


class CaseStore(Protocol):
    """Keeps cases. May be asked from several threads; `blocks` says that it should be."""

    @property
    def blocks(self) -> bool:
        """Whether its methods wait for a disk."""

    @property
    def holder(self) -> str | None:
        """The name of this process in the cases that it waits for."""

    def add(self, case: Case) -> None:
        """A case opens."""

    def get(self, case_id: str) -> Case:
        """The case of this id, or of the only id that begins so. Raises `Refused`."""

    def all(self, closed: bool) -> tuple[Case, ...]:
        """The open cases, and the closed ones too if asked for; oldest first."""

    def change(self, case_id: str, change: Change) -> Case:
        """Change a case, alone: nobody reads or writes it meanwhile. The case as it is then."""

    def forget(self, run_id: str) -> None:
        """A run is over: its closed cases need not be kept any longer. Takes no lock: a garbage
        collector may call it at any time, in any thread.
        """


class WatchedStore(CaseStore, Protocol):
    """A store that other processes write to."""

    def watch(self) -> Look:
        """Look at what was closed from now on, by whatever process."""


def unique_id(found: list[str], asked: str) -> str:
    """The id that was meant. Raises `Refused`."""
    if asked in found:
        return asked
    if not found or not asked:
        raise Refused(f"there is no case `{asked}`")
    if len(found) > 1:
        some = ", ".join(sorted(found)[:5])
        raise Refused(f"`{asked}` could be any of {len(found)} cases: {some}")
    return found[0]
