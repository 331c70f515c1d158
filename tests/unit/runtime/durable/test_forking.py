"""Forks: what was done before is not done again, what comes after is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelang.runtime.durable import listing, upkeep
from pipelang.runtime.durable.address import NotPossible, UnknownRun
from pipelang.runtime.durable.history import forking

from .by_hand import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    yield made
    made.store.close()


def keys(stage: Stage, run: str) -> set[str]:
    """The effects that were performed for a run."""
    return {key.partition(f"{run}/")[2] for key in stage.performed if run in key}


ALL = {"first/0", "more/0", "more/1", "more/2", "last/a/0", "last/b/0"}
AFTER = {
    "seen": ALL,
    "first": ALL,
    "more": ALL - {"first/0"},
    "last": {"last/a/0", "last/b/0"},
}


@pytest.mark.parametrize("item", AFTER)
def test_a_fork_does_what_comes_after_its_item(stage: Stage, item: str) -> None:
    run = stage.submit(tenant="t", thread="th")
    assert stage.do(stage.take(run))
    made = forking.fork(stage.store, run, item)
    assert (made.item, made.again) == (item, len(AFTER[item]))
    assert listing.run(stage.store, made.run)["status"] == "queued"
    assert stage.do(stage.take(made.run))
    old, new = listing.run(stage.store, run), listing.run(stage.store, made.run)
    assert keys(stage, made.run) == AFTER[item]
    assert max(stage.performed.values()) == 1
    for same in ("status", "result", "cost", "tokens", "tenant", "thread", "program"):
        assert new[same] == old[same], same
    assert stage.row(made.run)["forked"] == run
    events = [(one.kind, one.name) for one in listing.events(stage.store, run)]
    assert [(one.kind, one.name) for one in listing.events(stage.store, made.run)] == events


def test_without_an_item_it_goes_on_from_the_last_one(stage: Stage) -> None:
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.decide(case.id, yes=False, by="ada"))
    assert stage.do(stage.take(run))
    assert stage.row(run)["status"] == "rejected"
    made = forking.fork(stage.store, run)
    assert made == forking.ForkedRun(made.run, "sure", 0)
    assert stage.do(stage.take(made.run))
    (again,) = stage.inbox.cases()
    assert again.id != case.id
    asyncio.run(stage.inbox.decide(again.id, yes=True, by="bob"))
    assert stage.do(stage.take(made.run))
    assert stage.row(made.run)["status"] == "answered"
    assert keys(stage, made.run) == {"second/0"}
    assert stage.row(run)["status"] == "rejected"


def test_a_fork_at_any_crash_is_a_run_that_ends(stage: Stage) -> None:
    """Wherever a run was cut off, it can be forked from the last item that it began."""
    whole = stage.submit()
    assert stage.do(stage.take(whole))
    for at in range(2, stage.legs.written + 1):
        run = stage.submit()
        assert not stage.do(stage.take(run), at, "after")
        made = forking.fork(stage.store, run)
        assert stage.do(stage.take(made.run))
        assert stage.row(made.run)["status"] == "answered", at
        assert max(stage.performed.values()) == 1
        upkeep.cancel(stage.store, run)


def test_an_effect_of_unknown_fate_can_be_made_again_by_hand(stage: Stage) -> None:
    run = stage.submit()
    assert not stage.do(stage.take(run), 3, "after")  # after the intent of `first`
    assert stage.do(stage.take(run))
    assert json.loads(stage.row(run)["outcome"])["result"]["code"] == "effect_unknown"
    made = forking.fork(stage.store, run, "first")
    assert made.again == 1
    assert stage.do(stage.take(made.run))
    assert stage.row(made.run)["status"] == "answered"


def test_what_cannot_be_forked_is_told(stage: Stage) -> None:
    with pytest.raises(UnknownRun):
        forking.fork(stage.store, "nobody")
    run = stage.submit()
    with pytest.raises(NotPossible, match="nothing recorded"):
        forking.fork(stage.store, run)
    assert stage.do(stage.take(run))
    with pytest.raises(NotPossible, match="has not begun `frst`") as refused:
        forking.fork(stage.store, run, "frst")
    assert refused.value.help == "it can be forked from `seen`, `first`, `more`, `last`"
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE pipelang_journal SET number = 0")
    with pytest.raises(NotPossible, match="did not number"):
        forking.fork(stage.store, run)
    assert len(stage.store.rows("SELECT 1 FROM pipelang_runs")) == 1
