"""Kernels of `each`: identical elements, counted until the action is decided.

Given outages, rightness and length, every element is an independent walk of the body's chain. Four
facts are carried from one to the next: how many answered, whether one was wrong, whether there was
a wrong effect, and which outcome came first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.analysis.frontier.states import Key, add
from pipelang.analysis.kernels.conditions import Draw
from pipelang.analysis.kernels.outcome_distribution import Closed, Ending
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.each import enough


def fixed_length(elements: expr.Expr) -> int | None:
    """The length of a list that is written down; None where it is only known while running."""
    return len(elements.items) if isinstance(elements, expr.MakeList) else None


def length_draw(model: PipelineModel, each: p.Each) -> Draw | None:
    """The draw of the list's length, once per version of the list."""
    elements = model.expand(each.elements)
    if fixed_length(elements) is not None:
        return None
    key: Key = ("length", elements)
    given = model.given(elements)
    mean = _mean(model, elements)
    if mean is not None:
        low = int(mean)
        part = float(mean - low)
        lengths = [(low, 1 - part), (low + 1, part)] if part else [(low, 1)]
        return Draw(key, (), lambda right: lengths, shared=True)
    shown = f"{model.pipeline.name}:{expr.show(each.elements)}.length"

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        site = f"{shown} if {'right' if right else 'wrong'}"
        return list(enumerate(model.parameters.stick(site, each.most + 1)))

    return Draw(key, given, outcomes, shared=True, known=False)


def _mean(model: PipelineModel, elements: expr.Expr) -> Any:
    path = model.place(elements)
    if path is None:
        return None
    return model.means.get((*path, "length"))


class Ranks(tuple[int, ...]):
    """The bins of confidences, one for each file: how many of the thresholds on it are reached."""

    __slots__ = ()


Ranked = Callable[[bool], list[tuple[Ranks, Any]]]
"""The ranks of a right or a wrong element's confidence, each with its share."""


@dataclass(frozen=True, slots=True)
class _Far:
    """The state of a list on the way: elements answered, whether all are right, whether something
    was done wrongly, the first outcome, whether an `ordered` one has stopped, and the lowest ranks
    of the confidences so far, one for each file that says how they are spread.
    """

    answered: int = 0
    right: bool = True
    wrong: bool = False
    ended: Ending | None = None
    stopped: bool = False
    lowest: Ranks | None = None


def each_closed(
    each: p.Each,
    length: int,
    element: Callable[[], Closed],
    meter: Any = None,
    ranked: Ranked | None = None,
) -> Closed:
    """Return the kernel of a list. `element` returns the kernel of one element. With a `meter` it
    matters which of them run side by side. `ranked` says how confident right and wrong elements
    are, where the lowest confidence matters.
    """
    closed = Closed()
    if length == 0:
        add(closed.answers, (True, None, False), 1.0)
        return closed
    one = element()
    if ranked is not None:
        one = _with_ranks(one, ranked)
    states: dict[_Far, Any] = {_Far(): 1.0}
    at_once = 1 if meter is None or each.ordered else min(each.parallel or length, length)
    if at_once > 1:
        states = _side_by_side(each, length, at_once, one, states, meter)
    else:
        for _ in range(length):
            after: dict[_Far, Any] = {}
            for far, weight in states.items():
                if far.stopped:
                    add(after, far, weight)
                else:
                    closed.spend(weight, one)
                    _one_more(each, far, weight, one, after)
            states = after
    for far, weight in states.items():
        if far.ended is not None:
            outcome, right, wrong = far.ended
            add(closed.ends, (outcome, right, wrong or far.wrong), weight)
        elif enough(each.need, far.answered, length):
            add(closed.answers, (far.right, far.lowest, far.wrong), weight)
        else:
            add(closed.fails, far.wrong, weight)
    return closed


def _with_ranks(one: Closed, ranked: Ranked) -> Closed:
    """The kernel of an element with the ranks of its confidence in place of its latents."""
    answers: dict[Any, Any] = {}
    for (right, _, wrong), chance in one.answers.items():
        for ranks, share in ranked(right):
            add(answers, (right, ranks, wrong), chance * share)
    return replace(one, answers=answers)


def _lower(far: Ranks | None, ranks: Any) -> Ranks | None:
    """The lower rank by each file; None where nobody asks."""
    if far is None or ranks is None:
        return ranks if isinstance(ranks, Ranks) else far
    return Ranks(map(min, far, ranks))


def _side_by_side(
    each: p.Each, length: int, at_once: int, one: Closed, states: dict[_Far, Any], meter: Any
) -> dict[_Far, Any]:
    """All elements, so many of them at once. In truth one starts as soon as another is done; here
    all of a group start when the group before them is done, which is never earlier.
    """
    if at_once < length:
        meter.bounded = True
    aside = Closed(
        answers={key: meter.aside(chance) for key, chance in one.answers.items()},
        fails={key: meter.aside(chance) for key, chance in one.fails.items()},
        ends={key: meter.aside(chance) for key, chance in one.ends.items()},
    )
    for begun in range(0, length, at_once):
        after: dict[_Far, Any] = {}
        for start, before in states.items():
            group: dict[_Far, Any] = {start: 1.0}
            for _ in range(min(at_once, length - begun)):
                grown: dict[_Far, Any] = {}
                for far, weight in group.items():
                    _one_more(each, far, weight, aside, grown)
                group = grown
            for far, weight in group.items():
                add(after, far, before * meter.back(weight))
        states = after
    return states


def _one_more(each: p.Each, far: _Far, weight: Any, one: Closed, after: dict[_Far, Any]) -> None:
    # Once the run is to end, it no longer matters how many answered and how well.
    counts = far.ended is None
    for (right, ranks, wrong), chance in one.answers.items():
        answered = far.answered + 1 if counts else 0
        still = far.right and right if counts else True
        lowest = _lower(far.lowest, ranks) if counts else None
        made = _Far(answered, still, far.wrong or wrong, far.ended, lowest=lowest)
        add(after, made, weight * chance)
    for wrong, chance in one.fails.items():
        stopped = each.ordered
        missed = _Far(far.answered, far.right, far.wrong or wrong, far.ended, stopped, far.lowest)
        add(after, missed, weight * chance)
    for (outcome, right, wrong), chance in one.ends.items():
        ended = far.ended or (outcome, right, False)
        add(after, _Far(0, True, far.wrong or wrong, ended, each.ordered), weight * chance)
