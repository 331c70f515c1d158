"""Narrowing: which optional values are present where a test holds, or does not hold."""

from __future__ import annotations

from pipelang.semantics import expressions as expr

Paths = frozenset[tuple[str, ...]]
NOTHING: Paths = frozenset()


def known_if_true(test: expr.Expr) -> Paths:
    """The paths that are there if the test holds."""
    match test:
        case expr.IsPresent():
            path = expr.place_of(test.target)
            return frozenset((path,)) if path else NOTHING
        case expr.Not():
            return known_if_false(test.operand)
        case expr.Logic(op="and"):
            return known_if_true(test.left) | known_if_true(test.right)
        case expr.Logic(op="or"):
            return known_if_true(test.left) & known_if_true(test.right)
        case _:
            return NOTHING


def known_if_false(test: expr.Expr) -> Paths:
    """The paths that are there if the test does not hold."""
    match test:
        case expr.Not():
            return known_if_true(test.operand)
        case expr.Logic(op="and"):
            return known_if_false(test.left) & known_if_false(test.right)
        case expr.Logic(op="or"):
            return known_if_false(test.left) | known_if_false(test.right)
        case _:
            return NOTHING
