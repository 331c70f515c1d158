"""How runs end: what is remembered of an outcome, and what it comes to."""

from __future__ import annotations

from pipelang.interfaces.export.prism.chains import EFFECT
from pipelang.interfaces.export.prism.draws import all_right
from pipelang.interfaces.export.prism.formulas import TRUE, Formula, all_of, is_, is_not, no
from pipelang.interfaces.export.prism.machine import Move
from pipelang.interfaces.export.prism.scopes import Scope
from pipelang.interfaces.export.prism.translation import Translation
from pipelang.semantics import program as p

ENDING = "ending"
RIGHT_ANSWER, WRONG_ANSWER = "answered, and right", "answered, but wrong"
CHAIN_EXHAUSTED = "chain_exhausted"


def end(
    t: Translation, scope: Scope, outcome: p.Outcome, around: frozenset[str], place: int
) -> None:
    """The run ends here."""
    for name, case in _endings(scope, outcome, around):
        t.machine.go(place, Move(t.finish).setting(ENDING, t.machine.end(name)), case)


def end_later(
    t: Translation,
    scope: Scope,
    step: p.Step,
    around: frozenset[str],
    place: int,
    behind: int,
) -> None:
    """A step's chain is used up: the run ends with its region, if nothing before has ended it."""
    outcome = step.chain.end or p.Fail(CHAIN_EXHAUSTED, step.name, step.span)
    open_ = is_(ENDING, 0)
    t.machine.go(place, Move(behind), no(open_))
    for name, case in _endings(scope, outcome, around):
        ended = Move(behind).setting(ENDING, t.machine.end(name))
        t.machine.go(place, ended, all_of([open_, case]))


def _endings(scope: Scope, outcome: p.Outcome, around: frozenset[str]) -> list[tuple[str, Formula]]:
    """The names of what an outcome comes to, each with the condition under which it does."""
    match outcome:
        case p.Return():
            good = all_right(around | scope.mentioned(outcome.value))
            return [(RIGHT_ANSWER, good), (WRONG_ANSWER, no(good))]
        case p.Escalate():
            return [(f"escalation {outcome.reason}", TRUE)]
        case p.Reject():
            return [("rejection", TRUE)]
        case p.Fail():
            return [(f"failure {outcome.code}", TRUE)]


def finish(t: Translation) -> dict[str, int]:
    """The last place: every ending gets a place of its own, by the name of its outcome."""
    machine = t.machine
    machine.headings[t.finish] = "the run is over"
    places: dict[str, int] = {}

    def final(name: str) -> int:
        if name not in places:
            places[name] = machine.place()
        return places[name]

    good = is_not(EFFECT, 1) if EFFECT in machine.variables else TRUE
    for name, number in machine.ends.items():
        here = is_(ENDING, number)
        if name == RIGHT_ANSWER:
            machine.go(t.finish, Move(final("success")), all_of([here, good]))
            if good != TRUE:
                machine.go(t.finish, Move(final("silent_error")), all_of([here, no(good)]))
        elif name == WRONG_ANSWER:
            machine.go(t.finish, Move(final("silent_error")), here)
        else:
            machine.go(t.finish, Move(final(name)), here)
    machine.declare(ENDING, max(machine.ends.values(), default=1), _note(machine.ends))
    return places


def _note(ends: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in ends.items())
