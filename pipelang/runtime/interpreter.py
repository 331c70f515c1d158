"""The interpreter: walks a checked pipeline and asks the world for everything outside it.

What a retry, a fallback, a redo or a region means stands in `semantics.kernels`; here it is walked
with what really happens. One run is one `Run`. A block is gone through by its segments: a region's
steps start as soon as the values they read are there and the region is left as a whole, of several
endings the first in writing order counts; a barrier is passed alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Any, assert_never

from pipelang.diagnostics import Span
from pipelang.runtime.budget import CODES, BudgetSpent
from pipelang.runtime.chains import run_chain
from pipelang.runtime.expressions import BUDGET, NoValue
from pipelang.runtime.hiding import hide
from pipelang.runtime.outcomes import Answered, Result
from pipelang.runtime.run import Ended, Halted, Run, conclude, inputs_of, result_of, values_of
from pipelang.runtime.telling import beginning, outcome_data, spent_data
from pipelang.runtime.values import Misfit, shown, to_json, told
from pipelang.runtime.world import AttemptFailed, Question
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import CHAIN_EXHAUSTED
from pipelang.semantics.kernels.people import passes
from pipelang.semantics.kernels.redo import may_redo, readers


async def run_pipeline(run: Run) -> Result:
    """Run to the end. Only a bug or a cancellation raises."""
    run.values[BUDGET] = lambda what: run.budget.remaining(what, run.world.elapsed(run))
    if not run.quiet:
        run.tell("run", run.pipeline.name, content=inputs_of(run), **beginning(run))
    try:
        try:
            ended = await play(run)
        except Halted as halted:
            fail = p.Fail(halted.code, run.pipeline.name, run.pipeline.span)
            ended = Ended(fail, None, detail=halted.detail)
        result = result_of(run, ended)
        run.world.finish(run, answered=isinstance(result, Answered))
    except BaseException as error:
        cancelled = isinstance(error, (asyncio.CancelledError, GeneratorExit))
        run.tell("outcome", "interrupted" if cancelled else "broken", **spent_data(run))
        raise
    if not run.quiet:
        name, data = outcome_data(result)
        run.tell("outcome", name, **data, **spent_data(run))
    return replace(result, trace=tuple(run.trace))


async def play(run: Run) -> Ended:
    """Go through a pipeline to its outcome; what spends the budget of another one raises."""
    try:
        try:
            ended = await _block(run, run.pipeline.block)
            assert ended is not None, "a checked pipeline ends on every path"
        except BudgetSpent as spent:
            if spent.budget is not run.budget:
                raise
            run.tell("budget", run.pipeline.name, dimension=spent.dimension)
            ended = _budget_end(run, spent)
        return _fitted(run, ended)
    except NoValue as problem:
        return _without_value(run.pipeline.name, run.pipeline.span, str(problem))


def _without_value(name: str, span: Span, why: str) -> Ended:
    return Ended(p.Fail(CHAIN_EXHAUSTED, name, span), None, detail=why)


def _fitted(run: Run, ended: Ended) -> Ended:
    """An answer is what the pipeline promises, or it is none."""
    if not isinstance(ended.outcome, p.Return):
        return ended
    try:
        value = run.world.answer(run, ended.value)
    except Misfit as misfit:
        why = f"what would be returned does not fit: {misfit}"
        return _without_value(run.pipeline.name, ended.outcome.span, why)
    return replace(ended, value=value)


def _budget_end(run: Run, spent: BudgetSpent) -> Ended:
    limits = spent.budget.limits
    if limits is not None and limits.otherwise is not None:
        return conclude(run, limits.otherwise)
    fail = p.Fail(CODES[spent.dimension], "budget", run.pipeline.span)
    return Ended(fail, None, detail=str(spent))


# ------------------------------------------------------------------------------------ blocks


async def _block(run: Run, block: p.Block) -> Ended | None:
    """None if the end of the block was reached."""
    return await _span(run, block, range(len(block.items)), len(block.items), set())


async def _span(
    run: Run, block: p.Block, items: Iterable[int], stop: int, renewed: set[str]
) -> Ended | None:
    """Run some items of a block, all of them above `stop`. What they make is added to `renewed`."""
    chosen = set(items)
    for segment in block.segments:
        ended: Ended | None = None
        if isinstance(segment, p.Region):
            members = [index for index in segment.members if index in chosen]
            if members:
                renewed |= {_name(block.items[index]) for index in members}
                ended = await _region(run, block, members)
        elif segment.index in chosen:
            item = block.items[segment.index]
            if isinstance(item, p.Gate):
                again: set[str] = set()
                ended = await _gate(run, block, segment.index, item, again)
                # What its redos changed, and with it everything below that reads it.
                chosen |= readers(block.items, segment.index + 1, stop - 1, again)
                renewed |= again
            else:
                ended = await _barrier(run, block, segment.index, item)
        if ended is not None:
            return ended
    return None


# ----------------------------------------------------------------------------------- regions


async def _region(run: Run, block: p.Block, members: list[int]) -> Ended | None:
    """All steps of a region, each as soon as what it reads is there."""
    region = _Region(block, members)
    running: dict[Any, int] = {}
    try:
        while region.ready or running:
            while region.ready:
                index = heappop(region.ready)
                item = block.items[index]
                if region.is_dead(index):
                    region.dead.add(_name(item))
                elif isinstance(item, p.Let):
                    _let(run, item, index, region)
                elif isinstance(item, p.Step) and (region.ready or running):
                    running[run.world.spawn(run_chain(run, item))] = index
                    continue
                elif isinstance(item, p.Step):  # nothing else can be done meanwhile
                    _settle(run, item, await run_chain(run, item), index, region)
                region.release(_name(item))
            if running:
                await _some(run, block, running, region)
    finally:
        if running:
            await run.world.stop(running)
    return region.endings[min(region.endings)] if region.endings else None


async def _some(run: Run, block: p.Block, running: dict[Any, int], region: _Region) -> None:
    """Wait until some of what runs is done."""
    cut: Exception | None = None
    for task in sorted(await run.world.first(running), key=running.__getitem__):
        index = running.pop(task)
        step = block.items[index]
        assert isinstance(step, p.Step)
        try:
            _settle(run, step, task.result(), index, region)
        except Exception as error:
            cut = cut or error
        region.release(step.name)
    if cut is not None:
        raise cut


class _Region:
    """What of a region is `ready` to run (by index, a heap), what ended the run, what is `dead`
    because what it reads was never made.
    """

    __slots__ = ("dead", "endings", "left", "reads", "ready", "waiting")

    def __init__(self, block: p.Block, members: list[int]) -> None:
        self.endings: dict[int, Ended] = {}
        self.dead: set[str] = set()
        self.reads: dict[int, frozenset[str]] = {}
        self.left: dict[int, int] = {}
        self.waiting: dict[str, list[int]] = {}
        self.ready: list[int] = []
        making = {_name(block.items[index]) for index in members}
        for index in members:
            item = block.items[index]
            assert isinstance(item, (p.Step, p.Let))
            reads = self.reads[index] = item.reads & making - {item.name}
            for name in reads:
                self.waiting.setdefault(name, []).append(index)
            self.left[index] = len(reads)
            if not reads:
                self.ready.append(index)
        heapify(self.ready)

    def release(self, name: str) -> None:
        """A value was made, or never will be: what waited for it may go on."""
        for index in self.waiting.pop(name, ()):
            self.left[index] -= 1
            if not self.left[index]:
                heappush(self.ready, index)

    def is_dead(self, index: int) -> bool:
        """Whether something that an item reads was never made."""
        return bool(self.dead and self.reads[index] & self.dead)


def _settle(run: Run, step: p.Step, made: Any, index: int, region: _Region) -> None:
    if isinstance(made, Ended):
        region.endings[index] = made
        region.dead.add(step.name)
    else:
        run.values[step.name] = made
        run.made.pop(step.name, None)
        run.made[step.name] = step


def _let(run: Run, let: p.Let, index: int, region: _Region) -> None:
    try:
        run.values[let.name] = run.evaluate(let.value)
    except NoValue as problem:
        region.endings[index] = _without_value(let.name, let.span, str(problem))
        region.dead.add(let.name)


def _name(item: p.Item) -> str:
    assert isinstance(item, (p.Step, p.Let))
    return item.name


# ------------------------------------------------------------------------------------- gates


async def _gate(
    run: Run, block: p.Block, index: int, gate: p.Gate, renewed: set[str]
) -> Ended | None:
    """Judge a gate, after as many redos as it takes and has. None if it was passed; what its redos
    made anew is added to `renewed`.
    """
    while True:
        passed = await run.world.holds(run, gate, gate.condition)
        run.tell("gate", gate.name, passed=passed, **_confidence(run, gate.condition))
        if passed:
            return None
        redo = gate.otherwise
        if not isinstance(redo, p.Redo):
            return conclude(run, redo)
        used = run.redos.get(gate.name, 0)
        if not may_redo(redo, used):
            return conclude(run, redo.otherwise)
        run.redos[gate.name] = used + 1
        why = gate.name + (f": {gate.doc}" if gate.doc else "")
        if redo.because is not None:
            why = str(run.evaluate(redo.because))
        why = hide(run, why)
        run.feedback[redo.step] = why
        run.tell("redo", redo.step, gate=gate.name, number=used + 1, content=why)
        above = [rerun for rerun in redo.reruns if rerun < index]
        before, run.redoing = run.redoing, True
        try:
            ended = await _span(run, block, above, index, renewed)
        finally:
            run.redoing = before
        if ended is not None:
            return ended


def _confidence(run: Run, condition: ir.Expr) -> dict[str, Any]:
    """The confidence that a test looked at, for the trace."""
    if run.quiet:
        return {}
    for part in ir.walk(condition):
        path = ir.path_of(part)
        if path is not None and path[-1] == "confidence" and len(path) == 2:
            try:
                return {"confidence": to_json(run.evaluate(part))}
            except (KeyError, AttributeError):
                return {}
    return {}


# ---------------------------------------------------------------------------------- barriers


async def _barrier(run: Run, block: p.Block, index: int, item: p.Item) -> Ended | None:
    match item:
        case p.Step():
            return await _region(run, block, [index])
        case p.Person():
            return await _person(run, item)
        case p.When():
            holds = await run.world.holds(run, item, item.condition)
            run.tell("when", item.name or ir.show(item.condition), holds=holds)
            return await _branch(run, item.condition, item.then if holds else item.otherwise)
        case p.MatchBranch():
            subject = run.route(item.subject, [taken for taken, _ in item.arms])
            said = told(item.subject.type, subject, (taken for taken, _ in item.arms))
            run.tell("match", ir.show(item.subject), value=said)
            for taken, arm in item.arms:
                if taken is None or subject in taken:
                    return await _branch(run, item.subject, arm)
            raise LookupError(f"no arm takes {subject!r}")
        case p.End():
            return conclude(run, item.outcome)
        case p.Remember():
            return await _remember(run, item)
        case p.Gate() | p.Let():
            raise AssertionError(f"{type(item).__name__} is no barrier that runs here")
        case _:
            assert_never(item)


async def _branch(run: Run, condition: ir.Expr, block: p.Block) -> Ended | None:
    """A branch; what it hangs on is known to everything inside."""
    run.conditions.append(condition)
    try:
        return await _block(run, block)
    finally:
        run.conditions.pop()


async def _remember(run: Run, item: p.Remember) -> Ended | None:
    """A write into a memory; one that cannot be made ends the run."""
    try:
        await run.world.remember(run, item)
    except (AttemptFailed, NoValue) as problem:
        return _without_value(item.memory, item.span, str(problem))
    run.tell("remember", item.memory)
    return None


async def _person(run: Run, person: p.Person) -> Ended | None:
    if person.when is not None and not await run.world.holds(run, person, person.when):
        run.tell(person.kind, person.name, asked=False)
        return None
    if person.showing is not None:
        content = shown(person.showing.type, run.evaluate(person.showing))
    else:
        content = values_of(run)
    question = Question(person, content, person.doc or person.name)
    asked = {"role": person.role, "what": person.kind, "text": question.text}
    run.tell("asks", person.name, content=content, **asked)
    decision = await run.world.decide(run, question)
    goes_on = passes(person, decision is not None, decision is not None and decision.yes)
    said = {}
    if decision is not None:
        said = {"by": hide(run, decision.by), "reason": hide(run, decision.reason)}
    answered = decision is not None
    run.tell(person.kind, person.name, asked=True, answered=answered, passed=goes_on, **said)
    return None if goes_on else conclude(run, person.otherwise)
