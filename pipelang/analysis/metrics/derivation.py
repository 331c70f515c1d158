"""Derivations: a number as a start and parts that add up to it, each with its item.

Probabilities come from the waterfall of one sweep (`loss_waterfall`). Mean dollars and tokens are
linear in the cost of an attempt, so the mean number of calls of a model is the mean cost when its
attempts cost one dollar and all others nothing. The most expensive run is a sum already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from pipelang.analysis.kernels.costs import AttemptCost
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.loss_waterfall import Judge, Waterfall, waterfall
from pipelang.analysis.metrics.metrics import DAYS_A_MONTH
from pipelang.analysis.metrics.readings import READINGS, WaterfallSum, sum_of
from pipelang.analysis.metrics.waterfall_rows import WaterfallRow
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.intervals import Number
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters, Weight
from pipelang.analysis.sweep.sweep import sweep
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance
from pipelang.semantics.metrics import (
    COST,
    COST_BASELINE,
    COST_MEAN,
    COST_MONTH,
    COST_WORST,
    ESCALATION,
    TOKENS_MEAN,
)
from pipelang.semantics.walk import agent_of, inner_links


@dataclass(frozen=True, slots=True)
class Contribution:
    """The contribution of an item to a number.

    `row` is the item's row of the waterfall; None for a part without an item, which has a `label`.
    `calls` is how often something is paid for in a mean run (or in the most expensive one), at
    `each` a time; `position` is the link's in its chain; `told`: with a gate's feedback.
    """

    label: str
    amount: float
    row: WaterfallRow | None = None
    tier: str | None = None
    position: int = 0
    turn: int | None = None
    calls: float | None = None
    each: float | None = None
    spent: AttemptCost | None = None
    batch: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """`start` and all parts add up to `value`; `over` is what the sum is still divided by."""

    name: str
    value: float
    start: float
    parts: tuple[Contribution, ...]
    over: float = 1.0


class Recorder(Parameters):
    """Parameters that remember which chances were asked for, and what they were, by their site."""

    def __init__(self, evidence: EvidenceTable, unknown: Callable[[str], Weight]) -> None:
        Parameters.__init__(self, evidence, unknown)
        self.asked: dict[str, tuple[Chance, Weight]] = {}

    def value(self, chance: Chance) -> Weight:
        found = Parameters.value(self, chance)
        self.asked.setdefault(chance.site, (chance, found))
        return found


def recorded(program: p.Program, pipeline: p.Pipeline) -> tuple[PipelineModel, Recorder]:
    """The pipeline as a sweep sees it at the point, and what it asked for in one sweep."""
    recorder = Recorder(EvidenceTable(program.evidence), lambda site: 0.5)
    model = make_model(program, pipeline, recorder)
    sweep(model)
    return model, recorder


def derivable(analysis: Analysis) -> list[str]:
    """The numbers of a pipeline that `derive` knows."""
    ways = [f"{ESCALATION}.{name}" for name in analysis.escalations]
    steps = [f"{COST}.{row.name}" for row in analysis.steps]
    sums = [
        name
        for name in analysis.numbers
        if READINGS[name].by_call or READINGS[name].waterfall is not None
    ]
    return [*sums, *ways, *steps]


def figure(analysis: Analysis, name: str) -> Number | None:
    """Return the report's number of this name: one that `derive` knows, or any other."""
    head, _, tail = name.partition(".")
    if name in analysis.numbers:
        return analysis.numbers[name]
    if head == ESCALATION:
        return analysis.escalations.get(tail)
    if name.startswith(f"{COST_BASELINE}"):
        tier = name.removeprefix(COST_BASELINE).strip('[]".')
        return analysis.baseline.get(tier)
    row = next((row for row in analysis.steps if row.name == tail), None)
    return row.cost_mean if row is not None and head == COST else None


class Derivations:
    """The derivations of one analysis; what several of them count from is swept for once."""

    def __init__(self, program: p.Program, analysis: Analysis) -> None:
        self._analysis = analysis
        self._derivable = frozenset(derivable(analysis))
        self._waterfalls: dict[Judge, Waterfall] = {}
        self.model, self.recorder = recorded(program, analysis.pipeline)

    @cached_property
    def calls(self) -> list[Contribution]:
        return list(_calls(self.model))

    @cached_property
    def other_costs(self) -> list[Contribution]:
        return list(_other_costs(self.model))

    def waterfall(self, judge: Judge) -> Waterfall:
        if judge not in self._waterfalls:
            self._waterfalls[judge], _ = waterfall(self.model, judge)
        return self._waterfalls[judge]

    def of(self, name: str) -> Derivation | None:
        """The derivation of a number at the point; None for one that is not known, or that no sum
        leads to (a quantile of a distribution), from which rare runs were left out, or for shares
        where budgets may cut runs: the waterfall is that of runs without cuts.
        """
        if name not in self._derivable:
            return None
        number = figure(self._analysis, name)
        left = self.recorder.left_out or self.recorder.unknown_sites
        if left or number is None or number.value is None:
            return None
        how = sum_of(name)
        if how is not None and self._analysis.cut is not None:
            return None
        if how is None:
            return _amounts(self, self._analysis, name)
        found = self.waterfall(how.judge)
        ratio = READINGS[name].ratio if name in READINGS else None
        part = _sum(name, how, found)
        if ratio is None:
            return part
        both = 1 - sum(row.right.lost + row.wrong.lost for row in found.rows.values())
        return Derivation(name, part.value / both, 0.0, part.parts, both) if both else None


