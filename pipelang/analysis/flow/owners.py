"""Owners of private data: which part of a key keeps one person's data from another's."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.flow.marks import (
    NOTHING,
    OWNER,
    PRIVATE,
    Flow,
    Mark,
    Origin,
    Way,
    identifies,
    joined,
    marks_of,
)
from pipelang.analysis.flow.reading import Values
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def told_apart(values: Values, keys: tuple[expr.Expr, ...]) -> set[Origin]:
    """Return the origins whose owner a key identifies, because the data or its owner is in the key
    unchanged.
    """
    found: set[Origin] = set()
    for key in keys:
        for part in _plain_parts(values, key):
            for mark in marks_of(values.of(part), PRIVATE, OWNER):
                if mark.intact:
                    found.add(mark.origin)
    return found


def _plain_parts(values: Values, key: expr.Expr) -> Iterator[expr.Expr]:
    """Return the paths that a key contains unchanged."""
    if values.path(key) is not None:
        yield key
    elif isinstance(key, (expr.MakeList, expr.MakeRecord)):
        for part in expr.parts(key):
            yield from _plain_parts(values, part)
    elif isinstance(key, expr.Arithmetic) and key.op == "+":
        yield from _plain_parts(values, key.left)
        yield from _plain_parts(values, key.right)


def owners_beside(values: Values, names: list[str]) -> None:
    """Mark the parameters that identify the owner of the private data beside them."""
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
    """Mark the values by which private data was requested as identifying its owner."""
    for value in keys if origins else ():
        way = values.path(value)
        if way is not None:
            _own(values, way, origins)


def owners_inside(values: Values, pipeline: p.Pipeline) -> tuple[tuple[Way, Origin], ...]:
    """Return the paths into the parameters of a pipeline that say whose private data in it is."""
    found: dict[tuple[Way, Origin], None] = {}
    for parameter in pipeline.parameters:
        for way, marks in values.flows[parameter.name].items():
            for mark in marks:
                if mark.kind in (PRIVATE, OWNER) and mark.intact:
                    found[(parameter.name, *way), mark.origin] = None
    return tuple(found)


def owned_outside(
    values: Values,
    given: tuple[tuple[str, expr.Expr], ...],
    owners: tuple[tuple[Way, Origin], ...],
) -> None:
    """Mark the arguments of a sub-pipeline that say whose the private data in it is."""
    heads = {name: values.path(argument) for name, argument in given} if owners else {}
    for (name, *way), origin in owners:
        head = heads.get(name)
        if head is not None:
            _own(values, (*head, *way), [origin])


def _own(values: Values, way: Way, origins: list[Origin]) -> None:
    owner: Flow = {way[1:]: {Mark(OWNER, origin): None for origin in origins}}
    values.flows[way[0]] = joined(values.flows.get(way[0], NOTHING), owner)
