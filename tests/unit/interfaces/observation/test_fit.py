"""Whether runs behave as the model says: what is rejected where it does not hold, and is not where
it does.
"""

from __future__ import annotations

import random

from pipelang.analysis.model.intervals import Number, certain
from pipelang.interfaces.observation.fit import goodness_of_fit
from pipelang.interfaces.observation.observed_steps import failing_together
from pipelang.interfaces.observation.records import DAY, ObservedRun
from pipelang.interfaces.observation.step_tallies import StepTally, Tallies
from pipelang.semantics.chance import Basis

PREDICTED: dict[str, Number] = {
    "coverage": certain(0.75, Basis.ASSUMED),
    "escalation": certain(0.2, Basis.ASSUMED),
    "rejection": certain(0.0, Basis.ASSUMED),
    "failure": certain(0.05, Basis.ASSUMED),
}


def drawn(seed: int, shares: list[float], runs: int = 200, thread: int = 1) -> list[ObservedRun]:
    """Days of runs with these shares of escalations; `thread` runs in a row share their end."""
    source = random.Random(seed)
    found: list[ObservedRun] = []
    roll = 0.0
    for day, share in enumerate(shares):
        for number in range(runs):
            if number % thread == 0:
                roll = source.random()
            ends = "escalated" if roll < share else "failed" if roll > 0.95 else "answered"
            at = day * DAY + number
            story = None if thread == 1 else f"{day}-{number // thread}"
            found.append(ObservedRun(f"{day}-{number}", "p", "a", None, story, at, at + 1, ends))
    return found


def rejections(seeds: int, shares: list[float], thread: int = 1) -> tuple[int, int]:
    """How often outcomes and days are rejected."""
    outcomes = days = 0
    for seed in range(seeds):
        found = goodness_of_fit(drawn(seed, shares, thread=thread), PREDICTED, (), False)
        outcomes += any("predicted shares" in one for one in found.said)
        days += any("by days" in one for one in found.said)
    return outcomes, days


def test_what_holds_is_rejected_rarely() -> None:
    outcomes, days = rejections(60, [0.2] * 7)
    assert outcomes <= 4
    assert days <= 4


def test_other_shares_and_days_that_differ_are_rejected() -> None:
    assert rejections(10, [0.27] * 7)[0] == 10
    assert rejections(10, [0.12, 0.28] * 4)[1] == 10


def test_threads_are_no_reason_to_reject() -> None:
    """Ten runs of a thread end alike; counted one by one they would refute almost every model."""
    outcomes, days = rejections(40, [0.2] * 7, thread=10)
    assert outcomes <= 3
    assert days <= 3


def test_steps_that_fail_together_are_told_unless_hard_cases_are_declared() -> None:
    runs = {str(number) for number in range(100)}
    both = {str(number) for number in range(20)}
    tallies = Tallies(runs=1000)
    tallies.steps = {
        "a": StepTally("a", failed_in=both | {"x1", "x2"}),
        "b": StepTally("b", failed_in=both | {"y1"}),
        "c": StepTally("c", failed_in=runs - both),
    }
    together = failing_together(tallies, 1000)
    assert ("a", "b") in [(one, other) for one, other, _ in together]
    told = goodness_of_fit(drawn(1, [0.2]), PREDICTED, together, False).said
    assert any("`a` and `b` do not fail independently" in one for one in told)
    assert not goodness_of_fit(drawn(1, [0.2]), PREDICTED, together, True).said
