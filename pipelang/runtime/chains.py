"""Walking a chain: attempts, waits, fallbacks, by the kernel in `semantics.kernels.chain`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipelang.runtime.agents import run_agent
from pipelang.runtime.expressions import NoValue
from pipelang.runtime.hiding import hide
from pipelang.runtime.lists import run_each
from pipelang.runtime.polls import Call, cascade, vote
from pipelang.runtime.run import Ended, Run, conclude
from pipelang.runtime.subruns import run_child
from pipelang.runtime.values import shown, told
from pipelang.runtime.world import NOTHING, Attempt, AttemptFailed
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import (
    START,
    Position,
    after_failure,
    after_giving_up,
    ending,
    longest_wait,
    resolve,
)
from pipelang.semantics.types import ANSWERER


async def run_chain(run: Run, step: p.Step) -> Any:
    """The step's answer, or how it ended the run."""
    run.tell("step", step.name, redone=run.redoing)
    run.begun.add(step.name)
    run.world.begin(run, step)
    feedback = run.feedback.pop(step.name, None)
    answer = await walk(run, step, step.chain, feedback)
    if isinstance(answer, Ended):
        run.tell("done", step.name, outcome=type(answer.outcome).__name__.lower())
        return answer
    if answer is not NOTHING:
        run.tell("done", step.name)
        return answer
    outcome = ending(step.chain, step)
    run.tell("ended", step.name, outcome=type(outcome).__name__.lower())
    return conclude(run, outcome)


async def walk(run: Run, step: p.Step, chain: p.Chain, feedback: str | None) -> Any:
    """What the links of a chain answer, how one of them ended the run, or `NOTHING`."""
    at: Position | None = START
    misfit: str | None = None
    while at is not None:
        link = chain.links[at.link]
        if at.attempt == 0:
            misfit = None
            if at.link:
                run.tell("fallback", step.name, link=at.link)
        taken = link
        try:
            taken, subjects = _chosen(run, link)
            return await _link(run, _Trial(step, taken, subjects, at.attempt, feedback, misfit))
        except AttemptFailed as failure:
            misfit = failure.misfit
            following = _next(chain, taken, at, failure)
            if following is not None and following.link == at.link:
                await _wait(run, step, taken, following, failure)
            at = following
        except NoValue as problem:
            why = hide(run, str(problem))
            run.tell("failed", step.name, why="no_value", message=why, attempt=at.attempt)
            at = after_giving_up(chain, at)
    return NOTHING


@dataclass(frozen=True, slots=True)
class _Trial:
    """A link that is tried: `subjects` are what the matches around it decided by."""

    step: p.Step
    link: p.Link
    subjects: tuple[ir.Expr, ...]
    number: int
    feedback: str | None
    misfit: str | None


async def _link(run: Run, trial: _Trial) -> Any:
    """One attempt of a link, by its cache if that has an answer."""
    step, link = trial.step, trial.link
    if link.cache is None:
        return await _act(run, trial)
    if trial.number == 0 and not run.redoing:
        found = await run.world.look_up(run, step, link, trial.subjects)
        if found is not NOTHING:
            run.tell("cached", step.name)
            return found
    answer = await _act(run, trial)
    if not isinstance(answer, Ended):
        run.world.keep(run, step, link, answer)
    return answer


