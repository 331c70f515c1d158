"""Baselines: the mean cost of a pipeline with every model call at one tier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import isfinite

from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.kernels.costs import all_priced
from pipelang.analysis.metrics.open_amounts import open_amounts
from pipelang.analysis.model.intervals import Number, certain, spread_around
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.work_limit import seconds_in_force, time_limit
from pipelang.analysis.sweep.bounds_over_unknowns import enclosed, look_behind
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import sweep
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import with_inner
from pipelang.semantics.metrics import COST_MEAN, Unit
from pipelang.semantics.types import ANSWERER
from pipelang.semantics.walk import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelang.analysis.latency.moved import FigureSpread
    from pipelang.analysis.model.bernstein_bounds import Bounds

Z = 1.959963984540054
"""Two-sided 95% of the standard normal."""

MOST_UNKNOWN = 4
"""Unknowns of which all corners are looked at."""


def at_tier(program: p.Program, pipeline: p.Pipeline, tier: str) -> p.Program:
    """The program with every route of a pipeline, and of what it runs, at one tier; a cascade asks
    it once. What it does not run stays as it is: a file may have a thousand pipelines.
    """
    there = {
        one.name: replace(one, block=_block(one.block, tier))
        for one in with_inner(program, pipeline)
    }
    return replace(program, pipelines={**program.pipelines, **there})


def _block(block: p.Block, tier: str) -> p.Block:
    return replace(block, items=tuple(_item(item, tier) for item in block.items))


def _item(item: p.Item, tier: str) -> p.Item:
    match item:
        case p.Step():
            return replace(item, chain=_chain(item.chain, tier))
        case p.When():
            then, otherwise = _block(item.then, tier), _block(item.otherwise, tier)
            return replace(item, then=then, otherwise=otherwise)
        case p.MatchBranch():
            arms = tuple((taken, _block(arm, tier)) for taken, arm in item.arms)
            return replace(item, arms=arms)
        case _:
            return item


def _chain(chain: p.Chain, tier: str) -> p.Chain:
    return replace(chain, links=tuple(_link(link, tier) for link in chain.links))


def _link(link: p.Link, tier: str) -> p.Link:
    action, who = link.action, expr.Const(tier, ANSWERER)
    match action:
        case p.AskTier() | p.Agent():
            return replace(link, action=replace(action, who=who))
        case p.Cascade():
            if action.agent is not None:
                return replace(link, action=replace(action.agent, who=who))
            asked = p.AskTier(action.prompt, action.arguments, who, action.answers)
            return replace(link, action=asked)
        case p.Each():
            return replace(link, action=replace(action, body=_chain(action.body, tier)))
        case p.Choose():
            arms = tuple((taken, _link(arm, tier)) for taken, arm in action.arms)
            return replace(link, action=replace(action, arms=arms))
        case _:
            return link


def asks_models(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether a model is asked anywhere in a run."""
    return any(
        isinstance(link.action, (p.AskTier, p.Cascade, p.Agent))
        for one in with_inner(program, pipeline)
        for _, link in contents(one.block).links
    )


def baseline(program: p.Program, pipeline: p.Pipeline, tier: str, basis: Basis) -> Number | None:
    """Mean dollars a run with every model call at one tier; None if it has no price."""
    there = at_tier(program, pipeline, tier)
    model = make_model(there, there.pipelines[pipeline.name], point_parameters(program))
    totals = sweep(model)
    if not all_priced(model):
        return None
    found = _mean(model, totals, basis)
    return open_amounts(model).within(COST_MEAN, pipeline.name, found, None)


