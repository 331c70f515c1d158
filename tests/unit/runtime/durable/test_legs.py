"""Legs: cut off at every row, fenced, parked, paused, and given up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import pipelang
from pipelang.runtime.durable import doing, listing, upkeep
from pipelang.runtime.durable.address import KeyConflict, NotPossible, UnknownRun
from pipelang.runtime.durable.cases import StoredCases
from pipelang.runtime.durable.doing import LegWork
from pipelang.runtime.durable.history.chain import ChainHead
from pipelang.runtime.durable.legs import MOST_BARREN, Fenced, Legs
from pipelang.runtime.durable.run_pages import RunCounts, RunQuery, open_counts, run_page
from pipelang.runtime.durable.submitting import queue_of
from pipelang.runtime.durable.switches import StoredSwitches
from pipelang.runtime.inbox.cases import Case, Refused

from .by_hand import MortalLegs, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    yield made
    made.store.close()


def test_a_run_that_is_cut_off_at_any_row_performs_nothing_twice(stage: Stage) -> None:
    whole = stage.submit()
    assert stage.do(stage.take(whole))
    assert stage.row(whole)["status"] == "answered"
    rows = stage.legs.written
    assert rows > 10
    unknown = 0
    for at in range(1, rows + 1):
        for side in ("before", "after"):
            run = stage.submit()
            assert not stage.do(stage.take(run), at, side)
            assert stage.row(run)["status"] is None
            assert stage.do(stage.take(run))
            found = stage.row(run)
            twice = [k for k, n in stage.performed.items() if n > 1 and k.startswith("pay")]
            assert twice == [], (at, side)
            if found["status"] == "answered":
                assert found["attempts"] == 2
                continue
            unknown += 1
            result = json.loads(found["outcome"])["result"]
            assert (found["status"], result["code"]) == ("failed", "effect_unknown"), (at, side)
            kinds = {
                row["place"]: row["kind"]
                for row in stage.store.rows(
                    "SELECT place, kind FROM pipelang_journal WHERE run = :run", run=run
                )
            }
            begun = [at for at, kind in kinds.items() if kind == "intent"]
            assert any(at[:-1] not in kinds for at in begun), (at, side)
    # Five calls of `pay`, each cut off after its intent and before its outcome.
    assert unknown >= 10


@pytest.mark.parametrize("kind", ["intent", "done", "ahead"])
def test_a_database_that_is_away_for_long_times_nothing_out(tmp_path: Path, kind: str) -> None:
    """A row that comes late is no call that takes long: what was never called is not unknown."""
    stage = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path, "150ms")
    write = MortalLegs.write

    def late(self: MortalLegs, token: object, head: object, place: str, *what: Any) -> None:
        if what[0] == kind and (place.startswith("first") or kind == "ahead"):
            time.sleep(0.4)
        write(self, token, head, place, *what)

    MortalLegs.write = late  # type: ignore[method-assign]
    try:
        run = stage.submit()
        assert stage.do(stage.take(run))
        result = listing.run(stage.store, run)["result"]
        assert result == {"value": "pay put pay seen x"}
        assert max(stage.performed.values()) == 1
    finally:
        MortalLegs.write = write  # type: ignore[method-assign]
        stage.store.close()


SIDE = """
pipeline side(x: text) -> [text] max 6 {
  budget $1, 600s
  step paid = each y in ["a", "lost", "c", "d", "e", "f"] { call pay(y) } { parallel 2 need all }
    else fail "e"
  return paid
}
"""


PAID = "paid/0[{}]/paid/0@0"
"""The place of an element's payment."""


class LosingStage(Stage):
    """A stage whose `pay("lost")` acts, and then never answers."""

    async def _act(self, tool: str, x: str, key: str) -> str:
        made = await super()._act(tool, x, key)
        if x == "lost":
            await asyncio.sleep(3600)
        return made


