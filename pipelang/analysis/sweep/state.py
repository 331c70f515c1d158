"""The state of a sweep in progress, and the operations that all of its parts share."""

from __future__ import annotations

from collections.abc import Callable

from pipelang.analysis.frontier.table import Table, forget, summed
from pipelang.analysis.frontier.totals import Totals, record
from pipelang.analysis.kernels.chains import StepKernel
from pipelang.analysis.kernels.conditions import EvaluationPlan
from pipelang.analysis.kernels.prepared_step import prepare, prepared_step
from pipelang.analysis.kernels.subpipelines import SweepChild
from pipelang.analysis.model.model import EFFECT, PipelineModel
from pipelang.analysis.sweep.branching import by_rightness
from pipelang.analysis.sweep.liveness import Needed, Taint
from pipelang.analysis.sweep.pruning import narrowed
from pipelang.analysis.sweep.redos import Passage
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.walk import inner_links

Watch = Callable[[Passage, Totals], Passage]
"""Wraps the operations at the parts of a block; the totals are those of the runs that ended
so far.
"""


@dataclass(slots=True)
class Sweep:
    """A sweep in progress. `again`: it is part of a caller's redo. `sweep_child` sweeps a
    sub-pipeline.
    """

    model: PipelineModel
    totals: Totals
    sweep_child: SweepChild
    again: bool = False
    kernels: dict[tuple[int, Taint], StepKernel] = field(default_factory=dict)
    plans: dict[int, EvaluationPlan] = field(default_factory=dict)
    watch: Watch | None = None

    def kernel(self, step: p.Step, taint: Taint) -> StepKernel:
        """The kernel of a step under some conditions."""
        known = self.kernels.get((id(step), taint))
        if known is None:
            model = self.model
            if model.parameters.inputs is not None:
                owner = (model.pipeline.name, step.name)
                parameters = model.parameters.of_step(owner, accuracy_sites(step))
                model = replace(model, parameters=parameters, prepared={})
                known = StepKernel(prepare(model, step, taint), self.sweep_child)
            else:
                known = StepKernel(prepared_step(model, step, taint), self.sweep_child)
            self.kernels[id(step), taint] = known
        return known

    def scratch(self, totals: Totals) -> Sweep:
        """The same sweep, adding up elsewhere."""
        return replace(self, totals=totals)


def accuracy_sites(step: p.Step) -> frozenset[str]:
    """Return the sites of the accuracies of a step's links."""
    sites: set[str] = set()
    for link in inner_links(step.chain):
        sites.add(link.accuracy.site)
        sites.update(chance.site for chance in link.accuracy_by_tier.values())
    return frozenset(sites)


@dataclass(slots=True)
class BlockSweep:
    """A block being swept, under the conditions `taint`."""

    sweep: Sweep
    block: p.Block
    taint: Taint
    needed: Needed

    def let_go(self, index: int, table: Table) -> Table:
        """Sum out what nothing reads after this item."""
        table = forget(table, lambda key: self.needed.keeps(key, index))
        return narrowed(self.sweep.model, self.needed, index, table)


def end(walk: BlockSweep, table: Table, outcome: p.Outcome) -> None:
    """All states of a table end the run with an outcome."""
    model, totals = walk.sweep.model, walk.sweep.totals
    for all_right, part in by_rightness(model, outcome, table, walk.taint).items():
        for (done_wrongly,), weight in summed(part, (EFFECT,)).items():
            record(totals, outcome, all_right, done_wrongly, weight)
        if part.recorder is not None and part.recorder.records:
            at = part.index(EFFECT)
            endings = [
                (number, (outcome, all_right, at is not None and bool(state[at])))
                for number, state in enumerate(part.layout.states)
            ]
            part.recorder.ended(part, endings)
