"""Lists of cases in a store, by tenant and role: what pages ask for, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable.cases import closed_cases, open_case_ids, open_cases_of
from pipelang.runtime.durable.store import Store

NOW = datetime.now(UTC)
RUN = sa.text(
    """INSERT INTO pipelang_runs (run, pipeline, program, tenant, input, input_hash, queue,
    priority, created, leg, attempts, barren, seen, poked, paused, cost, tokens)
    VALUES (:run, 'p', 'h', :tenant, '{}', '', 'q', 10, :created, 1, 1, 0, -1, 0, 0, '0', 0)"""
)
CASE = sa.text("INSERT INTO pipelang_cases (id, run, state, value) VALUES (:id, :run, :state, :v)")


def add(
    store: Store, run: str, tenant: str | None, created: float, **cases: dict[str, Any]
) -> None:
    """Add a run with some cases."""
    with store.transaction() as connection:
        connection.execute(RUN, {"run": run, "tenant": tenant, "created": created})
        for id, given in cases.items():
            value = {
                "id": id,
                "run_id": run,
                "pipeline": "p",
                "kind": "approve",
                "name": "n",
                "tenant": tenant,
                "opened_at": NOW.isoformat(),
                "lasting": True,
                **given,
            }
            row = {"id": id, "run": run, "state": value["state"], "v": json.dumps(value)}
            connection.execute(CASE, row)


def test_cases_are_listed_by_tenant_and_role(url: str) -> None:
    store = Store.open(url, make=True)
    opened = {"role": "a", "state": "open"}
    closed = {"role": "a", "state": "withdrawn", "closed_at": NOW.isoformat(), "why": "'\"{}"}
    late = {**opened, "due_at": (NOW - timedelta(hours=1)).isoformat()}
    add(store, "r1", "x", 1.0, c1=closed, c2={**closed, "role": "b"}, c3=opened)
    add(store, "r2", None, 2.0, c4=closed, c5={**opened, "role": "b"}, c6=late)
    add(store, "r3", "x", 3.0, c7={**closed, "role": "b'\"%"})
    assert open_case_ids(store, None) == ("c3", "c5", "c6")
    assert open_case_ids(store, ("x",)) == ("c3",)
    assert open_case_ids(store, (None,)) == ("c5", "c6")
    assert open_case_ids(store, ("y'; --",)) == ()

    def ids(tenant: tuple[str | None] | None, role: str | None, most: int = 9) -> list[str]:
        return [case.id for case in closed_cases(store, tenant, role, most)]

    assert ids(None, None) == ["c7", "c4", "c1", "c2"]
    assert ids(None, None, 2) == ["c7", "c4"]
    assert ids(("x",), None) == ["c7", "c1", "c2"]
    assert ids((None,), None) == ["c4"]
    assert ids(None, "a") == ["c4", "c1"]
    assert ids(("x",), "b'\"%") == ["c7"]
    assert ids(None, "_") == ids(None, "%") == []
    assert ids(None, "b") == ["c2"]
    # One whose time is up is open no more, whoever has to take note of it.
    assert [case.id for case in open_cases_of(store, "r2")] == ["c5"]
    assert open_cases_of(store, "none") == []
    store.close()
