"""An agent: turns of a model, each of which answers or asks for tools, up to `steps` of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.misfits import arguments_by_model
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.subpipelines import play_child
from pipelang.runtime.engine.values import Misfit, shown
from pipelang.runtime.engine.world import Attempt, AttemptFailed, ToolCall, ToolResult, Turn
from pipelang.runtime.prompts.templates import shorten_failure
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN, chosen_by_turn

Perform = Callable[[Run, Attempt], Awaitable[Any]]
Retried = Callable[[Attempt, Perform], Awaitable[Any]]
"""Makes attempts of something until one succeeds, as often as the link says."""


async def run_agent(run: Run, attempt: Attempt, agent: p.Agent, retried: Retried) -> Any:
    """The agent's answer, or how one of its pipelines ended the run. Raises `AttemptFailed`.

    The tier of an attempt is that of all turns, unless it is chosen anew before each of them.
    """
    turns: tuple[Turn, ...] = ()
    by_turn = chosen_by_turn(agent)
    while len(turns) < agent.steps:
        so_far = turns
        if by_turn:
            attempt = replace(attempt, tier=await run.world.route(run, agent.who))

        async def next_turn(run: Run, mine: Attempt, so_far: tuple[Turn, ...] = so_far) -> Turn:
            return await run.world.turn(run, mine, agent, so_far)

        turn: Turn = await retried(attempt, next_turn)
        if not turn.calls:
            return turn.answer
        results: list[ToolResult] = []
        mine = replace(attempt, part=f"{attempt.part}:turn{len(turns)}")
        for used in await _use(run, mine, agent, turn.calls):
            if isinstance(used, Ended):
                return used
            results.append(used)
        turns = (*turns, Turn(None, turn.calls, turn.said, tuple(results)))
        # Until there is an answer, this is what a handoff has of it.
        run.notes.partial[attempt.step.name] = _found(turns)
    message = f"no answer within {agent.steps} turns"
    run.emit("failed", attempt.step.name, why="max_steps", message=message)
    raise AttemptFailed(message, kind="max_steps")


def _found(turns: tuple[Turn, ...]) -> list[dict[str, Any]]:
    """The results of an agent's calls, as JSON, in their order."""
    return [
        {
            "tool": one.call.name,
            "arguments": dict(one.call.arguments),
            "failed" if one.failed else "result": one.value,
        }
        for turn in turns
        for one in turn.results
    ]


async def _use(
    run: Run, attempt: Attempt, agent: p.Agent, calls: tuple[ToolCall, ...]
) -> list[ToolResult | Ended]:
    """The calls of a turn, side by side; their results in the order of the calls."""
    running: dict[Any, int] = {}
    results: dict[int, ToolResult | Ended] = {}
    try:
        for index, call in enumerate(calls):
            if index >= CALLS_A_TURN:
                why = f"at most {CALLS_A_TURN} calls a turn"
                results[index] = ToolResult(call, why, failed=True)
            else:
                mine = replace(attempt, part=f"{attempt.part}.{index}")
                place = f"{run.at(attempt.step.name)}{mine.part}"
                running[run.world.spawn(_one(run, mine, agent, call), place)] = index
        while running:
            for task in list(await run.world.first(running)):
                results[running.pop(task)] = task.result()
    finally:
        if running:
            await run.world.cancel(running)
    return [results[index] for index in sorted(results)]


async def _one(run: Run, attempt: Attempt, agent: p.Agent, call: ToolCall) -> ToolResult | Ended:
    if call.name in agent.tools:
        return await run.world.use_tool(run, attempt, call)
    if call.name not in agent.pipelines:
        return ToolResult(call, shorten_failure(f"there is no tool `{call.name}`"), failed=True)
    pipeline = run.program.pipelines[call.name]
    try:
        values = arguments_by_model(pipeline.parameters, call.arguments)
        answer = await play_child(
            run, attempt.step, pipeline, values, attempt.subjects, attempt.part
        )
    except (AttemptFailed, Misfit) as failure:
        return ToolResult(call, shorten_failure(str(failure)), failed=True)
    if isinstance(answer, Ended):
        return answer
    return ToolResult(call, shown(pipeline.returns, answer))
