"""Cost and time off a walk that wrote distributions down."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.frontier.meter import Measure
from pipelang.analysis.latency import figures
from pipelang.analysis.latency.figures import SpendingFigures, spent
from pipelang.analysis.latency.quantiles import SHARES, coarse_scales, quantile
from pipelang.analysis.latency.worst_time import longest_run
from pipelang.analysis.latency.written import Lattices, WrittenWalk, written
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.interfaces.check.check import check_file

WORLD = """
provider p { available 100% }
tier t { provider p transient FAILS price $0 in, $10 out LATENCY }
role r { accuracy 95% responds 10m median, 1h p95 }
prompt q(x: text max 100 tokens) \"\"\"hi {{ x }}\"\"\"
pipeline f(x: text max 100 tokens) -> text {
"""
ASKS = """  step {name}: text = ask q({of}) by t {{
    accuracy 90% timeout 2s output 100 tokens mean, 100 tokens max
  }} else escalate to r
"""


LATENCY = "latency 500ms median, 2s p95"


def model_of(folder: Path, items: str, fails: str = "0%", latency: str = LATENCY) -> PipelineModel:
    path = folder / "a.pipe"
    world = WORLD.replace("FAILS", fails).replace("LATENCY", latency)
    path.write_text(world + items + "}\n", encoding="utf-8")
    checked = check_file(str(path))
    assert checked.program is not None, [found.message for found in checked.diagnostics]
    program = checked.program
    return make_model(program, program.pipelines["f"], point_parameters(program))


def figures_of(model: PipelineModel) -> SpendingFigures:
    found = spent(model, None, 1)
    assert found is not None
    return found


def chain(name: str, count: int) -> str:
    names = ["x", *(f"{name}{number}" for number in range(count))]
    return "".join(ASKS.format(name=one, of=former) for former, one in pairwise(names))


@pytest.mark.parametrize("fails", ["0%", "3 of 3000"], ids=["sure", "counted"])
def test_what_shares_lack_for_ever_is_not_waited_for(tmp_path: Path, fails: str) -> None:
    """Two chains of 14 attempts side by side, each cut off at 2 s: what rounding leaves of their
    shares was taken for a run that goes on to the end of the longest lattice.
    """
    one = figures_of(model_of(tmp_path, chain("a", 14) + "  return a13\n", fails))
    model = model_of(tmp_path, chain("a", 14) + chain("b", 14) + "  return a13\n", fails)
    two = figures_of(model).ranges["latency.mean"]
    alone = one.ranges["latency.mean"].value
    assert alone is not None
    assert two.value is not None
    assert alone < two.value < alone * 1.2
    assert two.high < alone * 1.3
    longest = longest_run(model, people=False)
    assert longest is not None
    assert two.high < longest


def test_a_step_side_by_side_counts_as_often_as_it_is_reached(tmp_path: Path) -> None:
    """However many states there are where parts of a run begin."""
    model = model_of(
        tmp_path,
        ASKS.format(name="first", of="x")
        + '  gate good: first != "" { catches 50% false_alarms 10% } else escalate to r\n'
        + "".join(ASKS.format(name=name, of="first") for name in "abc")
        + "  return c\n",
        "10%",
    )
    found = figures_of(model).times["latency"]
    once = found["first"]
    reached = 0.9 * (0.9 * 0.9 + 0.1 * 0.5)
    for name in "abc":
        assert found[name] == pytest.approx(once * reached)


def test_only_the_lattices_that_a_quantile_may_lie_on_are_worked_out(tmp_path: Path) -> None:
    items = chain("a", 3) + "  approve yes by r within 1h else reject\n  return a2\n"
    model = model_of(tmp_path, items, "10%")
    walk = written(model, Parameters(model.parameters.evidence, model.parameters.unknown), False)
    for measure in (Measure.COST, Measure.LATENCY_MOST, Measure.TURNAROUND_MOST):
        taken = walk.coarse((measure,)).taken[measure]
        assert isinstance(taken.lattices, Lattices)
        looked_at = len(taken.lattices.known)
        assert looked_at <= 5 < len(coarse_scales((measure,)))
        for name, share in SHARES.items():
            assert taken.quantiles[name] == (quantile(taken.lattices.rows(), share),)


def test_one_walk_finds_what_is_declared_and_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = []

    def walking(*given: Any, **more: Any) -> WrittenWalk:
        walks.append(given)
        return written(*given, **more)

    model = model_of(tmp_path, chain("a", 2) + "  return a1\n", latency="")
    monkeypatch.setattr(figures, "written", walking)
    found = figures_of(model).ranges
    assert len(walks) == 1
    assert found["latency.p50"].low == 0.0
    assert found["latency.p50"].high == pytest.approx(4.0)
    assert found["latency.p50"].value is None
    assert found["cost.p50"].value == pytest.approx(0.002)
