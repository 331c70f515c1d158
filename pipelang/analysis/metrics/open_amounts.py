"""Amounts that a sweep cannot know: what has no price, and what pipelines take that an agent calls.

A sweep counts what has no price as nothing, and of an agent's tools what each costs. Whether an
agent calls the pipelines among them nobody declares, so what these take is anything up to the worst
run. Both are so for a pipeline that is run as for one that is begun: what its callers take is no
better known.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.analysis.kernels.costs import all_costs
from pipelang.analysis.metrics.metrics import if_finite
from pipelang.analysis.model.intervals import Number
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import run_by_link, with_inner
from pipelang.semantics.walk import agent_of, all_items, contents, inner_links

AMOUNTS = (m.Unit.MONEY, m.Unit.TOKENS)


@dataclass(frozen=True, slots=True)
class OpenAmounts:
    """Amounts that are open. `unpriced` are tiers that are asked and have no price; `unknown` the
    steps, by pipeline, that ask them, `called` those whose agents may call pipelines that spend
    something, each also where it runs one that does. `by_agents` are the pipelines that agents may
    call, and what these run.
    """

    unpriced: tuple[str, ...] = ()
    unknown: frozenset[tuple[str, str]] = frozenset()
    called: frozenset[tuple[str, str]] = frozenset()
    by_agents: frozenset[str] = frozenset()

    @property
    def any_of_steps(self) -> bool:
        """Whether a step's own amount may be open."""
        return bool(self.unknown or self.called or self.by_agents)

    def visits(self, pipeline: str, often: Number) -> Number:
        """Visits of a step of a pipeline that is run."""
        if pipeline not in self.by_agents:
            return often
        return Number(None, often.low or 0.0, None, None, Basis.UNKNOWN)

    def of_step(self, pipeline: str, step: str, cost: Number) -> Number:
        """The mean cost of a step."""
        place = (pipeline, step)
        if place not in self.unknown | self.called and pipeline not in self.by_agents:
            return cost
        return Number(None, if_finite(cost).low or 0.0, None, None, Basis.UNKNOWN)

    def within(self, name: str, pipeline: str, number: Number, most: float | None) -> Number:
        """A figure of a pipeline's runs that is an amount: with what agents may call it is at most
        that of the dearest run.
        """
        if not self.leaves(name, pipeline):
            return number
        if m.metric_of(name).unit is m.Unit.MONEY and self.unpriced:
            return Number(None, 0.0, None, None, Basis.UNKNOWN)
        low = if_finite(number).low or 0.0
        if most is not None and low >= most:
            return number
        return Number(None, low, most, None, Basis.UNKNOWN, tight=False)

    def leaves(self, name: str, pipeline: str) -> bool:
        """Tell whether a figure of a pipeline is left open."""
        unit = m.metric_of(name).unit
        called = any(owner == pipeline for owner, _ in self.called)
        return (unit is m.Unit.MONEY and bool(self.unpriced)) or (unit in AMOUNTS and called)


def open_amounts(model: PipelineModel) -> OpenAmounts:
    """Find what is open of the amounts of a swept model."""
    unpriced = [key for key, cost in all_costs(model) if not cost.priced]
    program, pipelines = model.program, tuple(with_inner(model.program, model.pipeline))
    called_by_agents = {name for one in pipelines for link in _links(one) for name in _called(link)}
    if not unpriced and not called_by_agents:
        return OpenAmounts()
    spends = {one.name for one in pipelines if _spends(program, one)}
    without = {link for link, *_ in unpriced}
    unknown: set[tuple[str, str]] = set()
    called: set[tuple[str, str]] = set()
    for _ in pipelines:  # what is run may run another one
        for one in pipelines:
            for step in _steps(one):
                place = (one.name, step.name)
                links = tuple(inner_links(step.chain))
                ran = {name for link in links for name in run_by_link(link)}
                agents = {name for link in links for name in _called(link)}
                asks = any(id(link) in without for link in links)
                if asks or ran & {owner for owner, _ in unknown}:
                    unknown.add(place)
                if ran & {owner for owner, _ in called} or agents & spends:
                    called.add(place)
    tiers = tuple(dict.fromkeys(tier for _, tier, *_ in unpriced))
    inner = {
        one.name
        for name in called_by_agents
        for one in with_inner(program, program.pipelines[name])
    }
    return OpenAmounts(tiers, frozenset(unknown), frozenset(called), frozenset(inner))


def with_open_amounts(
    numbers: Mapping[str, Number], found: OpenAmounts, pipeline: str
) -> dict[str, Number]:
    """The figures of a pipeline with those that are open."""
    worst = {m.Unit.MONEY: numbers.get(m.COST_WORST), m.Unit.TOKENS: numbers.get(m.TOKENS_WORST)}
    made = dict(numbers)
    for name, number in numbers.items():
        most = worst.get(m.metric_of(name).unit)
        if most is not None and not name.endswith((".worst", ".month")):
            made[name] = found.within(name, pipeline, number, most.high)
    return made


def within_worst(numbers: Mapping[str, Number]) -> dict[str, Number]:
    """The figures, none of an amount or a time above that of the worst run: what lattices and
    deviations leave open may reach beyond it.
    """
    made = dict(numbers)
    for name, number in numbers.items():
        worst = numbers.get(f"{name.partition('.')[0]}.worst")
        most = None if worst is None else worst.high
        if most is None or name.endswith((".worst", ".month")):
            continue
        if number.high is not None and number.high > most * (1 + 1e-9):
            parts = (number.value, number.low, most, number.mean)
            value, low, high, mean = (None if one is None else min(one, most) for one in parts)
            made[name] = Number(value, low, high, mean, number.basis, number.tight)
    return made


def _steps(pipeline: p.Pipeline) -> list[p.Step]:
    return [item for item in all_items(pipeline.block) if isinstance(item, p.Step)]


def _links(pipeline: p.Pipeline) -> list[p.Link]:
    return [link for _, link in contents(pipeline.block).links]


def _called(link: p.Link) -> tuple[str, ...]:
    """The pipelines among the tools of an agent."""
    agent = agent_of(link.action)
    return () if agent is None else tuple(agent.pipelines)


def _spends(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether anything in a run of a pipeline takes tokens or money."""
    for one in with_inner(program, pipeline):
        for step in _steps(one):
            for link in inner_links(step.chain):
                action = link.action
                if isinstance(action, (p.AskTier, p.Cascade)) or agent_of(action) is not None:
                    return True
                if isinstance(action, p.Call) and program.tools[action.tool].cost:
                    return True
    return False
