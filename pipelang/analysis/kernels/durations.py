"""Durations of attempts and of people's answers: from declared latencies and timeouts to
amounts.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.lattice import Amount, Lognormal, sigma_of
from pipelang.analysis.kernels.costs import tools_cost
from pipelang.semantics import program as p
from pipelang.semantics.kernels.timeouts import call_limit

if TYPE_CHECKING:
    from pipelang.analysis.model.model import PipelineModel


def duration(spread: p.Spread | None, limit: Any) -> Amount:
    """min(X, limit) of what takes so long; in [0, limit] where nobody said how long."""
    end = inf if limit is None else float(limit)
    if spread is None or spread.p95 is None:
        return Amount(0.0, end)
    median = float(spread.median)
    taken = Lognormal(median, sigma_of(median, float(spread.p95)), end)
    return Amount(taken, taken)


def model_time(link: p.Link, tier: p.Tier) -> Amount:
    """One attempt at a model. A batch comes back whenever it does; if not in time, the model is
    asked as usual.
    """
    if link.batch is None:
        return duration(tier.latency, link.timeout)
    usual = inf if link.timeout is None else float(link.timeout)
    return Amount(0.0, float(link.batch) + usual)


def tools_taken(model: PipelineModel, agent: p.Agent) -> Any:
    """Return the time of an agent's tools between two turns: one call, with equal frequency of each
    tool. The time of a pipeline among them is unknown.
    """
    dollars = tools_cost(model, agent)
    tools = [model.program.tools[name] for name in agent.tools]
    amounts = [duration(tool.latency, call_limit(None, tool)) for tool in tools]
    amounts += [Amount(0.0, inf)] * len(agent.pipelines)
    if not amounts:
        return 1.0
    taken = [model.meter.taken(dollars, amount) for amount in amounts]
    return sum(taken[1:], taken[0]) / len(taken)
