"""Votes and cascades: several answers of one link, of which one is taken.

They are counted here from the words of the language: a majority is more than half of N equal
answers, a lead is K more than the other side has, and wrong answers agree with one another.
"""

from __future__ import annotations

from pipelang.interfaces.export.prism.answers import (
    VERDICTS,
    Answer,
    answer_of,
    draw_answer,
    repeats,
)
from pipelang.interfaces.export.prism.calls import call
from pipelang.interfaces.export.prism.draws import RIGHT, WRONG, all_right
from pipelang.interfaces.export.prism.formulas import (
    FALSE,
    Formula,
    all_of,
    chosen,
    is_,
    more,
    no,
    number,
    rest,
    variable,
)
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.interfaces.export.prism.turns import by_whom
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import tiers_of

CALLS, FOR, AGAINST, LAST = "calls", "right_votes", "wrong_votes", "last_verdicts"
FIRST_RIGHT, FIRST_WRONG = "first_right", "first_wrong"


def vote(trial: LinkTrial, ballot: p.Vote, place: int) -> None:
    """Calls until the vote is decided; a call that fails is a call, and has the retries."""
    machine = trial.machine
    calls = machine.declare(CALLS, ballot.calls, "calls of this vote so far")
    good = machine.declare(FOR, ballot.calls, "right answers among them")
    bad = machine.declare(AGAINST, ballot.calls, "wrong answers among them")
    first = trial if trial.tier is not None else _by_any(trial)
    answer = _of_several(first)
    counting = machine.place()
    opened = PrismUpdate(counting).setting(calls, 0).setting(good, 0).setting(bad, 0)
    firsts: tuple[str, str] | None = None
    if trial.making.memory is not None:
        note = f"the first such answer: {VERDICTS}"
        firsts = machine.declare(FIRST_RIGHT, 4, note), machine.declare(FIRST_WRONG, 4, note)
        opened = opened.setting(firsts[0], 0).setting(firsts[1], 0)
    machine.go(place, _remembering(trial, answer, opened))
    right_wins, wrong_wins, over = _decided(ballot, calls, good, bad)
    for side, (verdict, wins) in enumerate(((RIGHT, right_wins), (WRONG, wrong_wins))):
        taken = _taken(trial, None if firsts is None else firsts[side], verdict)
        machine.go(counting, taken, wins)
    undecided = all_of([no(right_wins), no(wrong_wins)])
    machine.go(counting, PrismUpdate(trial.failed), all_of([undecided, over]))
    asking = machine.place()
    machine.go(counting, PrismUpdate(asking), all_of([undecided, no(over)]))
    answered, missed = machine.place(), machine.place()
    call(replace(trial, failed=missed), asking, answered, may_fail=True)
    machine.go(missed, PrismUpdate(counting, {calls: more(calls)}))
    right = PrismUpdate(counting, {calls: more(calls), good: more(good)})
    wrong = PrismUpdate(counting, {calls: more(calls), bad: more(bad)})
    if firsts is not None and answer.memory is not None:
        right, wrong = (
            PrismUpdate(move.to, {**move.sets, first: _unless_there(first, answer.memory)})
            for move, first in zip((right, wrong), firsts, strict=True)
        )
    for mine, there in by_whom(trial, answered):
        said = replace(_of_several(mine), memory=answer.memory)
        draw_answer(trial.t, there, said, right, wrong)


def _by_any(trial: LinkTrial) -> LinkTrial:
    """The same by the first of several tiers, for what does not hang on which it is."""
    tiers = tiers_of(trial.link.action)
    return replace(trial, tier=tiers[0]) if tiers else trial


def _unless_there(first: str, last: str) -> Formula:
    """The first answer of a kind stays; if there was none, this one is it."""
    return chosen(is_(first, 0), variable(last), variable(first))


def _decided(ballot: p.Vote, calls: str, good: str, bad: str) -> tuple[Formula, Formula, Formula]:
    """Conditions: right answers have won, wrong ones have, no call is left."""
    reads = frozenset({calls, good, bad})

    def formula(text: str) -> Formula:
        return Formula(text, reads)

    over = Formula(f"{calls}={ballot.calls}", frozenset({calls}))
    if isinstance(ballot, p.Lead):
        lead = ballot.lead
        return formula(f"{good}-{bad}>={lead}"), formula(f"{bad}-{good}>={lead}"), over
    right = all_of([over, formula(f"2*{good}>{ballot.calls}")])
    wrong = all_of([over, formula(f"2*{bad}>{ballot.calls}")])
    return right, wrong, over


def cascade(trial: LinkTrial, action: p.Cascade, place: int) -> None:
    """Cheapest first: the next tier when one fails or its answer is not accepted."""
    t, machine = trial.t, trial.machine
    others = trial.scope.steps(expr.mentions(action.until) - {"it"})
    alarms = t.constants.share(action.rates.false_alarms)
    catches = t.constants.share(action.rates.catches)
    known = all_right(others)
    start = _of_several(replace(trial, tier=action.tiers[0]))
    head = machine.place()
    machine.go(place, _remembering(trial, start, PrismUpdate(head)))
    for index, tier in enumerate(action.tiers):
        behind = machine.place() if index + 1 < len(action.tiers) else trial.failed
        asked = replace(trial, tier=tier, failed=behind)
        answer = replace(_of_several(asked), memory=start.memory)
        answered, right, wrong = machine.place(), machine.place(), machine.place()
        call(asked, head, answered, may_fail=True)
        draw_answer(t, answered, answer, PrismUpdate(right), PrismUpdate(wrong))
        for at, verdict, looks_right in ((right, RIGHT, known), (wrong, WRONG, FALSE)):
            # What is wrong about the answer or beside it is caught, what is right alarms.
            accepted = _taken(trial, start.memory, verdict)
            for case, share in ((looks_right, alarms), (no(looks_right), catches)):
                machine.choose(at, [(rest(share), accepted), (share, PrismUpdate(behind))], case)
        head = behind


def _of_several(trial: LinkTrial) -> Answer:
    """An answer among several: it may repeat the one just before, so verdicts are kept."""
    answer = answer_of(trial)
    if trial.making.memory is None and not repeats(trial.link):
        return answer
    last = trial.machine.declare(LAST, 4, f"the answer before: {VERDICTS}")
    return replace(answer, memory=last)


def _remembering(trial: LinkTrial, answer: Answer, move: PrismUpdate) -> PrismUpdate:
    """At the start, the answer just before is the step's former one, if there is one."""
    if answer.memory is None:
        return move
    memory = trial.making.memory
    former = number(0) if memory is None else variable(memory)
    return PrismUpdate(move.to, {**move.sets, answer.memory: former})


def _taken(trial: LinkTrial, verdicts: str | None, verdict: int) -> PrismUpdate:
    """The winner becomes the value, and its verdicts what a later answer may repeat."""
    move = trial.made(verdict)
    if trial.making.memory is None or verdicts is None:
        return move
    return PrismUpdate(move.to, {**move.sets, trial.making.memory: variable(verdicts)})
