"""Simulated runs beside the analysis: what `pipelang simulate` prints, as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipelang.analysis.budgets.cuts import Cut, possible_cuts
from pipelang.analysis.budgets.enclosures import budgeted_runs
from pipelang.analysis.kernels.costs import all_priced
from pipelang.analysis.latency.figures import SpendingFigures, spent
from pipelang.analysis.latency.quantiles import SHARES
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.metrics.cut_numbers import goes_on, share_with_cuts
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.intervals import certain
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.records import dataclass, replace
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.simulate import Counts, simulate
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.metrics import (
    COST,
    COST_MEAN,
    ESCALATION,
    LATENCY,
    MEAN,
    OUTCOMES,
    WRONG_EFFECT,
)
from pipelang.semantics.walk import all_items, inner_links
from pipelang.statistics.intervals import exact_share

CONFIDENCE = 0.999
Z = 3.2905267
"""Two-sided 99.9% of the standard normal."""


@dataclass(frozen=True, slots=True)
class ObservedFigure:
    """An observed share or mean with its 99.9% interval, beside what the analysis says: a figure,
    or bounds where what runs spend of their budget decides.
    """

    observed: float
    expected: float | None
    low: float
    high: float
    bounds: tuple[float, float] | None = None

    @property
    def agrees(self) -> bool:
        if self.bounds is not None:
            return self.low <= self.bounds[1] and self.bounds[0] <= self.high
        return self.expected is None or self.low <= self.expected <= self.high

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "observed": self.observed,
            "expected": self.expected,
            "low": self.low,
            "high": self.high,
        }
        if self.bounds is not None:
            found["bounds"] = list(self.bounds)
        return found


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulation of a pipeline: outcomes, escalations by name, other shares of runs by metric,
    cost and machine time.
    """

    name: str
    runs: int
    outcomes: dict[str, ObservedFigure]
    escalations: dict[str, ObservedFigure]
    shares: dict[str, ObservedFigure]
    cost: dict[str, Any]
    latency: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "outcomes": {name: one.as_json() for name, one in self.outcomes.items()},
            "escalations": {name: one.as_json() for name, one in self.escalations.items()},
            **{name: one.as_json() for name, one in self.shares.items()},
            COST: self.cost,
            LATENCY: self.latency,
        }


def unknown_as(value: float | None) -> Callable[[str], float]:
    """The value of an unknown in a simulation. A simulated agent leaves the pipelines among its
    tools alone, so nothing happens there.
    """
    number = 0.5 if value is None else value
    return lambda site: 1.0 if ".tools[" in site else number


def share(hits: int, runs: int, expected: float | None) -> ObservedFigure:
    """A share with its exact interval: one that holds by approximation (Wilson's) is left too often
    by what is rare, and said that the analysis was wrong of it.
    """
    return ObservedFigure(hits / runs, expected, *exact_share(hits, runs, CONFIDENCE))


