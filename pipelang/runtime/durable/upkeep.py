"""Changes that people make to runs and stores: cancel, resume, pause, prune, check, back up."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pipelang.runtime.durable import programs, schema
from pipelang.runtime.durable.address import NotPossible, UnknownRun
from pipelang.runtime.durable.cases import reopen_all, withdraw_all
from pipelang.runtime.durable.database_errors import reason_of
from pipelang.runtime.durable.history.costs import cut_by, rows_of, used_by
from pipelang.runtime.durable.legs import RunEnd, locked_run
from pipelang.runtime.durable.shared import caches, memories
from pipelang.runtime.durable.shared.quotas import QuotaRows, forget_windows, sweep
from pipelang.runtime.durable.store import Store
from pipelang.runtime.files.whole_files import moved_into_place
from pipelang.runtime.tools.under_way import with_calls

_OF_RUN = (
    "pipelang_journal",
    "pipelang_media",
    "pipelang_cases",
    "pipelang_quota_holds",
    "pipelang_breaker_calls",
    "pipelang_places",
    "pipelang_runs",
)
RESUMABLE = ("crashed", "cancelled")


def cancel(store: Store, run: str) -> None:
    """End a run as failed with the code `cancelled`, whoever has it. What it began may still
    happen, once, and is named. Raises `UnknownRun`, and `NotPossible` if it has ended.
    """
    with store.transaction() as connection:
        found = locked_run(store, connection, run)
        if found.status is not None:
            raise NotPossible(f"run {run} has ended: {found.status}")
        store.legs.cancel(connection, run, found.leg)
        rows = rows_of(connection, run)
        used = used_by(rows, (found.cost, found.tokens))
        text = with_calls("it was cancelled", cut_by(rows))
        result = {"code": "cancelled", "reason": "cancel", "text": text, "partial": {}}
        end = RunEnd("failed", {"result": result}, *used)
        connection.execute(
            sa.text(
                """UPDATE pipelang_runs SET status = :status, outcome = :outcome, waiting = NULL,
                cost = :cost, tokens = :tokens, ended = :now WHERE run = :run"""
            ),
            {
                "run": run,
                "status": end.status,
                "outcome": json.dumps(end.outcome),
                "cost": end.cost,
                "tokens": end.tokens,
                "now": store.now_on(connection),
            },
        )
        withdraw_all(store, connection, run)
        QuotaRows(store, connection).settle_run(run)


def resume(store: Store, run: str) -> None:
    """Go on with a run that crashed or was cancelled, from what is recorded. Raises `UnknownRun`,
    and `NotPossible` for any other.
    """
    with store.transaction() as connection:
        found = locked_run(store, connection, run)
        if found.status is None:
            raise NotPossible(f"run {run} has not ended")
        code = json.loads(found.outcome)["result"].get("code")
        if found.status != "failed" or code not in RESUMABLE:
            what = f"{found.status}" + (f" with `{code}`" if code else "")
            raise NotPossible(
                f"run {run} ended {what}, and that stays so",
                "only a run that crashed or was cancelled can be resumed; submit another one",
            )
        connection.execute(
            sa.text(
                """UPDATE pipelang_runs SET status = NULL, outcome = NULL, ended = NULL,
                leg = leg + 1, barren = 0, seen = -1, paused = 0 WHERE run = :run"""
            ),
            {"run": run},
        )
        reopen_all(connection, run)
        leg = found.leg + 1
        store.legs.enqueue(connection, found.queue, run, leg, None, found.priority)


def pause(store: Store, pipeline: str, reason: str = "") -> None:
    """Have no run of a pipeline begin, for a reason, which replaces that of an earlier pause."""
    with store.transaction() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO pipelang_paused (pipeline, reason) VALUES (:pipeline, :reason) "
                "ON CONFLICT (pipeline) DO UPDATE SET reason = excluded.reason"
            ),
            {"pipeline": pipeline, "reason": reason},
        )


def unpause(store: Store, pipeline: str) -> bool:
    """Have runs of a pipeline begin again; whether they did not."""
    with store.transaction() as connection:
        was = connection.execute(
            sa.text("DELETE FROM pipelang_paused WHERE pipeline = :pipeline"),
            {"pipeline": pipeline},
        ).rowcount
        held = connection.execute(
            sa.text(
                """SELECT run, leg FROM pipelang_runs
                WHERE pipeline = :pipeline AND paused = 1 AND status IS NULL"""
            ),
            {"pipeline": pipeline},
        ).all()
        for row in held:
            store.legs.wake(connection, row.run, row.leg)
    return was > 0


def prune(store: Store, older_than: float) -> int:
    """Delete all of the runs that ended so many seconds ago, and what memories and caches do not
    keep any more; how many runs.
    """
    sweep(store)
    then = store.now() - older_than
    rows = store.rows(
        "SELECT run FROM pipelang_runs WHERE status IS NOT NULL AND ended < :then ORDER BY run",
        then=then,
    )
    over = [row["run"] for row in rows]
    gone = sum(_forget(store, over[n : n + AT_ONCE], then) for n in range(0, len(over), AT_ONCE))
    with store.transaction() as connection:
        forget_windows(connection, then)
        programs.drop_unused(connection, store.now_on(connection))
    memories.forget(store)
    caches.forget(store)
    return gone


AT_ONCE = 100
"""Runs that are deleted in a transaction: few enough that workers wait for none of them, and enough
that 100,000 are not as many times the wait for a disk.
"""


def _forget(store: Store, runs: Sequence[str], then: float) -> int:
    """Delete all of these runs, but for those where somebody was first and those that go on by now:
    how many. They are in the order of their ids, so that two who delete wait for each other in the
    same one.
    """
    with store.transaction() as connection:
        gone = []
        for run in runs:
            try:
                found = locked_run(store, connection, run)
            except UnknownRun:
                continue
            if found.status is not None and found.ended < then:
                store.legs.forget(connection, run, found.leg)
                gone.append({"run": run})
        for table in _OF_RUN if gone else ():
            connection.execute(sa.text(f"DELETE FROM {table} WHERE run = :run"), gone)
    return len(gone)


def check(store: Store) -> dict[str, Any]:
    """Facts about a store, and what is wrong in it."""
    table = store.legs.table
    counts = store.rows(
        "SELECT status, count(*) AS n FROM pipelang_runs GROUP BY status ORDER BY status"
    )
    lost = store.rows(
        f"""SELECT r.run FROM pipelang_runs r LEFT JOIN {table} w
            ON w.workflow_uuid = r.run || ':' || r.leg
        WHERE r.status IS NULL
            AND (w.status IS NULL OR w.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING'))"""
    )
    with store.reached(), store.legs.database.connect() as connection:
        journal = connection.execute(sa.text("SELECT count(*) FROM pipelang_journal")).scalar_one()
        broken = None
        if store.address.is_sqlite:
            said = str(connection.execute(sa.text("PRAGMA quick_check")).scalar())
            broken = None if said == "ok" else said
    return {
        "version": schema.VERSION,
        "runs": {row["status"] or "open": row["n"] for row in counts},
        "rows": journal,
        "lost": [row["run"] for row in lost],
        "broken": broken,
    }


def backup(store: Store, to: Path) -> None:
    """Copy a store in SQLite into a file, as it is at one moment. Raises `NotPossible`."""
    if not store.address.is_sqlite:
        raise NotPossible(
            f"{store.address.shown} is a database of PostgreSQL, which has its own tools",
            "`pg_dump --format=custom` copies it at one moment",
        )
    try:
        if os.path.lexists(to):
            raise NotPossible(f"`{to}` is there already")
        os.stat(to.absolute().parent)  # says why there is none, also where the name is impossible
        with (
            moved_into_place(to, flushed=True) as beside,
            store.legs.database.connect() as connection,
        ):
            connection.execute(sa.text("VACUUM INTO :to"), {"to": beside})
    except FileNotFoundError as error:
        folder = to.absolute().parent
        raise NotPossible(f"`{to}` cannot be written: there is no folder `{folder}`") from error
    except SQLAlchemyError as error:
        raise NotPossible(f"`{to}` cannot be written: {reason_of(error)}") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise NotPossible(f"`{to}` cannot be written: {why}") from error
