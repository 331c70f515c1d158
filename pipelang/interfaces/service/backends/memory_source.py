"""Runs in memory to be observed, as a store's are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.observation.records import ObservedRun, outcome_of
from pipelang.runtime.engine.events import Event

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import Occurrence, RunJson
    from pipelang.runtime.inbox.cases import Case

KeptRun = tuple["RunJson", float, "Sequence[Occurrence]"]
"""A run as the API gives it, when it was taken (seconds since 1970), and what happened in it."""


class MemorySource:
    """The runs that a process keeps, as they were at a moment. `notes` outlive it."""

    def __init__(
        self, runs: Sequence[KeptRun], cases: Sequence[Case], shown: str, notes: dict[str, str]
    ) -> None:
        self.shown = shown
        self._runs = {run["id"]: (run, created, events) for run, created, events in runs}
        self._cases = cases
        self._notes = notes

    def now(self) -> float:
        return time.time()

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        found = (_observed(*one) for one in self._runs.values())
        chosen = (
            one
            for one in found
            if one.pipeline == pipeline and (one.started >= since or one.outcome is None)
        )
        return sorted(chosen, key=lambda one: (one.started, one.id))

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        for run in runs:
            _, _, events = self._runs[run.id]
            yield run, [Event(one.kind, one.name, one.at, dict(one.data)) for one in events]

    def cases(self, pipeline: str) -> list[Case]:
        return [case for case in self._cases if case.pipeline == pipeline]

    def release(self, pipeline: str, version: str) -> str | None:
        return None  # releases are kept in a store

    def recall(self, name: str) -> str | None:
        return self._notes.get(name)

    def keep(self, name: str, value: str) -> None:
        self._notes[name] = value

    def turn(self, name: str, wait: bool = True) -> AbstractContextManager[bool]:
        return nullcontext(True)  # one process, and one watch in it


def _observed(run: RunJson, created: float, events: Sequence[Occurrence]) -> ObservedRun:
    result: dict[str, Any] = run["result"] or {}
    ended = run["ended"]
    last = events[-1] if events else None
    seconds = last.data.get("seconds") if last is not None and last.kind == "outcome" else None
    return ObservedRun(
        id=run["id"],
        pipeline=run["pipeline"],
        program=run["program"],
        tenant=run["tenant"],
        thread=run["thread"],
        started=_seconds(run["started"]) or created,
        ended=_seconds(ended),
        outcome=outcome_of(run["status"], result.get("code")) if ended is not None else None,
        role=result.get("role"),
        reason=result.get("reason"),
        code=result.get("code"),
        cost=None if run["cost"] is None else float(run["cost"]),
        tokens=run["tokens"],
        seconds=seconds,
    )


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
