"""What runs beside a step that ends the run: looked at once a region, not once a step of it."""

from __future__ import annotations

from pipelang.analysis.budgets.cuts import possible_cuts
from pipelang.analysis.budgets.limits import is_serial, spend_limits
from pipelang.analysis.budgets.sheets import Sheet, SheetColumns
from pipelang.analysis.budgets.spending import SpendingMeter
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import grows_no_faster_than

HEAD = """
tool one(a: int) -> int { effect read succeeds 99% accuracy 99% cost $0.01 }
role desk { people 2 handles 3m }
pipeline main(x: int) -> int {
  budget $0.03 else escalate to desk
"""


def asked(steps: int, beside: bool) -> tuple[PipelineModel, SpendingMeter]:
    """A chain of calls that each may end the run, perhaps with one call beside them all."""
    lines = [HEAD, "  step s0 = call one(x) else escalate to desk\n"]
    lines += [f"  step s{n} = call one(s{n - 1}) else escalate to desk\n" for n in range(1, steps)]
    lines += ["  step aside = call one(x) else escalate to desk\n"] * beside
    found = build("m.pipe", MemoryLoader({"m.pipe": "".join([*lines, "  return s0\n}\n"])}))
    program = found.program
    assert program is not None, found.diagnostics
    pipeline = program.pipelines["main"]
    model = make_model(program, pipeline, point_parameters(program))
    limits = spend_limits(program, possible_cuts(model))
    return model, SpendingMeter(SheetColumns(limits, is_serial([pipeline])))


def sheets(model: PipelineModel, meter: SpendingMeter) -> list[object]:
    block = model.pipeline.block
    return [meter.beside(model, block, index) for index in range(len(block.items) - 1)]


def test_what_waits_for_a_step_is_not_beside_it() -> None:
    assert sheets(*asked(6, beside=False)) == [1.0] * 6
    *chain, last = sheets(*asked(6, beside=True))
    assert last == 1.0
    for one in chain:
        assert isinstance(one, Sheet)
        (((least, most, needs), _),) = one.entries
        assert (least, needs) == (0, 0)
        assert most > 0


def test_a_region_is_looked_at_once() -> None:
    def work(steps: int) -> None:
        sheets(*made[steps])

    made = {steps: asked(steps, beside=True) for steps in (41, 40, 160)}
    grows_no_faster_than(1.6, work, 40, 4)
