"""Rows of a store for who observes its runs: runs, their events, and what a watch remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable import case_rows
from pipelang.runtime.durable.store import Store
from pipelang.runtime.engine.events import Event
from pipelang.runtime.inbox.cases import Case
from pipelang.runtime.worlds.recorded.encoding import decode_event

AT_ONCE = 200
"""Runs whose events are asked for in one query."""

_KEEP = sa.text(
    """INSERT INTO pipelang_watch (name, value) VALUES (:name, :value)
    ON CONFLICT (name) DO UPDATE SET value = :value"""
)


def rows_of(store: Store, pipeline: str, since: float) -> list[dict[str, Any]]:
    """The rows of a pipeline's runs that began or ended since then, or have not ended."""
    return store.rows(
        """SELECT run, pipeline, program, tenant, thread, created, started, ended, status, outcome,
            cost, tokens, waiting FROM pipelang_runs
        WHERE pipeline = :pipeline AND (created >= :since OR ended >= :since OR status IS NULL)
        ORDER BY created, run""",
        pipeline=pipeline,
        since=since,
    )


def events_of(store: Store, runs: Sequence[str]) -> Iterator[tuple[str, tuple[Event, ...]]]:
    """The recorded events of runs, in their order."""
    for first in range(0, len(runs), AT_ONCE):
        part = runs[first : first + AT_ONCE]
        names = {f"r{number}": run for number, run in enumerate(part)}
        listed = ", ".join(f":{name}" for name in names)
        rows = store.rows(
            f"SELECT run, value FROM pipelang_journal WHERE run IN ({listed})", **names
        )
        found: dict[str, list[Event]] = {run: [] for run in part}
        for row in rows:
            for number, event in json.loads(row["value"]).get("events", ()):
                found[row["run"]].append(decode_event(event, number))
        for run in part:
            yield run, tuple(sorted(found[run], key=lambda one: one.number))


def cases_of(store: Store, pipeline: str, broken: set[str]) -> list[Case]:
    """All cases of a pipeline's runs; the names of rows that hold none are put into `broken`."""
    rows = store.rows(
        """SELECT c.id, c.value FROM pipelang_cases c JOIN pipelang_runs r ON r.run = c.run
        WHERE r.pipeline = :pipeline""",
        pipeline=pipeline,
    )
    return case_rows.cases_of(rows, broken)


def program_of_release(store: Store, pipeline: str, version: str) -> str | None:
    """The program of a release; None if there is none of this version."""
    with store.reached(), store.legs.database.connect() as connection:
        if not sa.inspect(connection).has_table("pipelang_releases"):
            return None
    rows = store.rows(
        """SELECT program FROM pipelang_releases
        WHERE pipeline = :pipeline AND version = :version""",
        pipeline=pipeline,
        version=version,
    )
    return rows[0]["program"] if rows else None


def recall(store: Store, name: str) -> str | None:
    """The text that was kept under a name."""
    rows = store.rows("SELECT value FROM pipelang_watch WHERE name = :name", name=name)
    return rows[0]["value"] if rows else None


def keep(store: Store, name: str, value: str) -> None:
    """Keep a text under a name."""
    with store.transaction() as connection:
        connection.execute(_KEEP, {"name": name, "value": value})
