"""The models that an action can ask, and the outages of their providers as draws."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import Draw
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import ANSWERER


def outage_key(provider: str) -> Key:
    return ("outage", provider)


def tiers_of(action: p.Action) -> list[str]:
    """Every tier that an action itself can ask, in the order in which they are written."""
    if isinstance(action, p.Cascade):
        return list(action.tiers)
    if not isinstance(action, (p.AskTier, p.Agent)):
        return []
    names = [
        str(part.value)
        for part in expr.walk(action.who)
        if isinstance(part, expr.Const) and part.type == ANSWERER
    ]
    return list(dict.fromkeys(names))


def outage(model: PipelineModel, provider: str) -> Draw:
    """Whether a provider is out during the run."""
    available = model.program.providers[provider].available

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        share = model.parameters.value(available)
        return [(False, share), (True, 1 - share)]

    return Draw(outage_key(provider), (), outcomes)
