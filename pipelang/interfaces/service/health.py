"""Health of a server, and the depths of its queues."""

from __future__ import annotations

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Health of a backend: `late` says why it cannot work now, `skew` is by how many seconds the
    clock of its store differs from this machine's.
    """

    late: str | None = None
    skew: float = 0.0


@dataclass(frozen=True, slots=True)
class Depth:
    """Numbers of a pipeline as they are now: runs that wait for a worker, are at work, and wait
    for people or a time; open cases, and the seconds that the oldest of them has waited.
    """

    queued: int = 0
    running: int = 0
    waiting: int = 0
    cases: int = 0
    oldest_case: float = 0.0
