"""One call of a model: past its provider's outage, with its retries; an agent makes several."""

from __future__ import annotations

from pipelang.interfaces.export.prism.agents import loop
from pipelang.interfaces.export.prism.answers import attempt
from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import PrismDraw
from pipelang.interfaces.export.prism.formulas import is_, rest
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.semantics.walk import agent_of

_NOBODY: frozenset[str] = frozenset()


def call(trial: LinkTrial, place: int, answered: int, may_fail: bool = False) -> None:
    """From a place to where the call has answered, or failed.

    What comes from a cache is free and was answered; with `may_fail` it is one call of several, and
    the transient faults of the others belong to it.
    """
    t = trial.t
    assert trial.tier is not None
    transient = t.constants.share(t.program.tiers[trial.tier].transient)
    if trial.kept:
        transient = transient if may_fail else "0"
    if not trial.free:
        place = _unless_out(trial, trial.tier, place)
    agent = agent_of(trial.link.action)
    if agent is not None:
        loop(trial, agent, transient, place, answered)
    else:
        trial.pay(place)
        attempt(trial, place, transient, answered)


def _unless_out(trial: LinkTrial, tier: str, place: int) -> int:
    """Past the outage of a tier's provider, which no retry beats; one draw a run."""
    t, machine = trial.t, trial.machine
    provider = t.program.providers[t.program.tiers[tier].provider]
    available = t.constants.share(provider.available)
    if available == "1":
        return place
    note = f"provider {provider.name}: 1 available, 2 out"
    key, like = ("outage", provider.name), f"o_{identifier(provider.name)}"
    name = t.draws.variable(t.root, key, like, 2, note)
    shares = ((1, available), (2, rest(available)))
    place = t.draws.perform(place, {name: PrismDraw(name, _NOBODY, shares, shares)})
    up = machine.place()
    machine.go(place, PrismUpdate(up), is_(name, 1))
    machine.go(place, PrismUpdate(trial.failed), is_(name, 2))
    return up
