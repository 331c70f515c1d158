"""Worlds with real values: expressions are evaluated, tasks are asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.values import Misfit
from pipelang.runtime.engine.world import Arguments, Arms, AttemptFailed, Subjects
from pipelang.runtime.worlds.forgetful import ForgetfulWorld
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


class EvaluatingWorld(ForgetfulWorld):
    """The base of the real world and of that of test blocks."""

    __slots__ = ("loop",)

    def __init__(self) -> None:
        super().__init__()
        # Asking asyncio for it takes a system call on some Pythons: once a run, not once a step.
        self.loop: asyncio.AbstractEventLoop | None = None

    async def value(self, run: Run, node: expr.Expr) -> Any:
        return run.terms.expressions.evaluate(node, run.values)

    def arguments(self, run: Run, given: Arguments) -> dict[str, Any]:
        return run.terms.expressions.evaluate_all(given, run.values)

    async def recorded_arguments(self, run: Run, given: Arguments) -> dict[str, Any]:
        return self.arguments(run, given)

    async def route(self, run: Run, node: expr.Expr, arms: Arms = ()) -> Any:
        return run.terms.expressions.evaluate(node, run.values)

    async def link_value(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        assert isinstance(link.action, p.Value)
        return await self.value(run, link.action.value)

    def fitted_answer(self, run: Run, value: Any) -> Any:
        return run.terms.expressions.fitted(value, run.pipeline.returns)

    async def holds(self, run: Run, item: Any, test: expr.Expr) -> bool:
        return bool(await self.value(run, test))

    async def accepts(self, run: Run, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        return bool(run.terms.expressions.evaluate(action.until, {**run.values, "it": answer}))

    async def admit(self, run: Run) -> bool:
        return True

    def begin(self, run: Run, step: p.Step) -> None:
        return None

    def vote_decided(self, run: Run, step: p.Step, answer: Any) -> None:
        return None

    # ------------------------------------------------------------ sub-pipelines and lists

    async def enter_child(self, run: Run, child: Run, subjects: Subjects) -> None:
        for parameter in child.pipeline.parameters:
            try:
                given = child.values[parameter.name]
                child.values[parameter.name] = run.terms.expressions.fitted(given, parameter.type)
            except Misfit as misfit:
                message = f"argument `{parameter.name}` of `{child.pipeline.name}`: {misfit}"
                raise AttemptFailed(message, kind="argument", retryable=False) from None

    def child_answered(self, run: Run, step: p.Step, value: Any) -> None:
        return None

    async def elements(self, run: Run, step: p.Step, each: p.Each, subjects: Subjects) -> list[Any]:
        return list(await run.world.value(run, each.elements))

    async def enter_element(self, run: Run, inside: Run, each: p.Each, subjects: Subjects) -> None:
        return None

    def gathered(self, run: Run, step: p.Step, answers: list[Any]) -> Any:
        return answers

    # ----------------------------------------------------------------------- side by side

    def spawn(self, work: Coroutine[Any, Any, Any], place: str) -> asyncio.Task[Any]:
        loop = self.loop or asyncio.get_running_loop()
        return loop.create_task(work, name=place)

    async def cancel(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        running = list(tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
