"""Live updates of a run, in the words of the pipeline."""

from __future__ import annotations

from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.event_payloads import added, cost_in, dollars
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.outcomes import Result
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Update:
    """A live update of `Handle.stream`.

    `phase` says what happens, for people to read; in the last update it is how the run ended.
    `step` is the step, gate or person, None where it is the whole run. `progress` is 0 to 100.
    `cost` is US dollars so far, None where a call had no price. `can_cancel` is False while a tool
    that writes is at work, which cancelling would not undo. `needs_approval` says who is waited for
    and why, None while nobody is. `result` is set in the last update only. `partial` is what a
    model has written of the step's answer so far: a text, or the JSON of the part that is there. It
    is not checked, and the next attempt begins anew.
    """

    phase: str
    step: str | None
    progress: int
    cost: float | None
    can_cancel: bool
    needs_approval: str | None
    result: Result | None = None
    partial: Any = None


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
    "effect": "acting",
    "turn": "using tools",
    "cached": "remembered",
    "recall": "remembered",
    "remember": "remembering",
    "vote": "voted",
    "until": "judged",
    "runs": "in a pipeline",
    "returned": "back",
    "each": "went through",
    "route": "choosing",
    "budget": "budget spent",
}


_NOT_BEGUN = ("permit", "argument")
"""Reasons for which calls of tools fail before they are made."""


class Progress:
    """Turns events into updates: an item of the pipeline that was reached is progress."""

    def __init__(self, pipeline: p.Pipeline) -> None:
        self._names = [
            item.name
            for item in pipeline.block.items
            if isinstance(item, (p.Step, p.Gate, p.Person)) and item.name
        ]
        self._reached: set[str] = set()
        self._cost: float | None = 0.0
        self._waiting: dict[str, str] = {}
        self._acting: dict[str, int] = {}

    def update(self, event: Event) -> Update | None:
        """The update that an event is worth, None for those that are worth none."""
        if event.kind != "outcome":
            self._cost = added(self._cost, cost_in(event.data))
        self._follow(event)
        phase = _PHASES.get(event.kind)
        if phase is None:
            return None
        if event.name in self._names:
            self._reached.add(event.name)
        waits = "; ".join(self._waiting.values()) or None
        step = None if event.kind == "run" else event.name
        return Update(phase, step, self._share(), self._dollars(), not self._acting, waits)

    def writing(self, step: str, partial: Any) -> Update:
        """The update for what a model has written of an answer so far."""
        waits = "; ".join(self._waiting.values()) or None
        progress, cost = self._share(), self._dollars()
        return Update("writing", step, progress, cost, not self._acting, waits, partial=partial)

    def _dollars(self) -> float | None:
        return None if self._cost is None else round(self._cost, 6)

    def _share(self) -> int:
        return min(99, round(100 * len(self._reached) / (len(self._names) + 1)))

    def _follow(self, event: Event) -> None:
        """Keep in mind who is waited for, and what acts on the world, until it is over."""
        name, data = event.name, event.data
        match event.kind:
            case "asks":
                text = str(data.get("text") or "")
                why = "" if text in ("", name) else f", {text}"
                self._waiting[name] = f"{data['role']}: {name}{why}"
            case "effect":
                self._acting[name] = self._acting.get(name, 0) + 1
            case "approve" | "hold" | "answer":
                self._waiting.pop(name, None)
            case "result" | "failed":
                self._waiting.pop(name, None)
                acted = data.get("effect", "read") != "read"
                if acted and data.get("why") not in _NOT_BEGUN and name in self._acting:
                    self._acting[name] -= 1
                    if not self._acting[name]:
                        del self._acting[name]
            case "done" | "ended":
                # Whatever went on below is over, also what was cancelled.
                for ongoing in (self._waiting, self._acting):
                    for known in [k for k in ongoing if _is_in(k, name)]:
                        del ongoing[known]
            case _:
                pass

    def last(self, result: Result) -> Update:
        """The update that ends a stream."""
        kind = type(result).__name__.lower()
        return Update(kind, None, 100, dollars(result.cost), False, None, result)


def _is_in(name: str, step: str) -> bool:
    """Whether a name is of a step, of what it runs, or of an element of its list."""
    return name == step or name.startswith((f"{step}/", f"{step}["))
