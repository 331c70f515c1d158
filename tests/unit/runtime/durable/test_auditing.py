"""The chain of a run's rows: what is changed, taken out or put in is found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelang.runtime.durable.history import auditing, forking
from pipelang.runtime.durable.history.chain import ChainHead
from pipelang.runtime.durable.legs import Legs

from .by_hand import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    yield made
    made.store.close()


def change(stage: Stage, statement: str) -> None:
    with stage.store.transaction() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1


def test_rows_of_crashes_waits_and_forks_are_whole(stage: Stage) -> None:
    waits, run = stage.submit("asks"), stage.submit(tenant="t")
    assert stage.do(stage.take(waits))
    assert not stage.do(stage.take(run), 9, "before")
    assert stage.do(stage.take(run))
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.decide(case.id, yes=True, by="ada"))
    assert stage.do(stage.take(waits))
    made = forking.fork(stage.store, waits, "second")
    assert stage.do(stage.take(made.run))
    found = auditing.verify(stage.store)
    assert isinstance(found, auditing.WholeChains)
    assert (found.runs, found.rows) == (
        3,
        len(stage.store.rows("SELECT 1 FROM pipelang_journal WHERE hash IS NOT NULL")),
    )
    assert auditing.verify(stage.store, found.last) == found
    told = list(auditing.entries(stage.store, waits[:8], None))
    assert {"ada"} == {one["data"]["by"] for one in told if one["kind"] == "approve"}
    assert [one["kind"] for one in told][-1] == "outcome"
    assert {one["run"] for one in auditing.entries(stage.store, None, "t")} == {run}
    numbers = [
        row["number"]
        for row in stage.store.rows(
            "SELECT number FROM pipelang_journal WHERE run = :run ORDER BY number", run=run
        )
    ]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "change_",
    [
        "UPDATE pipelang_journal SET value = replace(value, 'pay', 'put') WHERE place = 'first/0'",
        "UPDATE pipelang_journal SET kind = 'input' WHERE place = 'first/0'",
        "DELETE FROM pipelang_journal WHERE place = 'first/0@0'",
        "UPDATE pipelang_journal SET place = 'b/0' WHERE place = 'first/0'",
        "INSERT INTO pipelang_journal SELECT run, 'x', kind, value, written, 3, hash "
        "FROM pipelang_journal WHERE place = 'first/0'",
    ],
)
def test_what_was_changed_is_found(stage: Stage, change_: str) -> None:
    run = stage.submit()
    assert stage.do(stage.take(run))
    assert isinstance(auditing.verify(stage.store), auditing.WholeChains)
    change(stage, change_)
    found = auditing.verify(stage.store)
    assert isinstance(found, auditing.BrokenRow)
    assert found.run == run


def test_a_missing_end_shows_against_a_hash_that_was_remembered(stage: Stage) -> None:
    run = stage.submit()
    assert stage.do(stage.take(run))
    last = auditing.verify(stage.store)
    assert isinstance(last, auditing.WholeChains)
    change(stage, "DELETE FROM pipelang_journal WHERE place = 'end'")
    assert isinstance(auditing.verify(stage.store), auditing.WholeChains)
    found = auditing.verify(stage.store, last.last)
    assert isinstance(found, auditing.BrokenRow)
    assert "missing at the end" in found.message


def test_a_write_of_unknown_fate_breaks_no_link(stage: Stage) -> None:
    """The answer of a commit was lost: the row is there, or it is not."""
    run = stage.submit()
    token = stage.take(run)
    legs, head = Legs(stage.store), ChainHead(0)
    legs.write(token, head, "a", "done", "{}")
    head.number = None  # it was written, and nobody heard of it
    legs.write(token, head, "a", "done", "{}")
    legs.write(token, head, "b", "done", "{}")
    head.number = None  # another one was given up before it was written
    legs.write(token, head, "c$", "ahead", "{}")
    legs.write(token, head, "c$", "ahead", "{}")
    legs.write(token, head, "c", "done", "{}")
    found = auditing.verify(stage.store)
    assert isinstance(found, auditing.WholeChains)
    assert found.rows == 3
