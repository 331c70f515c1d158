"""Looks that count elsewhere: what a sub-pipeline has looked at is what its caller gave it, what
was looked at of each element is of the list, and where ways meet only what all of them did counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.flow.looking import NO_LOOKS, Looks, Seen, SeenInArm, names_in
from pipelang.analysis.flow.marks import ELEMENT, Way
from pipelang.analysis.flow.reading import Values
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def in_common(met: list[tuple[Looks, ...]]) -> tuple[Looks, ...]:
    """Return what was looked at on every way."""
    if not met:
        return NO_LOOKS
    return tuple(frozenset.intersection(*kind) for kind in zip(*met, strict=True))


def seen_outside(
    values: Values, given: tuple[tuple[str, expr.Expr], ...], looks: tuple[Looks, ...]
) -> tuple[Looks, ...]:
    """Return what a sub-pipeline has looked at in the words of its caller."""
    if not any(looks):
        return NO_LOOKS
    outside = dict(given)
    return tuple(frozenset(_outside(values, outside, kind)) for kind in looks)


def _outside(values: Values, given: dict[str, expr.Expr], looks: Looks) -> Iterator[Seen]:
    for one in looks:
        if isinstance(one, SeenInArm) or not names_in(one) <= given.keys():
            continue
        if not isinstance(one, tuple):
            yield expr.substitute(one, {name: values.plain(x) for name, x in given.items()})
            continue
        argument = given[one[0]]
        head = values.path(argument)
        if head is not None:
            yield (*head, *one[1:])
        yield from _part(values.plain(argument), one[1:])


def _part(node: expr.Expr, way: Way) -> Iterator[Seen]:
    """Return the part of an argument at a path, where that is written down."""
    if not way:
        yield node
    elif isinstance(node, expr.MakeRecord):
        for name, value in node.fields:
            if name == way[0]:
                yield from _part(value, way[1:])


def elements_seen(values: Values, each: p.Each, before: tuple[Looks, ...]) -> tuple[Looks, ...]:
    """Return what was looked at of every element of a list, as of the list."""
    head = values.path(each.elements)
    if head is None:
        return NO_LOOKS
    found = []
    for kind, known in zip(values.looks, before, strict=True):
        ways = (one for one in kind - known if isinstance(one, tuple))
        found.append(
            frozenset((*head, ELEMENT, *way[1:]) for way in ways if way[0] == each.variable)
        )
    return tuple(found)
