"""The interpreter: walks a checked pipeline and asks the world for everything outside it.

What a retry, a fallback, a redo or a region means stands in `semantics.kernels`; here it is walked
with what really happens. One run is one `Run`. A block is gone through by its segments: a region's
steps start as soon as the values they read are there and the region is left as a whole, of several
endings the first in writing order counts; a barrier is passed alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, assert_never

from pipelang.records import replace
from pipelang.runtime.engine.barriers import ask_person, remember
from pipelang.runtime.engine.budget import CODES, BudgetSpent, is_quota, limit_of
from pipelang.runtime.engine.endings import (
    conclude,
    inputs_of,
    result_of,
    without_value,
)
from pipelang.runtime.engine.event_payloads import outcome_data, spent_data, start_data
from pipelang.runtime.engine.expressions import BUDGET, NoValue
from pipelang.runtime.engine.outcomes import Answered, Ended, Escalated, Halted, Result
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.region_plan import plan_of
from pipelang.runtime.engine.regions import run_region, step_of
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, to_json, traced_subject
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.people import sends_back
from pipelang.semantics.kernels.redo import last_outcome, may_redo, readers, redo_of


async def run_pipeline(run: Run) -> Result:
    """Run a root pipeline to its result. Only a bug or a cancellation raises."""
    run.values[BUDGET] = run
    if not run.quiet:
        run.emit("run", run.pipeline.name, content=inputs_of(run), **start_data(run))
    ended: Ended | None = None
    # As in `play`, without its frame: ten thousand runs in flight have ten thousand of each, and of
    # every name in it.
    try:
        try:
            parts, at = _parts(run, await run.world.admit(run)), 0
            while ended is None and at < len(parts):
                ended = await _through(run, run.pipeline.block, parts[at])
                at += 1
            ended = _fitted(run, ended)
        except (BudgetSpent, NoValue) as error:
            ended = await _cut(run, error)
        finally:
            await run.world.leave(run, ended)
    except Halted as error:
        ended = _halted(run, error)
    except BaseException as error:
        _emit_broken(run, error)
        raise
    return await _handed_over(run, ended)


def _halted(run: Run, halted: Halted) -> Ended:
    fail = p.Fail(halted.code, run.pipeline.name, run.pipeline.span)
    return Ended(fail, None, detail=halted.detail)


async def _handed_over(run: Run, ended: Ended) -> Result:
    """The result of a run that has ended, once all who take note of it did."""
    try:
        result = result_of(run, ended)
        if isinstance(result, Escalated):
            await run.world.hand_over(run, result)
        await run.world.finish(run, answered=isinstance(result, Answered))
        if not run.quiet:
            _emit_outcome(run, ended, result)
        await run.world.close(run)
    except BaseException as error:
        _emit_broken(run, error)
        raise
    return result if run.quiet else replace(result, trace=tuple(run.trace or ()))


def _emit_outcome(run: Run, ended: Ended, result: Result) -> None:
    name, data = outcome_data(result)
    content = data.pop("text") if ended.quotes else None
    run.emit("outcome", name, content=content, **data, **spent_data(run))


def _emit_broken(run: Run, error: BaseException) -> None:
    """The last event of a run that has no outcome."""
    cancelled = isinstance(error, (asyncio.CancelledError, GeneratorExit))
    run.emit("outcome", "interrupted" if cancelled else "broken", **spent_data(run))


async def play(run: Run) -> Ended:
    """Run a sub-pipeline to its outcome. Raises `BudgetSpent` for another budget."""
    ended: Ended | None = None
    try:
        parts = _parts(run, await run.world.admit(run))
        ended = _fitted(run, await _block(run, run.pipeline.block, parts))
    except (BudgetSpent, NoValue) as problem:
        ended = await _cut(run, problem)
    finally:
        await run.world.leave(run, ended)
    return ended


QUOTA_EXCEEDED = "quota_exceeded"
"""The code of a run that finds a quota without `else` spent."""

Part = p.Region | p.Barrier | p.Breaker
"""A part that a run goes through: a segment of a block, or a breaker that is open."""


def _parts(run: Run, admitted: bool) -> tuple[Part, ...]:
    """The parts of a pipeline: the segments of its block, or its breaker alone."""
    breaker = run.pipeline.breaker
    return run.pipeline.block.segments if admitted or breaker is None else (breaker,)


async def _fallback(run: Run, breaker: p.Breaker) -> Ended:
    """The `else` of an open breaker: its answer, or how it ends the run."""
    chain = breaker.otherwise.chain
    if not chain.links and chain.end is not None:
        return await conclude(run, chain.end)
    answer = await step_of(run, breaker.otherwise)
    if isinstance(answer, Ended):
        return answer
    returns = p.Return(expr.Const(None, run.pipeline.returns), breaker.span)
    return Ended(returns, answer)


async def _cut(run: Run, problem: BudgetSpent | NoValue) -> Ended:
    """End a pipeline that cannot go on. Raises `BudgetSpent` for the budget of another pipeline."""
    if isinstance(problem, BudgetSpent):
        if problem.budget is not run.budget:
            raise problem
        if is_quota(problem.dimension):
            limit = limit_of(problem.dimension)
            run.emit("quota", run.pipeline.name, state="spent", limit=limit)
        else:
            run.emit("budget", run.pipeline.name, dimension=problem.dimension)
        try:
            return _fitted(run, await _budget_end(run, problem))
        except NoValue as without:
            problem = without
    return without_value(run.pipeline.name, run.pipeline.span, problem)


def _fitted(run: Run, ended: Ended | None) -> Ended:
    """Check an answer against the type of the pipeline; one that does not fit fails it."""
    assert ended is not None, "a checked pipeline ends on every path"
    if not isinstance(ended.outcome, p.Return):
        return ended
    try:
        value = run.world.fitted_answer(run, ended.value)
    except Misfit as misfit:
        why = f"what would be returned does not fit: {misfit}"
        return without_value(run.pipeline.name, ended.outcome.span, why)
    return replace(ended, value=value)


async def _budget_end(run: Run, spent: BudgetSpent) -> Ended:
    if is_quota(spent.dimension):
        quota = run.pipeline.quota
        assert quota is not None
        if quota.otherwise is not None:
            return await conclude(run, quota.otherwise)
        return Ended(p.Fail(QUOTA_EXCEEDED, "quota", quota.span), None, detail=str(spent))
    limits = spent.budget.limits
    if limits is not None and limits.otherwise is not None:
        return await conclude(run, limits.otherwise)
    fail = p.Fail(CODES[spent.dimension], "budget", run.pipeline.span)
    return Ended(fail, None, detail=str(spent))


# ------------------------------------------------------------------------------------ blocks


async def _block(run: Run, block: p.Block, parts: tuple[Part, ...]) -> Ended | None:
    """Run parts of a block: how one ended the run, None if the end of the block was reached."""
    for part in parts:
        if (ended := await _through(run, block, part)) is not None:
            return ended
    return None


def _through(run: Run, block: p.Block, part: Part) -> Coroutine[Any, Any, Ended | None]:
    """The coroutine of a part: how it ended the run, None if the run goes on."""
    if isinstance(part, p.Breaker):
        return _fallback(run, part)
    if isinstance(part, p.Region) or isinstance(item := block.items[part.index], p.Step):
        return run_region(run, run.terms.plans.of(block, part))
    if isinstance(item, p.Gate):
        # What its redos change runs anyway, as all that is below.
        return _gate(run, block, part.index, item, set())
    if isinstance(item, p.Person):
        return _person(run, block, part.index, item)
    return _barrier(run, item)


async def _again(
    run: Run, block: p.Block, items: Iterable[int], stop: int, renewed: set[str]
) -> Ended | None:
    """Run some items of a block again, all of them above `stop`. The names of the values that they
    make are added to `renewed`.
    """
    chosen = set(items)
    for segment in block.segments:
        ended: Ended | None = None
        if isinstance(segment, p.Region):
            members = [index for index in segment.members if index in chosen]
            if members:
                plan = plan_of(block, members, segment)
                renewed |= {item.name for item in plan.items}
                ended = await run_region(run, plan)
        elif segment.index in chosen:
            item = block.items[segment.index]
            if isinstance(item, p.Gate):
                again: set[str] = set()
                ended = await _gate(run, block, segment.index, item, again)
                # What its redos changed, and with it everything below that reads it.
                chosen |= readers(block.items, segment.index + 1, stop - 1, again)
                renewed |= again
            elif isinstance(item, p.Step):
                ended = await run_region(run, plan_of(block, [segment.index], segment))
            else:
                ended = await _barrier(run, item)
        if ended is not None:
            return ended
    return None


# ------------------------------------------------------------------------------------- gates


async def _gate(
    run: Run, block: p.Block, index: int, gate: p.Gate, renewed: set[str]
) -> Ended | None:
    """Judge a gate, with its redos. None if it was passed, else how it ended the run; the names of
    the values that redos made anew are added to `renewed`.
    """
    while True:
        passed = await run.world.holds(run, gate, gate.condition)
        run.emit("gate", gate.name, passed=passed, **_confidence(run, gate.condition))
        if passed:
            return None
        ended = await _sent_back(run, block, index, gate, "", renewed)
        if ended is not None:
            return ended


async def _sent_back(
    run: Run,
    block: p.Block,
    index: int,
    item: p.Gate | p.Person,
    reason: str,
    renewed: set[str],
) -> Ended | None:
    """Carry out what a gate or an approval wants done again. None once that is done, to be judged
    anew; else how it ended the run: by its outcome where no redo is left. `reason` is a person's.
    """
    redo = redo_of(item)
    used = run.notes.redos.get(item.span, 0)
    if redo is None or not may_redo(redo, used):
        return await conclude(run, last_outcome(item))
    run.notes.redos[item.span] = used + 1
    why = reason or item.name + (f": {item.doc}" if item.doc else "")
    if redo.because is not None:
        why = str(await run.world.value(run, redo.because))
    why = hide(run, why)
    run.feedback = {**(run.feedback or {}), redo.step: why}
    run.emit("redo", redo.step, gate=item.name, number=used + 1, content=why)
    above = [rerun for rerun in redo.reruns if rerun < index]
    before, run.redoing = run.redoing, True
    try:
        return await _again(run, block, above, index, renewed)
    finally:
        run.redoing = before


def _confidence(run: Run, condition: expr.Expr) -> dict[str, Any]:
    """The confidence that a condition reads, for the trace."""
    if run.quiet:
        return {}
    for part in expr.walk(condition):
        path = expr.path_of(part)
        if path is not None and path[-1] == "confidence" and len(path) == 2:
            try:
                return {"confidence": to_json(run.evaluate(part))}
            except (KeyError, AttributeError):
                return {}
    return {}


# ---------------------------------------------------------------------------------- barriers


async def _barrier(run: Run, item: p.Item) -> Ended | None:
    match item:
        case p.When():
            holds = await run.world.holds(run, item, item.condition)
            run.emit("when", item.name or expr.show(item.condition), holds=holds)
            return await _branch(run, item.condition, item.then if holds else item.otherwise)
        case p.MatchBranch():
            arms = [taken for taken, _ in item.arms]
            subject = await run.world.route(run, item.subject, arms)
            said = traced_subject(item.subject.type, subject, arms)
            run.emit("match", expr.show(item.subject), value=said)
            for taken, arm in item.arms:
                if taken is None or subject in taken:
                    return await _branch(run, item.subject, arm)
            raise LookupError(f"no arm takes {subject!r}")
        case p.End():
            return await conclude(run, item.outcome)
        case p.Remember():
            return await remember(run, item)
        case p.Step() | p.Gate() | p.Person() | p.Let():
            raise AssertionError(f"{type(item).__name__} is no barrier that runs here")
        case _:
            assert_never(item)


async def _branch(run: Run, condition: expr.Expr, block: p.Block) -> Ended | None:
    """Run a branch; its condition is known to everything inside."""
    run.notes.conditions.append(condition)
    try:
        return await _block(run, block, block.segments)
    finally:
        run.notes.conditions.pop()


async def _person(run: Run, block: p.Block, index: int, person: p.Person) -> Ended | None:
    """Ask for an approval or a hold, again after each redo. None if the run goes on."""
    while True:
        asked = await ask_person(run, person)
        if asked is None:
            return None
        if not sends_back(person, asked.answered, says_yes=False):
            return await conclude(run, last_outcome(person))
        ended = await _sent_back(run, block, index, person, asked.reason, set())
        if ended is not None:
            return ended
