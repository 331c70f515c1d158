"""Runs of a store as JSON, for people and programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pipelang.runtime.durable.address import UnknownRun
from pipelang.runtime.durable.history.costs import cost_from
from pipelang.runtime.durable.leases import LEASE
from pipelang.runtime.durable.store import Store
from pipelang.runtime.engine.event_payloads import plain_cost
from pipelang.runtime.engine.events import Event
from pipelang.runtime.worlds.recorded.encoding import decode_event

ENDED = ("answered", "escalated", "rejected", "failed")
STATES = ("queued", "delayed", "running", "waiting", *ENDED)
STUCK_AFTER = 600.0
"""Seconds without a new row after which a run that is at work counts as stuck."""


def runs(
    store: Store,
    ids: Iterable[str] | None = None,
    *,
    status: str | None = None,
    pipeline: str | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The runs of a store, newest first: those with these ids, or all. With a `limit` no more rows
    are read than it takes to find so many.
    """
    wheres: list[str] = []
    values: dict[str, Any] = {}
    for name, given in (("pipeline", pipeline), ("tenant", tenant)):
        if given is not None:
            wheres.append(f"r.{name} = :{name}")
            values[name] = given
    if status in ENDED:
        wheres.append("r.status = :status")
        values["status"] = status
    elif status is not None:
        wheres.append("r.status IS NULL")
    served = served_queues(store)
    if ids is not None:
        rows: Iterable[dict[str, Any]] = _with_ids(store, list(ids), wheres, values)
    elif limit is None:
        rows = _rows(store, wheres, values)
    else:
        whole = status is None or status in ENDED
        rows = _by_pages(store, wheres, values, limit if whole else max(limit, A_QUERY))
    made = (run_json(row, served) for row in rows)
    return list(islice((one for one in made if status in (None, one["status"])), limit))


A_QUERY = 500
"""The ids of one query, of which no database takes any number, and the rows of a page of runs whose
state is no column.
"""


def _rows(
    store: Store, wheres: list[str], values: dict[str, Any], size: int | None = None
) -> list[dict[str, Any]]:
    """The rows of runs with the states of their legs, newest first; the first so many."""
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    limit = "" if size is None else f"LIMIT {size}"
    return store.rows(
        f"""SELECT r.*, {leg_status(store)} AS leg_status FROM
            (SELECT * FROM pipelang_runs r {where} ORDER BY r.created DESC, r.run {limit}) r
        LEFT JOIN {store.legs.table} w ON w.workflow_uuid = r.run || ':' || r.leg
        ORDER BY r.created DESC, r.run""",
        **values,
    )


def _by_pages(
    store: Store, wheres: list[str], values: dict[str, Any], size: int
) -> Iterator[dict[str, Any]]:
    """The same rows, read so many at a time."""
    rows = _rows(store, wheres, values, size)
    yield from rows
    older = [*wheres, "r.created <= :at AND (r.created < :at OR r.run > :id)"]
    while len(rows) == size:
        after = {"at": rows[-1]["created"], "id": rows[-1]["run"]}
        rows = _rows(store, older, values | after, size)
        yield from rows


