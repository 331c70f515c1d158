"""The values that a test or a person has looked at, and whether they cover another value.

A gate looks at a value only if every way on which it passes depends on that value itself: not on
its length, its presence, its first words or on one text that it is not, not in one arm of a choice,
and not in an argument that a `fn` ignores. A person has looked at what is shown as it is: a path, a
record or a list of such; a comparison shows one bit of what it compares, `first` a beginning.

What was looked at is a set of `Seen`: a path, or an expression with its lets and functions put in,
so that another expression that computes the same from the same is covered, too. Such expressions
have no sides and no time, and every name stands for one value, hence equal ones are equal values.
What only one arm of a choice looks at was looked at where that arm was taken (`SeenInArm`): another
choice by the same condition takes the same arm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import reduce

from pipelang.analysis.flow.marks import ELEMENT, OPEN, Way
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import (
    TEXT,
    ListType,
    MapType,
    RecordType,
    Scalar,
    present,
)

Arm = bool | tuple[object, ...]
"""The result of a condition, or the pattern of an arm; of the arm `else`, all the others."""


@dataclass(frozen=True, slots=True)
class SeenInArm:
    """Something looked at where a condition had a result, or a subject took an arm."""

    test: expr.Expr
    arm: Arm
    one: Seen


MOST_ARMS = 4
"""The most arms within each other of which is noted what was looked at there."""

MOST_WORDS = 20
"""The most parts of an expression that is noted for an arm."""

Seen = Way | expr.Expr | SeenInArm
Looks = frozenset[Seen]

NONE: Looks = frozenset()

NO_LOOKS: tuple[Looks, ...] = (NONE,) * 5
"""Nothing that was looked at, by kind as `Values.looks`."""


def taken_by(test: expr.Expr, arm: Arm, looks: Looks, besides: Looks) -> Looks:
    """Return what was looked at in one arm alone."""
    own = (one for one in looks - besides if _is_small(one))
    return frozenset(SeenInArm(test, arm, one) for one in own)


def _is_small(one: Seen) -> bool:
    """Whether it is worth to note for one arm: no choice itself, and not too deep in others."""
    deep = 0
    while isinstance(one, SeenInArm):
        one, deep = one.one, deep + 1
    if deep >= MOST_ARMS or isinstance(one, (expr.Choice, expr.Select)):
        return False
    if isinstance(one, tuple):
        return True
    return sum(1 for _ in zip(expr.walk(one), range(MOST_WORDS + 1), strict=False)) <= MOST_WORDS


def assuming(looks: Looks, test: expr.Expr, arm: Arm) -> Looks:
    """Return what was looked at, where a test takes an arm."""
    more = [o.one for o in looks if isinstance(o, SeenInArm) and o.arm == arm and o.test == test]
    return looks.union(more) if more else looks


def arms_of(node: expr.Select) -> Iterator[tuple[Arm, expr.Expr]]:
    """Return the arms of a `match`, each as it is told from the others."""
    named = tuple(pattern for pattern, _ in node.arms if pattern is not None)
    for pattern, value in node.arms:
        yield ("else", named) if pattern is None else pattern, value


def path(node: expr.Expr) -> Way | None:
    """Return the path that an expression is; None for anything computed. An index is a part of it,
    in brackets. That of an element of a comprehension begins with a name of its own (`within`).
    """
    match node:
        case expr.Read():
            return (node.name,)
        case expr.ElementRead():
            return (f"@{node.name}",)
        case expr.Field():
            head = path(node.target)
            return None if head is None else (*head, node.name)
        case expr.At():
            head = path(node.target)
            return None if head is None else (*head, f"[{expr.show(node.index)}]")
        case _:
            return None


def _first_index(way: Way) -> int | None:
    """Return the place of the first index in a path."""
    return next((at for at, part in enumerate(way) if part.startswith("[")), None)


def outside_elements(looks: Looks) -> Looks:
    """Return the paths that lead into no element of a list."""
    return frozenset(one for one in looks if isinstance(one, tuple) and not _first_index(one))


def with_element(one: Seen) -> Seen:
    """Return the element of a list that a path leads into; else what is given."""
    at = _first_index(one) if isinstance(one, tuple) else None
    return one if at is None or not isinstance(one, tuple) else one[: at + 1]


def within(over: expr.Comprehension, looks: Iterable[Seen]) -> Looks:
    """Return what was looked at of the list, where a test looks at every element in that way."""
    own = f"@{over.name}"
    ways = [one[1:] for one in looks if isinstance(one, tuple) and one[0] == own]
    return NONE if over.condition is not None else frozenset(_of_each(over.collection, ways))


def _of_each(collection: expr.Expr, ways: list[Way]) -> Iterator[Seen]:
    """Return what was looked at of a list, from what was looked at of each of its elements."""
    head = path(collection)
    if head is not None:
        yield from [head] if () in ways else ((*head, ELEMENT, *way) for way in ways)
    elif isinstance(collection, expr.Concatenation):
        yield from _of_each(collection.left, ways)
        yield from _of_each(collection.right, ways)
    elif isinstance(collection, expr.MakeList):
        for item in collection.items:
            element = path(item)
            if element is not None:
                yield from ((*element, *way) for way in ways)
            elif () in ways:
                yield item


def covers(seen: Looks, node: expr.Expr) -> bool:
    """Whether all that an expression is computed from was looked at."""
    if isinstance(node, (expr.Const, expr.BudgetLeft)) or node in seen:
        return True
    way = path(node)
    if way is not None:
        every = tuple(ELEMENT if part.startswith("[") else part for part in way)
        heads = (one[:length] for one in (way, every) for length in range(1, len(way) + 1))
        return any(head in seen for head in heads)
    if isinstance(node, expr.Choice) and covers(seen, node.condition):
        ways = ((True, node.then), (False, node.otherwise))
        return all(covers(assuming(seen, node.condition, arm), value) for arm, value in ways)
    if isinstance(node, expr.Select) and covers(seen, node.subject):
        return all(covers(assuming(seen, node.subject, a), value) for a, value in arms_of(node))
    if isinstance(node, expr.Comprehension):
        inner = seen | {(f"@{node.name}",)}
        tests = () if node.condition is None else (node.condition,)
        return covers(seen, node.collection) and all(covers(inner, x) for x in (node.item, *tests))
    parts = expr.parts(node)
    return bool(parts) and all(covers(seen, part) for part in parts)


class Gaze:
    """Values that tests look at. With `partly`, the part of a value stands for the value: for the
    question whose verdict vouches for a model's answer.
    """

    def __init__(self, *, partly: bool = False) -> None:
        self.partly = partly

    def judged(self, node: expr.Expr, holds: bool = True) -> Looks | None:
        """Return what every way on which a test has this result looks at; None if there is none."""
        match node:
            case expr.Const():
                return NONE if node.value is holds else None
            case expr.Not():
                return self.judged(node.operand, not holds)
            case expr.Logic():
                stops = node.op == "or"  # the result of the left side that decides by itself
                both = self._and(self.judged(node.left, not stops), self.judged(node.right, holds))
                return both if holds is not stops else _or(self.judged(node.left, stops), both)
            case expr.Choice():
                return self._choice(node, lambda arm: self.judged(arm, holds))
            case expr.Select():
                arms = [(pattern, self.judged(arm, holds)) for pattern, arm in node.arms]
                found = reduce(_or, (looks for _, looks in arms))
                if found is not None:
                    found |= self._arms(node, lambda arm: self.judged(arm, holds), found)
                if _is_open(node.subject) and any(p is None and f is not None for p, f in arms):
                    return self._and(NONE, found)  # what no arm names passes
                return self._and(self.taken(node.subject), found)
            case expr.Builtin(function="any" | "all", arguments=(expr.Comprehension() as over,)):
                every = node.function == ("all" if holds else "any")
                return self._elements(over, holds) if every else frozenset({node})
            case expr.IsPresent() if not holds:
                return self.taken(node.target)  # there is nothing in it
            case expr.Compare(op="==") if node.left == node.right:
                return NONE  # whatever it is, it is itself
            case expr.Compare(op="==") if not holds and not self.partly and _excludes(node):
                return frozenset({node})  # any other text passes
            case expr.Member() if not holds and not self.partly and _is_open(node.item):
                return frozenset({node})
            case _:
                return self.taken(node)

    def taken(self, node: expr.Expr) -> Looks:
        """Return what the value of an expression depends on, whatever the value is."""
        way = path(node)
        if way is not None:
            indices = (inner.index for inner in expr.walk(node) if isinstance(inner, expr.At))
            return frozenset({way}).union(*map(self.taken, indices))
        own: Looks = NONE if isinstance(node, expr.Const) else frozenset({node})
        match node:
            case expr.Builtin(function="first" | "len") | expr.IsPresent():
                return own.union(*map(self.taken, expr.parts(node))) if self.partly else own
            case expr.Comprehension():
                return own  # of some elements, and a part of each
            case expr.Builtin(arguments=(expr.Comprehension(),)):
                return own
            case expr.Field() | expr.At():
                return own  # a part of something computed
            case expr.Not() | expr.Logic():
                found = _or(self.judged(node, True), self.judged(node, False))
                return own | (found or NONE)
            case expr.Choice():
                return own | (self._choice(node, self.taken) or NONE)
            case expr.Select():
                arms = [self.taken(arm) for _, arm in node.arms]
                both = arms[0].intersection(*arms[1:])
                own |= self._arms(node, self.taken, both)
                return own | self.taken(node.subject) | both
            case _:
                return own.union(*map(self.taken, expr.parts(node)))

    def _elements(self, over: expr.Comprehension, holds: bool) -> Looks:
        """Return what a test of every element looks at: of the list, the elements or the fields
        that it looks at, if it leaves none out.
        """
        looks = self.judged(over.item, holds)
        whole = over.condition is None and (f"@{over.name}",) in (looks or ())
        own: Looks = frozenset({over}) | within(over, looks or ())
        return self.taken(over.collection) if whole else own

    def _choice(self, node: expr.Choice, arm: Callable[[expr.Expr], Looks | None]) -> Looks | None:
        then = self._and(self.judged(node.condition, True), arm(node.then))
        other = self._and(self.judged(node.condition, False), arm(node.otherwise))
        if then is None or other is None:
            return _or(then, other)
        both = then & other
        test = node.condition
        return both | taken_by(test, True, then, both) | taken_by(test, False, other, both)

    def _arms(
        self, node: expr.Select, arm: Callable[[expr.Expr], Looks | None], both: Looks
    ) -> Looks:
        found = NONE
        for name, value in arms_of(node):
            found |= taken_by(node.subject, name, arm(value) or NONE, both)
        return found

    def _and(self, one: Looks | None, other: Looks | None) -> Looks | None:
        return None if one is None or other is None else one | other


def _excludes(test: expr.Compare) -> bool:
    """Whether a comparison that does not hold excludes one value of more than can be listed."""
    return _is_open(test.left) or _is_open(test.right)


def _is_open(node: expr.Expr) -> bool:
    """Whether a value is one of more than anybody can list: a text, or what may hold texts."""
    type = present(node.type)
    is_text = isinstance(type, Scalar) and type.kind in OPEN
    return is_text or isinstance(type, (ListType, MapType, RecordType))


def _or(one: Looks | None, other: Looks | None) -> Looks | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def shown(node: expr.Expr) -> Looks:
    """Return what a person sees of an expression's value."""
    way = path(node)
    if way is not None:
        return frozenset({way})
    if isinstance(node, expr.Const):
        return NONE
    own: Looks = frozenset({node})
    match node:
        case expr.MakeRecord() | expr.MakeList() | expr.Concatenation():
            return own.union(*map(shown, expr.parts(node)))
        case expr.Comprehension():
            return own | within(node, shown(node.item))
        case expr.Arithmetic() if node.type == TEXT or _is_shifted(node):
            return own.union(*map(shown, expr.parts(node)))
        case expr.Choice():
            then = shown(node.then) | _pinned(node.condition, True)
            other = shown(node.otherwise) | _pinned(node.condition, False)
            own |= taken_by(node.condition, True, then, other)
            own |= taken_by(node.condition, False, other, then)
            return own | (then & other)
        case expr.Select():
            arms = [shown(arm) for _, arm in node.arms]
            both = arms[0].intersection(*arms[1:])
            for name, value in arms_of(node):
                own |= taken_by(node.subject, name, shown(value), both)
            return own | both
        case _:
            return own


