"""Workers are killed with SIGKILL: no run is lost, and no effect is performed twice."""

from __future__ import annotations

import random
import signal
import time

import pytest

from pipelang.runtime.durable import listing

from .harness import Harness, until


def test_workers_that_are_killed_while_they_work(harness: Harness) -> None:
    """Two workers; one is killed at a random moment and replaced."""
    luck = random.Random(22)
    runs = harness.submit(12)
    two = [harness.worker(), harness.worker()]
    until(lambda: harness.effects.exists(), 60)
    time.sleep(luck.random() * 0.5)
    harness.kill(two.pop())
    two.append(harness.worker())
    ended = harness.wait(runs, 90)
    assert harness.problems(ended) == []
    assert harness.kills == 1


def test_a_worker_that_dies_at_a_row(harness: Harness) -> None:
    """One dies at a row; all rows are gone through in `tests/unit/runtime/durable/test_legs.py`."""
    runs = harness.submit(4)
    harness.worker(7, "before").wait(60)
    harness.worker()
    ended = harness.wait(runs, 60)
    assert harness.problems(ended) == []


def test_a_worker_that_was_stopped_past_its_lease_is_fenced(harness: Harness) -> None:
    """It goes on when others have its runs, and performs nothing that they have performed."""
    harness.slow = 0.5
    runs = harness.submit(6)
    old = harness.worker()
    until(lambda: harness.effects.exists(), 60)
    old.send_signal(signal.SIGSTOP)
    new = harness.worker()
    try:
        until(lambda: "takes over" in harness.said(), 30)
    except AssertionError:
        # Stopped within a transaction it holds SQLite's only lock, and nobody goes on before it.
        if not harness.url.startswith("sqlite"):
            raise
    old.send_signal(signal.SIGCONT)
    ended = harness.wait(runs, 90)
    assert harness.problems(ended) == []
    assert (old.poll(), new.poll()) == (None, None)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_worker_that_is_asked_to_stop_finishes_what_it_began(harness: Harness) -> None:
    harness.slow = 0.3
    runs = harness.submit(4)
    waits = harness.submit(1, "asks")
    old = harness.worker()
    until(lambda: harness.effects.exists(), 60)
    old.send_signal(signal.SIGTERM)
    assert old.wait(60) == 0
    states = {one["id"]: one for one in listing.runs(harness.store, [*runs, *waits])}
    assert "running" not in {one["status"] for one in states.values()}
    new = harness.worker(0, "after", "--drain")
    ended = harness.wait(runs, 60)
    assert new.wait(60) == 0
    assert harness.problems(ended) == []
    assert {one["status"] for one in ended} == {"answered"}
    assert listing.run(harness.store, waits[0])["status"] == "waiting"
