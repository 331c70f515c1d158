"""Plans of regions: which step or let waits for the values of which, worked out once a program."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.walk import agent_of, inner_links


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """A region's steps and lets, by their places in it from 0, in writing order.

    `reads` are the places whose values an item reads, `counts` how many, `readers` the other way
    round, `first` those that wait for nothing. `whole` says that a record has it as a whole:
    nothing in it acts on the world or asks a person, and no agent takes turns in it.
    """

    items: tuple[p.Step | p.Let, ...]
    reads: tuple[frozenset[int], ...]
    counts: tuple[int, ...]
    readers: tuple[tuple[int, ...], ...]
    first: tuple[int, ...]
    whole: bool


def plan_of(block: p.Block, members: Sequence[int], segment: p.Region | p.Barrier) -> RegionPlan:
    """The plan of a region, or of a part of one that is gone through again."""
    items: list[p.Step | p.Let] = []
    for index in members:
        item = block.items[index]
        assert isinstance(item, (p.Step, p.Let))
        items.append(item)
    places = {item.name: place for place, item in enumerate(items)}
    reads = tuple(
        frozenset(places[name] for name in item.reads & places.keys() - {item.name})
        for item in items
    )
    readers: list[list[int]] = [[] for _ in items]
    for place, read in enumerate(reads):
        for at in read:
            readers[at].append(place)
    first = tuple(place for place, read in enumerate(reads) if not read)
    whole = isinstance(segment, p.Region) and not any(map(_takes_turns, items))
    counts = tuple(map(len, reads))
    return RegionPlan(tuple(items), reads, counts, tuple(map(tuple, readers)), first, whole)


def _takes_turns(item: p.Step | p.Let) -> bool:
    """Whether an agent works in a step itself."""
    if isinstance(item, p.Let):
        return False
    return any(agent_of(link.action) is not None for link in inner_links(item.chain))


class Plans:
    """The plans of whole regions, made when they are first gone through."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[p.Region | p.Barrier, RegionPlan]] = {}

    def of(self, block: p.Block, segment: p.Region | p.Barrier) -> RegionPlan:
        """The plan of a region of a block, or of a step that stands alone."""
        known = self._known.get(id(segment))
        if known is None:
            members = segment.members if isinstance(segment, p.Region) else (segment.index,)
            known = self._known[id(segment)] = (segment, plan_of(block, members, segment))
        return known[1]
