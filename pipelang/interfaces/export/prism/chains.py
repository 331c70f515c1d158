"""Chains: links one after the other, until one answers."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.prism.answers import (
    answer_of,
    attempt,
    draw_answer,
    unless_out,
)
from pipelang.interfaces.export.prism.constants import plain
from pipelang.interfaces.export.prism.draws import RIGHT, WRONG
from pipelang.interfaces.export.prism.formulas import rest
from pipelang.interfaces.export.prism.judging import match_test, route_test
from pipelang.interfaces.export.prism.machine import Move
from pipelang.interfaces.export.prism.polls import cascade, vote
from pipelang.interfaces.export.prism.translation import Making, NotExportable, Translation
from pipelang.semantics import program as p

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
    match link.action:
        case p.AskTier():
            test, tiers = route_test(t.draws, making.scope, link.action.who)
            place = t.draws.perform(place, test.draws)
            for tier, case in tiers:
                asking = t.machine.place()
                t.machine.go(place, Move(asking), case)
                if link.vote is not None:
                    vote(t, making, link, tier, asking, failed, around)
                    continue
                trying = unless_out(t, asking, tier, failed)
                transient = t.constants.share(t.program.tiers[tier].transient)
                dollars = t.dollars(making.step, link, tier)
                _single(t, making, link, tier, trying, failed, around, transient, dollars)
        case p.Cascade():
            cascade(t, making, link, place, failed, around)
        case p.AskRole():
            key = link.action.role
            in_time = t.constants.timely(t.program.roles[key], key, link.timeout)
            _single(t, making, link, None, place, failed, around, rest(in_time), None)
        case p.Call():
            tool = t.program.tools[link.action.tool]
            fails, dollars = rest(t.constants.share(tool.succeeds)), plain(tool.cost)
            _single(t, making, link, None, place, failed, around, fails, dollars)
        case p.Value():
            _single(t, making, link, None, place, failed, around, "0", None)
        case p.Choose():
            taken = [values for values, _ in link.action.arms]
            test, cases = match_test(t.draws, making.scope, link.action.subject, taken)
            place = t.draws.perform(place, test.draws)
            around = around | making.scope.mentioned(link.action.subject)
            for index, case in cases:
                arm = t.machine.place()
                t.machine.go(place, Move(arm), case)
                _link(t, making, link.action.arms[index][1], arm, failed, around)
        case p.Unsupported():
            raise NotExportable(f"{link.action.what} cannot be exported yet")
        case _:
            assert_never(link.action)


def _single(
    t: Translation,
    making: Making,
    link: p.Link,
    tier: str | None,
    place: int,
    failed: int,
    around: frozenset[str],
    fails: str,
    dollars: str | None,
) -> None:
    """One answer. A call that acts on the world with something wrong is a wrong effect."""
    answered = t.machine.place()
    attempt(t, place, fails, dollars, link.retry.count, answered, failed)
    right = Move(making.done).setting(making.own, RIGHT)
    wrong = Move(making.done).setting(making.own, WRONG)
    if isinstance(link.action, p.Call) and t.program.tools[link.action.tool].acts:
        t.machine.kept.add(t.machine.declare(EFFECT, 1, "1 if an effect had a wrong value"))
        wrong = wrong.setting(EFFECT, 1)
    draw_answer(t, answered, answer_of(t, making, link, tier, around), right, wrong)
