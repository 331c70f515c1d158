"""Limits of runs at once by tenant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pipelang.runtime.durable import listing
from pipelang.runtime.durable.legs import Legs, LegToken, RunEnd
from pipelang.runtime.durable.shared.tenants import HELD

from .by_hand import Stage

DONE = RunEnd("rejected", {"result": {"reason": "x", "text": None}})


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    yield made
    made.store.close()


def test_a_run_whose_tenant_has_enough_at_work_is_put_back_until_one_ends(stage: Stage) -> None:
    legs = [Legs(stage.store, per_tenant=2) for _ in range(2)]
    mine = [stage.submit(tenant="a") for _ in range(4)]
    other = stage.submit()
    tokens = [stage.take(run) for run in mine]
    begun = [legs[n % 2].begin(token) for n, token in enumerate(tokens)]
    assert [one is not None for one in begun] == [True, True, False, False]
    assert legs[0].begin(stage.take(other)) is not None
    assert listing.run(stage.store, mine[2])["status"] == "queued"
    assert listing.run(stage.store, mine[2])["attempts"] == 0
    legs[0].end(tokens[0], DONE)
    # Which of the two is first is not said where both came in one moment.
    first, second = sorted(mine[2:], key=lambda run: stage.leg(run)["delay_until_epoch_ms"])
    assert stage.leg(first)["delay_until_epoch_ms"] == 0
    assert stage.leg(second)["delay_until_epoch_ms"] > 0
    again = legs[1].begin(stage.take(first))
    assert again is not None
    # One that waits for people has no place meanwhile.
    legs[1].park(again, None, {"kind": "person", "name": "boss", "due": None}, "0", 0)
    assert stage.leg(second)["delay_until_epoch_ms"] == 0
    assert legs[0].begin(stage.take(second)) is not None


def test_the_place_of_a_worker_that_died_is_free_once_its_run_is_taken_over(stage: Stage) -> None:
    legs = Legs(stage.store, per_tenant=1)
    first, second = stage.submit(tenant="a"), stage.submit(tenant="a")
    dead = stage.take(first)
    assert legs.begin(dead) is not None
    assert legs.begin(stage.take(second)) is None
    legs.release(dead)  # as the takeover does
    assert legs.begin(stage.take(second)) is not None
    assert legs.begin(stage.take(first)) is None


@pytest.mark.parametrize("seed", range(3))
def test_never_more_at_once_and_all_of_them_get_their_turn(stage: Stage, seed: int) -> None:
    luck, legs = Random(seed), [Legs(stage.store, per_tenant=2) for _ in range(3)]
    tenants = {stage.submit(tenant=name): name for name in ("a", "b", None) for _ in range(6)}
    working: list[LegToken] = []
    ready = list(tenants)
    put_back = 0
    for _ in range(400):
        if ready and luck.random() < 0.6:
            run = ready.pop(luck.randrange(len(ready)))
            token = stage.take(run)
            if luck.choice(legs).begin(token) is None:
                put_back += 1
            else:
                working.append(token)
        elif working:
            luck.choice(legs).end(working.pop(luck.randrange(len(working))), DONE)
        assert max(Counter(tenants[one.run] for one in working).values(), default=0) <= 2
        at_work = {one.run for one in working} | set(ready)
        woken = "status IS NULL AND paused = 0 AND leg > 1"
        rows = stage.store.rows(f"SELECT run FROM pipelang_runs WHERE {woken}")
        ready += [row["run"] for row in rows if row["run"] not in at_work]
        if not ready and not working:
            break
    assert put_back > 3
    left = stage.store.rows("SELECT run FROM pipelang_runs WHERE status IS NULL")
    assert left == [], f"{HELD} stays"
