"""Stretches of a very long row of moves, worked out beside one another, give what the row does."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.sources import Instruction, as_pipe, series_parallel, with_own_rates
from pipelang.analysis.arithmetic import formula, stretches, terms
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

BRANCHES = """
tool look(x: int) -> int { python "m:f" effect read succeeds 97% accuracy 96% cost $0.01 }
tool find(x: int, y: int) -> int { python "m:f" effect read succeeds 98% accuracy 99% cost $0.03 }
tool tell(x: int) -> int { python "m:f" effect write succeeds 98% accuracy 95% cost $0.02 }
role desk { }
pipeline main(x: int) -> int {
  traffic { x > 0: 30% }
STEPS
  return a200
}
"""


def with_branches() -> str:
    """Steps that others read much later, that tell somebody, and ones in branches."""
    lines = ["  step a0 = call look(x)", "  step b0 = call look(x)"]
    for number in range(1, 201):
        lines.append(f"  step a{number} = call look(a{number - 1})")
        if number % 20 == 0:
            lines.append(f"  step b{number // 20} = call find(a{number}, b{number // 20 - 1})")
        if number % 30 == 0:
            lines.append(f"  gate g{number}: a{number} > 0 {{ catches 90% false_alarms 2% }}")
            lines.append("    else escalate to desk")
        if number % 50 == 0:
            lines.append("  when x > 0 {")
            lines.append(f"    step c{number} = call tell(a{number})")
            lines.append(f"    step d{number} = call tell(c{number}) else escalate to desk")
            lines.append("  }")
    return BRANCHES.replace("STEPS", "\n".join(lines))


def built(text: str) -> p.Program:
    found = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert found.program is not None, found.diagnostics
    return found.program


def figures(found: Analysis) -> list[Any]:
    """All that a long analysis reads off its formula."""
    groups = (found.numbers, found.escalations, found.asked)
    numbers = [number for group in groups for number in group.values()]
    parts = [part for number in numbers for part in number[:4]]
    for row in found.steps:
        parts += [row.own, *(number.value for number in row[2:])]
    return [*map(hash, [*found.escalations]), *(part or 0.0 for part in parts)]


@pytest.mark.parametrize(
    "write", [as_pipe, with_own_rates, lambda graph: with_branches()], ids=["shared", "own", "when"]
)
@pytest.mark.parametrize("in_a_row", [8_000, 61])
def test_stretches_give_what_the_row_gives(
    write: Callable[[list[Instruction]], str], in_a_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = built(write(series_parallel(700, seed=3)))
    pipeline = program.pipelines["main"]
    analyse(program, pipeline)  # what is compiled once, so that rows are long
    plain = figures(analyse(program, pipeline))
    rows: list[int] = []
    worked_out = stretches.Stretches.worked_out

    def counted(self: Any, *given: Any) -> Any:
        rows.append(len(self.places))
        return worked_out(self, *given)

    monkeypatch.setattr(formula, "VERY_LONG", 100)
    monkeypatch.setattr(formula, "LONG", 10)
    monkeypatch.setattr(terms, "MOST_IN_A_ROW", in_a_row)
    monkeypatch.setattr(stretches.Stretches, "worked_out", counted)
    beside = figures(analyse(program, pipeline))
    assert beside == pytest.approx(plain, rel=1e-12, abs=1e-12)
    assert sum(rows) > len(pipeline.block.items) / 2
    assert max(rows) <= in_a_row


def test_stretches_leave_no_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an analysis leaves none: looking through one of 100,000 steps took 0.3 s."""
    program = built(as_pipe(series_parallel(700)))
    pipeline = program.pipelines["main"]
    monkeypatch.setattr(formula, "VERY_LONG", 100)
    monkeypatch.setattr(formula, "LONG", 10)
    analyse(program, pipeline)  # what is compiled once
    gc.collect()
    gc.disable()
    left = []
    try:
        for _ in range(3):  # what other tests left may fall apart in the middle of one
            analyse(program, pipeline)
            gc.disable()
            left.append(gc.collect())
        assert min(left) < 100, left
    finally:
        gc.enable()


def test_short_formulas_do_without() -> None:
    """Numpy would take longer to load than it saves."""
    program = built(as_pipe(series_parallel(300)))
    before = formula.VERY_LONG
    assert before > 10_000
    found = analyse(program, program.pipelines["main"])
    assert len(found.steps) >= 300
