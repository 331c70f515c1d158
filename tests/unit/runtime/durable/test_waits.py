"""Waits that end a leg count as they would in one process."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import pipelang
from pipelang.runtime.durable import listing
from pipelang.runtime.durable.store import Store

from .by_hand import Stage

PATIENT = """
pipeline patient(x: text) -> text {
  budget $1, 100s
  step a = call put(x) { retry 6 backoff 60s..60s } else fail "down"
  return a
}
pipeline around(x: text) -> text {
  step a = run patient(x) else "none"
  return a
}
pipeline beside(x: text) -> text {
  budget $1, 100s
  step a = call put(x) { retry 6 backoff 60s..60s } else fail "down"
  step b: text = ask q(x) by boss { timeout 2h } else "nobody"
  return b
}
pipeline both(x: text) -> text {
  budget $1, 100s
  step a: [text] max 2 = each y in ["a", "b"] {
    call put(y) { retry 6 backoff 60s..60s }
  } { need all } else fail "down"
  return x
}
prompt q(x: text) \"\"\"What of {{ x }}?\"\"\"
"""


class Longest(random.Random):
    """Draws of which every wait is the longest."""

    def uniform(self, a: float, b: float) -> float:
        return b


class PatientStage(Stage):
    """A stage whose `put` fails `down` times, and whose store's clock is `ahead`."""

    ahead = 0.0
    down = 99

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        file = folder / "acts.pipe"
        file.write_text(file.read_text(encoding="utf-8") + PATIENT, encoding="utf-8")
        self.loaded = pipelang.load(file)
        self.runtime.chance = Longest()

    async def _act(self, tool: str, x: str, key: str) -> str:
        made = await super()._act(tool, x, key)
        if self.performed[f"{tool} {key}"] <= self.down:
            raise ConnectionError("down")
        return made

    def wait(self, run: str) -> float:
        """Wait until the leg of a run is due: after how many seconds that was."""
        found = listing.run(self.store, run)
        assert found["status"] == "waiting", found
        with self.store.transaction() as connection:
            now = self.store.now_on(connection)
        seconds = self.leg(run)["delay_until_epoch_ms"] / 1000 - now
        self.ahead += seconds
        return float(seconds)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PatientStage]:
    made = PatientStage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    now_on = Store.now_on

    def later(store: Store, connection: sa.Connection) -> float:
        return now_on(store, connection) + made.ahead

    monkeypatch.setattr(Store, "now_on", later)
    yield made
    made.store.close()


def outcome(stage: PatientStage, run: str) -> Any:
    return listing.run(stage.store, run)["result"]


def test_a_wait_that_ends_the_leg_takes_time_of_the_budget(stage: PatientStage) -> None:
    """In one process it does: the same run ended by where its waits were."""
    run = stage.submit("patient")
    assert stage.do(stage.take(run))
    assert 59 < stage.wait(run) <= 60
    assert stage.do(stage.take(run))
    assert 38 < stage.wait(run) < 40, "no longer than there is time"
    assert stage.do(stage.take(run))
    assert outcome(stage, run)["code"] == "timeout"
    assert max(stage.performed.values()) == 2


def test_a_run_that_comes_late_to_its_wait_has_lost_no_more_than_that(stage: PatientStage) -> None:
    """No worker was there for a day: machine time is what the wait was, and not the day."""
    stage.down = 1
    for pipeline in ("patient", "around"):
        run = stage.submit(pipeline)
        assert stage.do(stage.take(run))
        stage.wait(run)
        stage.ahead += 86_400
        assert stage.do(stage.take(run))
        assert outcome(stage, run) == {"value": "put x"}


def test_a_child_whose_time_is_spent_in_waits_takes_its_else(stage: PatientStage) -> None:
    run = stage.submit("around")
    for _ in range(2):
        assert stage.do(stage.take(run))
        stage.wait(run)
    assert stage.do(stage.take(run))
    assert outcome(stage, run) == {"value": "none"}


def test_waiting_for_people_takes_no_time_beside_a_wait_that_does(stage: PatientStage) -> None:
    stage.down = 1
    run = stage.submit("beside")
    assert stage.do(stage.take(run))
    assert 59 < stage.wait(run) <= 60
    assert stage.do(stage.take(run))
    stage.ahead += 3000
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.answer(case.id, "yes", by="ada"))
    began = time.monotonic()
    assert stage.do(stage.take(run))
    assert time.monotonic() - began < 30
    assert outcome(stage, run) == {"value": "yes"}


def test_waits_side_by_side_take_their_time_once(stage: PatientStage) -> None:
    stage.down = 1
    run = stage.submit("both")
    assert stage.do(stage.take(run))
    assert 59 < stage.wait(run) <= 60
    assert stage.do(stage.take(run))
    assert outcome(stage, run) == {"value": "x"}
    assert set(stage.performed.values()) == {2}
