"""The numbers that a test bounds: those that cannot be of any size where it holds.

A comparison bounds a number only if it follows from it alone: `n + 1 <= 5` bounds n, `n - m <= 5`
does so if m has a bound of its own, `max(n, m) <= 5` bounds both, and `min(n, 5) <= 5` neither.
A total that has to be the sum of its parts counts as bounded: that is what there is to look at.
What holds for one arm of a choice or one side of an `or` has to hold for the others, too. Whether
constants somewhere else on the way bound a number is for the walk over paths (`covering`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

from pipelang.analysis.flow.looking import NONE, Looks, Seen, path, shown, within
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import ListType, Scalar, Type, present


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers that are bounded: from above, and from below."""

    above: Looks = NONE
    below: Looks = NONE

    def __or__(self, other: Limits) -> Limits:
        return Limits(self.above | other.above, self.below | other.below)

    def __and__(self, other: Limits) -> Limits:
        return Limits(self.above & other.above, self.below & other.below)


UNLIMITED = Limits()


class NumberBounds:
    """Bounds that tests set. `bounded` says whether an expression has a bound already: from above,
    if its second argument is true, else from below. One is made for a test: of what it mentions
    more than once each part is looked at once.
    """

    def __init__(self, bounded: Callable[[expr.Expr, bool], bool]) -> None:
        self._bounded = bounded
        self._known: dict[tuple[int, bool], tuple[expr.Expr, bool]] = {}
        self._limits: dict[tuple[int, bool], tuple[expr.Expr, Limits]] = {}

    def bounded(self, node: expr.Expr, up: bool) -> bool:
        """Whether an expression has a bound, from above if `up`, else from below."""
        found = self._known.get((id(node), up))
        if found is None:
            found = self._known[id(node), up] = (node, self._bounded(node, up))
        return found[1]

    def judged(self, node: expr.Expr, holds: bool = True) -> Limits | None:
        """Return what is bounded on every way on which a test has this result; None if there is no
        such way.
        """
        match node:
            case expr.Const():
                return UNLIMITED if node.value is holds else None
            case expr.Not():
                return self.judged(node.operand, not holds)
            case expr.Logic():
                stops = node.op == "or"
                left, right = self.judged(node.left, not stops), self.judged(node.right, holds)
                both = _and(left, right)
                return both if holds is not stops else _or(self.judged(node.left, stops), both)
            case expr.Choice():
                return self._choice(node, lambda arm: self.judged(arm, holds))
            case expr.Select():
                return reduce(_or, (self.judged(arm, holds) for _, arm in node.arms))
            case expr.Compare(op="=="):
                if not holds or node.left == node.right or not _is_number(node.left.type):
                    return UNLIMITED
                found = self._at_most(node.left, node.right) | self._at_most(node.right, node.left)
                for one, other in ((node.left, node.right), (node.right, node.left)):
                    if _adds_up(one, other):
                        found |= self.limited(one, True) | self.limited(one, False)
                return found
            case expr.Compare():
                left_side, right_side = node.left, node.right
                if not holds:
                    left_side, right_side = right_side, left_side
                return self._at_most(left_side, right_side)
            case expr.Member() if holds:
                return self._member(node)
            case expr.Builtin(function="any" | "all", arguments=(expr.Comprehension() as over,)):
                if node.function != ("all" if holds else "any"):
                    return UNLIMITED
                return _within(over, self.judged(over.item, holds) or UNLIMITED)
            case expr.Apply():
                return _read(node.arguments)
            case _:
                return UNLIMITED

    def _choice(
        self, node: expr.Choice, arm: Callable[[expr.Expr], Limits | None]
    ) -> Limits | None:
        then = _and(self.judged(node.condition, True), arm(node.then))
        return _or(then, _and(self.judged(node.condition, False), arm(node.otherwise)))

    def _member(self, node: expr.Member) -> Limits:
        found = UNLIMITED
        if _is_number(node.item.type):
            if self.bounded(node.collection, True):
                found |= self.limited(node.item, True)
            if self.bounded(node.collection, False):
                found |= self.limited(node.item, False)
        return found

    def _at_most(self, left: expr.Expr, right: expr.Expr) -> Limits:
        """Return what is bounded where one number is at most another one."""
        found = UNLIMITED
        if self.bounded(right, True):
            found |= self.limited(left, True)
        if self.bounded(left, False):
            found |= self.limited(right, False)
        return found

    def limited(self, node: expr.Expr, up: bool) -> Limits:
        """Return what is bounded where an expression is: from above if `up`, else from below."""
        found = self._limits.get((id(node), up))
        if found is None:
            found = self._limits[id(node), up] = (node, self._limited(node, up))
        return found[1]

    def _limited(self, node: expr.Expr, up: bool) -> Limits:
        way = path(node)
        if way is not None:
            return _one(way, up)
        if isinstance(node, expr.Const):
            return UNLIMITED
        own = _one(node, up)
        match node:
            case expr.Negate():
                return own | self.limited(node.operand, not up)
            case expr.Arithmetic(op="+"):
                return own | self._sum((node.left, node.right), up)
            case expr.Arithmetic(op="-"):
                if self.bounded(node.right, up):
                    own |= self.limited(node.left, up)
                if self.bounded(node.left, not up):
                    own |= self.limited(node.right, not up)
                return own
            case expr.Arithmetic():
                for one, other in ((node.left, node.right), (node.right, node.left)):
                    sign = self._factor(other, divides=node.op == "/")
                    if sign and (node.op == "*" or one is node.left):
                        own |= self.limited(one, up if sign > 0 else not up)
                return own
            case expr.Builtin(function="round"):
                return own | self.limited(node.arguments[0], up)
            case expr.Builtin(function="max" | "min") if up is (node.function == "max"):
                return reduce(Limits.__or__, (self._each(x, up) for x in node.arguments), own)
            case expr.Builtin(function="sum", arguments=(expr.MakeList() as items,)):
                return own | self._sum(items.items, up)
            case expr.Choice():
                return own | (self._choice(node, lambda arm: self.limited(arm, up)) or UNLIMITED)
            case expr.Select():
                arms = [self.limited(arm, up) for _, arm in node.arms]
                return own | reduce(Limits.__and__, arms)
            case expr.Apply():
                return own | _read(node.arguments)
            case _:
                return own

    def _sum(self, items: tuple[expr.Expr, ...], up: bool) -> Limits:
        """Bound each summand where all the others cannot make up for it."""
        found = UNLIMITED
        for at, one in enumerate(items):
            others = (*items[:at], *items[at + 1 :])
            if all(self.bounded(other, not up) for other in others):
                found |= self.limited(one, up)
        return found

    def _each(self, node: expr.Expr, up: bool) -> Limits:
        """Bound an argument of `max` or `min`: a number, or all numbers of a list."""
        if isinstance(node, expr.Comprehension):
            return _within(node, self.limited(node.item, up))
        if isinstance(node, expr.MakeList):
            return reduce(Limits.__or__, (self.limited(x, up) for x in node.items), UNLIMITED)
        if isinstance(present(node.type), ListType) and path(node) is None:
            return UNLIMITED
        return self.limited(node, up)

    def _factor(self, node: expr.Expr, *, divides: bool) -> int:
        """Return the sign of a factor that keeps bounds: 1, -1, or 0 for one that does not."""
        if isinstance(node, expr.Const):
            return int(node.value > 0) - int(node.value < 0)
        type = present(node.type)
        low, high = (type.low, type.high) if isinstance(type, Scalar) else (None, None)
        if divides:
            return int(low is not None and low > 0 and high is not None)
        return int(low is not None and low > 0)


def _one(one: Seen, up: bool) -> Limits:
    seen = frozenset({one})
    return Limits(seen, NONE) if up else Limits(NONE, seen)


def _read(arguments: Iterable[expr.Expr]) -> Limits:
    """Return what code has read that nobody looks into: its author bounds it."""
    seen = NONE.union(*map(shown, arguments))
    return Limits(seen, seen)


def _adds_up(total: expr.Expr, node: expr.Expr) -> bool:
    """Whether an expression is worked out from several values, and not from the total itself."""
    way = path(total)
    if way is None or not isinstance(node, expr.Arithmetic):
        return False
    ways = {found for part in expr.walk(node) if (found := path(part)) is not None}
    longest = [one for one in ways if not any(o != one and o[: len(one)] == one for o in ways)]
    return len(longest) > 1 and way not in longest


def _within(over: expr.Comprehension, limits: Limits) -> Limits:
    return Limits(within(over, limits.above), within(over, limits.below))


def _is_number(type: Type) -> bool:
    return isinstance(present(type), Scalar)


def _and(one: Limits | None, other: Limits | None) -> Limits | None:
    return None if one is None or other is None else one | other


def _or(one: Limits | None, other: Limits | None) -> Limits | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
