"""Redos of many gates: a state each of all combinations of their counters, within the limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.model.bernstein_bounds import GRID_LIMIT, Axis, Grid
from pipelang.analysis.model.work_limit import WorkPart, time_limit
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import calls

HEAD = """
role team { }
tool one(x: int) -> int { python "m:f" effect read succeeds 99% accuracy 90% }
"""


def analysed(text: str, pipeline: str = "main") -> Analysis:
    built = build("m.pipe", MemoryLoader({"m.pipe": HEAD + text}))
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines[pipeline])


def all_redo_the_first(size: int, known: str = "{ catches 50% false_alarms 5% }") -> str:
    gates = "\n".join(
        f"  gate g{number}: s > {number} {known} else redo s up to 1 else escalate to team"
        for number in range(size)
    )
    step = "step s = call one(x) { correlation 20% }"
    return f"pipeline main(x: int) -> int {{\n  {step}\n{gates}\n  return s\n}}\n"


def each_redoes_the_first(size: int) -> str:
    lines, before = [], "x"
    for number in range(size):
        lines.append(f"  step s{number} = call one({before}) {{ correlation 20% }}")
        before = f"s{number}"
        gate = f"gate g{number}: {before} > 3 {{ catches 50% false_alarms 5% }}"
        lines.append(f"  {gate} else redo s0 up to 1 else escalate to team")
    body = "\n".join(lines)
    return f"pipeline main(x: int) -> int {{\n{body}\n  return {before}\n}}\n"


@pytest.mark.parametrize("shape", [all_redo_the_first, each_redoes_the_first])
def test_what_redos_unroll_counts(shape: Callable[[int], str]) -> None:
    """With 25 gates a check was not done after 150 s; a state more doubled the work."""
    with time_limit(0.5):
        analysed(shape(2))
        small = calls(lambda: analysed(shape(12)))
        large = calls(lambda: analysed(shape(24)))
        found = analysed(shape(24))
    assert large < 4 * small, (small, large)
    assert any(one.part is WorkPart.STATES for one in found.reached)


@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.08])
@pytest.mark.parametrize("text", [all_redo_the_first(7), each_redoes_the_first(5)])
def test_bounds_hold_whatever_was_not_redone(text: str, seconds: float) -> None:
    exact = analysed(text).numbers
    with time_limit(seconds):
        bounded = analysed(text).numbers
    for name in ("success", "silent_error", "escalation", "failure"):
        value, number = exact[name].value, bounded[name]
        assert value is not None
        assert exact[name].tight
        assert number.low is not None
        assert number.high is not None
        assert number.low - 1e-12 <= value <= number.high + 1e-12, name
    assert bounded["success"].low != bounded["success"].high


def test_gates_of_which_nobody_said_anything() -> None:
    """Nor is a sweep over ranges, or over degrees, anything but bounds where it is too large."""
    with time_limit(0.2):
        found = analysed(all_redo_the_first(16, ""))
    number = found.numbers["success"]
    assert number.low is not None
    assert number.high is not None
    assert 0 <= number.low <= number.high <= 1


def nested(levels: int) -> str:
    parts = ["pipeline p0(x: int) -> int { step a = call one(x) return a }\n"]
    for level in range(1, levels + 1):
        inner = f"step a = run p{level - 1}(x) step b = run p{level - 1}(x)"
        gate = "gate g: a == b else escalate to team"
        parts.append(f"pipeline p{level}(x: int) -> int {{ {inner} {gate} return b }}\n")
    return "".join(parts)


def test_what_comes_less_often_than_a_float_can_say() -> None:
    """Of 13 levels the outermost gate is reached so seldom that the point never got there: what
    nobody declared of it was a KeyError. Degrees of thousands were an OverflowError.
    """
    for levels in (12, 15):
        number = analysed(nested(levels), f"p{levels}").numbers["success"]
        assert number.low is not None
        assert number.high is not None
        assert 0 <= number.low <= number.high <= 1


def test_degrees_that_no_grid_holds() -> None:
    assert Grid((Axis("a"),), (200,)).size == 201
    assert Grid((Axis("a"),), (5_000,)).size > GRID_LIMIT
