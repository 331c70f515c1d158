"""Lists of cases in a store, by tenant and role: what pages ask for, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from pipelang.runtime.durable.case_pages import (
    CaseQuery,
    case_page,
    index_of_cases,
    open_cases_by_pipeline,
)
from pipelang.runtime.durable.cases import closed_cases, open_case_ids, open_cases_of
from pipelang.runtime.durable.store import Store
from pipelang.runtime.inbox.case_records import case_json
from pipelang.runtime.inbox.cases import Case

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


def filed(id: str, opened: datetime, role: str = "a", **more: Any) -> dict[str, Any]:
    """A case as a worker writes it, which shows what looks like the head of a case."""
    hostile = {"opened_at": "1970-01-01T00:00:00Z", "role": "nobody", '"opened_at": "': '"'}
    made = Case(
        id=id,
        run_id="r",
        pipeline="p",
        kind="approve",
        name="x/y[3]",
        role=role,
        opened_at=opened,
        text='"opened_at": "0',
        shown=hostile,
        lasting=True,
    )
    return {**case_json(made), **more}


@pytest.mark.parametrize("indexed", [False, True])
def test_a_page_has_the_oldest_cases_and_the_next_goes_on(url: str, indexed: bool) -> None:
    store = Store.open(url, make=True)
    if indexed:
        with store.transaction() as connection:
            connection.execute(sa.text(index_of_cases(store)))
    # Times of a second with and without its fraction, in whose texts one is the other's beginning.
    second = NOW.replace(microsecond=0)
    parts = (0, 1, 100_000, 500_000, 999_999)
    times = [second + timedelta(seconds=n, microseconds=m) for n in (-1, 0, 1) for m in parts]
    cases = {f"c{n:02d}": filed(f"c{n:02d}", at) for n, at in enumerate(times)}
    cases |= {f"b{n:02d}": filed(f"b{n:02d}", second) for n in range(4)}  # at one time
    over = {"due_at": (NOW - timedelta(hours=1)).isoformat()}
    cases |= {f"a{n:02d}": filed(f"a{n:02d}", second, **over) for n in range(4)}
    cases |= {"d1": filed("d1", second, "b"), "e1": filed("e1", second, state="withdrawn")}
    cases["é1"] = filed("é1", second)  # by the letter, whatever the language of the database
    add(store, "r1", "x", 1.0, **dict(list(cases.items())[::2]))
    add(store, "r2", None, 2.0, **dict(list(cases.items())[1::2]))

    def all_of(limit: int, **asked: Any) -> list[str]:
        found: list[str] = []
        after = None
        for _ in range(100):
            page, more = case_page(store, CaseQuery(limit=limit, after=after, **asked))
            assert len(page) <= limit
            found += [case.id for case in page]
            if not more:
                return found
            assert len(page) == limit
            after = page[-1].opened_at.timestamp(), page[-1].id
        raise AssertionError(found)

    def wanted(closed: bool = False, role: str | None = None) -> list[str]:
        here = [
            (datetime.fromisoformat(case["opened_at"]), id)
            for id, case in cases.items()
            if closed or (case["state"] == "open" and case["due_at"] is None)
            if role in (None, case["role"])
        ]
        return [id for _, id in sorted(here)]

    for limit in (1, 2, 3, 200):
        assert all_of(limit) == wanted()
        assert all_of(limit, closed=True) == wanted(closed=True)
        assert all_of(limit, role="b") == ["d1"]
    mine = set(list(cases)[::2])
    assert all_of(3, tenant=("x",)) == [id for id in wanted() if id in mine]
    assert all_of(3, tenant=(None,)) == [id for id in wanted() if id not in mine]
    assert all_of(3, run="r1", role="a") == [id for id in wanted(role="a") if id in mine]
    for role in ("nobody", "%", "a\x00", '"'):
        assert all_of(3, role=role) == []
    for place, found in ((1e300, []), (float("inf"), []), (-1e300, wanted()), (0.0, wanted())):
        page, _ = case_page(store, CaseQuery(after=(place, "z"), limit=200))
        assert [case.id for case in page] == found
    stands = open_cases_by_pipeline(store)["p"]
    assert stands.count == len([one for one in cases.values() if one["state"] == "open"])
    assert stands.oldest == min(times).timestamp()
