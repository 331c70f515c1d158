"""The situations in which a chain is walked, and what of them its outcome hangs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.prepared_step import Prepared
from pipelang.analysis.kernels.providers import outage_key
from pipelang.analysis.kernels.votes import Latent
from pipelang.analysis.model.model import PipelineModel, all_right
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.chain import resolve

PLAIN = (p.AskTier, p.AskRole, p.Call, p.Value, p.Recall)
"""Actions whose outcome hangs on nothing but what `told_apart` names."""

Behind = Callable[[PipelineModel, p.Action], frozenset[str]]
"""The steps behind what an action is given."""


@dataclass(frozen=True, slots=True)
class ChainSituation:
    """The situation of a chain: the values drawn, the conditions around it, the answer before this
    one.

    `again`: its step is being redone, and so does not use a cache. `told`: it is, by a gate whose
    feedback it sees. `retried`: an attempt of the link has failed before.
    """

    model: PipelineModel
    values: dict[Key, Any]
    taint: frozenset[str]
    former: Latent | None
    again: bool
    told: bool
    retried: bool = False


def told_apart(prepared: Prepared, behind: Behind, now: ChainSituation) -> tuple[Any, ...] | None:
    """Return all that the outcome of a step's chain hangs on: for each link who is asked, whether
    its provider is out and whether it is given anything wrong. None where it may hang on other
    values as well: on how often an agent goes round, how long a list is, where a pipeline starts.
    """
    parts = []
    copies = prepared.tracks_latent
    for link in prepared.step.chain.links:
        around = now.taint
        while isinstance(link.action, p.Choose):
            around |= now.model.values(link.action.subject)
            link = resolve(link.action, prepared.routes[id(link)](now.values))
        if not isinstance(link.action, PLAIN):
            return None
        copies = copies or link.vote is not None
        tier = tier_of(prepared, link, now)
        right = all_right(now.values, around | behind(now.model, link.action))
        parts.append((id(link), right, tier, is_out(tier, now)))
    return (now.taint, now.former if copies else None, now.again, now.told, *parts)


def given(model: PipelineModel, action: p.Action) -> frozenset[str]:
    """The steps behind what an action is given."""
    match action:
        case p.Value():
            return model.values(action.value)
        case p.Recall():
            return model.values(action.key)
        case p.AskTier() | p.AskRole() | p.Call() | p.Cascade() | p.Agent() | p.RunPipeline():
            parts = [model.values(value) for _, value in action.arguments]
            return frozenset[str]().union(*parts)
        case _:
            return frozenset()


def tier_of(prepared: Prepared, link: p.Link, now: ChainSituation) -> str | None:
    """The tier that a link asks; None where it asks none, or chooses one for each turn."""
    if not isinstance(link.action, (p.AskTier, p.Agent)) or chosen_by_turn(link.action):
        return None
    tier: str = prepared.routes[id(link)](now.values)
    return tier


def is_out(tier: str | None, now: ChainSituation) -> bool:
    """Whether the provider of a tier is out."""
    if tier is None:
        return False
    return bool(now.values[outage_key(now.model.program.tiers[tier].provider)])