def _mean(model: PipelineModel, totals: Totals, basis: Basis) -> Number:
    """The mean cost of a model that was swept."""
    there, pipeline, point = model.program, model.pipeline, model.parameters
    compiled = Compiled(there, pipeline)
    look_behind(compiled, point)
    value = float(totals.cost)
    basis = point.known_basis if basis is Basis.UNKNOWN else basis
    basis = max(basis, Basis.BOUND) if Unit.MONEY in point.bounded and value else basis
    if not isfinite(value):
        return Number(None, 0.0, None, None, Basis.UNKNOWN)
    if point.unknown_sites:
        bounded = enclosed(compiled, point, totals.work)
        bounds = None if bounded is None else bounded.bounds(lambda totals: totals.cost)
        if bounds is None:
            return Number(None, 0.0, None, None, Basis.UNKNOWN, tight=False)
        if bounds.high - bounds.low > 1e-12:
            found = _beside_counts(compiled, point, bounds)
            if Unit.MONEY in point.bounded and found.low:
                from pipelang.analysis.metrics.certain_part import certain_part

                found = found._replace(low=found.low * certain_part(model, Unit.MONEY))
            return found
    if not (point.counted or point.counted_bins):
        return certain(value, basis)
    # Whatever is unknown, it changes nothing.
    spread = _spread(compiled, point, value, lambda _: 0.0)
    return spread_around(value, *spread.bounds(Z), spread.mean, basis)


def _beside_counts(compiled: Compiled, point: Parameters, bounds: Bounds) -> Number:
    """Bounds over what nobody declared, with what counts leave open: the least and the most at the
    corners, where each unknown is 0 or 1; where these are too many, the bounds moved outwards by
    the most that it is where all of them are 0, a half and 1.
    """
    if not (point.counted or point.counted_bins):
        low = max(0.0, bounds.low)
        return Number(None, low, bounds.high, None, Basis.UNKNOWN, bounds.tight)
    sites = tuple(point.unknown_sites)
    lows, highs = [bounds.low], [bounds.high]
    if len(sites) <= MOST_UNKNOWN:
        for corner in product((0.0, 1.0), repeat=len(sites)):
            there = dict(zip(sites, corner, strict=True))
            low, high = _spread(compiled, point, None, there.__getitem__).bounds(Z)
            lows.append(low)
            highs.append(high)
    else:
        for share in (0.0, 0.5, 1.0):
            spread = _spread(compiled, point, None, dict.fromkeys(sites, share).__getitem__)
            low, high = spread.bounds(Z)
            lows.append(bounds.low - spread.mean + low)
            highs.append(bounds.high - spread.mean + high)
    return Number(None, max(0.0, min(lows)), max(highs), None, Basis.UNKNOWN, tight=False)


def _spread(
    compiled: Compiled, point: Parameters, value: float | None, unknown: Callable[[str], float]
) -> FigureSpread:
    """Tell how much counts leave open of the cost, where what nobody declared is as `unknown` says;
    `value` is the cost as counted, if it is known better than from here.
    """
    import numpy as np

    from pipelang.analysis.latency.moved import moved, spread_of

    rows = moved(point)
    given = rows.parameters
    there = Parameters(given.evidence, unknown, given.measured, given.bins)
    found = np.broadcast_to(compiled.totals(there).cost, (rows.rows, 1))
    costs = [float(cost) for cost in found[:, 0]]
    return spread_of(costs[0] if value is None else value, costs, rows.drifts)


class Baselines(Mapping[str, Number]):
    """The mean cost at each tier of a program, worked out when it is first read: the report that is
    printed without being asked for more does not show it, and it takes two sweeps a tier.
    """

    __slots__ = ("_asked", "_found", "_seconds")

    def __init__(self, program: p.Program, pipeline: p.Pipeline, basis: Basis) -> None:
        self._asked = (program, pipeline, basis)
        self._seconds = seconds_in_force()  # of the analysis that this is a part of
        self._found: dict[str, Number] | None = None

    def _all(self) -> dict[str, Number]:
        if self._found is None:
            with time_limit(self._seconds):
                self._found = baselines(*self._asked)
        return self._found

    def __getitem__(self, tier: str) -> Number:
        return self._all()[tier]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __reduce__(self) -> tuple[type, tuple[dict[str, Number]]]:
        return dict, (self._all(),)


def baselines(program: p.Program, pipeline: p.Pipeline, basis: Basis) -> dict[str, Number]:
    """The mean cost at each tier that has a price; none for a pipeline that asks no model."""
    if not asks_models(program, pipeline):
        return {}
    found = {tier: baseline(program, pipeline, tier, basis) for tier in program.tiers}
    return {tier: number for tier, number in found.items() if number is not None}
