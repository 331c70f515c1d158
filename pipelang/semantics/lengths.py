"""Declared mean lengths by where the value comes from: `traffic { book.steps.length: 3 mean }` is
about `found.steps` where `let book = found`; of what `each x in book.steps` goes through, a line
about `book.steps.each` is about `x`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items, inner_links

EACH = "*"
"""Stands for every element in a path; `each` in a file."""


def mean_lengths(pipeline: p.Pipeline) -> dict[tuple[str, ...], Decimal]:
    """The mean lines of a pipeline's traffic by paths that begin at an input or a step, or at the
    first `let` of what is computed.
    """
    if not pipeline.traffic.means:
        return {}
    lets: dict[str, expr.Expr] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, p.Let):
            lets[item.name] = expr.substitute(item.value, lets)
    found = {at_root(line.path, lets): line.mean for line in pipeline.traffic.means}
    if any(EACH in path for path in found):
        for item in all_items(pipeline.block):
            if isinstance(item, p.Step):
                for link in inner_links(item.chain):
                    if isinstance(link.action, p.Each):
                        _of_element(found, link.action, lets)
    return found


def _of_element(
    found: dict[tuple[str, ...], Decimal], each: p.Each, lets: Mapping[str, expr.Expr]
) -> None:
    """Add what is said of all elements of a list for the one that an `each` is at."""
    path = place_of(expr.substitute(each.elements, lets), lets)
    if path is None:
        return
    head = (*path, EACH)
    for line, mean in list(found.items()):
        if line[: len(head)] == head:
            found.setdefault((each.variable, *line[len(head) :]), mean)


def at_root(path: tuple[str, ...], lets: Mapping[str, expr.Expr]) -> tuple[str, ...]:
    """A path without lets; where a let is computed, from the first one that is the same."""
    node, rest = lets.get(path[0]), path[1:]
    while isinstance(node, expr.MakeRecord) and rest and rest[0] in dict(node.fields):
        node, rest = dict(node.fields)[rest[0]], rest[1:]
    root = None if node is None else place_of(node, lets)
    return path if root is None else (*root, *rest)


def place_of(node: expr.Expr, lets: Mapping[str, expr.Expr]) -> tuple[str, ...] | None:
    """The path of an expression without lets, or the first `let` that is computed so; else None."""
    path = expr.path_of(node)
    if path is None:
        path = next(((name,) for name, value in lets.items() if value == node), None)
    return path


def shown_path(path: tuple[str, ...]) -> str:
    """A path of a mean line as a file has it."""
    return ".".join("each" if name == EACH else name for name in path)
