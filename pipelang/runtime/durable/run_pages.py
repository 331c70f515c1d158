"""Pages of the runs in a store, newest first: each query reads no more rows than it must."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from pipelang.records import dataclass
from pipelang.runtime.durable.address import StoreUnreachable
from pipelang.runtime.durable.case_pages import INDEX_OF_CASES, index_of_cases
from pipelang.runtime.durable.database_errors import is_about_rights
from pipelang.runtime.durable.history.costs import cost_from
from pipelang.runtime.durable.listing import ENDED, leg_status, run_json, served_queues
from pipelang.runtime.durable.store import Store
from pipelang.runtime.engine.event_payloads import plain_cost

MOST_READ = 2_000
"""Rows that a page reads: of what is no column, such as some states, a page may be shorter."""

Place = tuple[float, str]


@dataclass(frozen=True, slots=True)
class RunQuery:
    """The runs that a page is of. `tenant` is one element, None for all tenants; `after` is where
    the page before ended.
    """

    tenant: tuple[str | None] | None = None
    pipeline: str | None = None
    status: str | None = None
    reason: str | None = None
    thread: str | None = None
    since: float | None = None
    after: Place | None = None
    limit: int = 50


def run_page(store: Store, asked: RunQuery) -> tuple[list[dict[str, Any]], Place | None]:
    """A page of runs as JSON, and the place after it; None if there are no more. A page may be
    shorter than its limit, and have a next one all the same.
    """
    served = served_queues(store)
    found: list[dict[str, Any]] = []
    place, read = asked.after, 0
    while read < MOST_READ:
        wanted = asked.limit + 1 - len(found)
        size = wanted if asked.status is None or asked.status in ENDED else 500
        rows = _rows(store, asked, place, size)
        read += size
        for row in rows:
            made = run_json(row, served)
            if asked.status in (None, made["status"]) and asked.reason in (None, _reason_of(made)):
                if len(found) == asked.limit:
                    return found, place
                found.append(made)
            place = row["created"], row["run"]
        if len(rows) < size:
            return found, None
    return found, place


def _rows(store: Store, asked: RunQuery, after: Place | None, size: int) -> list[dict[str, Any]]:
    wheres: list[str] = []
    values: dict[str, Any] = {"size": size}
    for name in ("pipeline", "thread"):
        if (given := getattr(asked, name)) is not None:
            wheres.append(f"r.{name} = :{name}")
            values[name] = given
    if asked.tenant is not None:
        if asked.tenant[0] is None:
            wheres.append("r.tenant IS NULL")
        else:
            wheres.append("r.tenant = :tenant")
            values["tenant"] = asked.tenant[0]
    if asked.status in ENDED:
        wheres.append("r.status = :status")
        values["status"] = asked.status
    elif asked.status is not None:
        wheres.append("r.status IS NULL")
    if asked.since is not None:
        wheres.append("r.created >= :since")
        values["since"] = asked.since
    if asked.reason is not None:
        # No database reads all that is JSON here: one NUL in any outcome ended the query of all.
        finds = "instr" if store.address.is_sqlite else "strpos"
        wheres.append(f"{finds}(r.outcome, :reason) > 0")
        values["reason"] = f'"reason": {json.dumps(asked.reason)}'
    if after is not None:
        wheres.append("r.created <= :at AND (r.created < :at OR r.run > :id)")
        values |= {"at": after[0], "id": after[1]}
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    return store.rows(
        f"""SELECT r.*, {leg_status(store)} AS leg_status FROM
            (SELECT * FROM pipelang_runs r {where}
            ORDER BY r.created DESC, r.run LIMIT :size) r
        LEFT JOIN {store.legs.table} w ON w.workflow_uuid = r.run || ':' || r.leg
        ORDER BY r.created DESC, r.run""",
        **values,
    )


def _reason_of(made: dict[str, Any]) -> str | None:
    """The reason for which a run, as JSON, ended."""
    reason: str | None = (made["result"] or {}).get("reason")
    return reason


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Counts of the runs of a pipeline that are queued, at work, and wait."""

    queued: int = 0
    running: int = 0
    waiting: int = 0


