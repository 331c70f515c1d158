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
from pipelang.interfaces.export.prism.machine import Move
from pipelang.interfaces.export.prism.translation import Making, Translation
from pipelang.records import replace
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p

CALLS, FOR, AGAINST, LAST = "calls", "right_votes", "wrong_votes", "last_verdicts"
FIRST_RIGHT, FIRST_WRONG = "first_right", "first_wrong"


def vote(
    t: Translation,
    making: Making,
    link: p.Link,
    tier: str,
    place: int,
    failed: int,
    around: frozenset[str],
) -> None:
    """Calls until the vote is decided; a call that fails is a call, and has the retries."""
    machine, ballot = t.machine, link.vote
    assert ballot is not None
    calls = machine.declare(CALLS, ballot.calls, "calls of this vote so far")
    good = machine.declare(FOR, ballot.calls, "right answers among them")
    bad = machine.declare(AGAINST, ballot.calls, "wrong answers among them")
    answer = _of_several(t, making, link, tier, around)
    counting = machine.place()
    opened = Move(counting).setting(calls, 0).setting(good, 0).setting(bad, 0)
    firsts: tuple[str, str] | None = None
    if making.memory is not None:
        note = f"the first such answer: {VERDICTS}"
        firsts = machine.declare(FIRST_RIGHT, 4, note), machine.declare(FIRST_WRONG, 4, note)
        opened = opened.setting(firsts[0], 0).setting(firsts[1], 0)
    machine.go(place, _remembering(making, answer, opened))
    right_wins, wrong_wins, over = _decided(ballot, calls, good, bad)
    for side, (verdict, wins) in enumerate(((RIGHT, right_wins), (WRONG, wrong_wins))):
        machine.go(
            counting, _taken(making, None if firsts is None else firsts[side], verdict), wins
        )
    undecided = all_of([no(right_wins), no(wrong_wins)])
    machine.go(counting, Move(failed), all_of([undecided, over]))
    asking = machine.place()
    machine.go(counting, Move(asking), all_of([undecided, no(over)]))
    answered, missed = machine.place(), machine.place()
    call(t, making, link, tier, asking, answered, missed, may_fail=True)
    machine.go(missed, Move(counting, {calls: more(calls)}))
    right = Move(counting, {calls: more(calls), good: more(good)})
    wrong = Move(counting, {calls: more(calls), bad: more(bad)})
    if firsts is not None and answer.memory is not None:
        right, wrong = (
            Move(move.to, {**move.sets, first: _unless_there(first, answer.memory)})
            for move, first in zip((right, wrong), firsts, strict=True)
        )
    draw_answer(t, answered, answer, right, wrong)


def _unless_there(first: str, last: str) -> Formula:
    """The first answer of a kind stays; if there was none, this one is it."""
    return chosen(is_(first, 0), variable(last), variable(first))


def _decided(ballot: p.Vote, calls: str, good: str, bad: str) -> tuple[Formula, Formula, Formula]:
    """When right answers have won, when wrong ones have, and when there is no call left."""
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


def cascade(
    t: Translation,
    making: Making,
    link: p.Link,
    place: int,
    failed: int,
    around: frozenset[str],
) -> None:
    """Cheapest first: the next tier when one fails or its answer is not accepted."""
    action, machine = link.action, t.machine
    assert isinstance(action, p.Cascade)
    others = making.scope.steps(ir.mentions(action.until) - {"it"})
    alarms = t.constants.share(action.rates.false_alarms)
    catches = t.constants.share(action.rates.catches)
    known = all_right(others)
    start = _of_several(t, making, link, action.tiers[0], around)
    head = machine.place()
    machine.go(place, _remembering(making, start, Move(head)))
    for index, tier in enumerate(action.tiers):
        behind = machine.place() if index + 1 < len(action.tiers) else failed
        answer = replace(_of_several(t, making, link, tier, around), memory=start.memory)
        answered, right, wrong = machine.place(), machine.place(), machine.place()
        call(t, making, link, tier, head, answered, behind, may_fail=True)
        draw_answer(t, answered, answer, Move(right), Move(wrong))
        _tested(t, right, known, alarms, catches, _taken(making, start.memory, RIGHT), behind)
        _tested(t, wrong, FALSE, alarms, catches, _taken(making, start.memory, WRONG), behind)
        head = behind


def _tested(
    t: Translation,
    place: int,
    looks_right: Formula,
    alarms: str,
    catches: str,
    accepted: Move,
    refused: int,
) -> None:
    """`until`: what is wrong about the answer or beside it is caught, what is right alarms."""
    for case, share in ((looks_right, alarms), (no(looks_right), catches)):
        t.machine.choose(place, [(rest(share), accepted), (share, Move(refused))], case)


def _of_several(
    t: Translation, making: Making, link: p.Link, tier: str, around: frozenset[str]
) -> Answer:
    """An answer among several: it may repeat the one just before, so verdicts are kept."""
    answer = answer_of(t, making, link, tier, around)
    if making.memory is None and not repeats(link):
        return answer
    return replace(answer, memory=t.machine.declare(LAST, 4, f"the answer before: {VERDICTS}"))


def _remembering(making: Making, answer: Answer, move: Move) -> Move:
    """At the start, the answer just before is the step's former one, if there is one."""
    if answer.memory is None:
        return move
    former = number(0) if making.memory is None else variable(making.memory)
    return Move(move.to, {**move.sets, answer.memory: former})


def _taken(making: Making, verdicts: str | None, verdict: int) -> Move:
    """The winner becomes the step's value, and its verdicts what a later answer may repeat."""
    move = Move(making.done).setting(making.own, verdict)
    if making.memory is None or verdicts is None:
        return move
    return Move(move.to, {**move.sets, making.memory: variable(verdicts)})