def derive(program: p.Program, analysis: Analysis, name: str) -> Derivation | None:
    """The derivation of one number."""
    return Derivations(program, analysis).of(name) if name in derivable(analysis) else None


def _sum(name: str, how: WaterfallSum, found: Waterfall) -> Derivation:
    parts = tuple(
        part
        for row in found.rows.values()
        for part in _parts(name, how, row, "")
        if abs(part.amount) > DUST
    )
    return Derivation(name, how.start + sum(part.amount for part in parts), how.start, parts)


def _parts(
    name: str, how: WaterfallSum, row: WaterfallRow, pipeline: str
) -> Iterator[Contribution]:
    """The change of an item; of one that runs a pipeline, first the changes in there, and then the
    rest: what another attempt or a fallback puts right.
    """
    rest = how.change(row, name)
    for (inner, *_), below in row.inside.items():
        yield from _parts(name, how, below, inner)
        rest -= how.change(below, name)
    words = f"{pipeline}.{label(row.item)}" if pipeline else label(row.item)
    yield Contribution(f"{words}, the rest" if row.inside else words, rest, row)


DUST = 1e-15
"""Less than this is the rounding of the arithmetic."""


def label(item: p.Item) -> str:
    """Return the name of an item in a report."""
    match item:
        case p.When():
            return item.name or "when"
        case p.MatchBranch():
            return "match"
        case p.Remember():
            return f"remember {item.memory}"
        case p.End():
            match item.outcome:
                case p.Return():
                    return "return"
                case outcome:
                    return outcome.reason
        case _:
            return item.name


# ----------------------------------------------------------------------------------- amounts


def _amounts(known: Derivations, analysis: Analysis, name: str) -> Derivation | None:
    """Return the parts of dollars or tokens: of a mean run, of a month, of one step, or of the most
    expensive run.
    """
    if name == COST_WORST:
        return _dearest(analysis)
    calls = known.calls
    if name == TOKENS_MEAN:
        parts = [_in_tokens(part) for part in calls]
        rest = float(sweep(known.model).tokens) - sum(part.amount for part in parts)
        if abs(rest) > 1e-9:
            parts.append(Contribution("pipelines that it runs", rest))
    elif name in (COST_MEAN, COST_MONTH):
        parts = [*calls, *known.other_costs]
    else:
        step = name.removeprefix(f"{COST}.")
        parts = [part for part in [*calls, *known.other_costs] if part.label == step]
    total = sum(part.amount for part in parts)
    if name != COST_MONTH:
        return Derivation(name, total, 0.0, tuple(parts))
    per_day = analysis.pipeline.traffic.per_day
    assert per_day is not None
    runs = float(per_day) * DAYS_A_MONTH
    return Derivation(name, total * runs, 0.0, tuple(parts), 1 / runs)


def _calls(model: PipelineModel) -> Iterator[Contribution]:
    """Return the contribution of each kind of model call to the mean dollars, by step, tier and
    turn.
    """
    links = {
        id(link): (step.name, link)
        for step in model.steps.values()
        for link in inner_links(step.chain)
    }
    positions = {
        id(link): position
        for step in model.steps.values()
        for position, link in enumerate(step.chain.links)
    }
    unpaid = {key: replace(cost, mean=0.0) for key, cost in model.costs.items()}
    rest = float(sweep(replace(model, costs=dict(unpaid), prepared={})).cost)
    for key, spent in model.costs.items():
        step, link = links[key[0]]
        costs = {**unpaid, key: replace(spent, mean=1.0)}
        calls = float(sweep(replace(model, costs=costs, prepared={})).cost) - rest
        if calls > 0:
            yield Contribution(
                step,
                calls * spent.mean,
                tier=key[1],
                position=positions.get(key[0], 0),
                turn=key[2] if agent_of(link.action) is not None else None,
                calls=calls,
                each=spent.mean,
                spent=spent,
                batch=link.batch is not None,
                told=key[3],
            )


def _other_costs(model: PipelineModel) -> Iterator[Contribution]:
    """Return the cost of steps besides their own model calls: tools, and the pipelines that they
    run.
    """
    unpaid = {key: replace(cost, mean=0.0) for key, cost in model.costs.items()}
    totals = sweep(replace(model, costs=unpaid, prepared={}))
    for step, cost in totals.step_costs.items():
        if cost:
            yield Contribution(step, float(cost))


def _in_tokens(part: Contribution) -> Contribution:
    assert part.spent is not None and part.calls is not None
    each = part.spent.tokens_in.mean + part.spent.tokens_out.mean
    return replace(part, amount=part.calls * each, each=each)


def _dearest(analysis: Analysis) -> Derivation | None:
    """Return the parts of the most expensive run, attempt by attempt."""
    worst = analysis.worst
    if worst is None or worst.cost is None or analysis.unpriced:
        return None
    parts = [
        Contribution(
            attempt.step, times * attempt.cost, tier=attempt.tier, calls=times, each=attempt.cost
        )
        for attempt, times in worst.attempts
        if attempt.cost
    ]
    rest = worst.cost - sum(part.amount for part in parts)
    if abs(rest) > 1e-12:
        parts.append(Contribution("tools that a model calls", rest))
    return Derivation(COST_WORST, worst.cost, 0.0, tuple(parts))
