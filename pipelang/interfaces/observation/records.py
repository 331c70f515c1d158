"""Records of runs as they were left behind, whoever kept them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from pipelang.records import dataclass
from pipelang.runtime.engine.outcomes import is_stopped

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.inbox.cases import Case

ANSWERED, ESCALATED, REJECTED, FAILED = "answered", "escalated", "rejected", "failed"
ENDINGS = (ANSWERED, ESCALATED, REJECTED, FAILED)

DAY = 86_400.0

MOST_EVENTS = 20_000
"""Runs whose events are read, the newest: steps are told of these, all else of all runs."""


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run: `outcome` is None while it has not ended, and the code of one that people stopped,
    which ended in none of the four ways that are predicted (`outcome_of`). Times are seconds since
    1970; `seconds` is machine time, `cost` dollars, None if unknown. `role` and `reason` are those
    of an escalation, `reason` also that of a rejection or a failure, `code` a failure's. `waits` is
    one that waits for a person now.
    """

    id: str
    pipeline: str
    program: str
    tenant: str | None
    thread: str | None
    started: float
    ended: float | None
    outcome: str | None
    role: str | None = None
    reason: str | None = None
    code: str | None = None
    cost: float | None = 0.0
    tokens: int = 0
    seconds: float | None = None
    waits: bool = False

    @property
    def turnaround(self) -> float | None:
        """Seconds from its start to its end, waiting for people among them."""
        return None if self.ended is None else self.ended - self.started


def outcome_of(status: str | None, code: str | None) -> str | None:
    """The outcome of a run by how it ended, and by its code if it failed."""
    return code if is_stopped(status, code) else status


FUTURE = 300.0
"""Seconds that a start may lie ahead of the store's clock before clocks are told to disagree."""


def clocks_disagree(run: ObservedRun, now: float) -> bool:
    """Whether a run cannot have been as it is recorded: it ended before it began, or begins later
    than now.
    """
    return run.started > now + FUTURE or (run.ended is not None and run.ended < run.started - 1.0)


class RunSource(Protocol):
    """A place where runs are kept, and what a watch remembers beside them."""

    @property
    def shown(self) -> str:
        """The place, for people."""

    def now(self) -> float:
        """The time by its clock."""

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        """The runs of a pipeline that started or ended since then, or have not ended; in order."""

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        """The events of some runs that `runs` gave."""

    def cases(self, pipeline: str) -> list[Case]:
        """All cases of a pipeline's runs, closed ones too."""

    def release(self, pipeline: str, version: str) -> str | None:
        """The program of a release by its version; None if there is no such release."""

    def recall(self, name: str) -> str | None:
        """The text that `keep` kept under a name."""

    def keep(self, name: str, value: str) -> None:
        """Keep a text under a name."""

    def turn(self, name: str, wait: bool = True) -> AbstractContextManager[bool]:
        """The turn to look and to keep under a name, which one process at a time has: others wait
        for it, or without `wait` do not get it (False). Who looks without it tells an alert that
        somebody else is telling.
        """


def costs_of(runs: Iterable[ObservedRun]) -> list[float] | None:
    """The dollars of runs; None if those of any are unknown."""
    known = [run.cost for run in runs]
    found = [cost for cost in known if cost is not None]
    return found if len(found) == len(known) else None


def total_cost(runs: Iterable[ObservedRun]) -> float | None:
    """The dollars of runs together; None if those of any are unknown."""
    found = costs_of(runs)
    return None if found is None else sum(found)


def is_of(run: ObservedRun, program_hash: str) -> bool:
    """Whether a run is of a program; traces have the beginning of its hash."""
    return bool(run.program) and program_hash.startswith(run.program)


def day_of(moment: float) -> int:
    """The UTC day of a moment, counted from 1970."""
    return int(moment // DAY)


def amount(value: Any) -> float | None:
    """A number that can be an amount; None for what no run of ours writes."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return float(value) if 0 <= value <= sys.float_info.max else None
