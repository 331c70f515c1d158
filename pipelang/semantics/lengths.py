"""Declared mean lengths by where the value comes from: `traffic { book.steps.length: 3 mean }` is
about `found.steps` where `let book = found`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items


def mean_lengths(pipeline: p.Pipeline) -> dict[tuple[str, ...], Decimal]:
    """The mean lines of a pipeline's traffic by paths that begin at an input or a step."""
    lets: dict[str, expr.Expr] = {}
    if pipeline.traffic.means:
        for item in all_items(pipeline.block):
            if isinstance(item, p.Let):
                lets[item.name] = expr.substitute(item.value, lets)
    return {at_root(line.path, lets): line.mean for line in pipeline.traffic.means}


def at_root(path: tuple[str, ...], lets: Mapping[str, expr.Expr]) -> tuple[str, ...]:
    """A path without lets; as it is where a let is computed."""
    node, rest = lets.get(path[0]), path[1:]
    while isinstance(node, expr.MakeRecord) and rest and rest[0] in dict(node.fields):
        node, rest = dict(node.fields)[rest[0]], rest[1:]
    root = None if node is None else expr.path_of(node)
    return path if root is None else (*root, *rest)
