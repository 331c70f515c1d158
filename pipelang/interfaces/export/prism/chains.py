"""Chains: links one after the other, until one answers."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.prism.answers import answer_of, attempt, draw_answer
from pipelang.interfaces.export.prism.caches import look, unless_never
from pipelang.interfaces.export.prism.calls import call
from pipelang.interfaces.export.prism.constants import plain
from pipelang.interfaces.export.prism.draws import RIGHT, WRONG, all_right
from pipelang.interfaces.export.prism.formulas import no, rest
from pipelang.interfaces.export.prism.judging import match_test, route_test
from pipelang.interfaces.export.prism.lists import each
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.polls import cascade, vote
from pipelang.interfaces.export.prism.runs import run
from pipelang.interfaces.export.prism.translation import (
    LinkTrial,
    Making,
    Translation,
)
from pipelang.interfaces.export.prism.turns import by_whom, refuse_never
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn


def chain(t: Translation, making: Making, links: p.Chain, place: int, exhausted: int) -> None:
    """From the head of a chain to its value, or to `exhausted`."""
    last = len(links.links) - 1
    for index, link in enumerate(links.links):
        behind = exhausted if index == last else t.machine.place()
        _link(LinkTrial(t, making, link, making.around, behind), place)
        place = behind


def _link(trial: LinkTrial, place: int) -> None:
    """One link: its answer makes the value, and where it has none the next one is tried."""
    action = trial.link.action
    if isinstance(action, p.Choose):
        taken = [values for values, _ in action.arms]
        test, cases = match_test(trial.t.draws, trial.scope, action.subject, taken)
        place = trial.t.draws.perform(place, test.draws)
        around = trial.around | trial.scope.mentioned(action.subject)
        for index, case in cases:
            arm = trial.machine.place()
            trial.machine.go(place, PrismUpdate(arm), case)
            _link(replace(trial, link=action.arms[index][1], around=around), arm)
        return
    if trial.link.cache is not None:
        hit, miss = look(trial, trial.link.cache, place)
        _action(replace(trial, failed=hit, missed=miss), hit)
        place = miss
    _action(trial, place)


def _action(trial: LinkTrial, place: int) -> None:
    """An action that is none of several."""
    t, link = trial.t, trial.link
    match link.action:
        case p.Agent() as agent if chosen_by_turn(agent):
            if trial.kept:
                refuse_never(trial, agent)
            _asked(trial, place)
        case p.AskTier() | p.Agent() as ask:
            test, tiers = route_test(t.draws, trial.scope, ask.who)
            place = t.draws.perform(place, test.draws)
            for tier, case in tiers:
                asking = t.machine.place()
                t.machine.go(place, PrismUpdate(asking), case)
                _asked(replace(trial, tier=tier), asking)
        case p.Cascade():
            cascade(trial, link.action, unless_never(trial, place))
        case p.AskRole():
            key = link.action.role
            in_time = t.constants.timely(t.program.roles[key], key, link.timeout)
            _single(trial, place, rest(in_time), None)
        case p.Call():
            tool = t.program.tools[link.action.tool]
            _single(trial, place, rest(t.constants.share(tool.succeeds)), plain(tool.cost))
        case p.Value():
            _single(trial, place, "0", None)
        case p.Recall():
            _recalled(trial, link.action, place)
        case p.RunPipeline():
            run(trial, link.action, place)
        case p.Each():
            each(trial, link.action, place, chain)
        case p.Choose() | p.Broken():
            raise AssertionError("a match was taken apart, and a checked program is not broken")
        case _:
            assert_never(link.action)


def _asked(trial: LinkTrial, place: int) -> None:
    """One tier is asked, once or for a vote."""
    if trial.link.vote is not None:
        vote(trial, trial.link.vote, unless_never(trial, place))
        return
    answered = trial.machine.place()
    call(trial, place, answered)
    _answered(trial, answered)


def _single(trial: LinkTrial, place: int, fails: str, dollars: str | None) -> None:
    """One answer of a person, a tool or an expression."""
    answered = trial.machine.place()
    if trial.kept:
        fails = "0"
    if trial.free:
        dollars = None
    if dollars is not None:
        trial.t.pay(place, dollars)
    attempt(trial, place, fails, answered)
    _answered(trial, answered)


def _answered(trial: LinkTrial, place: int) -> None:
    """The one answer is the value. A call that acts with something wrong is a wrong effect."""
    wrong, action = trial.made(WRONG), trial.link.action
    acts = isinstance(action, p.Call) and trial.t.program.tools[action.tool].acts
    if acts and not trial.kept:
        wrong = wrong.setting(trial.t.effect(), 1)
    for mine, there in by_whom(trial, place):
        draw_answer(trial.t, there, answer_of(mine), trial.made(RIGHT), wrong)


def _recalled(trial: LinkTrial, action: p.Recall, place: int) -> None:
    """Verdict of a recalled value: right if its key is; it has no verdicts that could be copied."""
    good = all_right(trial.around | trial.scope.mentioned(action.key))
    trial.machine.go(place, trial.made_anew(RIGHT), good)
    trial.machine.go(place, trial.made_anew(WRONG), no(good))