def open_counts(store: Store) -> dict[str, RunCounts]:
    """The counts of the runs that have not ended, by pipeline."""
    rows = store.rows(
        f"""SELECT r.pipeline, {leg_status(store)} AS stands, count(*) AS n FROM pipelang_runs r
        LEFT JOIN {store.legs.table} w ON w.workflow_uuid = r.run || ':' || r.leg
        WHERE r.status IS NULL GROUP BY r.pipeline, stands"""
    )
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        state = {"PENDING": "running", "DELAYED": "waiting"}.get(row["stands"], "queued")
        mine = counts.setdefault(row["pipeline"], {})
        mine[state] = mine.get(state, 0) + row["n"]
    return {name: RunCounts(**mine) for name, mine in counts.items()}


def input_of(store: Store, run: str) -> dict[str, Any] | None:
    """The input of a run, as JSON."""
    rows = store.rows("SELECT input FROM pipelang_runs WHERE run = :run", run=run)
    if not rows:
        return None
    made: dict[str, Any] = json.loads(rows[0]["input"])
    return made


def pipelines(store: Store) -> tuple[str, ...]:
    """The pipelines of which a store has runs."""
    rows = store.rows("SELECT DISTINCT pipeline FROM pipelang_runs ORDER BY pipeline")
    return tuple(row["pipeline"] for row in rows)


def open_pipelines(store: Store) -> frozenset[str]:
    """The pipelines of runs that have not ended."""
    rows = store.rows("SELECT DISTINCT pipeline FROM pipelang_runs WHERE status IS NULL")
    return frozenset(row["pipeline"] for row in rows)


def paused_pipelines(store: Store) -> dict[str, str]:
    """The pipelines of which no run begins, with the reasons."""
    rows = store.rows("SELECT pipeline, reason FROM pipelang_paused ORDER BY pipeline")
    return {row["pipeline"]: row["reason"] for row in rows}


def marks(store: Store, runs: list[str]) -> dict[str, tuple[Any, ...]]:
    """A mark of each run, which changes whenever something is recorded of it; its first element
    says whether the run has ended.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(runs), 500):
        names = {f"r{n}": one for n, one in enumerate(runs[start : start + 500])}
        listed = ", ".join(f":{name}" for name in names)
        rows = store.rows(
            f"""SELECT r.run, r.status, r.leg, r.waiting,
                (SELECT max(j.number) FROM pipelang_journal j WHERE j.run = r.run) AS last
            FROM pipelang_runs r WHERE r.run IN ({listed})""",
            **names,
        )
        for row in rows:
            found[row["run"]] = (
                row["status"] is not None,
                row["leg"],
                row["waiting"],
                row["last"],
            )
    return found


def ended_between(store: Store, since: float, until: float) -> list[dict[str, Any]]:
    """The rows of the runs that have ended between two times of the store; a cost is None where it
    is unknown.
    """
    rows = store.rows(
        """SELECT run, pipeline, status, outcome, cost, tokens, ended FROM pipelang_runs
        WHERE ended >= :since AND ended <= :until""",
        since=since,
        until=until,
    )
    return [{**row, "cost": plain_cost(cost_from(row["cost"]))} for row in rows]


_INDEXES = {
    "pipelang_runs_ended": "pipelang_runs (ended)",
    "pipelang_runs_tenant": "pipelang_runs (tenant, created)",
    "pipelang_journal_number": "pipelang_journal (run, number)",
}


def make_indexes(store: Store) -> bool:
    """Make the indexes that pages and counts read by, where they are missing; whether all are
    there. They are no part of a store's version: who does not know them is none the worse, nor is a
    user who may write rows and is not let make any. Raises `StoreUnreachable`.
    """
    try:
        with store.transaction() as connection:
            if not store.address.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7041776)"))
            for statement in _missing_indexes(store, connection):
                connection.execute(sa.text(statement))
    except StoreUnreachable as refused:
        if not is_about_rights(refused.__cause__):
            raise
        return False
    return True


def _missing_indexes(store: Store, connection: sa.Connection) -> list[str]:
    """The statements that make the indexes which are not there: PostgreSQL would ask for the rights
    of an owner, and wait for all who write, to see that one is.
    """
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if store.address.is_sqlite
        else "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
    )
    there = {row[0] for row in connection.execute(sa.text(asked))}
    made = {
        name: f"CREATE INDEX IF NOT EXISTS {name} ON {columns}"
        for name, columns in _INDEXES.items()
    }
    made[INDEX_OF_CASES] = index_of_cases(store)
    return [statement for name, statement in made.items() if name not in there]
