"""Chains: attempts, waits and fallbacks of a step, by the kernel in `semantics.kernels.chain`."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from decimal import Decimal
from typing import Any, assert_never

from pipelang.records import replace
from pipelang.runtime.engine.each import run_each
from pipelang.runtime.engine.endings import conclude
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.sampling import put_before_people
from pipelang.runtime.engine.subpipelines import run_child
from pipelang.runtime.engine.values import shown, traced_subject
from pipelang.runtime.engine.votes import caller, cascade, gives_up, vote, wait
from pipelang.runtime.engine.world import NOTHING, Arguments, Attempt, AttemptFailed, Subjects
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.chain import (
    START,
    ChainPosition,
    after_failure,
    after_giving_up,
    ending,
    resolve,
)
from pipelang.semantics.types import ANSWERER


async def walk(run: Run, step: p.Step, chain: p.Chain, feedback: str | None = None) -> Any:
    """Walk the links of a chain: the first answer, or how the run ended. `NOTHING` if all links of
    the body of an `each` failed; if those of the step itself did, its `else` ends the run.
    """
    if chain is step.chain:
        if not run.quiet:
            run.emit("step", step.name, redone=run.redoing)
        run.world.begin(run, step)
        if run.feedback:
            feedback = run.feedback.pop(step.name, None)
    if run.sampled:
        run.notes.tiers.pop(run.at(step.name), None)
        run.notes.sources.pop(run.at(step.name), None)
    # What this holds while it waits, ten thousand runs hold: the fewer names the better.
    at: ChainPosition | None = START
    misfit: str | None = None
    while at is not None:
        link = chain.links[at.link]
        if not at.attempt:
            misfit = None
            if at.link:
                run.emit("fallback", step.name, link=at.link)
        subjects = _NONE
        try:
            if isinstance(link.action, p.Choose):
                link, subjects = await _chosen(run, link)
            if isinstance(link.action, p.Value):
                answer = await _value(run, step, link, link.action, subjects)
            elif link.cache is None:
                answer = await _act(run, step, link, subjects, at, feedback, misfit)
            else:
                answer = await _cached(run, step, link, subjects, at, feedback, misfit)
            if chain is step.chain and not run.quiet:
                _emit_done(run, step, answer)
            if run.sampled and not isinstance(answer, Ended):
                await put_before_people(run, step, chain, link, answer)
            return answer
        except AttemptFailed as problem:
            misfit = problem.misfit
            at = await _after(run, step, chain, link, at, problem)
        except NoValue as problem:
            at = _after_no_value(run, step, chain, at, problem)
    return await _used_up(run, step) if chain is step.chain else NOTHING


def _after_no_value(
    run: Run, step: p.Step, chain: p.Chain, at: ChainPosition, problem: NoValue
) -> ChainPosition | None:
    """The next position after an expression without a value; None at the end."""
    why = hide(run, str(problem))
    said = {"message": why} if problem.raised is None else {"error": problem.raised}
    content = None if problem.raised is None else why
    run.emit("failed", step.name, content=content, why="no_value", attempt=at.attempt, **said)
    return after_giving_up(chain, at)


async def _after(
    run: Run, step: p.Step, chain: p.Chain, taken: p.Link, at: ChainPosition, failure: AttemptFailed
) -> ChainPosition | None:
    """The next position after a failure, once the wait before it is over; None at the end."""
    following = _next(chain, taken, at, failure)
    if following is not None and following.link == at.link:
        await wait(run, step, taken, following, failure)
    return following


_NONE: Subjects = ()
_NOT_YET: Mapping[str, Any] = {}


def _emit_done(run: Run, step: p.Step, answer: Any) -> None:
    """Emit that a step is over, with an answer or because it ended the run."""
    ended = isinstance(answer, Ended)
    how = {"outcome": type(answer.outcome).__name__.lower()} if ended else {}
    run.emit("done", step.name, **how)


async def _used_up(run: Run, step: p.Step) -> Ended:
    outcome = ending(step.chain, step)
    run.emit("ended", step.name, outcome=type(outcome).__name__.lower())
    return await conclude(run, outcome)


async def _value(run: Run, step: p.Step, link: p.Link, action: p.Value, subjects: Subjects) -> Any:
    value = await run.world.link_value(run, step, link, subjects)
    if not run.quiet:
        run.emit("value", step.name, content=shown(action.value.type, value))
    return value


async def _cached(
    run: Run,
    step: p.Step,
    link: p.Link,
    subjects: Subjects,
    at: ChainPosition,
    feedback: str | None,
    misfit: str | None,
) -> Any:
    """One attempt of a link by its cache, or by another run that asks for the same now. Time spent
    waiting for it is taken from the timeout.
    """
    world, kept = run.world, link
    if at.attempt > 0 or run.redoing:
        answer = await _act(run, step, link, subjects, at, feedback, misfit)
        if not isinstance(answer, Ended):
            await world.keep(run, step, kept, answer)
        return answer
    began = world.elapsed(run)
    found = await world.look_up(run, step, link, subjects)
    if found is not NOTHING:
        run.emit("cached", step.name)
        return found
    answer = NOTHING
    try:
        waited = world.elapsed(run) - began
        if link.timeout is not None and waited >= SHORTEST_WAIT:
            link = replace(link, timeout=max(link.timeout - Decimal(waited), Decimal(0)))
        answer = await _act(run, step, link, subjects, at, feedback, misfit)
    finally:
        if answer is NOTHING or isinstance(answer, Ended):
            await world.keep_nothing(run, step, kept)
        else:
            await world.keep(run, step, kept, answer)
    return answer


SHORTEST_WAIT = 0.001
"""Seconds below which a look into the cache does not count as a wait."""


def _act(
    run: Run,
    step: p.Step,
    link: p.Link,
    subjects: Subjects,
    at: ChainPosition,
    feedback: str | None,
    misfit: str | None,
) -> Coroutine[Any, Any, Any]:
    """The coroutine that carries out a link, to be awaited by whoever walks the chain: each frame
    costs every waiting run.
    """
    action, part = link.action, f":else{at.link}" if at.link else ""
    match action:
        case p.Call() | p.AskRole() | p.AskTier():
            attempt = Attempt(
                step, link, action, None, _NOT_YET, at.attempt, feedback, misfit, subjects, part
            )
            if isinstance(action, p.AskTier) or link.vote is not None or run.world.lasting:
                return _asked(run, attempt, action.arguments)
            attempt.arguments = run.world.arguments(run, action.arguments)
            return run.world.attempt(run, attempt)
        case p.Cascade() | p.Agent():
            return _several(run, step, link, action, subjects, feedback, part)
        case p.RunPipeline() | p.Each() | p.Recall():
            mocked = run.world.stand_in(run, step, action)
            if mocked is not NOTHING:
                return _given(mocked)
        case p.Value() | p.Choose() | p.Broken():
            raise AssertionError(f"{type(action).__name__} is no action by itself")
        case _:
            assert_never(action)
    if isinstance(action, p.RunPipeline):
        return run_child(run, step, link, action, subjects, part, at.attempt)
    if isinstance(action, p.Recall):
        return _recall(run, step, action, subjects)
    each = action

    def body(inside: Run) -> Any:
        return _element(inside, step, each, feedback)

    return run_each(run, step, each, subjects, body, part)


async def _asked(run: Run, attempt: Attempt, given: Arguments) -> Any:
    """An ask or a call of which something has to be waited for before it begins, or several of
    them.
    """
    action, link = attempt.action, attempt.link
    if isinstance(action, p.AskTier):
        attempt.tier = await run.world.route(run, action.who)
        if run.sampled:
            run.notes.tiers[run.at(attempt.step.name)] = attempt.tier
    attempt.arguments = await run.world.recorded_arguments(run, given)
    if link.vote is not None:
        return await vote(run, attempt, link.vote, caller(run))
    return await run.world.attempt(run, attempt)


async def _several(
    run: Run,
    step: p.Step,
    link: p.Link,
    action: p.Cascade | p.Agent,
    subjects: Subjects,
    feedback: str | None,
    part: str,
) -> Any:
    """A cascade, or an agent, perhaps with votes: each of their calls has the link's retries."""
    agent = action if isinstance(action, p.Agent) else None
    if agent is not None:
        mocked = run.world.stand_in(run, step, agent)
        if mocked is not NOTHING:
            return mocked
    tier = None
    if agent is not None and not chosen_by_turn(agent):
        tier = await run.world.route(run, agent.who)
    arguments = await run.world.recorded_arguments(run, action.arguments)
    asked = p.AskTier(action.prompt, action.arguments, _FIRST, action.answers)
    attempt = Attempt(step, link, asked, tier, arguments, 0, feedback, None, subjects, part)
    if isinstance(action, p.Cascade):
        return await cascade(run, attempt, action, caller(run, action.agent))
    call = caller(run, agent)
    return await (call(attempt) if link.vote is None else vote(run, attempt, link.vote, call))


