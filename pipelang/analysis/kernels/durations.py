"""Durations of attempts and of people's answers: from declared latencies and timeouts to
amounts.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.lattice import Amount, Lognormal, sigma_of
from pipelang.analysis.kernels.costs import tool_failures
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
    """Return the dollars and the time of an agent's tools between two turns: one call, with equal
    frequency of each tool, and its retries. The time of a pipeline among them is unknown.
    """
    meter = model.meter
    tools = [_tool_taken(model, model.program.tools[name]) for name in agent.tools]
    tools += [meter.taken(0.0, Amount(0.0, inf))] * len(agent.pipelines)
    return sum(tools[1:], tools[0]) / len(tools) if tools else 1.0


def _tool_taken(model: PipelineModel, tool: p.Tool) -> Any:
    """The attempts of a tool call, one after the other, until one works or none is left."""
    once = model.meter.taken(float(tool.cost), duration(tool.latency, call_limit(None, tool)))
    taken, total, before = once, 0.0, 1.0
    for goes_on in tool_failures(model, tool):
        total = total + (before - goes_on) * taken
        taken, before = taken * once, goes_on
    return total + before * taken
