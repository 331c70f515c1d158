"""Endings of runs in the model: the variable that holds an outcome, and the place it leads to."""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.interfaces.export.prism.draws import all_right
from pipelang.interfaces.export.prism.formulas import (
    TRUE,
    Formula,
    all_of,
    is_,
    is_not,
    no,
)
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.scopes import PrismScope
from pipelang.interfaces.export.prism.translation import EFFECT, LinkTrial, Making, Translation
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import named
from pipelang.semantics.metrics import ESCALATION, FAILURE, REJECTION, SILENT_ERROR, SUCCESS

RIGHT_ANSWER, WRONG_ANSWER = "answered, and right", "answered, but wrong"

_Sets = Mapping[str, Formula]


def end(scope: PrismScope, outcome: p.Outcome, around: frozenset[str], place: int) -> None:
    """The run of a pipeline ends here."""
    frame = scope.frame
    for name, case in _endings(scope, outcome, around):
        ended = PrismUpdate(frame.finish).setting(
            frame.ending, frame.machine.end(frame.ending, name)
        )
        frame.machine.go(place, ended, case)


def end_later(making: Making, outcome: p.Outcome, place: int) -> None:
    """A chain is used up: what it is in ends when all beside it has finished, if nothing before
    has ended it.
    """
    for name, case in _endings(making.scope, outcome, making.around):
        _remembered(making, name, place, case)


def decided(
    trial: LinkTrial, outcome: p.Escalate | p.Reject, place: int, case: Formula, sets: _Sets
) -> None:
    """The same where a pipeline among an agent's tools has decided it."""
    _remembered(trial.making, _decision(outcome), place, case, sets)


def passed_on(making: Making, variable: str, place: int, child: str | None = None) -> None:
    """Copy to the run what a variable remembers as the ending of an element, or of a
    sub-pipeline; what a sub-pipeline answered, or that it failed, is not copied.
    """
    for name, code in making.scope.frame.machine.endings.get(variable, {}).items():
        kind, _, reason = name.partition(" ")
        if child is None:
            _remembered(making, name, place, is_(variable, code))
        elif kind == ESCALATION:
            passed = f"{kind} {named(child, reason)}"
            _remembered(making, passed, place, is_(variable, code))
        elif kind == REJECTION:
            _remembered(making, name, place, is_(variable, code))


def _remembered(
    making: Making, name: str, place: int, case: Formula, sets: _Sets | None = None
) -> None:
    machine, open_ = making.scope.frame.machine, is_(making.ended, 0)
    first = machine.end(making.ended, name)
    over = PrismUpdate(making.over, sets or {})
    machine.go(place, over.setting(making.ended, first), all_of([open_, case]))
    machine.go(place, over, all_of([no(open_), case]))


def _endings(
    scope: PrismScope, outcome: p.Outcome, around: frozenset[str]
) -> list[tuple[str, Formula]]:
    """The names of what an outcome comes to, each with the condition under which it does."""
    match outcome:
        case p.Return():
            good = all_right(around | scope.mentioned(outcome.value))
            return [(RIGHT_ANSWER, good), (WRONG_ANSWER, no(good))]
        case p.Escalate() | p.Reject():
            return [(_decision(outcome), TRUE)]
        case p.Fail():
            return [(f"{FAILURE} {outcome.code}", TRUE)]


def _decision(outcome: p.Escalate | p.Reject) -> str:
    return f"{ESCALATION} {outcome.reason}" if isinstance(outcome, p.Escalate) else REJECTION


def finish(t: Translation) -> dict[str, int]:
    """The last place: every ending gets a place of its own, by the name of its outcome."""
    machine, root = t.machine, t.root
    machine.headings[root.finish] = "the run is over"
    places: dict[str, int] = {}

    def final(name: str) -> int:
        if name not in places:
            places[name] = machine.place()
        return places[name]

    good = is_not(EFFECT, 1) if EFFECT in machine.variables else TRUE
    for name, code in machine.endings.get(root.ending, {}).items():
        here = is_(root.ending, code)
        if name == RIGHT_ANSWER:
            machine.go(root.finish, PrismUpdate(final(SUCCESS)), all_of([here, good]))
            if good != TRUE:
                machine.go(root.finish, PrismUpdate(final(SILENT_ERROR)), all_of([here, no(good)]))
        elif name == WRONG_ANSWER:
            machine.go(root.finish, PrismUpdate(final(SILENT_ERROR)), here)
        else:
            machine.go(root.finish, PrismUpdate(final(name)), here)
    return places