def test_an_unknown_effect_ends_a_run_with_all_that_is_known(tmp_path: Path) -> None:
    """Who takes over by hand reads what was paid: what is left out there is paid again."""
    stage = LosingStage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    file = tmp_path / "acts.pipe"
    file.write_text(file.read_text(encoding="utf-8") + SIDE, encoding="utf-8")
    stage.loaded = pipelang.load(file)
    most = beside = 0
    for at in range(4, 12):
        run = stage.submit("side")
        assert not stage.do(stage.take(run), at, "after")
        places = {
            row["place"]
            for row in stage.store.rows("SELECT place FROM pipelang_journal WHERE run = :r", r=run)
        }
        assert f"{PAID.format(1)}!" in places
        before = stage.performed.total()
        assert stage.do(stage.take(run))
        result = json.loads(stage.row(run)["outcome"])["result"]
        assert result["code"] == "effect_unknown"
        key = f"{run}/paid/1"  # which of six: who takes over asks for it where it was paid
        open = [
            n for n in range(6) if f"{PAID.format(n)}!" in places and PAID.format(n) not in places
        ]
        assert open[0] == 1
        also = ", ".join(f"`pay` with the key `{run}/paid/{n}`" for n in open[1:])
        assert result["text"] == (
            f"`pay` was called with the key `{key}`, and its outcome was lost"
            + (f"; also unknown: {also}" if also else "")
        )
        beside += len(open) - 1
        assert stage.performed[f"pay {key}"] <= 1
        known = result["partial"]["values"]["paid"]
        recorded = [n for n in range(6) if PAID.format(n) in places]
        assert [n for n, one in enumerate(known) if one is not None] == recorded, at
        assert stage.performed.total() == before, "nothing is begun in a run that is over"
        most = max(most, len(recorded))
    assert most >= 3
    assert beside >= 3
    stage.store.close()


class HangingStage(Stage):
    """A stage whose `pay` acts, and never answers from the second element on."""

    async def _act(self, tool: str, x: str, key: str) -> str:
        made = await super()._act(tool, x, key)
        if x != "a":
            await asyncio.sleep(3600)
        return made


def test_a_call_that_times_out_tells_what_was_under_way_beside_it(tmp_path: Path) -> None:
    stage = HangingStage(f"sqlite:///{tmp_path}/runs.db", tmp_path, timeout="0.5s")
    file = tmp_path / "acts.pipe"
    file.write_text(file.read_text(encoding="utf-8") + SIDE, encoding="utf-8")
    stage.loaded = pipelang.load(file)
    run = stage.submit("side")
    assert stage.do(stage.take(run))
    result = json.loads(stage.row(run)["outcome"])["result"]
    assert result["code"] == "effect_unknown"
    assert set(stage.performed) == {f"pay {run}/paid/{n}" for n in range(3)}
    first, also = result["text"].split("; also unknown: ")
    assert first.startswith(f"`pay` was called with the key `{run}/paid/1`: ")
    assert also == f"`pay` with the key `{run}/paid/2`"
    stage.store.close()


def test_who_lost_a_leg_writes_nothing_more(stage: Stage) -> None:
    run = stage.submit()
    old = stage.take(run)
    new = stage.take(run)
    assert not stage.do(old)
    assert stage.store.rows("SELECT * FROM pipelang_journal") == []
    with pytest.raises(Fenced):
        stage.legs.write(old, ChainHead(0), "s1/0@0", "done", "{}")
    assert stage.do(new)
    assert stage.row(run)["status"] == "answered"


def test_a_question_ends_the_leg_and_its_answer_begins_the_next(stage: Stage) -> None:
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    found = listing.run(stage.store, run)
    assert found["status"] == "waiting"
    assert found["waiting_for"]["kind"] == "person"
    assert found["waiting_for"]["name"] == "boss"
    due = datetime.fromisoformat(found["waiting_for"]["due"])
    assert 3500 < (due - datetime.now(UTC)).total_seconds() <= 3600
    assert found["cost"] == "0.00002"
    assert abs(stage.leg(run)["delay_until_epoch_ms"] / 1000 - due.timestamp()) < 1
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.decide(case.id, yes=True, by="ada"))
    assert stage.leg(run)["delay_until_epoch_ms"] == 0
    with pytest.raises(Refused, match="ada"):
        asyncio.run(stage.inbox.decide(case.id, yes=False, by="bob"))
    assert stage.do(stage.take(run))
    assert stage.row(run)["status"] == "answered"
    assert max(stage.performed.values()) == 1
    assert listing.run(stage.store, run)["attempts"] == 1


