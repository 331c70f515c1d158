"""What people do to runs in a store, and what they ask of them, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import pipelang
from pipelang.runtime.durable import listing, upkeep
from pipelang.runtime.durable.address import UnknownRun
from pipelang.runtime.durable.run_pages import RunQuery, run_page
from pipelang.runtime.inbox.cases import Refused

from ..unit.runtime.durable.by_hand import Stage


@pytest.fixture
def stage(url: str, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(url, tmp_path)
    yield made
    made.store.close()


def ended(stage: Stage, status: str, result: dict[str, Any]) -> str:
    """A run that ended with a result."""
    run = stage.submit("acts")
    with stage.store.transaction() as connection:
        connection.execute(
            sa.text(
                "UPDATE pipelang_runs SET status = :status, outcome = :outcome, ended = 1 "
                "WHERE run = :run"
            ),
            {"run": run, "status": status, "outcome": json.dumps({"result": result})},
        )
    return run


def test_runs_are_found_by_their_reason_whatever_others_hold(stage: Stage) -> None:
    """One NUL in any outcome of a database of PostgreSQL, or one number that is none in SQLite's,
    was the end of every such list.
    """
    no: dict[str, Any] = {"reason": 'too "old"\\é', "text": "no", "code": "no", "partial": {}}
    wanted = [ended(stage, "failed", no) for _ in range(3)]
    ended(stage, "answered", {"value": {"reason": no["reason"], "odd": "a\x00b"}})
    ended(stage, "answered", {"value": float("inf")})
    ended(stage, "failed", {**no, "reason": "other", "text": json.dumps(no)})
    stage.submit("acts")

    def found(reason: str, **more: Any) -> list[str]:
        runs, place = run_page(stage.store, RunQuery(reason=reason, **more))
        assert place is None
        return [run["id"] for run in runs]

    assert sorted(found(no["reason"])) == sorted(wanted)
    assert sorted(found(no["reason"], status="failed")) == sorted(wanted)
    assert len(found("other")) == 1
    assert found(no["reason"], status="answered") == found("%") == found('"') == found("") == []
    first, place = run_page(stage.store, RunQuery(reason=no["reason"], limit=2))
    rest, end = run_page(stage.store, RunQuery(reason=no["reason"], limit=2, after=place))
    assert sorted(run["id"] for run in [*first, *rest]) == sorted(wanted)
    assert end is None


def test_a_cancelled_run_that_goes_on_asks_again(stage: Stage) -> None:
    """Its case was withdrawn with it, which it took for one that nobody answered in time."""
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    (asked,) = stage.inbox.cases()
    upkeep.cancel(stage.store, run)
    assert stage.inbox.cases() == ()
    upkeep.resume(stage.store, run)
    assert stage.inbox.cases() == (asked,)
    assert stage.do(stage.take(run))
    assert listing.run(stage.store, run)["status"] == "waiting"
    asyncio.run(stage.inbox.decide(asked.id, yes=True, by="ada"))
    assert stage.do(stage.take(run))
    assert listing.run(stage.store, run)["status"] == "answered"
    assert set(stage.performed.values()) == {1}


def test_a_run_that_was_resumed_meanwhile_is_not_pruned(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [stage.submit("asks") for _ in range(3)]
    for run in runs:
        upkeep.cancel(stage.store, run)
    rows = stage.store.rows

    def meanwhile(statement: str, **values: Any) -> Any:
        found = rows(statement, **values)
        if "ended < :then" in statement:
            upkeep.resume(stage.store, runs[0])
            monkeypatch.undo()
            assert upkeep.prune(stage.store, -1) == 2
        return found

    monkeypatch.setattr(stage.store, "rows", meanwhile)
    assert upkeep.prune(stage.store, -1) == 0
    assert [run["id"] for run in listing.runs(stage.store)] == runs[:1]
    assert stage.do(stage.take(runs[0]))
    assert listing.run(stage.store, runs[0])["status"] == "waiting"
    with pytest.raises(UnknownRun):
        upkeep.resume(stage.store, runs[1])


def test_runs_are_deleted_many_at_a_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait for the disk for each: a year of 100,000 runs took a quarter of an hour. One of them
    that goes on, or is gone already, keeps none of the others.
    """
    monkeypatch.setattr(upkeep, "AT_ONCE", 4, raising=False)
    runs = sorted(stage.submit("asks") for _ in range(11))
    for run in runs:
        upkeep.cancel(stage.store, run)
    deletes: list[str] = []
    forget = stage.store.legs.forget

    def counted(connection: Any, run: str, legs: int) -> None:
        deletes.append(str(id(connection)))
        held.append(connection)
        forget(connection, run, legs)

    held: list[Any] = []
    monkeypatch.setattr(stage.store.legs, "forget", counted)
    upkeep.resume(stage.store, runs[5])
    assert upkeep.prune(stage.store, -1) == 10
    assert len(set(deletes)) == 3
    assert [run["id"] for run in listing.runs(stage.store)] == [runs[5]]
    for table in ("pipelang_journal", "pipelang_cases", stage.store.legs.table):
        column = "workflow_uuid" if table == stage.store.legs.table else "run"
        left = stage.store.rows(f"SELECT {column} AS run FROM {table}")
        assert {row["run"].partition(":")[0] for row in left} <= {runs[5]}


@pytest.mark.parametrize("id", ["a\x00b", "\ud800", "%", ""])
def test_an_id_that_nobody_can_have_is_unknown(stage: Stage, id: str) -> None:
    """A host has ids from its own callers; a NUL in one looked like a database that is away."""
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    with pytest.raises(Refused, match="there is no case"):
        stage.inbox.case(id)
    runtime = pipelang.Runtime(tools=stage.runtime.tools, store=stage.url)
    with pytest.raises(UnknownRun):
        asyncio.run(stage.loaded.pipeline("asks", runtime=runtime).result(id))
