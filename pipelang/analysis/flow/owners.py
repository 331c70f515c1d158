"""Whose private data is: what a key must hold so that nobody gets another person's."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.flow.marks import (
    NOTHING,
    OWNER,
    PRIVATE,
    Flow,
    Mark,
    Origin,
    identifies,
    joined,
    marks_of,
)
from pipelang.analysis.flow.reading import Values
from pipelang.semantics import expressions as expr


def told_apart(values: Values, keys: tuple[expr.Expr, ...]) -> set[Origin]:
    """Whose data a key tells apart: what stands in it as it is, or whose owner does."""
    found: set[Origin] = set()
    for key in keys:
        for part in _plain_parts(values, key):
            for mark in marks_of(values.of(part), PRIVATE, OWNER):
                if mark.intact:
                    found.add(mark.origin)
    return found


def _plain_parts(values: Values, key: expr.Expr) -> Iterator[expr.Expr]:
    """The paths that a key holds as they are."""
    if values.path(key) is not None:
        yield key
    elif isinstance(key, (expr.MakeList, expr.MakeRecord)):
        for part in expr.parts(key):
            yield from _plain_parts(values, part)
    elif isinstance(key, expr.Arithmetic) and key.op == "+":
        yield from _plain_parts(values, key.left)
        yield from _plain_parts(values, key.right)


def owners_beside(values: Values, names: list[str]) -> None:
    """Parameters that say whose the private data beside them is."""
    origins: dict[Origin, None] = {}
    for name in names:
        for mark in marks_of(values.flows[name], PRIVATE):
            if mark.intact:
                origins[mark.origin] = None
    for name in names:
        if identifies(name):
            owner: Flow = {(): {Mark(OWNER, origin): None for origin in origins}}
            values.flows[name] = joined(values.flows[name], owner)


def owned_by(values: Values, origins: list[Origin], keys: list[expr.Expr]) -> None:
    """What something private was asked for with says whose it is."""
    for value in keys if origins else ():
        way = values.path(value)
        if way is not None:
            owner: Flow = {way[1:]: {Mark(OWNER, origin): None for origin in origins}}
            values.flows[way[0]] = joined(values.flows.get(way[0], NOTHING), owner)