@pytest.mark.parametrize("slow", ["intent", "get", "add"])
def test_a_leg_ends_only_once_the_person_was_asked(
    stage: Stage, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that takes its time must not be taken for a person who does: the run would wait
    out its hour, and nobody would have been asked.
    """
    where, name = {
        "intent": (MortalLegs, "write"),
        "get": (StoredCases, "get"),
        "add": (StoredCases, "_add"),
    }[slow]
    work = getattr(where, name)

    def late(*given: Any) -> Any:
        if slow != "intent" or given[4] == "intent":
            time.sleep(doing.LOOK * (doing.STILL + 4))
        return work(*given)

    monkeypatch.setattr(where, name, late)
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    assert listing.run(stage.store, run)["waiting_for"]["name"] == "boss"
    assert [case.run_id for case in stage.inbox.cases()] == [run]


def test_a_slow_look_at_a_case_that_is_decided_is_no_wait(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision was there when the leg began, so nothing would wake the run again."""
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.decide(case.id, yes=True, by="ada"))
    token, get = stage.take(run), StoredCases.get

    def late(self: StoredCases, case_id: str) -> Case:
        time.sleep(doing.LOOK * (doing.STILL + 4))
        return get(self, case_id)

    monkeypatch.setattr(StoredCases, "get", late)
    assert stage.do(token)
    assert stage.row(run)["status"] == "answered"


def test_an_answer_that_comes_while_the_leg_ends_is_not_missed(stage: Stage) -> None:
    run = stage.submit("asks")
    token = stage.take(run)
    park = stage.legs.__class__.park

    def late(legs: object, *what: object) -> None:
        (case,) = stage.inbox.cases()
        asyncio.run(stage.inbox.decide(case.id, yes=True, by="ada"))
        park(legs, *what)  # type: ignore[arg-type]

    stage.legs.__class__.park = late  # type: ignore[assignment]
    try:
        assert stage.do(token)
    finally:
        stage.legs.__class__.park = park  # type: ignore[method-assign]
    assert stage.row(run)["status"] is None
    assert stage.leg(run)["delay_until_epoch_ms"] / 1000 <= stage.store.now()


def test_a_run_that_brings_its_workers_down_is_given_up_and_can_be_resumed(stage: Stage) -> None:
    run = stage.submit()
    for _ in range(MOST_BARREN):
        assert stage.row(run)["status"] is None
        assert not stage.do(stage.take(run), 1, "before")
    assert stage.do(stage.take(run))
    result = json.loads(stage.row(run)["outcome"])["result"]
    assert result["code"] == "crashed"
    upkeep.resume(stage.store, run)
    assert listing.run(stage.store, run)["status"] == "queued"
    assert stage.do(stage.take(run))
    assert stage.row(run)["status"] == "answered"
    with pytest.raises(NotPossible, match="answered"):
        upkeep.resume(stage.store, run)


def test_a_run_that_others_end_shows_what_it_cost(stage: Stage) -> None:
    """One that was cancelled before it waited showed $0, and one that was given up always."""
    whole = stage.submit()
    assert stage.do(stage.take(whole))
    rows, cost = stage.legs.written, Decimal(stage.row(whole)["cost"])
    told: list[Decimal] = []
    for at in range(1, rows):
        run = stage.submit()
        assert not stage.do(stage.take(run), at, "after")
        upkeep.cancel(stage.store, run)
        told.append(Decimal(stage.row(run)["cost"]))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (Decimal("0.00001"), cost)

    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    parked = stage.row(run)
    upkeep.cancel(stage.store, run)
    assert stage.row(run)["cost"] == parked["cost"] == "0.00002"
    upkeep.resume(stage.store, run)
    for _ in range(MOST_BARREN + 1):
        stage.legs.begin(stage.take(run))
    found = stage.row(run)
    assert json.loads(found["outcome"])["result"]["code"] == "crashed"
    assert found["cost"] == "0.00002"

    upkeep.resume(stage.store, run)
    with stage.store.transaction() as connection:
        connection.execute(sa.text("UPDATE pipelang_journal SET kind = 'intent', value = '{}'"))
    upkeep.cancel(stage.store, run)  # rows that somebody changed keep nobody from it
    assert stage.row(run)["cost"] == "0.00002"


