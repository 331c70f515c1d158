"""Runs out of a store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.observation.records import ObservedRun, outcome_of
from pipelang.runtime.durable.history.costs import cost_from
from pipelang.runtime.engine.event_payloads import dollars

if TYPE_CHECKING:
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.inbox.cases import Case


class StoreSource:
    """The runs of a store that is open. `broken_cases` are the names of rows that hold no case."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.shown = store.address.shown
        self.broken_cases: set[str] = set()

    def now(self) -> float:
        return self._store.now()

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        from pipelang.interfaces.observation.store_rows import rows_of

        return [_run(row) for row in rows_of(self._store, pipeline, since)]

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        from pipelang.interfaces.observation.store_rows import events_of

        by_id = {run.id: run for run in runs}
        for id, events in events_of(self._store, list(by_id)):
            yield by_id[id], events

    def cases(self, pipeline: str) -> list[Case]:
        from pipelang.interfaces.observation.store_rows import cases_of

        return cases_of(self._store, pipeline, self.broken_cases)

    def release(self, pipeline: str, version: str) -> str | None:
        from pipelang.interfaces.observation.store_rows import program_of_release

        return program_of_release(self._store, pipeline, version)

    def recall(self, name: str) -> str | None:
        from pipelang.interfaces.observation.store_rows import recall

        return recall(self._store, name)

    def keep(self, name: str, value: str) -> None:
        from pipelang.interfaces.observation.store_rows import keep

        keep(self._store, name, value)

    @contextmanager
    def turn(self, name: str, wait: bool = True) -> Iterator[bool]:
        from pipelang.interfaces.observation import store_turns

        with store_turns.turn(self._store, name, wait) as mine:
            yield mine


def _run(row: dict[str, Any]) -> ObservedRun:
    outcome = {} if row["outcome"] is None else json.loads(row["outcome"])
    result = outcome.get("result") or {}
    return ObservedRun(
        id=row["run"],
        pipeline=row["pipeline"],
        program=row["program"],
        tenant=row["tenant"],
        thread=row["thread"],
        started=row["created"] if row["started"] is None else row["started"],
        ended=row["ended"],
        outcome=outcome_of(row["status"], result.get("code")),
        role=result.get("role"),
        reason=result.get("reason"),
        code=result.get("code"),
        cost=dollars(cost_from(row["cost"])),
        tokens=row["tokens"],
        seconds=outcome.get("duration"),
        waits=row["status"] is None and row["waiting"] is not None,
    )
