"""Tests that follow from what was drawn: of one value, `n <= 3` and `n > 9` never hold together.

A run draws tests that nobody declared one by one. What was drawn before may decide the next one:
an order of values and constants that has no way round, and values that are equal or are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any

from pipelang.records import NamedTuple
from pipelang.semantics import expressions as expr
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import Scalar, ScalarKind

Versions = Callable[[expr.Expr], tuple[tuple[str, int], ...]]

MOST_WAYS = 64
"""Ways in which lists may hold values, or not; beyond it nothing follows."""


class ValueTest(NamedTuple):
    """A test about values as they stood: `left` and `right` are what is compared, `op` is one of
    `==`, `<` and `<=`; of a list, `right` holds its values, and `op` is `in`.
    """

    op: str
    left: Any
    right: Any


class ComparedValue(NamedTuple):
    """A side of a test: a constant, or an expression in a version of what it mentions; `whole` if
    it is a whole number.
    """

    constant: bool
    what: Any
    whole: bool


Compared = tuple[ValueTest, bool]
"""A comparison, and how it came out."""


def as_test(node: expr.Expr, versions: Versions) -> ValueTest | None:
    """The test that an expression is, if it is one of values that have an order or may be equal."""
    match node:
        case expr.Compare(op="==" | "<" | "<=" as op):
            return ValueTest(op, _side(node.left, versions), _side(node.right, versions))
        case expr.Member(collection=expr.MakeList() as listed):
            inside = tuple(_side(item, versions) for item in listed.items)
            return ValueTest("in", _side(node.item, versions), inside)
        case _:
            return None


def _side(node: expr.Expr, versions: Versions) -> ComparedValue:
    whole = isinstance(node.type, Scalar) and node.type.kind is ScalarKind.INT
    try:
        return ComparedValue(True, fold(node), whole)
    except NotConstant:
        return ComparedValue(False, (node, versions(node)), whole)


def follows(tested: Mapping[ValueTest, bool], asked: ValueTest) -> bool | None:
    """Return how a test comes out beside those that were drawn; None where it may either way."""
    if asked in tested:
        return tested[asked]
    near = _about(tested, asked)
    if not _may_be(near | {asked: True}):
        return False
    return None if _may_be(near | {asked: False}) else True


def _sides(test: ValueTest) -> set[ComparedValue]:
    listed = set(test.right) if test.op == "in" else {test.right}
    return {side for side in {test.left} | listed if not side.constant}


def _about(tested: Mapping[ValueTest, bool], asked: ValueTest) -> dict[ValueTest, bool]:
    """The tests that hang together with one by the values that they are about."""
    reached, near = _sides(asked), dict[ValueTest, bool]()
    while True:
        more = {test: holds for test, holds in tested.items() if _sides(test) & reached}
        if len(more) == len(near):
            return near
        near = more
        reached = set().union(*map(_sides, near))


def _may_be(tests: Mapping[ValueTest, bool]) -> bool:
    """Whether tests may come out like this together."""
    plain, lists = list[Compared](), list[list[Compared]]()
    for test, holds in tests.items():
        if test.op != "in":
            plain.append((test, holds))
        elif holds:
            lists.append([(ValueTest("==", test.left, side), True) for side in test.right])
        else:
            plain += [(ValueTest("==", test.left, side), False) for side in test.right]
    ways = [*islice(product(*lists), MOST_WAYS + 1)]
    return len(ways) > MOST_WAYS or any(_has_order([*plain, *way]) for way in ways)


def _has_order(tests: Iterable[Compared]) -> bool:
    """Whether values have an order in which comparisons come out like this."""
    below: dict[tuple[ComparedValue, ComparedValue], bool] = {}
    apart = []
    for (op, left, right), holds in tests:
        if op != "==":
            # What is not below is at least as much.
            first, last = (left, right) if holds else (right, left)
            strict = (op == "<") is holds
            first, last, strict = _without_gap(first, last) if strict else (first, last, False)
            below[first, last] = below.get((first, last), False) or strict
        elif holds:
            for ends in ((left, right), (right, left)):
                below[ends] = below.get(ends, False)
        else:
            apart.append((left, right))
    values = {side for ends in (*below, *apart) for side in ends}
    for side in values:
        below.setdefault((side, side), False)
    for first, second in product([side for side in values if side.constant], repeat=2):
        if first.what == second.what:
            below.setdefault((first, second), False)
        else:
            apart.append((first, second))
            if _precedes(first.what, second.what):
                below[first, second] = True
    below = _closed(below, values)
    if any(below.get((side, side)) for side in values):
        return False
    return not any(ends in below and ends[::-1] in below for ends in apart)


def _without_gap(
    first: ComparedValue, last: ComparedValue
) -> tuple[ComparedValue, ComparedValue, bool]:
    """`first < last`; of whole numbers what is below 4 is at most 3."""
    if first.whole and last.whole and last.constant:
        return first, last._replace(what=last.what - 1), False
    if first.whole and last.whole and first.constant:
        return first._replace(what=first.what + 1), last, False
    return first, last, True


def _precedes(first: Any, second: Any) -> bool:
    try:
        return bool(first < second)
    except TypeError:  # values that have no order
        return False


def _closed(
    below: dict[tuple[ComparedValue, ComparedValue], bool], values: set[ComparedValue]
) -> dict[tuple[ComparedValue, ComparedValue], bool]:
    """All that is below something by any way; True where a step of the way is strict."""
    found = dict(below)
    for by in values:
        for first, last in _around(found, by):
            strict = found[first, by] or found[by, last]
            found[first, last] = found.get((first, last), False) or strict
    return found


def _around(
    found: dict[tuple[ComparedValue, ComparedValue], bool], by: ComparedValue
) -> Iterator[tuple[ComparedValue, ComparedValue]]:
    before = [first for first, last in found if last == by]
    after = [last for first, last in found if first == by]
    yield from product(before, after)
