"""Chains: links one after the other, until one answers."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.prism.answers import answer_of, attempt, draw_answer
from pipelang.interfaces.export.prism.calls import call
from pipelang.interfaces.export.prism.constants import plain
from pipelang.interfaces.export.prism.draws import RIGHT, WRONG, all_right
from pipelang.interfaces.export.prism.formulas import TRUE, is_, no, rest
from pipelang.interfaces.export.prism.judging import match_test, route_test
from pipelang.interfaces.export.prism.machine import Move
from pipelang.interfaces.export.prism.polls import cascade, vote
from pipelang.interfaces.export.prism.translation import Making, NotExportable, Translation
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance

EFFECT = "wrong_effect"


def chain(t: Translation, making: Making, place: int, exhausted: int) -> None:
    """From the head of a step's chain to its value, or to `exhausted`."""
    links = making.step.chain.links
    for index, link in enumerate(links):
        behind = t.machine.place() if index + 1 < len(links) else exhausted
        _link(t, making, link, place, behind, making.around)
        place = behind


def _link(
    t: Translation,
    making: Making,
    link: p.Link,
    place: int,
    failed: int,
    around: frozenset[str],
) -> None:
    """One link: its answer makes the step's value, and where it has none the next one is tried."""
    if isinstance(link.action, p.Choose):
        taken = [values for values, _ in link.action.arms]
        test, cases = match_test(t.draws, making.scope, link.action.subject, taken)
        place = t.draws.perform(place, test.draws)
        around = around | making.scope.mentioned(link.action.subject)
        for index, case in cases:
            arm = t.machine.place()
            t.machine.go(place, Move(arm), case)
            _link(t, making, link.action.arms[index][1], arm, failed, around)
        return
    if link.cache is not None:
        place = _cached(t, making, link, place, around)
    _action(t, making, link, place, failed, around)


def _cached(
    t: Translation, making: Making, link: p.Link, place: int, around: frozenset[str]
) -> int:
    """A look into the cache, unless the step is made again; gives the place of a miss.

    What is in it was answered: it is as right as a fresh answer that was given, costs nothing and
    hangs on no outage. So a hit plays the action for nothing until it answers.
    """
    assert link.cache is not None
    if _may_never_answer(t, link):
        raise NotExportable("a cache before something that may never answer cannot be exported yet")
    hit, miss = t.machine.place(), t.machine.place()
    hits = t.constants.share(link.cache.hits)
    fresh = TRUE
    if making.again is not None:
        fresh = is_(making.again, 0)
        t.machine.go(place, Move(miss), no(fresh))
    t.machine.choose(place, [(hits, Move(hit)), (rest(hits), Move(miss))], fresh)
    _action(t, replace(making, kept=True), link, hit, hit, around)
    return miss


def _may_never_answer(t: Translation, link: p.Link) -> bool:
    """Whether a vote or cascade may have no answer at all: then nothing is in its cache."""
    shares: list[Chance] = []
    if isinstance(link.action, p.Cascade):
        shares += [link.action.rates.catches, link.action.rates.false_alarms]
        shares += [t.program.tiers[tier].transient for tier in link.action.tiers]
    elif link.vote is not None and isinstance(link.action, (p.AskTier, p.Agent)):
        shares += [tier.transient for tier in t.program.tiers.values()]
    return any(t.constants.is_certain(share) for share in shares)


def _action(
    t: Translation,
    making: Making,
    link: p.Link,
    place: int,
    failed: int,
    around: frozenset[str],
) -> None:
    """An action that is none of several."""
    match link.action:
        case p.AskTier() | p.Agent() as ask:
            test, tiers = route_test(t.draws, making.scope, ask.who)
            place = t.draws.perform(place, test.draws)
            for tier, case in tiers:
                asking = t.machine.place()
                t.machine.go(place, Move(asking), case)
                if link.vote is not None:
                    vote(t, making, link, tier, asking, failed, around)
                    continue
                answered = t.machine.place()
                call(t, making, link, tier, asking, answered, failed)
                _answered(t, making, link, tier, answered, around)
        case p.Cascade():
            cascade(t, making, link, place, failed, around)
        case p.AskRole():
            key = link.action.role
            in_time = t.constants.timely(t.program.roles[key], key, link.timeout)
            _single(t, making, link, place, failed, around, rest(in_time), None)
        case p.Call():
            tool = t.program.tools[link.action.tool]
            fails, dollars = rest(t.constants.share(tool.succeeds)), plain(tool.cost)
            _single(t, making, link, place, failed, around, fails, dollars)
        case p.Value():
            _single(t, making, link, place, failed, around, "0", None)
        case p.Recall():
            _recalled(t, making, link.action, place, around)
        case p.RunPipeline():
            raise NotExportable("`run` cannot be exported yet")
        case p.Each():
            raise NotExportable("`each` cannot be exported yet")
        case p.Choose() | p.Broken():
            raise AssertionError("a match was taken apart, and a checked program is not broken")
        case _:
            assert_never(link.action)


def _single(
    t: Translation,
    making: Making,
    link: p.Link,
    place: int,
    failed: int,
    around: frozenset[str],
    fails: str,
    dollars: str | None,
) -> None:
    """One answer of a person, a tool or an expression."""
    answered = t.machine.place()
    if making.kept:
        fails = "0"
    attempt(t, place, fails, None if making.kept else dollars, link.retry.count, answered, failed)
    _answered(t, making, link, None, answered, around)


def _answered(
    t: Translation,
    making: Making,
    link: p.Link,
    tier: str | None,
    place: int,
    around: frozenset[str],
) -> None:
    """The one answer is the value. A call that acts with something wrong is a wrong effect."""
    right = Move(making.done).setting(making.own, RIGHT)
    wrong = Move(making.done).setting(making.own, WRONG)
    acts = isinstance(link.action, p.Call) and t.program.tools[link.action.tool].acts
    if acts and not making.kept:
        wrong = wrong.setting(effect_of(t), 1)
    draw_answer(t, place, answer_of(t, making, link, tier, around), right, wrong)


def _recalled(
    t: Translation, making: Making, action: p.Recall, place: int, around: frozenset[str]
) -> None:
    """What a memory holds is right if its key is; it has no verdicts that could be copied."""
    good = all_right(around | making.scope.mentioned(action.key))
    for verdict, case in ((RIGHT, good), (WRONG, no(good))):
        move = Move(making.done).setting(making.own, verdict)
        if making.memory is not None:
            move = move.setting(making.memory, 0)
        t.machine.go(place, move, case)


def effect_of(t: Translation) -> str:
    """The variable that remembers a wrong effect to the end of the run."""
    t.machine.kept.add(t.machine.declare(EFFECT, 1, "1 if an effect had a wrong value"))
    return EFFECT