async def _given(value: Any) -> Any:
    return value


async def _recall(run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
    value = await run.world.recall(run, step, action, subjects)
    returns = run.program.memories[action.memory].returns
    content = None if value is None else shown(returns, value)
    run.emit("recall", step.name, content=content, memory=action.memory)
    return value


_FIRST = expr.Const(None, ANSWERER)
"""A placeholder: the tier of a cascade or an agent is in the attempt."""


async def _element(inside: Run, step: p.Step, each: p.Each, feedback: str | None) -> Any:
    """The answer of one element, how it ended the run, or `NOTHING`."""
    answer = await walk(inside, step, each.body, feedback)
    if answer is NOTHING and each.body.end is not None:
        return await conclude(inside, each.body.end)
    return answer


async def _chosen(run: Run, link: p.Link) -> tuple[p.Link, Subjects]:
    """The arm that a match over actions takes now, and what decided."""
    subjects: list[expr.Expr] = []
    while isinstance(link.action, p.Choose):
        decided, arms = link.action.subject, link.action.arms
        subject = await run.world.route(run, decided, [taken for taken, _ in arms])
        said = traced_subject(decided.type, subject, (taken for taken, _ in arms))
        run.emit("route", expr.show(decided), value=said)
        link = resolve(link.action, subject)
        subjects.append(decided)
    return link, tuple(subjects)


def _next(
    chain: p.Chain, taken: p.Link, at: ChainPosition, failure: AttemptFailed
) -> ChainPosition | None:
    """The next position by the kernel, unless the same link again is pointless."""
    if gives_up(taken, failure):
        return after_giving_up(chain, at)
    return after_failure(chain, at, taken)
