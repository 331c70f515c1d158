"""Cases of an inbox in a store: people decide while no process has the run."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from pipelang.runtime.durable.address import StoreUnreachable
from pipelang.runtime.durable.case_rows import case_of, cases_of
from pipelang.runtime.durable.legs import locked_run
from pipelang.runtime.durable.store import Store, may_be_kept
from pipelang.runtime.inbox.case_records import case_json
from pipelang.runtime.inbox.cases import (
    NOT_WAITED_FOR,
    Case,
    reopened,
    settled,
    withdrawn,
)
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.inbox.store import Change, unique_id
from pipelang.runtime.inbox.wakeups import Look

CANCELLED = "the run was cancelled"
"""The reason of a case that is withdrawn with its run."""
PAUSE = 0.5
"""Seconds between two tries to reach a database that is away."""

T = TypeVar("T")

_ADD = sa.text(
    """INSERT INTO pipelang_cases (id, run, state, value) VALUES (:id, :run, :state, :value)
    ON CONFLICT (id) DO NOTHING"""
)
_CHANGE = sa.text("UPDATE pipelang_cases SET state = :state, value = :value WHERE id = :id")


class StoredCases:
    """Cases in a store. Each change is one transaction, which wakes the run that waits."""

    blocks = True
    holder = None

    def __init__(self, store: Store, waited_for: Callable[[str], bool], patient: bool) -> None:
        self._store = store
        self._waited_for = waited_for
        self._patient = patient
        self.unreadable: tuple[str, ...] = ()

    def add(self, case: Case) -> None:
        self._do(lambda: self._add(case))

    def _add(self, case: Case) -> None:
        with self._store.transaction() as connection:
            connection.execute(_ADD, _row(case))

    def get(self, case_id: str) -> Case:
        return self._do(lambda: self._as_it_stands(self._read(self._find(case_id))))

    def _do(self, work: Callable[[], T]) -> T:
        """Do something. A run waits for a database that is away: it must not take that for a no."""
        while True:
            try:
                return work()
            except StoreUnreachable:
                if not self._patient:
                    raise
            time.sleep(PAUSE)

    def all(self, closed: bool) -> tuple[Case, ...]:
        which = "" if closed else "WHERE state = 'open'"
        rows = self._store.rows(f"SELECT id, value FROM pipelang_cases {which}")
        broken: set[str] = set()
        found = [self._as_it_stands(case) for case in cases_of(rows, broken)]
        self.unreadable = tuple(sorted(broken))
        chosen = [case for case in found if closed or case.state == "open"]
        return tuple(sorted(chosen, key=lambda case: case.opened_at))

    def change(self, case_id: str, change: Change) -> Case:
        return self._do(lambda: self._change(case_id, change))

    def _change(self, case_id: str, change: Change) -> Case:
        id = self._find(case_id)
        run = self._read(id).run_id
        with self._store.transaction() as connection:
            # Alone: who may decide hangs on the other cases of the run, and it may begin to wait.
            leg = locked_run(self._store, connection, run).leg
            rows = connection.execute(
                sa.text("SELECT id, value FROM pipelang_cases WHERE run = :run"), {"run": run}
            )
            cases = [case_of(row) for row in _dicts(rows)]
            before = next(case for case in cases if case.id == id)
            changed = change(self._as_it_stands(before), tuple(cases))
            if changed != before:
                connection.execute(_CHANGE, _row(changed))
            if changed.state != "open" and before.state == "open":
                self._wake(connection, run, leg)
        return changed

    def forget(self, run_id: str) -> None:
        """Nothing: what people decided stays until the run is pruned."""

    def watch(self) -> Look:
        """Look at which cases are closed. Every one of them, each time: who waits is few."""

        def look() -> Iterable[str]:
            try:
                rows = self._store.rows(
                    "SELECT c.id FROM pipelang_cases c JOIN pipelang_runs r ON r.run = c.run "
                    "WHERE c.state <> 'open' AND r.status IS NULL"
                )
            except Exception as error:
                raise OSError(str(error)) from error
            return [row["id"] for row in rows]

        return look

    def _wake(self, connection: sa.Connection, run: str, leg: int) -> None:
        """Have the run look: its leg that waits begins, one that is at work learns at its end."""
        connection.execute(
            sa.text("UPDATE pipelang_runs SET poked = poked + 1 WHERE run = :run"), {"run": run}
        )
        self._store.legs.wake(connection, run, leg)

    def _find(self, case_id: str) -> str:
        asked = "SELECT id FROM pipelang_cases WHERE substr(id, 1, :n) = :id"
        if not may_be_kept(case_id):  # from wherever a host has it
            return unique_id([], case_id)
        whole = "SELECT id FROM pipelang_cases WHERE id = :id"
        rows = self._store.rows(whole, id=case_id) or self._store.rows(
            asked, id=case_id, n=len(case_id)
        )
        return unique_id([row["id"] for row in rows], case_id)

    def _read(self, case_id: str) -> Case:
        asked = "SELECT id, value FROM pipelang_cases WHERE id = :id"
        return case_of(self._store.rows(asked, id=case_id)[0])

    def _as_it_stands(self, case: Case) -> Case:
        waited_for = case.kind in NOT_WAITED_FOR or self._waited_for(case.id)
        return settled(case, self.clock(), waited_for)

    def clock(self) -> datetime:
        """The time by the store's clock."""
        return datetime.fromtimestamp(self._store.now(), UTC)


