"""Workers are killed with SIGKILL: no run is lost, and no effect is performed twice."""

from __future__ import annotations

import random
import time

from .harness import Harness


def test_workers_that_are_killed_while_they_work(harness: Harness) -> None:
    """Two workers; one after another is killed at a random moment, and replaced."""
    luck = random.Random(22)
    runs = harness.submit(20)
    two = [harness.worker(), harness.worker()]
    for _ in range(2):
        count = harness.open_runs()
        end = time.monotonic() + 20
        while harness.open_runs() == count and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(luck.random() * 0.5)
        harness.kill(two.pop(0))
        two.append(harness.worker())
    ended = harness.wait(runs, 90)
    assert harness.problems(ended) == []
    assert harness.kills == 2


def test_workers_that_die_at_their_rows(harness: Harness) -> None:
    """Each dies before or after a row that it writes; the last one lives."""
    runs = harness.submit(4)
    for at, side in ((3, "before"), (7, "after"), (12, "before")):
        harness.worker(at, side).wait(60)
    harness.worker()
    ended = harness.wait(runs, 60)
    assert harness.problems(ended) == []
