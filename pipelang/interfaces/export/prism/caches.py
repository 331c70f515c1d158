"""Caches: a look before the first attempt, and what an answer that is found there is worth.

What is in a cache was answered: it is as right as a fresh answer that was given, costs nothing and
hangs on no outage. So a hit plays the action for nothing until it answers; and where it never does,
there was nothing to find.
"""

from __future__ import annotations

from itertools import product

from pipelang.interfaces.export.prism.constants import Constants
from pipelang.interfaces.export.prism.draws import all_right
from pipelang.interfaces.export.prism.formulas import all_of, any_of, no, rest
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance


def look(trial: LinkTrial, cache: p.Cache, place: int) -> tuple[int, int]:
    """A look into the cache, unless the step is made again; gives the places of hit and miss."""
    machine, fresh = trial.machine, trial.making.fresh
    hit, miss = machine.place(), machine.place()
    hits = trial.t.constants.share(cache.hits)
    machine.go(place, PrismUpdate(miss), no(fresh))
    machine.choose(place, [(hits, PrismUpdate(hit)), (rest(hits), PrismUpdate(miss))], fresh)
    return hit, miss


def unless_never(trial: LinkTrial, place: int) -> int:
    """Past the situations in which the cached vote or cascade never answers: these are misses."""
    if trial.missed is None:
        return place
    link, scope, constants = trial.link, trial.scope, trial.t.constants
    if not isinstance(link.action, p.Cascade):
        if trial.tier is None:
            return place  # each tier of an agent that is asked by turn may answer
        if constants.is_certain(trial.t.program.tiers[trial.tier].transient):
            trial.machine.go(place, PrismUpdate(trial.missed))
            return trial.machine.place()
        return place
    given = [scope.mentioned(value) for _, value in link.action.arguments]
    right = all_right(trial.around.union(*given))
    known = all_right(scope.steps(expr.mentions(link.action.until) - {"it"}))
    never = []
    for arguments, others in product((True, False), repeat=2):
        if not _may_answer(trial, link.action, arguments, others):
            cases = (right if arguments else no(right), known if others else no(known))
            never.append(all_of(cases))
    if not never:
        return place
    goes_on = trial.machine.place()
    trial.machine.go(place, PrismUpdate(trial.missed), any_of(never))
    trial.machine.go(place, PrismUpdate(goes_on), no(any_of(never)))
    return goes_on


def _may_answer(trial: LinkTrial, action: p.Cascade, arguments: bool, others: bool) -> bool:
    """Whether any run of a cascade answers, if its arguments and the rest of `until` are right."""
    constants, link = trial.t.constants, trial.link
    copies = not constants.is_impossible(link.correlation)
    only_copies = constants.is_certain(link.correlation)

    def from_tier(index: int, last: bool | None) -> bool:
        if index == len(action.tiers):
            return False
        tier = action.tiers[index]
        transient = trial.t.program.tiers[tier].transient
        if not constants.is_impossible(transient) and from_tier(index + 1, last):
            return True
        if constants.is_certain(transient):
            return False
        accuracy = link.accuracy_by_tier.get(tier, link.accuracy)
        anew = _verdicts(constants, accuracy if arguments else link.recovers)
        verdicts = set() if last is not None and only_copies else anew
        if last is not None and copies:
            verdicts.add(last)
        for verdict in verdicts:
            rates = action.rates
            refuses = rates.false_alarms if verdict and others else rates.catches
            if not constants.is_certain(refuses) or from_tier(index + 1, verdict):
                return True
        return False

    return from_tier(0, None)


def _verdicts(constants: Constants, right: Chance) -> set[bool]:
    impossible = {True} if constants.is_impossible(right) else set[bool]()
    if constants.is_certain(right):
        impossible.add(False)
    return {True, False} - impossible
