"""`each`: one walk of a chain for every element, side by side or in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import shown
from pipelang.runtime.engine.world import NOTHING, AttemptFailed, Subjects
from pipelang.semantics import program as p
from pipelang.semantics.kernels.each import enough
from pipelang.semantics.types import ListType

Body = Callable[[Run], Awaitable[Any]]
"""An element's answer, how it ended the run, or `NOTHING`."""


async def run_each(
    run: Run, step: p.Step, each: p.Each, subjects: Subjects, body: Body, part: str
) -> Any:
    """Run every element: the list of answers, or how an element ended the run. `part` says which
    part of the step the list is. Raises `AttemptFailed` if too few answered.
    """
    elements = await run.world.elements(run, step, each, subjects)
    inside = []
    for index, value in enumerate(elements):
        one = run.element(each.variable, value, step.name, index, part)
        await run.world.enter_element(run, one, each, subjects)
        inside.append(one)
    results: dict[int, Any] = {}
    answered: dict[int, Any] = {}
    try:
        if each.ordered:
            for index, one in enumerate(inside):
                results[index] = await body(one)
                if results[index] is NOTHING or isinstance(results[index], Ended):
                    break
        else:
            await _side_by_side(run, each, inside, body, results)
    finally:  # also where a budget or a kill cuts it short: what is finished is handed over
        for index, answer in results.items():
            if answer is not NOTHING and not isinstance(answer, Ended):
                answered[index] = answer
        run.notes.partial[step.name] = _shown(step, answered, len(elements))
    for index in sorted(results):
        if isinstance(results[index], Ended):
            return results[index]
    run.emit("each", step.name, elements=len(elements), answered=len(answered))
    if not enough(each.need, len(answered), len(elements)):
        message = f"{len(answered)} of {len(elements)} elements answered"
        run.emit("failed", step.name, why="need", message=message)
        raise AttemptFailed(message, kind="need")
    return run.world.gathered(run, step, [answered.get(i) for i in range(len(elements))])


def _shown(step: p.Step, answered: dict[int, Any], count: int) -> list[Any]:
    """The answers so far, as JSON; None where an element has none."""
    if not isinstance(step.type, ListType):
        return []
    element = step.type.element
    return [shown(element, answered[i]) if i in answered else None for i in range(count)]


async def _side_by_side(
    run: Run, each: p.Each, inside: list[Run], body: Body, results: dict[int, Any]
) -> None:
    """All elements, at most `parallel` of them at once."""
    waiting = list(range(len(inside)))[::-1]
    running: dict[Any, int] = {}
    most = each.parallel or len(inside)
    try:
        while waiting or running:
            while waiting and len(running) < most:
                index = waiting.pop()
                one = inside[index]
                running[run.world.spawn(_coroutine(body, one), one.where)] = index
            cut: Exception | None = None
            for task in sorted(await run.world.first(running), key=running.__getitem__):
                index = running.pop(task)
                try:
                    results[index] = task.result()
                except Exception as error:  # those that finished with it are kept
                    cut = cut or error
            if cut is not None:
                raise cut
    finally:
        if running:
            await run.world.cancel(running)


async def _coroutine(body: Body, one: Run) -> Any:
    return await body(one)
