"""Walking a chain: attempts, waits, fallbacks, by the kernel in `semantics.kernels.chain`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelang.runtime.expressions import NoValue
from pipelang.runtime.polls import Call, cascade, vote
from pipelang.runtime.values import shown, told
from pipelang.runtime.world import Attempt, AttemptFailed
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

if TYPE_CHECKING:
    from pipelang.runtime.interpreter import Run


async def run_chain(run: Run, step: p.Step) -> Any:
    """The step's answer, or how it ended the run."""
    from pipelang.runtime.interpreter import conclude

    run.tell("step", step.name)
    at: Position | None = START
    feedback = run.feedback.pop(step.name, None)
    misfit: str | None = None
    while at is not None:
        link = step.chain.links[at.link]
        if at.attempt == 0:
            misfit = None
            if at.link:
                run.tell("fallback", step.name, link=at.link)
        inner = link
        try:
            inner, subjects = _chosen(run, link)
            action = inner.action
            if isinstance(action, p.Value):
                value = run.world.pure(run, step, inner, subjects)
                run.tell("value", step.name, content=shown(step.type, value))
                return value
            assert isinstance(action, (p.AskTier, p.AskRole, p.Call, p.Cascade))
            arguments = {name: run.evaluate(value) for name, value in action.arguments}
            if isinstance(action, p.Cascade):
                ask = p.AskTier(action.prompt, action.arguments, _FIRST, action.answers)
                attempt = Attempt(step, inner, ask, None, arguments, 0, feedback, None, subjects)
                return await cascade(run, attempt, action, _caller(run))
            tier = run.route(action.who) if isinstance(action, p.AskTier) else None
            attempt = Attempt(
                step, inner, action, tier, arguments, at.attempt, feedback, misfit, subjects
            )
            if inner.vote is not None:
                return await vote(run, attempt, inner.vote, _caller(run))
            return await run.world.attempt(run, attempt)
        except AttemptFailed as failure:
            misfit = failure.misfit
            following = _next(step.chain, inner, at, failure)
            if following is not None and following.link == at.link:
                await _wait(run, step, inner, following, failure)
            at = following
        except NoValue as problem:
            run.tell("failed", step.name, why="no_value", message=str(problem), attempt=at.attempt)
            at = after_giving_up(step.chain, at)
    outcome = ending(step.chain, step)
    run.tell("ended", step.name, outcome=type(outcome).__name__.lower())
    return conclude(run, outcome)


_FIRST = ir.Const(None, ANSWERER)
"""In place of a cascade's tier before one was picked."""


def _caller(run: Run) -> Call:
    """One call of a vote or cascade: attempts of its link until one answers."""

    async def call(attempt: Attempt) -> Any:
        number, misfit = 0, attempt.misfit
        while True:
            try:
                tried = replace(attempt, number=number, misfit=misfit)
                return await run.world.attempt(run, tried)
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
        subject = run.route(decided)
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
