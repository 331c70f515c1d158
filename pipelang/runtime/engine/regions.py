"""Going through a region: its steps start as soon as the values they read are there.

What waits for what is the same in every run, so it is worked out once: a `RegionPlan`. A run keeps
no more than what is left of it. A step that nothing else could run beside needs no task of its own.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

from pipelang.runtime.engine.chains import run_chain
from pipelang.runtime.engine.endings import without_value
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.region_plan import RegionPlan
from pipelang.runtime.engine.run import Run
from pipelang.semantics import program as p


class _Progress:
    """The state of a run in a region: `ready` is a heap of the places that may start, `left` how
    many values each item still waits for (None: as planned), `ended` how items ended the run,
    `dead` the items that cannot run because a value that they read was never made.
    """

    __slots__ = ("dead", "ended", "left", "plan", "ready")

    def __init__(self, plan: RegionPlan) -> None:
        self.plan = plan
        self.ready = list(plan.first)
        self.left: list[int] | None = None
        self.ended: dict[int, Ended] | None = None
        self.dead: set[int] | None = None

    def release(self, place: int) -> None:
        """Start the items that waited only for this one, made or never made."""
        for reader in self.plan.readers[place]:
            if len(self.plan.reads[reader]) > 1:
                if self.left is None:
                    self.left = list(map(len, self.plan.reads))
                self.left[reader] -= 1
                if self.left[reader]:
                    continue
            heappush(self.ready, reader)

    def never_made(self, place: int) -> None:
        """Mark the value of an item as one that will never be made."""
        if self.dead is None:
            self.dead = set()
        self.dead.add(place)

    def settle(self, run: Run, place: int, made: Any) -> None:
        """Record the answer of an item, or how it ended the run."""
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
            await run.world.cancel(running)
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
        return without_value(let.name, let.span, problem)
