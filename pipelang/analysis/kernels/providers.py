"""The models that an action can ask, and the outages of their providers as draws."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import Draw
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics.walk import tiers_of as tiers_of


def outage_key(provider: str) -> Key:
    return ("outage", provider)


def outage(model: PipelineModel, provider: str) -> Draw:
    """Whether a provider is out during the run."""
    available = model.program.providers[provider].available

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        share = model.parameters.value(available)
        return [(False, share), (True, 1 - share)]

    return Draw(outage_key(provider), (), outcomes)
