"""Kernels of `each`: identical elements, counted until the action is decided.

Given outages and rightness, every element is an independent walk of the body's chain. Four facts
are carried from one to the next: how many answered or did not, as far as that decides, whether one
was wrong, whether there was a wrong effect, and which outcome came first. Of lists of different
lengths the longer goes on from where the shorter ended (docs/decisions/0384-one-walk-a-list.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.analysis.frontier.states import Key, add
from pipelang.analysis.kernels.conditions import Draw
from pipelang.analysis.kernels.outcome_distribution import Closed, Ending
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import NamedTuple, dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.each import least


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


class _Far(NamedTuple):
    """The state of a list on the way: elements that `_Count` counts, whether all are right, whether
    something was done wrongly, the first outcome, whether an `ordered` one has stopped, and the
    lowest ranks of the confidences so far, one for each file that says how they are spread.
    """

    counted: int = 0
    right: bool = True
    wrong: bool = False
    ended: Ending | None = None
    stopped: bool = False
    lowest: Ranks | None = None


_States = dict[_Far, Any]


@dataclass(frozen=True, slots=True)
class _Count:
    """The side of the elements that is counted: those that answered, or those that did not
    (`missing`), up to `most`. More than that decides nothing else, at any length asked for.
    """

    need: p.Need
    missing: bool
    most: int

    def enough(self, counted: int, length: int) -> bool:
        """Whether a list of this length answers."""
        needed = least(self.need, length)
        return counted <= length - needed if self.missing else counted >= needed


def _count(each: p.Each, longest: int) -> _Count:
    """Count whichever side takes fewer states: of `need any` one that answers, of `need all` one
    that does not. In an `ordered` list what comes after the first that does not answer is missing
    as well; answers are counted there, but for `need all`.
    """
    if each.need.kind == "all":
        return _Count(each.need, True, 1)
    answers = least(each.need, longest)
    misses = 1 + max(length - least(each.need, length) for length in range(longest + 1))
    if each.need.kind == "share" and not each.ordered and misses < answers:
        return _Count(each.need, True, misses)
    return _Count(each.need, False, answers)


@dataclass(slots=True)
class ListWalk:
    """The elements of a list, gone through one after the other. It is asked for the kernels of
    lists of rising lengths, and goes on from the one before.

    `element` is the kernel of one element, `longest` how long a list may be. With a `meter` it
    matters which of them run side by side. `ranked` says how confident right and wrong elements
    are, where the lowest confidence matters.
    """

    each: p.Each
    element: Closed
    longest: int
    meter: Any = None
    ranked: Ranked | None = None
    _count: _Count = field(init=False)
    _gone: int = field(init=False, default=0)
    _states: _States = field(init=False)
    _begun: Any = field(init=False, default=0.0)
    _groups: dict[_Far, _States] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.ranked is not None:
            self.element = _with_ranks(self.element, self.ranked)
        if self._beside:
            aside, one = self.meter.aside, self.element
            self.element = Closed(
                answers={key: aside(chance) for key, chance in one.answers.items()},
                fails={key: aside(chance) for key, chance in one.fails.items()},
                ends={key: aside(chance) for key, chance in one.ends.items()},
            )
        self._count = _count(self.each, self.longest)
        self._restart()

    @property
    def _beside(self) -> bool:
        """Whether several elements run at once, which only times hang on."""
        at_once = self.each.parallel or self.longest
        return self.meter is not None and not self.each.ordered and min(at_once, self.longest) > 1

    def _restart(self) -> None:
        self._gone, self._begun = 0, 0.0
        self._states = {_Far(): 1.0}
        self._groups = {}

    def closed(self, length: int) -> Closed:
        """The kernel of a list of this length."""
        closed = Closed()
        if length == 0:
            add(closed.answers, (True, None, False), 1.0)
            return closed
        if length < self._gone:
            self._restart()
        if self._beside:
            states = self._side_by_side(length)
        else:
            states = self._one_by_one(length, closed)
        for far, weight in states.items():
            if far.ended is not None:
                outcome, right, wrong = far.ended
                add(closed.ends, (outcome, right, wrong or far.wrong), weight)
            elif self._count.enough(far.counted, length):
                add(closed.answers, (far.right, far.lowest, far.wrong), weight)
            else:
                add(closed.fails, far.wrong, weight)
        if length >= self.longest:  # none longer comes, and weights may be long arrays
            self._restart()
        return closed

    def _one_by_one(self, length: int, closed: Closed) -> _States:
        each, one, work = self.each, self.element, 0
        for _ in range(self._gone, length):
            after: _States = {}
            for far, weight in self._states.items():
                if far.stopped:
                    add(after, far, weight)
                    continue
                work += 1 + one.work
                if each.ordered or self.meter is not None:
                    self._begun = self._begun + weight
                _one_more(each, self._count, far, weight, one, after)
            self._states = after
        self._gone = length
        # Of a list that never stops every element is begun, whatever the others came to.
        begun = self._begun if each.ordered or self.meter is not None else float(length)
        closed.spend(begun, one)
        closed.work = work
        return self._states

    def _side_by_side(self, length: int) -> _States:
        """All elements, so many of them at once. In truth one starts as soon as another is done;
        here all of a group start when the group before them is done, which is never earlier.
        """
        at_once = self.each.parallel or self.longest
        if at_once < length:
            self.meter.bounded = True
        for number in range(self._gone, length):
            if number % at_once == 0:
                self._states = self._joined() if self._groups else self._states
                self._groups = {start: {start: 1.0} for start in self._states}
            for start, group in self._groups.items():
                grown: _States = {}
                for far, weight in group.items():
                    _one_more(self.each, self._count, far, weight, self.element, grown)
                self._groups[start] = grown
        self._gone = length
        return self._joined()

    def _joined(self) -> _States:
        """The states when the group that is under way is done."""
        after: _States = {}
        for start, group in self._groups.items():
            for far, weight in group.items():
                add(after, far, self._states[start] * self.meter.back(weight))
        return after


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


def _one_more(
    each: p.Each, count: _Count, far: _Far, weight: Any, one: Closed, after: _States
) -> None:
    # Once the run is to end, it no longer matters how many answered and how well.
    counts = far.ended is None
    answered = missed = far.counted
    if count.missing:
        missed = min(missed + 1, count.most)
    else:
        answered = min(answered + 1, count.most)
    for (right, ranks, wrong), chance in one.answers.items():
        still = far.right and right if counts else True
        lowest = _lower(far.lowest, ranks) if counts else None
        number = answered if counts else 0
        made = _Far(number, still, far.wrong or wrong, far.ended, lowest=lowest)
        add(after, made, weight * chance)
    for wrong, chance in one.fails.items():
        number = missed if counts else 0
        made = _Far(number, far.right, far.wrong or wrong, far.ended, each.ordered, far.lowest)
        add(after, made, weight * chance)
    for (outcome, right, wrong), chance in one.ends.items():
        ended = far.ended or (outcome, right, False)
        add(after, _Far(0, True, far.wrong or wrong, ended, each.ordered), weight * chance)
