"""One call of a model: past its provider's outage, with its retries; an agent makes several."""

from __future__ import annotations

from pipelang.interfaces.export.prism.agents import loop
from pipelang.interfaces.export.prism.answers import attempt, unless_out
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.interfaces.export.prism.turns import loop_by_turn
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.walk import agent_of


def call(trial: LinkTrial, place: int, answered: int, may_fail: bool = False) -> None:
    """From a place to where the call has answered, or failed.

    What comes from a cache is free and was answered; with `may_fail` it is one call of several, and
    the transient faults of the others belong to it.
    """
    t, action = trial.t, trial.link.action
    if isinstance(action, p.Agent) and chosen_by_turn(action):
        loop_by_turn(trial, action, place, answered)
        return
    assert trial.tier is not None
    transient = t.constants.share(t.program.tiers[trial.tier].transient)
    if trial.kept:
        transient = transient if may_fail else "0"
    if not trial.free:
        place = unless_out(trial, trial.tier, place)
    agent = agent_of(trial.link.action)
    if agent is not None:
        loop(trial, agent, transient, place, answered)
    else:
        trial.pay(place)
        attempt(trial, place, transient, answered)
