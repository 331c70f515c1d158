"""What is asked of a store in SQL, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.runtime.durable import listing, programs, upkeep
from pipelang.runtime.durable.address import UnknownRun
from pipelang.runtime.durable.history import auditing, forking
from pipelang.runtime.durable.submitting import Submission, submit

from ..unit.runtime.durable.by_hand import Stage


def test_a_store_answers_alike(url: str, tmp_path: Path) -> None:
    stage = Stage(url, tmp_path)
    store = stage.store
    try:
        one = Submission(
            pipeline="acts",
            program=stage.loaded.hash,
            compiled=stage.loaded.program,
            input={"x": "x"},
            tenant="t",
            permits=("some",),
        )
        run, waits = submit(store, one), stage.submit("asks")
        (needed,) = programs.needed(store)
        assert (needed.hash, needed.file) == (stage.loaded.hash, "acts.pipe")
        assert programs.read(store, needed.hash, stage.loaded.program.file).tools
        assert [found["id"] for found in listing.runs(store, tenant="t", limit=3)] == [run]
        assert stage.do(stage.take(run))
        assert stage.do(stage.take(waits))
        assert listing.run(store, run)["status"] == "answered"
        assert listing.run(store, waits)["status"] == "waiting"
        assert listing.stuck(store) == []
        made = forking.fork(store, run, "more")
        assert stage.do(stage.take(made.run))
        assert listing.run(store, made.run)["result"] == listing.run(store, run)["result"]
        found = auditing.verify(store)
        assert isinstance(found, auditing.WholeChains)
        assert found.runs == 3
        assert auditing.verify(store, found.last) == found
        mine = list(auditing.entries(store, run[:9], "t"))
        assert mine[-1]["kind"] == "outcome"
        assert len(list(auditing.entries(store, None, None))) > 2 * len(mine)
        with store.transaction() as connection:
            stage_now = store.now_on(connection)
            programs.keep(connection, stage.loaded.program, stage_now + 2 * programs.RENEWED)
        upkeep.pause(store, "acts")
        assert upkeep.unpause(store, "acts")
        assert upkeep.check(store)["lost"] == []
        upkeep.cancel(store, waits)
        upkeep.resume(store, waits)
        upkeep.cancel(store, waits)
        assert upkeep.prune(store, -1) == 3
        with store.transaction() as connection:
            programs.drop_unused(connection, store.now_on(connection) + 10 * programs.KEPT)
        for table in ("runs", "journal", "programs", "cases"):
            assert store.rows(f"SELECT * FROM pipelang_{table}") == []
    finally:
        store.close()


def test_lists_read_no_more_than_they_show_and_take_any_number_of_ids(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest 5 of 100,000 runs took as long as all of them, and no database takes 70,000 ids
    in one query.
    """
    stage = Stage(url, tmp_path)
    store = stage.store
    try:
        given = [stage.submit("acts") for _ in range(12)]
        for run in given[:6]:
            assert stage.do(stage.take(run))
        everyone = listing.runs(store)
        assert len(everyone) == 12
        monkeypatch.setattr(listing, "A_QUERY", 4)
        read: list[int] = []
        rows = store.rows

        def counted(statement: str, **values: Any) -> list[dict[str, Any]]:
            found = rows(statement, **values)
            read.append(len(found))
            return found

        monkeypatch.setattr(store, "rows", counted)
        for status in (None, "answered", "queued"):
            read.clear()
            fitting = [one for one in everyone if status in (None, one["status"])]
            assert listing.runs(store, status=status, limit=3) == fitting[:3]
            assert sum(read) <= 4
            assert listing.runs(store, status=status, limit=50) == fitting
        assert listing.runs(store, status="waiting", limit=3) == []
        monkeypatch.undo()
        many = [f"none{n}" for n in range(70_000)]
        assert listing.runs(store, [*many, *given]) == everyone
        with pytest.raises(UnknownRun, match="none0"):
            listing.wait_for(store, [*given, *many], 0)
    finally:
        store.close()
