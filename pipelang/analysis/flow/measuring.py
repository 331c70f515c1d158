"""Steps whose confidence has evidence, and the tests that read it."""

from __future__ import annotations

from collections.abc import Set

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.walk import all_items, inner_links


def measured_steps(pipeline: p.Pipeline) -> frozenset[str]:
    """Return the steps whose confidence has evidence; of an `each`, that of its elements."""
    return frozenset(
        item.name
        for item in all_items(pipeline.block)
        if isinstance(item, p.Step)
        and any(isinstance(link.accuracy, MeasuredShare) for link in inner_links(item.chain))
    )


def reads_measured(part: expr.Expr, measured: Set[str]) -> bool:
    """Whether a part of a test is such a confidence, or a test of the lowest one of a list."""
    lowest = expr.of_lowest(part)
    if lowest is not None:
        part = lowest.right if isinstance(lowest.left, expr.Const) else lowest.left
    path = expr.path_of(part) or ()
    return path[1:] == ("confidence",) and path[0] in measured