def _is_shifted(node: expr.Arithmetic) -> bool:
    """Whether one side of a sum is a constant, so that the result tells the other."""
    sides = (node.left, node.right)
    return node.op in "+-" and any(isinstance(side, expr.Const) for side in sides)


def _pinned(test: expr.Expr, holds: bool) -> Looks:
    """Return the values that are known where a test has this result: equal to a constant."""
    match test:
        case expr.Not():
            return _pinned(test.operand, not holds)
        case expr.Compare(op="==") if holds:
            sides = (test.left, test.right)
            if any(isinstance(side, expr.Const) for side in sides):
                return frozenset().union(*map(shown, sides))
        case expr.Logic(op="and") if holds:
            return _pinned(test.left, True) | _pinned(test.right, True)
        case expr.Logic(op="or") if not holds:
            return _pinned(test.left, False) | _pinned(test.right, False)
    return NONE


def mentioning(seen: Looks, names: Iterable[str]) -> Looks:
    """Return what was looked at of some names, or computed from them."""
    made = frozenset(names)
    return frozenset(one for one in seen if made & names_in(one))


def names_in(one: Seen) -> frozenset[str]:
    """Return the names that something that was looked at is of, or computed from."""
    if isinstance(one, SeenInArm):
        return names_in(one.one) | expr.mentions(one.test)
    if not isinstance(one, tuple):
        return expr.mentions(one)
    indices = (part for part in one[1:] if part.startswith("["))
    words = (
        word for index in indices for word in re.findall(r"\w+", re.sub(r'"[^"]*"', "", index))
    )
    return frozenset({one[0], *(word for word in words if not word[0].isdigit())})