async def _act(run: Run, trial: _Trial) -> Any:
    step, link, subjects, world = trial.step, trial.link, trial.subjects, run.world
    action = link.action
    match action:
        case p.Value():
            value = world.pure(run, step, link, subjects)
            run.tell("value", step.name, content=shown(action.value.type, value))
            return value
        case p.RunPipeline() | p.Each() | p.Recall() | p.Agent():
            given = world.stand_in(run, step, action)
            if given is not NOTHING:
                return given
        case p.Choose() | p.Broken():
            raise AssertionError(f"{type(action).__name__} is no action by itself")
        case _:
            pass
    if isinstance(action, p.RunPipeline):
        return await run_child(run, step, link, action, subjects)
    if isinstance(action, p.Each):
        each = action

        def body(inside: Run) -> Any:
            return _element(inside, step, each, trial.feedback)

        return await run_each(run, step, each, subjects, body)
    if isinstance(action, p.Recall):
        value = await world.recall(run, step, action, subjects)
        returns = run.program.memories[action.memory].returns
        content = None if value is None else shown(returns, value)
        run.tell("recall", step.name, content=content, memory=action.memory)
        return value
    assert isinstance(action, (p.AskTier, p.AskRole, p.Call, p.Cascade, p.Agent))
    arguments = {name: run.evaluate(value) for name, value in action.arguments}
    tier = run.route(action.who) if isinstance(action, (p.AskTier, p.Agent)) else None
    asked: p.AskTier | p.AskRole | p.Call
    if isinstance(action, (p.Cascade, p.Agent)):
        asked = p.AskTier(action.prompt, action.arguments, _FIRST, action.answers)
    else:
        asked = action
    attempt = Attempt(
        step,
        link,
        asked,
        tier,
        arguments,
        trial.number,
        trial.feedback,
        trial.misfit,
        subjects,
    )
    if isinstance(action, p.Cascade):
        return await cascade(run, attempt, action, _caller(run, action.agent))
    agent = action if isinstance(action, p.Agent) else None
    if link.vote is not None:
        return await vote(run, attempt, link.vote, _caller(run, agent))
    if agent is not None:
        return await _caller(run, agent)(attempt)
    return await world.attempt(run, attempt)


_FIRST = ir.Const(None, ANSWERER)
"""In place of who answers, which the attempt has as its tier."""


async def _element(inside: Run, step: p.Step, each: p.Each, feedback: str | None) -> Any:
    """An element's answer, how it ended the run, or `NOTHING`."""
    answer = await walk(inside, step, each.body, feedback)
    if answer is NOTHING and each.body.end is not None:
        return conclude(inside, each.body.end)
    return answer


def _caller(run: Run, agent: p.Agent | None = None) -> Call:
    """One call of a vote or cascade: attempts of its link until one answers; an agent as a whole,
    each turn of which has them.
    """

    async def call(attempt: Attempt) -> Any:
        if agent is not None:
            return await run_agent(run, attempt, agent, retried)
        return await retried(attempt, run.world.attempt)

    async def retried(attempt: Attempt, perform: Any) -> Any:
        number, misfit = 0, attempt.misfit
        while True:
            try:
                return await perform(run, replace(attempt, number=number, misfit=misfit))
            except AttemptFailed as failure:
                number, misfit = number + 1, failure.misfit
                if number > attempt.link.retry.count or _gives_up(attempt.link, failure):
                    raise
                await _wait(run, attempt.step, attempt.link, Position(0, number), failure)

    return call


def _chosen(run: Run, link: p.Link) -> tuple[p.Link, tuple[ir.Expr, ...]]:
    """The arm that a match over actions takes now, and what decided."""
    subjects: list[ir.Expr] = []
    while isinstance(link.action, p.Choose):
        decided, arms = link.action.subject, link.action.arms
        subject = run.route(decided, [taken for taken, _ in arms])
        said = told(decided.type, subject, (taken for taken, _ in arms))
        run.tell("route", ir.show(decided), value=said)
        link = resolve(link.action, subject)
        subjects.append(decided)
    return link, tuple(subjects)


def _next(chain: p.Chain, taken: p.Link, at: Position, failure: AttemptFailed) -> Position | None:
    """Where to go on: the kernel's word, unless trying again is pointless or comes too early."""
    if _gives_up(taken, failure):
        return after_giving_up(chain, at)
    return after_failure(chain, at, taken)


def _gives_up(link: p.Link, failure: AttemptFailed) -> bool:
    """Whether the same again is pointless, or allowed only after the link's timeout."""
    if not failure.retryable:
        return True
    later, patience = failure.retry_after, link.timeout
    return later is not None and patience is not None and later > float(patience)


async def _wait(
    run: Run, step: p.Step, link: p.Link, following: Position, failure: AttemptFailed
) -> None:
    longest = float(longest_wait(link.retry, following.attempt))
    seconds = run.world.jitter(longest) if longest else 0.0
    if failure.retry_after is not None:
        seconds = max(seconds, failure.retry_after)
    run.tell("retry", step.name, attempt=following.attempt, wait=round(seconds, 3))
    if seconds > 0:
        await run.world.sleep(run, seconds)