def test_a_run_that_others_end_names_what_was_under_way(stage: Stage) -> None:
    whole = stage.submit()
    assert stage.do(stage.take(whole))
    rows, named = stage.legs.written, 0
    for at in range(1, rows):
        run = stage.submit()
        assert not stage.do(stage.take(run), at, "after")
        written = stage.store.rows(
            "SELECT place, kind FROM pipelang_journal WHERE run = :run ORDER BY number", run=run
        )
        places = {row["place"] for row in written}
        begun = [
            row["place"][:-1]
            for row in written
            if row["kind"] == "intent" and row["place"][:-1] not in places
        ]
        upkeep.cancel(stage.store, run)
        text = json.loads(stage.row(run)["outcome"])["result"]["text"]
        assert text.count(" with the key `") == len(begun)
        assert ("happened is unknown" in text) is bool(begun)
        if len(begun) == 1 and begun[0].startswith("first"):
            assert f"`pay` with the key `{run}/first/0` was under way" in text
            named += 1
        upkeep.resume(stage.store, run)
    assert named == 1

    run = stage.submit()
    assert not stage.do(stage.take(run), 3, "after")
    for _ in range(MOST_BARREN + 1):
        stage.legs.begin(stage.take(run))
    text = json.loads(stage.row(run)["outcome"])["result"]["text"]
    assert text.endswith(
        f"nothing new; `pay` with the key `{run}/first/0` was under way, "
        "and whether it happened is unknown"
    )
    with stage.store.transaction() as connection:  # as versions wrote it that told no key
        value = '{"ahead": {}, "told": 1}'
        connection.execute(
            sa.text("UPDATE pipelang_journal SET value = :v WHERE kind = 'intent'"), {"v": value}
        )
    upkeep.resume(stage.store, run)
    upkeep.cancel(stage.store, run)
    text = json.loads(stage.row(run)["outcome"])["result"]["text"]
    assert "`first/0@0` was under way" in text


def test_a_run_that_gets_on_is_not_given_up(stage: Stage) -> None:
    run = stage.submit()
    for _ in range(MOST_BARREN + 3):
        stage.do(stage.take(run), 2, "after")
        if stage.row(run)["status"] is not None:
            break
    found = stage.row(run)
    assert found["status"] != "failed" or "crashed" not in found["outcome"]


def test_a_cancelled_run_is_over_for_who_has_it(stage: Stage) -> None:
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    token = stage.take(run)
    upkeep.cancel(stage.store, run)
    assert not stage.do(token)
    found = listing.run(stage.store, run)
    assert (found["status"], found["result"]["code"]) == ("failed", "cancelled")
    assert stage.inbox.cases() == ()
    with pytest.raises(NotPossible, match="has ended"):
        upkeep.cancel(stage.store, run)
    with pytest.raises(UnknownRun):
        upkeep.cancel(stage.store, "nobody")


def test_a_paused_pipeline_begins_nothing(stage: Stage) -> None:
    upkeep.pause(stage.store, "acts")
    run = stage.submit()
    assert stage.do(stage.take(run))
    assert stage.performed == {}
    assert listing.run(stage.store, run)["status"] == "queued"
    assert upkeep.unpause(stage.store, "acts")
    assert stage.leg(run)["delay_until_epoch_ms"] == 0
    assert stage.do(stage.take(run))
    assert stage.row(run)["status"] == "answered"
    assert not upkeep.unpause(stage.store, "acts")


