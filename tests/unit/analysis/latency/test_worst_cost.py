"""The attempts on the way of the dearest run, against a walk that goes every way anew."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelang.analysis.latency.worst_cost import UNNAMED, Worst, WorstAttempt
from pipelang.records import replace

LEAVES = [WorstAttempt(UNNAMED, tier, float(n), n) for n, tier in enumerate(["s", "m", None], 1)]


def gone(way: Any, step: str = UNNAMED) -> Counter[WorstAttempt]:
    """What is on a way, gone as often as it says."""
    if isinstance(way, WorstAttempt):
        return Counter([replace(way, step=step)])
    if isinstance(way, list):
        return sum((gone(part, step) for part in way), Counter())
    inner, second = way
    if isinstance(second, str):
        return gone(inner, second)
    return sum((gone(inner, step) for _ in range(second)), Counter())


@st.composite
def ways(draw: Any) -> Any:
    """Ways that have parts in common, as pipelines have that are run from several places."""
    made: list[Any] = list(LEAVES)
    for _ in range(draw(st.integers(0, 7))):
        one = st.sampled_from(made)
        kind = draw(st.sampled_from(["list", "times", "step"]))
        if kind == "list":
            made.append([draw(one) for _ in range(draw(st.integers(1, 3)))])
        elif kind == "times":
            made.append((draw(one), draw(st.integers(1, 3))))
        else:
            made.append((draw(one), draw(st.sampled_from("abc"))))
    return made[-1]


@given(ways())
def test_attempts_are_counted_as_they_are_gone(way: Any) -> None:
    worst = Worst(0.0, 0, way)
    assert Counter(dict(worst.attempts)) == gone(way)
    steps: Counter[str] = Counter()
    for attempt, times in worst.attempts:
        steps[attempt.step] += times
    assert Counter(dict(worst.path)) == steps


def test_what_is_run_twice_by_what_is_run_twice_is_gone_through_once() -> None:
    way: Any = (LEAVES[0], "a")
    for _ in range(200):
        way = [way, way]
    ((attempt, times),) = Worst(0.0, 0, way).attempts
    assert (attempt.step, times) == ("a", 2**200)


def test_nothing_is_on_no_way() -> None:
    assert Worst(0.0, 0).attempts == ()
