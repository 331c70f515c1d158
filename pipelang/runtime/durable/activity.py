"""Activity of a leg: what it does now, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class LongWait:
    """A wait for a person, or for a time of the store's clock; None is no time."""

    kind: Literal["person", "time"]
    name: str
    due: float | None

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "due": self.due}


class Activity:
    """The work and the waits of a leg. `moved` changes whenever one of them begins or ends."""

    def __init__(self) -> None:
        self._busy = 0
        self._waits: list[LongWait] = []
        self.moved = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Something is done that a cut would lose."""
        self._busy += 1
        self.moved += 1
        try:
            yield
        finally:
            self._busy -= 1
            self.moved += 1

    @contextmanager
    def waiting(self, wait: LongWait) -> Iterator[None]:
        """Work that is only a wait."""
        self._busy -= 1
        self._waits.append(wait)
        self.moved += 1
        try:
            yield
        finally:
            self._busy += 1
            self._waits.remove(wait)
            self.moved += 1

    def first_wait(self) -> LongWait | None:
        """The wait that is due first, if all that goes on are waits; else None."""
        if self._busy > 0 or not self._waits:
            return None
        far = float("inf")
        return min(self._waits, key=lambda one: far if one.due is None else one.due)
