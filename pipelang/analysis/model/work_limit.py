"""The limit of an analysis, in units of work that are counted, so that it ends alike on every
machine.

Each part of the analysis has a limit of its own, which the machine of the benchmark page reaches in
a part of `DEFAULT_SECONDS`; `check --time-limit` scales all of them. What does not fit is replaced
by bounds, never by a guess, and `logged` says afterwards which part did not fit, and where.

The clock is the last resort: an analysis that takes `PATIENCE` times as long as was meant gets no
more units from then on, and says so, since another machine may then report something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from time import monotonic

from pipelang.records import dataclass, field

DEFAULT_SECONDS = 10.0
PATIENCE = 12.0
"""Times as long as the limit says, after which the clock ends what units have not."""

_seconds: ContextVar[float] = ContextVar("seconds", default=DEFAULT_SECONDS)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Set the limit for the analyses inside; None leaves it as it is."""
    if seconds is None:
        yield
        return
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def seconds_in_force() -> float:
    """The limit in force, for what is worked out later under the same one."""
    return _seconds.get()


class WorkPart(Enum):
    """A part of an analysis with a limit of its own; its value is what it counts."""

    STATES = "states"
    GRID = "points"
    DRAWS = "draws"
    TIMES = "units"


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that was reached: the part, the place (a step, or a pipeline), the work that was
    wanted there and the most that it was given.
    """

    part: WorkPart
    where: str
    wanted: int
    limit: int


@dataclass(slots=True)
class WorkLog:
    """The limits that an analysis reaches, by part and place; `late`: the clock has ended it."""

    ends: float
    found: dict[tuple[WorkPart, str], Reached] = field(default_factory=dict)
    late: bool = False

    def reached(self) -> tuple[Reached, ...]:
        """The limits by part, the largest wish first."""
        order = list(WorkPart)
        return tuple(
            sorted(self.found.values(), key=lambda one: (order.index(one.part), -one.wanted))
        )


_log: ContextVar[WorkLog | None] = ContextVar("log", default=None)


@contextmanager
def logged() -> Iterator[WorkLog]:
    """Write down what is reached inside; the clock of the last resort starts here."""
    log = WorkLog(monotonic() + PATIENCE * _seconds.get())
    token = _log.set(log)
    try:
        yield log
    finally:
        _log.reset(token)


def note_limit(part: WorkPart, where: str, wanted: int, limit: int) -> None:
    """Note that a part got less work than it wanted; of one place the most that it wanted."""
    log = _log.get()
    if log is None:
        return
    known = log.found.get((part, where))
    if known is None or wanted > known.wanted:
        log.found[part, where] = Reached(part, where, wanted, limit)


def limited(units: int) -> int:
    """Scale a part's number of units, which is that of the default limit, to the one in force."""
    log = _log.get()
    if log is not None and (log.late or monotonic() > log.ends):
        log.late = True
        return 1
    return max(1, int(units * _seconds.get() / DEFAULT_SECONDS))
