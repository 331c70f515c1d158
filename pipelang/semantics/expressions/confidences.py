"""Tests of the confidences of a list's elements, which one lowest confidence decides."""

from __future__ import annotations

from pipelang.semantics.expressions.nodes import Builtin, Compare, Comprehension, Const, Expr, Read
from pipelang.semantics.expressions.traverse import at_element, place_of


def of_lowest(node: Expr) -> Compare | None:
    """`all(x.confidence >= C for x in STEP)` as the comparison `STEP.confidence >= C`, and
    `any(x.confidence < C for x in STEP)` as `STEP.confidence < C`: what holds of the lowest
    confidence among the elements. None for anything else.
    """
    match node:
        case Builtin(
            function="all" | "any" as function,
            arguments=(Comprehension(condition=None, collection=Read() as step) as over,),
        ):
            test = over.item
        case _:
            return None
    if not isinstance(test, Compare) or test.op == "==":
        return None
    own = (over.name, "confidence")
    at_least = isinstance(test.left, Const) and place_of(test.right) == own
    below = isinstance(test.right, Const) and place_of(test.left) == own
    if at_least if function == "all" else below:
        found = at_element(test, over.name, step)
        assert isinstance(found, Compare)
        return found
    return None
