"""Sensitivity to hard cases: the outcomes if what nobody declared were so.

Steps are taken as independent given what is declared. Where several answers decide together, that
is the largest thing taken for granted, so a report says what it could matter: one case in ten is
hard, and wrong answers of models are five times as likely there, with their overall rates as they
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.kernels.hard_cases import share_of
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.intervals import Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters, Supposition
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.metrics import OUTCOMES
from pipelang.semantics.walk import all_items, contents, inner_links

ONE_IN_TEN = Decimal("0.1")
FIVE_TIMES = 5


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The outcomes if a share of the cases were `hard`, and wrong answers so many times as likely
    there.
    """

    hard: float
    times: int
    outcomes: Mapping[str, Number]

    def as_json(self) -> dict[str, Any]:
        outcomes = {name: number.as_json() for name, number in self.outcomes.items()}
        return {"hard": self.hard, "times": self.times, "outcomes": outcomes}


def sensitivity(compiled: Compiled, model: PipelineModel, now: Totals) -> Sensitivity | None:
    """Return the outcomes under the supposition (`now`: without it); None where hard cases are
    declared, where no two answers decide together, or where something is unknown.
    """
    program, pipeline, point = compiled.program, compiled.pipeline, model.parameters
    if point.unknown_sites or point.left_out or share_of(model) is not None:
        return None
    if pipeline.traffic.hard is not None or not decided_together(program, pipeline):
        return None
    sites = frozenset(_sites(program, pipeline))
    if not sites:
        found = {name: certain(float(getattr(now, name)), Basis.ASSUMED) for name in OUTCOMES}
        return Sensitivity(float(ONE_IN_TEN), FIVE_TIMES, found)
    sums = dict.fromkeys(OUTCOMES, 0.0)
    for hard, share in ((False, 1 - float(ONE_IN_TEN)), (True, float(ONE_IN_TEN))):
        supposed = Parameters(
            EvidenceTable(program.evidence),
            point.unknown,
            supposed=Supposition(sites, ONE_IN_TEN, FIVE_TIMES, hard),
        )
        totals = compiled.totals(supposed)
        if supposed.unknown_sites or supposed.left_out:
            return None
        for name in OUTCOMES:
            sums[name] += share * float(getattr(totals, name))
    found = {name: certain(value, Basis.ASSUMED) for name, value in sums.items()}
    return Sensitivity(float(ONE_IN_TEN), FIVE_TIMES, found)


def decided_together(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether at least two answers of models, a vote, a redo or a verifier decide."""
    answers = 0
    for one in _with_children(program, pipeline):
        for item in all_items(one.block):
            if redo_of(item) is not None:
                return True
            if isinstance(item, p.Gate) and isinstance(item.evidence, p.ByRates):
                return True
            if not isinstance(item, p.Step):
                continue
            asked = [link for link in inner_links(item.chain) if _is_model(link)]
            if any(link.vote or isinstance(link.action, p.Cascade) for link in asked):
                return True
            each = any(isinstance(link.action, p.Each) for link in item.chain.links)
            answers += (2 if each else 1) if asked else 0
    return answers > 1


def _sites(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """The accuracies of all answers of models."""
    for one in _with_children(program, pipeline):
        for _, link in contents(one.block).links:
            if _is_model(link):
                yield link.accuracy.site
                yield from (chance.site for chance in link.accuracy_by_tier.values())


def _is_model(link: p.Link) -> bool:
    return isinstance(link.action, (p.AskTier, p.Cascade, p.Agent))


def _with_children(program: p.Program, pipeline: p.Pipeline) -> Iterator[p.Pipeline]:
    """A pipeline, and those that it runs."""
    seen = {pipeline.name}
    todo = [pipeline]
    while todo:
        one = todo.pop()
        yield one
        for name in sub_pipelines(one.block):
            if name not in seen:
                seen.add(name)
                todo.append(program.pipelines[name])
