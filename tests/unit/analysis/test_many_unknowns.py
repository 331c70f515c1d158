"""Unknowns in any number: what no figure hangs on needs no dimension of an array."""

from __future__ import annotations

import numpy as np
import pytest

from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.model.bernstein_bounds import Axis, Grid
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

ROUTED = """
provider p { kind simulated available 99% }
tier t { provider p model "m" price $1 in, $5 out latency 1s median, 2s p95 transient 1% }
tier u { provider p model "n" price $3 in, $15 out latency 2s median, 4s p95 transient 1% }
role desk { accuracy 98% }
prompt ask_it(q: text max 9 tokens) \"\"\"{{ q }}\"\"\"
pipeline main(q: text max 9 tokens) -> bool {
  budget $1, 60m else escalate to desk
STEPS
  return true
}
"""
"""Steps whose route reads the budget, of which nobody says how often it is low."""

STEP = """step s{0}: bool = ask ask_it(q) by (if budget.remaining < $0.50 then t else u) {{
  accuracy t 90%, u 90% timeout 9s output 20 tokens mean, 200 tokens max }}"""


@pytest.mark.parametrize("size", [3, 70])
def test_routes_by_a_budget_are_as_many_as_one_likes(size: int) -> None:
    """Past 64 of them the analysis ended in an internal error."""
    text = ROUTED.replace("STEPS", "\n".join(map(STEP.format, range(size))))
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    found = analyse(built.program, built.program.pipelines["main"])
    assert found.numbers["success"].high is not None


def test_an_axis_of_one_point_changes_no_coefficient() -> None:
    axes = (Axis("a"), Axis("b"))
    few = Grid(axes, (2, 1))
    idle = [Axis(f"x{index}") for index in range(80)]
    many = Grid((*idle[:40], axes[0], *idle[40:], axes[1]), (*[0] * 40, 2, *[0] * 40, 1))
    figures = []
    for grid in (few, many):
        unknown, _ = grid.values()
        figures.append(unknown("a") ** 2 * unknown("b") - unknown("a"))
    assert np.array_equal(figures[0], figures[1])
    assert np.array_equal(few.coefficients(figures[0]), many.coefficients(figures[1]))
    assert few.enclose(figures[0]) == many.enclose(figures[1])