def withdraw_all(store: Store, connection: sa.Connection, run: str) -> None:
    """Withdraw the open cases of a run that was ended from outside, in a transaction of the
    caller's; what was handed over stays.
    """
    rows = connection.execute(
        sa.text("SELECT id, value FROM pipelang_cases WHERE run = :run AND state = 'open'"),
        {"run": run},
    )
    found = cases_of(_dicts(rows))
    now = datetime.fromtimestamp(store.now_on(connection), UTC)
    for case in found:
        if case.kind not in NOT_WAITED_FOR:
            connection.execute(_CHANGE, _row(withdrawn(case, now, CANCELLED)))


def reopen_all(connection: sa.Connection, run: str) -> None:
    """Open the cases again that were withdrawn with a run, which goes on, in a transaction of the
    caller's: it would take them for ones that nobody answered in time.
    """
    rows = connection.execute(
        sa.text("SELECT id, value FROM pipelang_cases WHERE run = :run AND state = 'withdrawn'"),
        {"run": run},
    )
    for case in cases_of(_dicts(rows)):
        if case.why == CANCELLED:
            connection.execute(_CHANGE, _row(reopened(case)))


def open_case_ids(store: Store, tenant: tuple[str | None] | None) -> tuple[str, ...]:
    """The ids of the open cases of a tenant, None for all: they are counted often, and few are
    looked at.
    """
    where, values = _of_tenant(tenant)
    joined = "" if tenant is None else "JOIN pipelang_runs r ON r.run = c.run"
    # In one row: 50,000 of them would take longer than the query.
    joins = "group_concat" if store.address.is_sqlite else "string_agg"
    rows = store.rows(
        f"SELECT {joins}(c.id, ' ') AS ids FROM pipelang_cases c {joined} "
        f"WHERE c.state = 'open' {where}",
        **values,
    )
    return tuple(sorted((rows[0]["ids"] or "").split()))


def closed_cases(
    store: Store, tenant: tuple[str | None] | None, role: str | None, most: int
) -> list[Case]:
    """The closed cases of the newest runs that have some, at most so many."""
    where, values = _of_tenant(tenant)
    if role is not None:  # the text of a case is looked through far sooner than it is parsed
        where += " AND c.value LIKE :like ESCAPE '!'"
        told = re.sub("([!%_])", r"!\1", json.dumps(role, ensure_ascii=False))
        values["like"] = f'%"role": {told}%'
    rows = store.rows(
        f"""SELECT c.id, c.value FROM pipelang_runs r JOIN pipelang_cases c ON c.run = r.run
        WHERE c.state <> 'open' {where} ORDER BY r.created DESC, r.run, c.id LIMIT :most""",
        **values,
        most=most,
    )
    return [case for case in cases_of(rows) if role in (None, case.role)]


def open_cases_of(store: Store, run: str) -> list[Case]:
    """The open cases of a run, oldest first."""
    asked = "SELECT id, value FROM pipelang_cases WHERE run = :run AND state = 'open'"
    now = datetime.fromtimestamp(store.now(), UTC)
    known = cases_of(store.rows(asked, run=run))
    # A run in a store goes on elsewhere: its cases are waited for.
    found = (settled(case, now, waited_for=True) for case in known)
    return sorted((one for one in found if one.state == "open"), key=lambda one: one.opened_at)


def _dicts(rows: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]


def _of_tenant(tenant: tuple[str | None] | None) -> tuple[str, dict[str, str | int]]:
    if tenant is None:
        return "", {}
    if tenant[0] is None:
        return "AND r.tenant IS NULL", {}
    return "AND r.tenant = :tenant", {"tenant": tenant[0]}


def _row(case: Case) -> dict[str, str]:
    text = json.dumps(case_json(case), ensure_ascii=False)
    return {"id": case.id, "run": case.run_id, "state": case.state, "value": text}


def inbox_of(store: Store, patient: bool = False) -> Inbox:
    """The inbox whose cases are in a store; a `patient` one waits while the database is away."""
    return Inbox(
        store=lambda waited_for: StoredCases(store, waited_for, patient),
        clock=lambda: datetime.fromtimestamp(store.now(), UTC),
    )
