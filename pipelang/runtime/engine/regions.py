"""Going through a region: its steps start as soon as the values they read are there.

What waits for what is the same in every run, so it is worked out once: a `RegionPlan`. A run keeps
no more than what is left of it. A step that nothing else could run beside needs no task of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.chains import run_chain
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.run import Ended, Run, without_value
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """A region's steps and lets, by their places in it from 0, in writing order.

    `reads` are the places whose values an item reads, `readers` the other way round, `first` those
    that wait for nothing.
    """

    items: tuple[p.Step | p.Let, ...]
    reads: tuple[frozenset[int], ...]
    readers: tuple[tuple[int, ...], ...]
    first: tuple[int, ...]


def plan_of(block: p.Block, members: Sequence[int]) -> RegionPlan:
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
    return RegionPlan(tuple(items), reads, tuple(map(tuple, readers)), first)


class Plans:
    """The plans of whole regions, made when they are first gone through."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[p.Region | p.Barrier, RegionPlan]] = {}

    def of(self, block: p.Block, segment: p.Region | p.Barrier) -> RegionPlan:
        """The plan of a region of a block, or of a step that stands alone."""
        known = self._known.get(id(segment))
        if known is None:
            members = segment.members if isinstance(segment, p.Region) else (segment.index,)
            known = self._known[id(segment)] = (segment, plan_of(block, members))
        return known[1]


class _Progress:
    """Where a run is in a region: what is `ready` (a heap of places), how many values each item
    still waits for (None: as planned), how items `ended` the run, and what is `dead` because what
    it reads was never made.
    """

    __slots__ = ("dead", "ended", "left", "plan", "ready")

    def __init__(self, plan: RegionPlan) -> None:
        self.plan = plan
        self.ready = list(plan.first)
        self.left: list[int] | None = None
        self.ended: dict[int, Ended] | None = None
        self.dead: set[int] | None = None

    def release(self, place: int) -> None:
        """A value was made, or never will be: what waited for it may go on."""
        for reader in self.plan.readers[place]:
            if len(self.plan.reads[reader]) > 1:
                if self.left is None:
                    self.left = list(map(len, self.plan.reads))
                self.left[reader] -= 1
                if self.left[reader]:
                    continue
            heappush(self.ready, reader)

    def never_made(self, place: int) -> None:
        """The value of an item will not be there."""
        if self.dead is None:
            self.dead = set()
        self.dead.add(place)

    def settle(self, run: Run, place: int, made: Any) -> None:
        """What became of an item."""
        item = self.plan.items[place]
        if isinstance(made, Ended):
            if self.ended is None:
                self.ended = {}
            self.ended[place] = made
            self.never_made(place)
            return
        run.values[item.name] = made
        if isinstance(item, p.Step):
            run.made.pop(item.name, None)
            run.made[item.name] = item

    def is_dead(self, place: int) -> bool:
        """Whether something that an item reads was never made."""
        return self.dead is not None and not self.dead.isdisjoint(self.plan.reads[place])


async def run_region(run: Run, plan: RegionPlan) -> Ended | None:
    """All items of a region; of several endings the first in writing order counts."""
    going = _Progress(plan)
    ready = going.ready
    running: dict[Any, int] | None = None
    try:
        while ready or running:
            while ready:
                place = heappop(ready)
                item = plan.items[place]
                if going.is_dead(place):
                    going.never_made(place)
                elif isinstance(item, p.Let):
                    going.settle(run, place, _let(run, item))
                elif ready or running:
                    if running is None:
                        running = {}
                    running[run.world.spawn(run_chain(run, item))] = place
                    continue
                else:  # nothing else can be done meanwhile
                    going.settle(run, place, await run_chain(run, item))
                going.release(place)
            if running:
                await _some(run, running, going)
    finally:
        if running:
            await run.world.stop(running)
    return going.ended[min(going.ended)] if going.ended else None


async def _some(run: Run, running: dict[Any, int], going: _Progress) -> None:
    """Wait until some of what runs is done."""
    cut: Exception | None = None
    for task in sorted(await run.world.first(running), key=running.__getitem__):
        place = running.pop(task)
        try:
            going.settle(run, place, task.result())
        except Exception as error:
            cut = cut or error
        going.release(place)
    if cut is not None:
        raise cut


def _let(run: Run, let: p.Let) -> Any:
    """The value of a let, or how its having none ends the run."""
    try:
        return run.evaluate(let.value)
    except NoValue as problem:
        return without_value(let.name, let.span, str(problem))