def simulated(
    loaded: LoadedProgram,
    pipeline: p.Pipeline,
    runs: int,
    seed: int,
    unknown: float | None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Simulate a pipeline and put the analysis beside it. Raises `UnknownChance`."""
    program = loaded.program
    counts = simulate(loaded, pipeline, runs, seed, spending(program, pipeline), unknown, progress)
    point = Parameters(EvidenceTable(program.evidence), unknown_as(unknown))
    model = make_model(program, pipeline, point)
    expected = sweep(model)
    taken = spent(model, None, expected.work)
    names = {*counts.escalations, *expected.escalations}
    if counts.implied:  # no values of the unknowns one by one give what was drawn
        within: Within | None = over_all_ways(program, pipeline)
        taken = None
    else:
        cuts = possible_cuts(model)
        going_on = goes_on(program, pipeline, cuts)
        within = bounds_by_budget(program, pipeline, point, expected, cuts, going_on)
        if within is not None and going_on:
            taken = None  # they are of runs that none cuts, and bound no others

    def compared(metric: str, hits: int, without: float) -> ObservedFigure:
        found = share(hits, counts.runs, without)
        return found if within is None else _within(found, within(metric, without))

    return Simulated(
        name=pipeline.name,
        runs=counts.runs,
        outcomes={
            name: compared(name, counts.outcomes[name], float(getattr(expected, name)))
            for name in OUTCOMES
        },
        escalations={
            name: compared(
                f"{ESCALATION}.{name}",
                counts.escalations[name],
                float(expected.escalations.get(name, 0.0)),
            )
            for name in sorted(names)
        },
        shares={
            WRONG_EFFECT: compared(WRONG_EFFECT, counts.wrong_effect, float(expected.wrong_effect))
        },
        cost=_cost(counts, expected, taken, within) if all_priced(model) else _unknown_cost(),
        latency=_quantiles(counts.seconds, LATENCY, taken),
    )


Within = Callable[[str, float], tuple[float, float]]
"""The bounds of a share, by its metric and by what it is where nothing is cut."""


def over_all_ways(program: p.Program, pipeline: p.Pipeline) -> Within:
    """Bounds of shares over all that nobody declared, and all ways that a budget may choose."""
    analysis = analyse(program, pipeline)
    numbers = dict(analysis.numbers)
    numbers |= {f"{ESCALATION}.{name}": one for name, one in analysis.escalations.items()}

    def over_ways(metric: str, without: float) -> tuple[float, float]:
        number = numbers.get(metric)
        if number is None or number.low is None or number.high is None:
            return 0.0, math.inf if metric == COST_MEAN else 1.0
        return number.low, number.high

    return over_ways


def bounds_by_budget(
    program: p.Program,
    pipeline: p.Pipeline,
    point: Parameters,
    totals: Totals,
    cuts: Sequence[Cut],
    going_on: bool,
) -> Within | None:
    """Bounds of shares where budgets may cut runs or choose their way; None where neither is so.
    `going_on`: behind a cut, runs may do what none does without (`cut_numbers.goes_on`).
    """
    if asks_what_is_left(program, pipeline):
        return over_all_ways(program, pipeline)
    if not cuts:
        return None
    runs = budgeted_runs(make_model(program, pipeline, point), cuts, None, totals, at_point=True)
    if not runs.cut().high:
        return None
    beyond = over_all_ways(program, pipeline) if going_on else None

    def of_cuts(metric: str, without: float) -> tuple[float, float]:
        if metric == COST_MEAN:  # a run that is cut spends no more, unless its caller goes on
            return (0.0, without) if beyond is None else beyond(metric, without)
        number = share_with_cuts(metric, certain(without, Basis.EXACT), runs)
        return number.low or 0.0, 1.0 if number.high is None else number.high

    return of_cuts


def asks_what_is_left(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether something that is done hangs on what is left of a budget."""
    inside = (pipeline, *pipelines_run(program, pipeline))
    return any(
        isinstance(part, expr.BudgetLeft)
        for one in inside
        for node in decisions_of(one)
        for part in expr.walk(node)
    )


def decisions_of(pipeline: p.Pipeline) -> Iterator[expr.Expr]:
    """The expressions that decide where a run goes, and who is asked; and those of `let`s."""
    for item in all_items(pipeline.block):
        match item:
            case p.When() | p.Gate():
                yield item.condition
            case p.MatchBranch():
                yield item.subject
            case p.Let():
                yield item.value
            case p.Person() if item.when is not None:
                yield item.when
            case p.Step():
                for link in inner_links(item.chain):
                    if isinstance(link.action, (p.AskTier, p.Agent)):
                        yield link.action.who
                    elif isinstance(link.action, p.Choose):
                        yield link.action.subject
            case _:
                pass


def _within(found: ObservedFigure, bounds: tuple[float, float]) -> ObservedFigure:
    if bounds[0] == bounds[1]:
        return replace(found, expected=bounds[0])
    return replace(found, expected=None, bounds=bounds)


def _cost(
    counts: Counts, expected: Totals, taken: SpendingFigures | None, within: Within | None
) -> dict[str, Any]:
    mean = sum(counts.costs) / counts.runs
    if not math.isfinite(mean):  # nothing bounds what some attempt takes
        unbounded = dict.fromkeys(("observed", "expected", "low", "high"))
        return {MEAN: unbounded, **_quantiles(counts.costs, COST, taken), "most": None}
    spread = math.sqrt(sum((cost - mean) ** 2 for cost in counts.costs) / counts.runs)
    half = Z * spread / math.sqrt(counts.runs)
    cost = float(expected.cost)
    told = cost if math.isfinite(cost) else None
    compared = ObservedFigure(mean, told, mean - half, mean + half)
    if within is not None:
        low, high = within(COST_MEAN, cost)
        compared = _within(compared, (low, high)) if high < math.inf else compared
    return {
        MEAN: compared.as_json(),
        **_quantiles(counts.costs, COST, taken),
        "most": max(counts.costs),
    }


def _unknown_cost() -> dict[str, Any]:
    """The cost where a tier that may be asked has no price: `check` does not know it either."""
    nobody_knows = dict.fromkeys(("observed", "expected"))
    mean = dict.fromkeys(("observed", "expected", "low", "high"))
    return {MEAN: mean, **{read: dict(nobody_knows) for read in SHARES}, "most": None}


def _quantiles(values: list[float], name: str, taken: SpendingFigures | None) -> dict[str, Any]:
    """Observed quantiles beside what the analysis says; None where nothing bounds one."""
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(read: str, share: float) -> dict[str, float | None]:
        found = ordered[min(last, math.ceil(share * len(ordered)) - 1)]
        observed = found if math.isfinite(found) else None
        expected = None if taken is None else taken.ranges[f"{name}.{read}"].value
        return {"observed": observed, "expected": expected}

    return {read: at(read, share) for read, share in SHARES.items()}
