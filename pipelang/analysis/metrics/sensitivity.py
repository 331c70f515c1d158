"""Sensitivity to hard cases: the outcomes if what nobody declared were so.

Steps are taken as independent given what is declared. Where several answers decide together, that
is the largest thing taken for granted, so a report says what it could matter: one case in ten is
hard, and wrong answers of models are five times as likely there, with their overall rates as they
are. Where something is unknown, that is a range over all that it can be, of the difference too: the
supposition is made of each accuracy that it can be, so the box of the unknown accuracies is cut
where hard cases begin to be always wrong, and each piece holds a polynomial.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.kernels.hard_cases import share_of
from pipelang.analysis.model.bernstein_bounds import Choose, Unknown
from pipelang.analysis.model.intervals import Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters, Supposition
from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.kernels.run import run_by_link, with_inner
from pipelang.semantics.metrics import OUTCOMES
from pipelang.semantics.walk import all_items, contents

ONE_IN_TEN = Decimal("0.1")
FIVE_TIMES = 5
MOST_OPEN = 4
"""Accuracies that nobody declared, at most: the box of their values is cut in two along each."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The outcomes if a share of the cases were `hard`, and wrong answers so many times as likely
    there; and the `changes` from what they are without.
    """

    hard: float
    times: int
    outcomes: Mapping[str, Number]
    changes: Mapping[str, Number]

    def as_json(self) -> dict[str, Any]:
        return {
            "hard": self.hard,
            "times": self.times,
            "outcomes": {name: number.as_json() for name, number in self.outcomes.items()},
            "changes": {name: number.as_json() for name, number in self.changes.items()},
        }


def sensitivity(
    compiled: Compiled, model: PipelineModel, now: Totals, bounded: Enclosed | None
) -> Sensitivity | None:
    """Return the outcomes under the supposition (`now`: without it; `bounded`: over the unknowns).

    None where hard cases are declared, where no two answers decide together, or where too much is
    unknown.
    """
    program, pipeline, point = compiled.program, compiled.pipeline, model.parameters
    if point.left_out or share_of(model) is not None:
        return None
    if pipeline.traffic.hard is not None or not decided_together(program, pipeline):
        return None
    sites = frozenset(_sites(program, pipeline))
    if point.unknown_sites:
        return None if bounded is None else _over_unknowns(compiled, point, sites, bounded)
    if not sites:
        found = {name: certain(float(getattr(now, name)), Basis.ASSUMED) for name in OUTCOMES}
        return _sensitivity(found, dict.fromkeys(OUTCOMES, certain(0.0, Basis.ASSUMED)))
    then = _supposed(compiled, point, sites, point.unknown)
    if then is None:
        return None
    found = {name: certain(float(then[name]), Basis.ASSUMED) for name in OUTCOMES}
    changes = {
        name: certain(float(then[name]) - float(getattr(now, name)), Basis.ASSUMED)
        for name in OUTCOMES
    }
    return _sensitivity(found, changes)


def _sensitivity(outcomes: Mapping[str, Number], changes: Mapping[str, Number]) -> Sensitivity:
    return Sensitivity(float(ONE_IN_TEN), FIVE_TIMES, outcomes, changes)


def _supposed(
    compiled: Compiled,
    point: Parameters,
    sites: frozenset[str],
    unknown: Unknown,
    choose: Choose = lambda site, count: None,
    columns: int = 0,
) -> dict[str, Any] | None:
    """The outcomes over both classes; None where more is unknown in one than without them."""
    found: dict[str, Any] = dict.fromkeys(OUTCOMES, 0.0)
    for hard, share in ((False, 1 - float(ONE_IN_TEN)), (True, float(ONE_IN_TEN))):
        supposed = Parameters(
            point.evidence,
            unknown,
            choose=choose,
            supposed=Supposition(sites, ONE_IN_TEN, FIVE_TIMES, hard),
        )
        totals = None if columns else compiled.outcomes_beyond(supposed)
        if totals is None:
            totals = compiled.totals(supposed, columns)
        if supposed.left_out or not supposed.unknown_sites.keys() <= point.unknown_sites.keys():
            return None
        for name in OUTCOMES:
            found[name] = found[name] + share * getattr(totals, name)
    return found


def _over_unknowns(
    compiled: Compiled, point: Parameters, sites: frozenset[str], bounded: Enclosed
) -> Sensitivity | None:
    """The ranges over all that the unknowns can be; None where they are too many."""
    grid = bounded.grid
    cut = sorted(sites & point.unknown_sites.keys())
    if grid is None or len(cut) > MOST_OPEN or not sites:
        return None
    unknown, choose = grid.values()
    always_wrong = 1 - 1 / FIVE_TIMES
    outcomes: dict[str, list[float]] = {name: [] for name in OUTCOMES}
    changes: dict[str, list[float]] = {name: [] for name in OUTCOMES}
    tight = True
    for ends in product(((0.0, always_wrong), (always_wrong, 1.0)), repeat=len(cut)):
        pieces = dict(zip(cut, ends, strict=True))

        def inside(site: str, pieces: Mapping[str, tuple[float, float]] = pieces) -> Any:
            low, high = pieces.get(site, (0.0, 1.0))
            return low + (high - low) * unknown(site)

        parameters = Parameters(point.evidence, inside, choose=choose)
        now = compiled.totals(parameters, grid.size)
        then = _supposed(compiled, point, sites, inside, choose, grid.size)
        if then is None:
            return None
        for name in OUTCOMES:
            for found, values in (
                (outcomes, then[name]),
                (changes, then[name] - getattr(now, name)),
            ):
                bounds = grid.enclose(values)
                found[name] += [bounds.low, bounds.high]
                tight &= bounds.tight
    return _sensitivity(_ranges(outcomes, tight), _ranges(changes, tight))


def _ranges(found: Mapping[str, list[float]], tight: bool) -> dict[str, Number]:
    return {
        name: certain(ends[0], Basis.ASSUMED)
        if max(ends) - min(ends) <= ROUNDING
        else Number(None, _rounded(min(ends)), _rounded(max(ends)), None, Basis.UNKNOWN, tight)
        for name, ends in found.items()
    }


def _rounded(end: float) -> float:
    return 0.0 if abs(end) <= ROUNDING else end


ROUNDING = 1e-12
"""Ends of a range that are nearer are one number."""


def decided_together(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether at least two answers of models, a vote, a redo or a verifier decide."""
    return _deciding(program, pipeline, {}) >= SEVERAL


