"""`each`: one element after the other, since side by side comes to the same.

A run counts how many elements answered, whether one of them was wrong, and which ended the run
first; how many must answer is the rule of `semantics/kernels/each`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pipelang.interfaces.export.prism.constants import decimal, identifier
from pipelang.interfaces.export.prism.draws import RIGHT, WRONG, PrismDraw, Shares
from pipelang.interfaces.export.prism.endings import end_later, passed_on
from pipelang.interfaces.export.prism.formulas import (
    Formula,
    all_of,
    any_of,
    compared,
    is_,
    is_not,
    more,
    no,
    number,
    variable,
)
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.scopes import PrismScope
from pipelang.interfaces.export.prism.translation import LinkTrial, Making, Translation
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.each import least
from pipelang.semantics.types import ListType

Body = Callable[[Translation, Making, p.Chain, int, int], None]
"""From the head of a chain to its value, or to where it is used up."""


def each(trial: LinkTrial, action: p.Each, place: int, body: Body) -> None:
    """From a place to the value, to where the run goes on without one, or to its ending."""
    t, machine, making = trial.t, trial.machine, trial.making
    frame, name = trial.scope.frame, making.name
    elements = trial.scope.expand(action.elements)
    length = _length(t, trial.scope, elements, action.most)
    if isinstance(length, PrismDraw):
        place = t.draws.perform(place, {length.name: length})
    done = frame.variable(f"i_{name}", action.most, f"elements of {name} so far")
    answered = frame.variable(f"n_{name}", action.most, "those that answered")
    wrong = frame.variable(f"w_{name}", 1, "1 once one of them was wrong")
    ended = frame.variable(f"x_{name}", 0, "")
    own = frame.variable(f"e_{name}", 2, "what one answered: 1 right, 2 wrong, 0 nothing")
    head, begin, one, exhausted, following, over = (machine.place() for _ in range(6))
    clear = dict.fromkeys((done, answered, wrong, ended), number(0))
    machine.go(place, PrismUpdate(head, clear))
    left = _longer(length, done)
    machine.go(head, PrismUpdate(begin).setting(own, 0), left)
    machine.go(head, PrismUpdate(over), no(left))
    scope = trial.scope.element(action.variable, action.element, trial.scope.given(elements))
    element = scope.names[action.variable]
    assert isinstance(element, expr.Read)
    t.begins[begin] = element.name
    unanswered = over if action.ordered else following
    inner = Making(
        making.step,
        own,
        scope,
        trial.around,
        one,
        ended,
        unanswered,
        fresh=making.fresh,
        told=making.told,
    )
    body(t, inner, action.body, begin, exhausted)
    counted = PrismUpdate(following, {answered: more(answered)})
    machine.go(one, counted, is_(own, RIGHT))
    machine.go(one, counted.setting(wrong, 1), is_(own, WRONG))
    if action.body.end is None:
        machine.go(exhausted, PrismUpdate(unanswered))
    else:
        end_later(inner, action.body.end, exhausted)
    machine.go(following, PrismUpdate(head, {done: more(done)}))
    counts = machine.place()
    machine.go(over, PrismUpdate(counts), is_(ended, 0))
    passed_on(making, ended, over)
    suffices = _suffices(trial, action.need, length, answered)
    machine.go(counts, trial.made_anew(RIGHT), all_of([suffices, is_(wrong, 0)]))
    machine.go(counts, trial.made_anew(WRONG), all_of([suffices, is_not(wrong, 0)]))
    machine.go(counts, PrismUpdate(trial.failed), no(suffices))


def _longer(length: int | PrismDraw, done: str) -> Formula:
    """Whether there are more elements than were done."""
    if isinstance(length, int):
        return compared(variable(done), "<", number(length))
    return compared(more(done), "<", variable(length.name))  # 1 stands for an empty list


def _suffices(trial: LinkTrial, need: p.Need, length: int | PrismDraw, answered: str) -> Formula:
    """Whether enough elements have answered, for every length that the list may have."""

    def of(elements: int) -> Formula:
        return compared(variable(answered), ">=", number(least(need, elements)))

    if isinstance(length, int):
        return of(length)
    longest = trial.machine.variables[length.name].highest - 1
    lengths = range(longest + 1)
    return any_of(all_of([is_(length.name, count + 1), of(count)]) for count in lengths)


def _length(
    t: Translation, scope: PrismScope, elements: expr.Expr, most: int, told: Decimal | None = None
) -> int | PrismDraw:
    """The length of a list: as it is written, by the mean that the outermost pipeline gives which
    can speak of it, else of any length that its type allows.
    """
    if isinstance(elements, expr.MakeList):
        return len(elements.items)
    if isinstance(elements.type, ListType) and elements.type.max_length is not None:
        most = min(most, elements.type.max_length)
    mean = scope.mean_length(elements)
    told = told if mean is None else mean
    here = scope.in_callers_words(elements)
    if here is not None:
        assert scope.caller is not None
        return _length(t, scope.caller, here, most, told)
    given, shown = scope.given(elements), scope.show(elements)
    if told is None:
        site = f"{scope.pipeline.name}:{shown}.length"
        right = wrong = _any(t, f"{site} if right", most)
        if given:
            wrong = _any(t, f"{site} if wrong", most)
    else:
        right = wrong = _around(told)
    name = t.draws.variable(
        scope.frame,
        ("length", elements),
        f"l_{identifier(shown)}",
        max(code for code, _ in right),
        f"{shown}: 1 + its length",
        scope.about(elements),
    )
    return PrismDraw(name, given, right, wrong)


def _any(t: Translation, site: str, most: int) -> Shares:
    return tuple(enumerate(t.constants.stick(site, most + 1), start=1))


def _around(mean: Decimal) -> Shares:
    """The two whole numbers beside a mean, so that it is met."""
    low = int(mean)
    part = mean - low
    if not part:
        return ((low + 1, "1"),)
    return ((low + 1, decimal(1 - part)), (low + 2, decimal(part)))