def _with_ids(
    store: Store, ids: list[str], wheres: list[str], values: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows of the runs with these ids."""
    rows: list[dict[str, Any]] = []
    for first in range(0, len(ids), A_QUERY):
        names = {f"r{n}": one for n, one in enumerate(ids[first : first + A_QUERY])}
        among = f"r.run IN ({', '.join(f':{name}' for name in names)})"
        rows += _rows(store, [*wheres, among], values | names)
    return sorted(rows, key=lambda row: (-row["created"], row["run"]))


def run(store: Store, id: str) -> dict[str, Any]:
    """One run. Raises `UnknownRun`."""
    found = runs(store, [id])
    if not found:
        raise _unknown(store, id)
    return found[0]


def _unknown(store: Store, id: str) -> UnknownRun:
    return UnknownRun(f"there is no run `{id}` in {store.address.shown}")


def wait_for(
    store: Store, ids: Iterable[str], seconds: float | None
) -> list[dict[str, Any]] | None:
    """Wait until runs have ended: those runs, None if it took longer. Raises `UnknownRun`."""
    asked = list(ids)
    known = {one["id"] for one in runs(store, asked)}
    for one in asked:
        if one not in known:
            raise _unknown(store, one)
    end = None if seconds is None else time.monotonic() + seconds
    pause = 0.1
    while True:
        found = {one["id"]: one for one in runs(store, asked)}
        if all(one["status"] in ENDED for one in found.values()):
            return [found[one] for one in asked if one in found]
        if end is not None and time.monotonic() >= end:
            return None
        left = pause if end is None else min(pause, max(end - time.monotonic(), 0.01))
        time.sleep(left)
        pause = min(pause * 1.5, 1.0)


def stuck(store: Store) -> list[dict[str, Any]]:
    """The runs that a worker has, and of which nothing was recorded for ten minutes."""
    rows = store.rows(
        f"""SELECT r.run FROM pipelang_runs r JOIN {store.legs.table} w
            ON w.workflow_uuid = r.run || ':' || r.leg
        WHERE r.status IS NULL AND w.status = 'PENDING' AND r.started < :then AND NOT EXISTS
            (SELECT 1 FROM pipelang_journal j WHERE j.run = r.run AND j.written > :then)""",
        then=store.now() - STUCK_AFTER,
    )
    return runs(store, [row["run"] for row in rows])


def events(store: Store, run: str) -> tuple[Event, ...]:
    """The events of a run that are recorded, in their order."""
    return events_beyond(store, run, BEFORE_ALL)[0]


BEFORE_ALL = -1
"""The number of no row, before that of the first: rows of versions without chains have 0."""


def events_beyond(store: Store, run: str, row: int) -> tuple[tuple[Event, ...], int]:
    """The events in the rows of a run beyond a number, in their order, and the number of the last
    row, from which a later look goes on: whoever follows a run reads each of its rows once. Rows
    of one run are written one after the other, each with a higher number.
    """
    rows = store.rows(
        """SELECT value, number FROM pipelang_journal
        WHERE run = :run AND number > :row AND kind <> 'ahead'""",
        run=run,
        row=row,
    )
    found = [
        decode_event(event, number)
        for one in rows
        for number, event in json.loads(one["value"]).get("events", ())
    ]
    last = max((one["number"] for one in rows), default=row)
    return tuple(sorted(found, key=lambda one: one.number)), last


def leg_status(store: Store) -> str:
    """The status of a leg `w` in a query. One whose wait is over, because it is due or somebody
    decided, is queued: until a worker looks it is written as delayed, and that may be for long.
    """
    now = int(store.now() * 1000)
    return (
        f"CASE WHEN w.status = 'DELAYED' AND w.delay_until_epoch_ms <= {now} "
        "THEN 'ENQUEUED' ELSE w.status END"
    )


def served_queues(store: Store) -> set[str]:
    """The queues that some live worker takes from."""
    now = store.now()
    rows = store.rows(
        "SELECT queues FROM pipelang_workers WHERE beat >= :then AND beat <= :soon",
        then=now - LEASE,
        soon=now + LEASE,  # of before the clock was put back
    )
    return {queue for row in rows for queue in json.loads(row["queues"])}


def run_json(row: dict[str, Any], served: set[str]) -> dict[str, Any]:
    """A run, from its row with the state of its leg; `served` are queues with a live worker."""
    status, waiting = row["status"], None
    if status is None:
        status, waiting = _state(row, served)
    if waiting is not None:
        waiting = {**waiting, "due": moment(waiting.get("due"))}
    outcome = None if row["outcome"] is None else json.loads(row["outcome"])
    return {
        "id": row["run"],
        "pipeline": row["pipeline"],
        "program": row["program"],
        "tenant": row["tenant"],
        "thread": row["thread"],
        "status": status,
        "result": None if outcome is None else outcome["result"],
        "waiting_for": waiting,
        "cost": plain_cost(cost_from(row["cost"])),
        "tokens": row["tokens"],
        "started": moment(row["started"]),
        "ended": moment(row["ended"]),
        "attempts": row["attempts"],
    }


def _state(row: dict[str, Any], served: set[str]) -> tuple[str, dict[str, Any] | None]:
    waiting = None if row["waiting"] is None else json.loads(row["waiting"])
    nobody = {"kind": "worker", "name": row["program"], "due": None}
    match row["leg_status"]:
        case "PENDING":
            return "running", None
        case "DELAYED" if row["paused"]:
            return "queued", None
        case "DELAYED" if waiting is None:
            return "delayed", {"kind": "time", "name": row["pipeline"], "due": row["due"]}
        case "DELAYED" if waiting is not None and waiting["kind"] != "worker":
            return "waiting", waiting
        case _:
            return "queued", None if row["queue"] in served else nobody


def moment(seconds: float | None) -> str | None:
    """A time as RFC 3339 in UTC."""
    if seconds is None or seconds > 2e11:
        return None
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
