"""Work that a step of a long pipeline takes, in calls of functions: what is done once for a
structure is not done once for a step.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.sources import Instruction, as_pipe, series_parallel, with_own_rates
from pipelang.analysis.frontier import recorder
from pipelang.analysis.latency.worst_cost import worst_run
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.sweep import transitions
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.walk import _KNOWN, all_items, contents
from tests.memory import MemoryLoader
from tests.work import calls

Write = Callable[[list[Instruction]], str]


def built(text: str) -> p.Program:
    found = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert found.program is not None, found.diagnostics
    return found.program


@pytest.mark.parametrize(("write", "most"), [(as_pipe, 85), (with_own_rates, 145)])
def test_a_step_of_a_long_pipeline_takes_few_calls(write: Write, most: int) -> None:
    """As it was: 550 calls where rates are shared, then 240, 147, 128; 650, then 350, 219, 175
    where each has its own.
    """

    def work(steps: int) -> int:
        program = built(write(series_parallel(steps)))
        analyse(program, program.pipelines["main"])  # what is compiled once
        return calls(lambda: analyse(program, program.pipelines["main"]))

    small, large = work(1_000), work(2_000)
    assert large - small <= most * 1_000, (large - small) / 1_000


@pytest.mark.parametrize("write", [as_pipe, with_own_rates])
def test_an_analysis_leaves_no_circles(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """What refers to itself is kept until garbage is looked for: that took a fifth of the time."""
    # What other tests left here would be thrown away in the middle, once it is too much.
    monkeypatch.setattr(recorder, "LAYOUTS", {})
    program = built(write(series_parallel(600)))
    analyse(program, program.pipelines["main"])  # what is compiled once
    gc.collect()
    gc.disable()
    left = []
    try:
        for _ in range(3):  # what other tests left may fall apart in the middle of one
            analyse(program, program.pipelines["main"])
            gc.disable()
            left.append(gc.collect())
            if left[-1] < 100:
                break
        assert min(left) < 100, left
    finally:
        gc.enable()


def test_a_move_is_worked_out_for_what_its_item_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """States that differ in nothing else fare alike, and there are three times as many."""
    found = {"states": 0, "effects": 0}
    worked_out, effect = transitions._worked_out, transitions._effect

    def counted_move(walk: Any, table: Any, *rest: Any) -> Any:
        found["states"] += len(table)
        return worked_out(walk, table, *rest)

    def counted_effect(*given: Any) -> Any:
        found["effects"] += 1
        return effect(*given)

    monkeypatch.setattr(recorder, "LAYOUTS", {})
    monkeypatch.setattr(transitions, "_worked_out", counted_move)
    monkeypatch.setattr(transitions, "_effect", counted_effect)
    program = built(as_pipe(series_parallel(1_000)))
    analyse(program, program.pipelines["main"])
    assert 0 < 3 * found["effects"] <= found["states"]


TOOLS = """
tool first(x: int) -> int { python "m:f" effect read succeeds 90% accuracy 90% cost $0.01 }
tool other(x: int) -> int { python "m:f" effect read succeeds 90% accuracy 90% cost $0.02 }
pipeline main(x: int) -> int {
  step a = call first(x) { retry 2 }
  step b = call first(a) { retry 2 } else call other(a)
  step c = call other(b) else 0
  step d = call first(c)
  return d
}
"""


def test_attempts_on_the_dearest_way_have_their_steps() -> None:
    """Chains that are alike are worked out once, and told of each step that has one."""
    program = built(TOOLS)
    parameters = point_parameters(program)
    worst = worst_run(make_model(program, program.pipelines["main"], parameters))
    told = [(one.step, one.cost, times) for one, times in worst.attempts]
    assert told == [("a", 0.01, 3), ("b", 0.01, 3), ("b", 0.02, 1), ("c", 0.02, 1), ("d", 0.01, 1)]
    assert worst.path == (("a", 3), ("b", 4), ("c", 1), ("d", 1))
    assert worst.cost == pytest.approx(0.11, abs=1e-12)


def test_what_is_in_a_block_is_gone_through_once_and_forgotten_with_it() -> None:
    program = built(TOOLS)
    block = program.pipelines["main"].block
    assert contents(block) is contents(block)
    assert [*all_items(block)] == [*block.items]
    key = id(block)
    assert key in _KNOWN
    del block, program
    assert key not in _KNOWN
