"""The values that a test or a person has looked at, and whether they cover another value.

A gate looks at a value only if every way on which it passes depends on that value itself: not on
its length, its presence, its first words or on one text that it is not, not in one arm of a choice,
and not in an argument that a `fn` ignores. A person has looked at what is shown as it is: a path, a
record or a list of such; a comparison shows one bit of what it compares, `first` a beginning.

What was looked at is a set of `Seen`: a path, or an expression with its lets and functions put in,
so that another expression that computes the same from the same is covered, too. Such expressions
have no sides and no time, and every name stands for one value, hence equal ones are equal values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import reduce

from pipelang.analysis.flow.marks import Way
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import (
    TEXT,
    ListType,
    MapType,
    RecordType,
    Scalar,
    ScalarKind,
    present,
)

Seen = Way | expr.Expr
Looks = frozenset[Seen]

NONE: Looks = frozenset()


def path(node: expr.Expr) -> Way | None:
    """Return the path that an expression is; None for anything computed. An index is a part of it,
    in brackets.
    """
    match node:
        case expr.Read():
            return (node.name,)
        case expr.Field():
            head = path(node.target)
            return None if head is None else (*head, node.name)
        case expr.At():
            head = path(node.target)
            return None if head is None else (*head, f"[{expr.show(node.index)}]")
        case _:
            return None


def covers(seen: Looks, node: expr.Expr) -> bool:
    """Whether all that an expression is computed from was looked at."""
    if isinstance(node, (expr.Const, expr.BudgetLeft)) or node in seen:
        return True
    way = path(node)
    if way is not None:
        return any(way[:length] in seen for length in range(1, len(way) + 1))
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
                return own | self.taken(node.subject) | arms[0].intersection(*arms[1:])
            case _:
                return own.union(*map(self.taken, expr.parts(node)))

    def _elements(self, over: expr.Comprehension, holds: bool) -> Looks:
        """Return what a test of every element looks at: the list, if it looks at whole elements and
        leaves none out.
        """
        looks = self.judged(over.item, holds)
        whole = any(
            isinstance(one, expr.ElementRead) and one.name == over.name for one in looks or ()
        )
        if over.condition is None and whole:
            return self.taken(over.collection)
        return frozenset({over})

    def _choice(self, node: expr.Choice, arm: Callable[[expr.Expr], Looks | None]) -> Looks | None:
        then = self._and(self.judged(node.condition, True), arm(node.then))
        return _or(then, self._and(self.judged(node.condition, False), arm(node.otherwise)))

    def _and(self, one: Looks | None, other: Looks | None) -> Looks | None:
        return None if one is None or other is None else one | other


def _excludes(test: expr.Compare) -> bool:
    """Whether a comparison that does not hold excludes one value of more than can be listed."""
    return _is_open(test.left) or _is_open(test.right)


def _is_open(node: expr.Expr) -> bool:
    """Whether a value is one of more than anybody can list: a text, or what may hold texts."""
    type = present(node.type)
    is_text = isinstance(type, Scalar) and type.kind in (ScalarKind.TEXT, ScalarKind.JSON)
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
        case expr.MakeRecord() | expr.MakeList():
            return own.union(*map(shown, expr.parts(node)))
        case expr.Arithmetic() if node.type == TEXT or _is_shifted(node):
            return own.union(*map(shown, expr.parts(node)))
        case expr.Choice():
            then = shown(node.then) | _pinned(node.condition, True)
            return own | (then & (shown(node.otherwise) | _pinned(node.condition, False)))
        case expr.Select():
            arms = [shown(arm) for _, arm in node.arms]
            return own | arms[0].intersection(*arms[1:])
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
    return frozenset(one for one in seen if made & _names(one))


def _names(one: Seen) -> frozenset[str]:
    if not isinstance(one, tuple):
        return expr.mentions(one)
    indices = (part for part in one[1:] if part.startswith("["))
    return frozenset({one[0]}).union(*(re.findall(r"\w+", index) for index in indices))
