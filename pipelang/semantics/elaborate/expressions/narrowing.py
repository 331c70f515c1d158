"""What a test tells about values that may be absent."""

from __future__ import annotations

from pipelang.semantics import expressions as ir

Paths = frozenset[tuple[str, ...]]
NOTHING: Paths = frozenset()


def known_if_true(test: ir.Expr) -> Paths:
    """The paths that are there if the test holds."""
    match test:
        case ir.IsPresent():
            path = ir.path_of(test.target)
            return frozenset((path,)) if path else NOTHING
        case ir.Not():
            return known_if_false(test.operand)
        case ir.Logic(op="and"):
            return known_if_true(test.left) | known_if_true(test.right)
        case ir.Logic(op="or"):
            return known_if_true(test.left) & known_if_true(test.right)
        case _:
            return NOTHING


def known_if_false(test: ir.Expr) -> Paths:
    """The paths that are there if the test does not hold."""
    match test:
        case ir.Not():
            return known_if_true(test.operand)
        case ir.Logic(op="and"):
            return known_if_false(test.left) & known_if_false(test.right)
        case ir.Logic(op="or"):
            return known_if_false(test.left) | known_if_false(test.right)
        case _:
            return NOTHING
