"""Votes and cascades: several calls of one link, by the kernels in `semantics.kernels`.

A majority's calls run side by side, a lead's one after the other, a cascade's tiers cheapest first.
Every call has the link's retries for itself (`caller`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from pipelang.records import replace
from pipelang.runtime.engine.agents import run_agent
from pipelang.runtime.engine.values import attribute, to_json
from pipelang.runtime.engine.world import UNDECLARED_TIMEOUT, Attempt, AttemptFailed
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import ChainPosition, longest_wait
from pipelang.semantics.kernels.vote import Open, verdict
from pipelang.semantics.types import (
    ANSWERER,
    PROBABILITY,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    present,
)

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run

Call = Callable[[Attempt], Coroutine[Any, Any, Any]]
"""One call of a link with its retries. Raises `AttemptFailed` when they are used up."""


async def vote(run: Run, attempt: Attempt, rule: p.Vote, call: Call) -> Any:
    """Count the calls of a link until an answer wins. Raises `AttemptFailed` if none does."""
    answers: list[Any] = []
    keys: list[str] = []
    tally: list[int] = []
    made = 0
    action = attempt.action
    kind = None if isinstance(action, p.Call) else action.answers

    def count(answer: Any) -> None:
        said = to_json(answer) if kind is None else without_confidences(kind, answer)
        key = json.dumps(said, sort_keys=True, default=repr)
        if key not in keys:
            keys.append(key)
            answers.append(answer)
            tally.append(0)
        tally[keys.index(key)] += 1

    won: int | Open = Open.GOES_ON
    said: list[tuple[bool, Any]] = []
    if isinstance(rule, p.Majority):
        said = await _side_by_side(run, attempt, rule.calls, call)
    while won is Open.GOES_ON:
        if made == len(said):
            said.append(await _quietly(call, attempt, made))
        answered, answer = said[made]
        made += 1
        if answered:
            count(answer)
        won = verdict(rule, tally, made)
    run.emit("vote", attempt.step.name, calls=made, tally=sorted(tally, reverse=True))
    if isinstance(won, Open):
        raise AttemptFailed("the votes did not agree", kind="vote")
    run.world.vote_decided(run, attempt.step, answers[won])
    return answers[won]


def without_confidences(type: Type, value: Any) -> Any:
    """A value as JSON, without the fields of its records that are probabilities."""
    match type:
        case RecordType() if isinstance(value, BaseModel):
            return {
                field.key: without_confidences(field.type, getattr(value, attribute(field.name)))
                for field in type.fields
                if present(field.type) != PROBABILITY
            }
        case ListType() if isinstance(value, (list, tuple)):
            return [without_confidences(type.element, item) for item in value]
        case MapType() if isinstance(value, dict):
            return {key: without_confidences(type.value, item) for key, item in value.items()}
        case OptionalType() if value is not None:
            return without_confidences(type.inner, value)
        case _:
            return to_json(value)


async def _side_by_side(
    run: Run, attempt: Attempt, calls: int, call: Call
) -> list[tuple[bool, Any]]:
    """All calls of a vote at once; what they said in the order of their numbers."""
    said: dict[int, tuple[bool, Any]] = {}
    running: dict[Any, int] = {}
    try:
        for number in range(calls):
            place = f"{run.at(attempt.step.name)}{attempt.part}:vote{number}"
            running[run.world.spawn(_quietly(call, attempt, number), place)] = number
        while running:
            for task in list(await run.world.first(running)):
                said[running.pop(task)] = task.result()
    finally:  # where one raises, the others are stopped
        if running:
            await run.world.cancel(running)
    return [said[number] for number in range(calls)]


async def _quietly(call: Call, attempt: Attempt, number: int) -> tuple[bool, Any]:
    """Make one call of a vote, from 0; a failed one is a vote for no answer."""
    try:
        return True, await call(replace(attempt, part=f"{attempt.part}:vote{number}"))
    except AttemptFailed:
        return False, None


async def cascade(run: Run, attempt: Attempt, action: p.Cascade, call: Call) -> Any:
    """The first answer that is good enough. Raises `AttemptFailed` if none is."""
    for tier in action.tiers:
        who = expr.Const(tier, ANSWERER)
        ask = p.AskTier(action.prompt, action.arguments, who, action.answers)
        mine = Attempt(
            attempt.step,
            attempt.link,
            ask,
            tier,
            attempt.arguments,
            0,
            attempt.feedback,
            None,
            attempt.subjects,
            f"{attempt.part}:by-{tier}",
        )
        try:
            answer = await call(mine)
        except AttemptFailed:
            continue
        accepted = await run.world.accepts(run, attempt.step, action, answer)
        run.emit("until", attempt.step.name, tier=tier, accepted=accepted)
        if accepted:
            return answer
    raise AttemptFailed("no tier was sure enough", kind="cascade")


def caller(run: Run, agent: p.Agent | None = None) -> Call:
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
                if number > attempt.link.retry.count or gives_up(attempt.link, failure):
                    raise
                await wait(run, attempt.step, attempt.link, ChainPosition(0, number), failure)

    return call


def gives_up(link: p.Link, failure: AttemptFailed) -> bool:
    """Whether the same again is pointless, or allowed only after what an attempt may take."""
    if not failure.retryable:
        return True
    patience = UNDECLARED_TIMEOUT if link.timeout is None else float(link.timeout)
    return failure.retry_after is not None and failure.retry_after > patience


async def wait(
    run: Run, step: p.Step, link: p.Link, following: ChainPosition, failure: AttemptFailed
) -> None:
    longest = float(longest_wait(link.retry, following.attempt))
    seconds = await run.world.jitter(run, longest) if longest else 0.0
    if failure.retry_after is not None:
        seconds = max(seconds, failure.retry_after)
    run.emit("retry", step.name, attempt=following.attempt, wait=round(seconds, 3))
    if seconds > 0:
        await run.world.sleep(run, seconds)
