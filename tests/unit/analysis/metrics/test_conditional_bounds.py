"""Objectives under a condition, where something is undeclared: the bounds decide."""

from __future__ import annotations

import pytest

from pipelang.analysis.metrics.analyse import analyse
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

TEXT = """role help {{ }}
tool one(a: int) -> int {{ python "m:f" effect read succeeds 99% accuracy 97% }}
tool two(a: int) -> int {{ python "m:f" effect read succeeds 99% accuracy {two} }}
pipeline main(x: int, fast: bool) -> int {{
  traffic {{ fast: 30% }}
  slo {{ {promise} }}
  when fast {{
    step s = call one(x)
    gate g: s > 2 {{ false_alarms 20% }} else escalate to help
    return s
  }} else {{
    step t = call two(x)
    return t
  }}
}}
"""


@pytest.mark.parametrize("two", ["90%", "90 of 100"])
@pytest.mark.parametrize(
    ("promise", "holds"),
    [
        ("success >= 90% when fast", False),
        ("success >= 60% when fast", True),
        ("escalation <= 20% when fast", None),
        ("escalation <= 25% when fast", True),
        ("silent_error <= 2% when fast", None),
        ("availability >= 98% when fast", True),
        ("availability >= 98% when not fast", True),
        ("escalation <= 0% when not fast", True),
    ],
)
def test_the_bounds_decide(promise: str, holds: bool | None, two: str) -> None:
    built = build("m.pipe", MemoryLoader({"m.pipe": TEXT.format(promise=promise, two=two)}))
    assert built.program is not None, built.diagnostics
    (found,) = analyse(built.program, built.program.pipelines["main"]).slo
    assert found.holds is holds


def test_the_bounds_are_those_of_the_branch() -> None:
    text = TEXT.format(promise="escalation <= 21% when fast", two="90%")
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None
    (found,) = analyse(built.program, built.program.pipelines["main"]).slo
    assert found.number is not None
    assert found.number.low == pytest.approx(0.99 * 0.97 * 0.2)
    assert found.number.high == pytest.approx(0.99 * (0.97 * 0.2 + 0.03))


SLOW = """tool one(a: int) -> int { python "m:f" effect read timeout 5s succeeds 99% }
tool two(a: int) -> int { python "m:f" effect read timeout 9s }
pipeline main(x: int, fast: bool) -> int {
  traffic { fast: PART }
  slo { PROMISE }
  step s = call one(x)
  step t = call two(s)
  return t
}
"""


@pytest.mark.parametrize(
    ("promise", "part", "holds"),
    [
        ("latency.p95 <= 20s when fast", "30%", True),
        ("latency.mean < 14s when fast", "30%", None),
        ("latency.mean < 14001ms when fast", "30%", True),
        ("latency.p95 >= 20s when fast", "30%", False),
        ("latency.p95 >= 3s when fast", "30%", None),
        ("tokens.mean <= 1 tokens when fast", "30%", True),
        ("latency.p95 <= 20s when fast", "0%", None),
    ],
)
def test_the_worst_run_bounds_amounts(promise: str, part: str, holds: bool | None) -> None:
    text = SLOW.replace("PROMISE", promise).replace("PART", part)
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    (found,) = analyse(built.program, built.program.pipelines["main"]).slo
    assert found.holds is holds
