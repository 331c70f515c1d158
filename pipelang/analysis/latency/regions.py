"""Series-parallel decomposition of a region: parts that follow one another, and parts that run side
by side.

A partial order is series-parallel exactly if it has no four elements in the shape of an N (Valdes,
Tarjan and Lawler, "The recognition of series parallel digraphs", 1982). Such an order is decomposed
down to single steps: into parts without any order between them, or into parts of which one wholly
precedes the other. Where neither is possible, the order contains an N; then all other steps wait
for those that wait for nothing, which makes the region slower, never faster.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.records import dataclass
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class RegionLeaf:
    """One item, by its index in the block."""

    index: int


@dataclass(frozen=True, slots=True)
class Series:
    """One part after the other."""

    parts: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class ParallelRegion:
    """All parts at the same time."""

    parts: tuple[Order, ...]


Order = RegionLeaf | Series | ParallelRegion


def order_of(items: Sequence[p.Item], members: Sequence[int]) -> tuple[Order, bool]:
    """Return the order of a region's members, and whether it is exact or a slower one."""
    before = waits(items, members)
    steps = [index for index in members if isinstance(items[index], p.Step)]
    if not steps:
        return Series(()), True
    return _taken_apart(steps, before)


def leaves(order: Order) -> list[int]:
    """Return the items of an order, by their index, in the sequence in which they are walked."""
    if isinstance(order, RegionLeaf):
        return [order.index]
    return [index for part in order.parts for index in leaves(part)]


def waits(items: Sequence[p.Item], members: Sequence[int]) -> dict[int, frozenset[int]]:
    """Return the transitive dependencies of every member, by index."""
    maker: dict[str, int] = {}
    found: dict[int, frozenset[int]] = {}
    for index in members:
        item = items[index]
        assert isinstance(item, (p.Step, p.Let))
        direct = {maker[name] for name in item.reads if name in maker}
        found[index] = frozenset(direct).union(*(found[other] for other in direct))
        maker[item.name] = index
    return found


def _taken_apart(steps: list[int], before: dict[int, frozenset[int]]) -> tuple[Order, bool]:
    if len(steps) == 1:
        return RegionLeaf(steps[0]), True
    apart = _components(steps, before, ordered=True)
    if len(apart) > 1:
        found = [_taken_apart(part, before) for part in apart]
        return ParallelRegion(tuple(order for order, _ in found)), all(exact for _, exact in found)
    chained = _components(steps, before, ordered=False)
    if len(chained) > 1:
        chained.sort(key=lambda part: len(before[part[0]].intersection(steps)))
        found = [_taken_apart(part, before) for part in chained]
        return Series(tuple(order for order, _ in found)), all(exact for _, exact in found)
    here = set(steps)
    heads = [step for step in steps if not before[step] & here]
    rest = [step for step in steps if before[step] & here]
    first, _ = _taken_apart(heads, before)
    then, _ = _taken_apart(rest, before)
    return Series((first, then)), False


def _components(
    steps: list[int], before: dict[int, frozenset[int]], ordered: bool
) -> list[list[int]]:
    """The steps that hang together, where two do if one waits for the other (or, for `ordered`
    False, if neither does).
    """
    left = set(steps)
    found: list[list[int]] = []
    for step in steps:
        if step not in left:
            continue
        left.remove(step)
        part, todo = [], [step]
        while todo:
            here = todo.pop()
            part.append(here)
            near = {
                other
                for other in left
                if (other in before[here] or here in before[other]) is ordered
            }
            left -= near
            todo += near
        found.append(sorted(part))
    return found
