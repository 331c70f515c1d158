"""Live updates: what a run is doing, in the words of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from pipelang.runtime.events import Event
from pipelang.runtime.outcomes import Result
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Update:
    """What is going on. `progress` is 0 to 100, `cost` dollars so far; `needs_approval` says who is
    waited for and why, None while nobody is; `result` is there in the last update only.
    """

    phase: str
    step: str | None
    progress: int
    cost: float
    can_cancel: bool
    needs_approval: str | None
    result: Result | None = None


_PHASES = {
    "run": "starting",
    "step": "working",
    "retry": "retrying",
    "fallback": "falling back",
    "answer": "answered",
    "result": "called",
    "value": "worked out",
    "gate": "checking",
    "redo": "redoing",
    "asks": "waiting for a person",
    "approve": "decided",
    "hold": "decided",
    "when": "choosing",
    "match": "choosing",
    "failed": "failed",
    "budget": "budget spent",
}


class Progress:
    """Turns events into updates: an item of the pipeline that was reached is progress."""

    def __init__(self, pipeline: p.Pipeline) -> None:
        self._names = [
            item.name
            for item in pipeline.block.items
            if isinstance(item, (p.Step, p.Gate, p.Person)) and item.name
        ]
        self._reached: set[str] = set()
        self._cost = 0.0

    def update(self, event: Event) -> Update | None:
        """The update that an event is worth, None for those that are worth none."""
        self._cost += float(event.data.get("cost") or 0.0) if event.kind != "outcome" else 0.0
        phase = _PHASES.get(event.kind)
        if phase is None:
            return None
        if event.name in self._names:
            self._reached.add(event.name)
        total = len(self._names) + 1
        progress = min(99, round(100 * len(self._reached) / total))
        waits = None
        if event.kind == "asks":
            waits = f"{event.data['role']}: {event.name}"
        step = None if event.kind == "run" else event.name
        return Update(phase, step, progress, round(self._cost, 6), True, waits)

    def last(self, result: Result) -> Update:
        """The update that ends a stream."""
        kind = type(result).__name__.lower()
        return Update(kind, None, 100, float(result.cost), False, None, result)
