"""The second round of a redo: its prompt contains feedback on the first, and what is made of it is
judged anew.

Gates in between are judged again with it, by values that the feedback may have marked, and may take
a redo of their own: what the outer round has put into a value reaches the feedback of the inner
one. So a round is followed again as long as there is something new in its feedback, or in what is
told by there being one.
"""

from __future__ import annotations

from typing import Protocol

from pipelang.analysis.flow import sinks
from pipelang.analysis.flow.expenses import Expenses
from pipelang.analysis.flow.looking import mentioning
from pipelang.analysis.flow.marks import (
    INFLUENCED,
    NOTHING,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Mark,
    joined,
    marks_of,
    spread,
)
from pipelang.analysis.flow.situation import Control, FlowFinding, Situation
from pipelang.analysis.flow.tracked_run import TrackedRun
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import all_reruns, changed_by
from pipelang.semantics.types import TEXT

SPOKEN_OF = (UNTRUSTED, INFLUENCED, PRIVATE)


class Following(Protocol):
    """Whatever follows the items of a run: the `Tracker`."""

    found: list[FlowFinding]
    spending: Expenses

    def item(
        self, place: TrackedRun, block: p.Block, index: int, item: p.Item, situation: Situation
    ) -> Situation | None:
        """Follow an item; return the situation after it, None if no run gets there."""


def redone(
    tracker: Following,
    place: TrackedRun,
    block: p.Block,
    index: int,
    redo: p.Redo,
    situation: Situation,
    told_of: tuple[tuple[Mark, ...], tuple[Mark, ...]],
) -> Situation | None:
    """Follow another round of a redo by the gate or approval at an index of a block. Return the
    situation after it, with the tests that were judged again; None if it brings nothing new. It is
    `told_of` what there is a second round by, and what whoever writes the feedback has seen.
    """
    gate = block.items[index]
    assert isinstance(gate, (p.Gate, p.Person))
    reveals, seen = told_of
    flow = NOTHING if redo.because is None else place.values.of(redo.because)
    for mark in marks_of(flow, SECRET):
        words = f"the feedback of `{gate.name}`"
        tracker.found.append(sinks.secret(mark, words, redo.because, gate.span))
    said = marks_of(flow, UNTRUSTED, INFLUENCED, PRIVATE, SECRET)
    hop = f"`redo {redo.step}` gives it as feedback"
    told = spread(TEXT, [mark.through(hop, gate.span) for mark in (*said, *seen)])
    if not _is_new(place, gate, redo, told, (situation, reveals)):
        return None
    inner = situation
    if reveals:
        inner = situation.under(Control(gate.name, gate.span, (), reveals))
    place.feedback[redo.step] = joined(place.feedback.get(redo.step, NOTHING), told)
    again = [at for at in all_reruns(block.items, index, redo) if at < index]
    names = changed_by(block.items, again)
    before = place.values.looks
    place.values.looks = tuple(kind - mentioning(kind, names) for kind in before)
    ending = inner
    for at in again:
        after = tracker.item(place, block, at, block.items[at], ending)
        assert after is not None
        ending = after
    place.values.looks = before
    return situation.told(*ending.since(inner))


def _is_new(
    place: TrackedRun,
    gate: p.Gate | p.Person,
    redo: p.Redo,
    told: Flow,
    decided: tuple[Situation, tuple[Mark, ...]],
) -> bool:
    """Whether a round has anything that no round before had: in its feedback, or in what is told by
    there being one.
    """
    situation, reveals = decided
    known = marks_of(place.feedback.get(redo.step, NOTHING), *SPOKEN_OF, SECRET)
    fresh = set(marks_of(told, *SPOKEN_OF, SECRET)) - {*known}
    outside = set(marks_of(situation.revealed(), PRIVATE, SECRET))
    before = place.rounds.get(gate.span)
    place.rounds[gate.span] = outside.union(reveals, before or ())
    return bool(fresh) or not (outside if before is None else before) >= outside.union(reveals)


def sent_back(
    tracker: Following,
    place: TrackedRun,
    block: p.Block,
    index: int,
    redo: p.Redo,
    situation: Situation,
) -> Situation:
    """Follow the rounds after a person has sent a step back; return the situation in which they
    are asked. Their no is theirs, as an answer is; the reason that they write may tell of private
    data that they have seen, and that they were asked tells of the condition by which they are.
    """
    person, values = block.items[index], place.values
    assert isinstance(person, p.Person)
    while True:
        reveals: tuple[Mark, ...] = ()
        if person.when is not None:
            flow = values.told(person.when)
            reveals = tuple(marks_of(flow, PRIVATE, SECRET))
            tracker.spending.ask(marks_of(flow, *SPOKEN_OF))
        showing = []
        if redo.because is None and person.showing is not None:
            showing = [values.of(person.showing)]
        elif redo.because is None:
            showing = [values.whole(name) for name in person.judges]
        words = f"`{person.name}` may write of it"
        private = marks_of(joined(*showing), PRIVATE)
        seen = tuple(mark.through(words, person.span) for mark in private)
        after = redone(tracker, place, block, index, redo, situation, (reveals, seen))
        if after is None:
            return situation
        situation = after
