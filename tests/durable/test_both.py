"""What is asked of a store in SQL, on both databases."""

from __future__ import annotations

from pathlib import Path

from pipelang.runtime.durable import listing, programs, upkeep
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