def test_what_was_switched_on_again_stops_no_run_that_begins_after_it(stage: Stage) -> None:
    """A worker looks every two seconds: what was submitted within them was killed for good."""
    mine, other = StoredSwitches(stage.store), StoredSwitches(stage.store)
    stage.runtime.switches = mine
    other.kill(tool="pay")
    mine.look()
    handles = {
        queue_of(stage.loaded.hash, "acts"): stage.loaded.pipeline("acts", runtime=stage.runtime)
    }
    runs = []
    for off in (True, False):
        if not off:
            other.revive(tool="pay")
        runs.append(stage.submit())
        work = LegWork(Legs(stage.store), handles, switches=mine)
        asyncio.run(work.do(stage.take(runs[-1])))
    found = [listing.run(stage.store, run)["status"] for run in runs]
    assert found == ["failed", "answered"]


def test_a_run_of_which_nothing_was_recorded_for_long_is_stuck(stage: Stage) -> None:
    run, waits, done = stage.submit(), stage.submit("asks"), stage.submit()
    assert stage.do(stage.take(waits))
    assert stage.do(stage.take(done))
    assert not stage.do(stage.take(run), 4, "after")
    assert listing.stuck(stage.store) == []
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE pipelang_runs SET started = started - 700")
        connection.exec_driver_sql("UPDATE pipelang_journal SET written = written - 590")
    assert listing.stuck(stage.store) == []
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE pipelang_journal SET written = written - 20")
    assert [one["id"] for one in listing.stuck(stage.store)] == [run]
    assert stage.do(stage.take(run))
    assert listing.stuck(stage.store) == []


def test_a_key_is_one_run_for_each_tenant(stage: Stage) -> None:
    run = stage.submit(key="k")
    assert stage.submit(key="k") == run
    assert stage.submit(key="k", tenant="t") != run
    assert stage.submit("asks", key="k") != run
    assert stage.submit() != stage.submit()
    with pytest.raises(KeyConflict):
        stage.submit(key="k", input={"x": "y"})
    assert len(stage.store.rows("SELECT * FROM pipelang_runs")) == 5


def test_what_ended_long_ago_is_pruned_whole(stage: Stage) -> None:
    old, open_ = stage.submit(), stage.submit("asks")
    for run in (old, open_):
        assert stage.do(stage.take(run))
    assert upkeep.prune(stage.store, 3600) == 0
    assert upkeep.prune(stage.store, -1) == 1
    for table in ("pipelang_runs", "pipelang_journal", "pipelang_cases"):
        left = {row["run"] for row in stage.store.rows(f"SELECT run FROM {table}")}
        assert left == {open_}
    legs = stage.store.rows(f"SELECT workflow_uuid AS id FROM {stage.store.legs.table}")
    assert {row["id"].partition(":")[0] for row in legs} == {open_}


def test_a_delayed_run_says_until_when(stage: Stage) -> None:
    run = stage.submit(delay=600.0)
    found = listing.run(stage.store, run)
    assert (found["status"], found["waiting_for"]["kind"]) == ("delayed", "time")
    assert stage.leg(run)["status"] == "DELAYED"


def test_a_wait_that_is_over_is_none_before_a_worker_looks(stage: Stage) -> None:
    """Without a worker that looks, nobody is said to be waited for who has answered."""
    asks, due = stage.submit("asks"), stage.submit(delay=0.5)
    assert stage.do(stage.take(asks))
    assert open_counts(stage.store)["asks"] == RunCounts(waiting=1)
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.decide(case.id, yes=True, by="ada"))
    time.sleep(0.6)
    for run in (asks, due):
        assert stage.leg(run)["status"] == "DELAYED"
        found = listing.run(stage.store, run)
        assert (found["status"], found["waiting_for"]["kind"]) == ("queued", "worker")
    assert open_counts(stage.store)["asks"] == RunCounts(queued=1)
    page, _ = run_page(stage.store, RunQuery(status="queued"))
    assert {one["id"] for one in page} == {asks, due}
