"""Going through a region: its steps start as soon as the values they read are there.

What waits for what is the same in every run, so it is worked out once: a `RegionPlan`. A run keeps
no more than what is left of it. A step that nothing else could run beside needs no task of its own.

A region has an entrance and an exit, where the world may give what it recorded and record what
was made. Where it cannot be recorded as a whole each of its steps has them (`chains.walk`).
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from heapq import heappop, heappush
from typing import Any

from pipelang.runtime.engine.budget import BudgetSpent
from pipelang.runtime.engine.chains import walk
from pipelang.runtime.engine.endings import without_value
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Ended, Halted
from pipelang.runtime.engine.region_plan import RegionPlan
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import NOTHING, Left
from pipelang.semantics import program as p


class _Progress:
    """The state of a run in a region: `ready` is a heap of the places that may start (None: none),
    `left` how many values each item still waits for (None: as planned), `ended` how items ended the
    run, `dead` the items that cannot run because a value that they read was never made.
    """

    __slots__ = ("dead", "ended", "left", "plan", "ready")

    def __init__(self, plan: RegionPlan) -> None:
        self.plan = plan
        self.ready: list[int] | None = list(plan.first)
        self.left: list[int] | None = None
        self.ended: dict[int, Ended] | None = None
        self.dead: set[int] | None = None

    def settle(self, run: Run, place: int, made: Any) -> None:
        """Record the answer of an item, how it ended the run, or that it is `NOTHING`: never made.
        What waited only for this one may start; with a value that was never made it need not.
        """
        if made is NOTHING or isinstance(made, Ended):
            if isinstance(made, Ended):
                self.ended = {} if self.ended is None else self.ended
                self.ended[place] = made
            self.dead = set() if self.dead is None else self.dead
            self.dead.add(place)
        else:
            run.make(self.plan.items[place], made)
        counts = self.plan.counts
        for reader in self.plan.readers[place]:
            if counts[reader] > 1:
                if self.left is None:
                    self.left = list(counts)
                self.left[reader] -= 1
                if self.left[reader]:
                    continue
            if self.ready is None:
                self.ready = [reader]
            else:
                heappush(self.ready, reader)

    def is_dead(self, place: int) -> bool:
        """Whether something that an item reads was never made."""
        return self.dead is not None and not self.dead.isdisjoint(self.plan.reads[place])


def run_region(run: Run, plan: RegionPlan) -> Coroutine[Any, Any, Ended | None]:
    """The coroutine of all items of a region; of several endings the first in writing order
    counts.
    """
    if run.redoing:
        for item in plan.items:
            run.revisit(item.name)
    recorded = plan.whole and run.world.lasting
    return _recorded_region(run, plan) if recorded else _go_through(run, plan)


async def _recorded_region(run: Run, plan: RegionPlan) -> Ended | None:
    """A region with an entrance and an exit."""
    place = run.at(plan.items[0].name)
    left = await run.world.enter_region(run, place, plan.items, True)
    if left is not None:
        return _restored(run, plan.items, left)
    try:
        ended = await _go_through(run, plan)
    except (BudgetSpent, Halted) as cut:
        await run.world.leave_region(run, place, plan.items, run.values, cut)
        raise
    await run.world.leave_region(run, place, plan.items, run.values, ended)
    return ended


async def _go_through(run: Run, plan: RegionPlan) -> Ended | None:
    # What this holds while it waits, ten thousand runs hold: the fewer names the better.
    going = _Progress(plan)
    running: dict[Any, int] | None = None
    try:
        while going.ready or running:
            while going.ready:
                index = heappop(going.ready)
                item = plan.items[index]
                if going.dead and going.is_dead(index):
                    going.settle(run, index, NOTHING)
                elif isinstance(item, p.Let):
                    made = await _let(run, item)
                    going.settle(run, index, made)
                elif going.ready or running:
                    if running is None:
                        running = {}
                    running[_spawned(run, item, plan.whole)] = index
                else:  # nothing else can be done meanwhile
                    going.ready = None
                    made = await step_of(run, item, plan.whole)
                    going.settle(run, index, made)
            if running:
                await _some(run, running, going)
    finally:
        if running:
            await run.world.cancel(running)
    return going.ended[min(going.ended)] if going.ended else None


def _spawned(run: Run, step: p.Step, whole: bool) -> Any:
    """The task of a step that others run beside."""
    place = run.at(step.name) if run.world.lasting else step.name
    return run.world.spawn(step_of(run, step, whole), place)


def _restored(run: Run, items: Iterable[p.Step | p.Let], left: Left) -> Ended | None:
    """Make what was made in a region before, and end as it ended then."""
    for item in items:
        if item.name in left.values:
            run.make(item, left.values[item.name])
        if run.feedback:
            run.feedback.pop(item.name, None)
    if isinstance(left.end, Exception):
        raise left.end
    return left.end


def step_of(run: Run, step: p.Step, whole: bool = False) -> Coroutine[Any, Any, Any]:
    """The coroutine of a step: its answer, or how it ended the run. It has an entrance and an exit
    of its own where the world records, unless it is recorded with a `whole` region.
    """
    within = whole or not run.world.lasting
    return walk(run, step, step.chain) if within else _recorded_step(run, step)


async def _recorded_step(run: Run, step: p.Step) -> Any:
    place = run.at(step.name)
    left = await run.world.enter_region(run, place, (step,), False)
    if left is not None:
        ended = _restored(run, (step,), left)
        return left.values[step.name] if ended is None else ended
    try:
        answer = await walk(run, step, step.chain)
    except (BudgetSpent, Halted) as cut:
        await run.world.leave_region(run, place, (step,), {}, cut)
        raise
    if isinstance(answer, Ended):
        await run.world.leave_region(run, place, (step,), {}, answer)
    else:
        await run.world.leave_region(run, place, (step,), {step.name: answer}, None)
    return answer


async def _some(run: Run, running: dict[Any, int], going: _Progress) -> None:
    """Wait until some of what runs is done."""
    cut: Exception | None = None
    for task in sorted(await run.world.first(running), key=running.__getitem__):
        place = running.pop(task)
        try:
            going.settle(run, place, task.result())
        except Exception as error:
            cut = cut or error
    if cut is not None:
        raise cut


async def _let(run: Run, let: p.Let) -> Any:
    """The value of a let, or how its having none ends the run."""
    try:
        return await run.world.value(run, let.value)
    except NoValue as problem:
        return without_value(let.name, let.span, problem)