SEVERAL = 2


def _deciding(program: p.Program, pipeline: p.Pipeline, known: dict[str, int]) -> int:
    """The number of answers of models that a run has, at most; `SEVERAL` where something sets them
    against each other. What is run twice answers twice, what is done for each element, too.
    """
    if pipeline.name in known:
        return known[pipeline.name]

    def of_chain(chain: p.Chain) -> int:
        """A link is tried where the ones before it failed. An `ask` fails whether its answer would
        have been right or not, so one answers; a pipeline may have failed by a test of its answers.
        """
        counts: list[int] = [of_link(link) for link in chain.links]
        tests = any(isinstance(link.action, p.RunPipeline) for link in chain.links)
        return sum(counts) if tests else max(counts)

    def of_link(link: p.Link) -> int:
        action = link.action
        if isinstance(action, (p.Call, p.Value)):
            return 0
        if link.vote is not None or isinstance(action, p.Cascade):
            return SEVERAL
        if isinstance(action, p.Each):
            return SEVERAL * of_chain(action.body)
        if isinstance(action, p.Choose):
            return max(of_link(arm) for _, arm in action.arms)
        behind = (_deciding(program, program.pipelines[name], known) for name in run_by_link(link))
        return int(_is_model(link)) + sum(behind)

    answers = 0
    for item in all_items(pipeline.block):
        verifier = isinstance(item, p.Gate) and isinstance(item.evidence, p.ByRates)
        if verifier or redo_of(item) is not None:
            answers = SEVERAL
        elif isinstance(item, p.Step):
            answers += of_chain(item.chain)
        if answers >= SEVERAL:
            break
    known[pipeline.name] = answers
    return answers


def _sites(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """The accuracies of all answers of models."""
    for one in with_inner(program, pipeline):
        for _, link in contents(one.block).links:
            if _is_model(link):
                yield link.accuracy.site
                yield from (chance.site for chance in link.accuracy_by_tier.values())


def _is_model(link: p.Link) -> bool:
    return isinstance(link.action, (p.AskTier, p.Cascade, p.Agent))
