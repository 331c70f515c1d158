"""The real world: models behind providers, Python tools, people, and asyncio's clock."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.budget import BudgetSpent
from pipelang.runtime.people import People
from pipelang.runtime.pricing import Ask, ask_for, price_of, reservation
from pipelang.runtime.providers.protocol import ModelFault, ModelProvider, ModelRequest, Usage
from pipelang.runtime.templates import RenderError
from pipelang.runtime.tools import Toolbox, call
from pipelang.runtime.values import Misfit, Types, to_json
from pipelang.runtime.world import Attempt, AttemptFailed, Decision, Question
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.sizes import output_limit
from pipelang.semantics.types import NothingType, RecordType

if TYPE_CHECKING:
    from pipelang.runtime.interpreter import Run


class RealWorld:
    """Performs for one run. `providers` are by the name of the program's provider."""

    def __init__(
        self,
        types: Types,
        providers: Mapping[str, ModelProvider],
        tools: Toolbox,
        people: People,
        chance: random.Random,
    ) -> None:
        self._types = types
        self._providers = providers
        self._tools = tools
        self._people = people
        self._chance = chance
        self._began = time.monotonic()
        self._waited = 0.0
        self._waiting: list[float] = []

    # --------------------------------------------------------------------------------- values

    def value(self, run: Run, expr: ir.Expr) -> Any:
        return run.expressions.evaluate(expr, run.values)

    def route(self, run: Run, expr: ir.Expr) -> Any:
        return run.expressions.evaluate(expr, run.values)

    def pure(
        self, run: Run, step: p.Step, link: p.Link, subjects: tuple[ir.Expr, ...]
    ) -> Any:
        assert isinstance(link.action, p.Value)
        return run.expressions.evaluate(link.action.value, run.values)

    # ------------------------------------------------------------------------------- attempts

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        match attempt.action:
            case p.AskTier():
                return await self._ask(run, attempt, attempt.action)
            case p.Call():
                return await self._call(run, attempt, attempt.action)
            case p.AskRole():
                return await self._ask_role(run, attempt, attempt.action)

    async def _ask(self, run: Run, attempt: Attempt, action: p.AskTier) -> Any:
        assert attempt.tier is not None
        tier = run.program.tiers[attempt.tier]
        provider = self._providers[tier.provider]
        prompt = run.program.prompts[action.prompt]
        try:
            ask = ask_for(prompt, action, attempt, self._types)
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        key = f"{action.prompt}:{ask.fingerprint}"
        number = run.calls.get(key, 0)
        run.calls[key] = number + 1
        limit, timeout = self._patience(run, attempt.link.timeout)
        request = ModelRequest(
            prompt=action.prompt,
            step=attempt.step.name,
            tier=tier.name,
            model=tier.model or "",
            system=ask.system,
            user=ask.user,
            answer=ask.answer,
            arguments=ask.arguments,
            max_output_tokens=output_limit(attempt.link, action.answers),
            effort=_effort(attempt.link.effort),
            timeout=timeout,
            misfit=attempt.misfit,
            call=number,
        )
        if run.budget.needs_price() and not {"in", "out"} <= set(tier.prices):
            from pipelang.runtime.interpreter import Halted

            raise Halted("unpriced", f"tier `{tier.name}` has no price, and money is limited")
        counted = await self._count(run, provider, request) if run.budget.limited() else None
        money, tokens = reservation(tier, ask, attempt.link, counted)
        held = await run.budget.reserve(money, tokens)
        started = self.elapsed(run)
        usage: Usage | None = None
        try:
            async with asyncio.timeout(limit):
                answer = await provider.answer(request)
            usage = answer.usage
            value = self._fit(action, ask, answer.value)
        except TimeoutError:
            run.budget.settle(held, money, tokens)
            self._out_of_time(run)
            message = f"no answer within {limit:g} s" if limit is not None else "no answer in time"
            raise self._failed(run, attempt, "timeout", message, started=started) from None
        except ModelFault as fault:
            self._settle_fault(run, held, tier, fault, money, tokens)
            raise self._failed(
                run,
                attempt,
                fault.kind,
                fault.message,
                retryable=fault.retryable,
                retry_after=fault.retry_after,
                misfit=fault.message if fault.kind == "misfit" else None,
                started=started,
            ) from None
        except Misfit as misfit:
            assert usage is not None
            run.budget.settle(held, price_of(tier, usage), _tokens(usage))
            raise self._failed(
                run, attempt, "misfit", str(misfit), misfit=str(misfit), started=started
            ) from None
        except BaseException:
            run.budget.settle(held, money, tokens)
            raise
        cost = price_of(tier, usage)
        run.budget.settle(held, cost, _tokens(usage))
        run.tell(
            "answer",
            attempt.step.name,
            content=to_json(value),
            tier=tier.name,
            provider=provider.name,
            model=answer.model,
            attempt=attempt.number,
            seconds=round(self.elapsed(run) - started, 3),
            tokens_in=usage.input + usage.cache_read + usage.cache_write,
            tokens_out=usage.output,
            cost=float(cost),
            **({"confidence": _confidence(value)} if _confidence(value) is not None else {}),
            **({"note": answer.note} if answer.note else {}),
        )
        return value

    async def _count(self, run: Run, provider: ModelProvider, request: ModelRequest) -> int | None:
        """The provider's own count of the prompt; ours alone where it has none or fails."""
        try:
            async with asyncio.timeout(5):
                return await provider.count_tokens(request)
        except (ModelFault, TimeoutError):
            return None

    def _fit(self, action: p.AskTier, ask: Ask, value: Any) -> Any:
        """The answer as the step's type: a record as it is, anything else out of its wrapper."""
        if ask.answer is not None and not isinstance(action.answers, RecordType):
            if not isinstance(value, dict) or "answer" not in value:
                raise Misfit("`answer`: is missing")
            value = value["answer"]
        return self._types.check(action.answers, value)

    def _settle_fault(
        self,
        run: Run,
        held: Any,
        tier: p.Tier,
        fault: ModelFault,
        money: Decimal,
        tokens: int,
    ) -> None:
        """A fault costs what the provider said; where it said nothing but may have worked, all."""
        if fault.usage is not None:
            run.budget.settle(held, price_of(tier, fault.usage), _tokens(fault.usage))
        elif fault.kind in ("timeout", "connection", "server"):
            run.budget.settle(held, money, tokens)
        else:
            run.budget.settle(held, Decimal(0), 0)

    async def _call(self, run: Run, attempt: Attempt, action: p.Call) -> Any:
        tool = run.program.tools[action.tool]
        function = self._tools.function(tool)
        if tool.permit is not None and run.granted is not None and tool.permit not in run.granted:
            message = f'this run was not granted "{tool.permit}"'
            raise self._failed(run, attempt, "permit", message, retryable=False)
        arguments = {}
        for parameter in tool.parameters:
            try:
                given = attempt.arguments[parameter.name]
                arguments[parameter.name] = self._types.check(parameter.type, given)
            except Misfit as misfit:
                message = f"argument `{parameter.name}`: {misfit}"
                raise self._failed(run, attempt, "argument", message, retryable=False) from None
        held = await run.budget.reserve(tool.cost, 0)
        limit, _ = self._patience(run, attempt.link.timeout or tool.timeout)
        started = self.elapsed(run)
        try:
            async with asyncio.timeout(limit):
                result = await call(function, arguments)
        except TimeoutError:
            self._out_of_time(run)
            message = f"no result within {limit:g} s" if limit is not None else "timed out"
            raise self._failed(run, attempt, "timeout", message, started=started) from None
        except (BudgetSpent, asyncio.CancelledError):
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            raise self._failed(run, attempt, "raised", message, started=started) from error
        finally:
            run.budget.settle(held, tool.cost, 0)
        if isinstance(tool.returns, NothingType):
            value = None
        else:
            try:
                value = self._types.check(tool.returns, result)
            except Misfit as misfit:
                raise self._failed(run, attempt, "misfit", str(misfit), started=started) from None
        run.tell(
            "result",
            attempt.step.name,
            content=to_json(value),
            tool=tool.name,
            effect=tool.effect,
            attempt=attempt.number,
            seconds=round(self.elapsed(run) - started, 3),
            cost=float(tool.cost),
        )
        return value

    async def _ask_role(self, run: Run, attempt: Attempt, action: p.AskRole) -> Any:
        from pipelang.semantics.jsonschema import json_schema

        prompt = run.program.prompts[action.prompt]
        ask = ask_for(prompt, action, attempt, self._types)
        timeout = attempt.link.timeout
        said = await self._away(
            self._people.answer(run.id, action.role, ask.user, json_schema(action.answers)),
            None if timeout is None else float(timeout),
        )
        if said is None:
            raise self._failed(run, attempt, "nobody", f"nobody of `{action.role}` answered")
        try:
            value = self._types.check(action.answers, said)
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        run.tell("answer", attempt.step.name, content=to_json(value), role=action.role)
        return value

    def _failed(
        self,
        run: Run,
        attempt: Attempt,
        kind: str,
        message: str,
        *,
        started: float | None = None,
        retryable: bool = True,
        retry_after: float | None = None,
        misfit: str | None = None,
    ) -> AttemptFailed:
        seconds = None if started is None else round(self.elapsed(run) - started, 3)
        data = {"tier": attempt.tier} if attempt.tier else {}
        if isinstance(attempt.action, p.Call):
            data = {"tool": attempt.action.tool}
        run.tell(
            "failed",
            attempt.step.name,
            why=kind,
            message=message,
            attempt=attempt.number,
            seconds=seconds,
            **data,
        )
        return AttemptFailed(
            message, kind=kind, retryable=retryable, retry_after=retry_after, misfit=misfit
        )

    # ------------------------------------------------------------------------ tests and people

    async def holds(self, run: Run, item: Any, test: ir.Expr) -> bool:
        return bool(run.expressions.evaluate(test, run.values))

    async def decide(self, run: Run, question: Question) -> Decision | None:
        seconds = question.person.seconds
        limit = None if seconds is None else float(seconds)
        decision = await self._away(self._people.decide(run.id, question), limit)
        return decision if isinstance(decision, Decision) else None

    async def _away(self, work: Coroutine[Any, Any, Any], limit: float | None) -> Any:
        """Wait for people: their time does not count as the run's."""
        began = time.monotonic()
        self._waiting.append(began)
        try:
            async with asyncio.timeout(limit):
                return await work
        except TimeoutError:
            return None
        finally:
            self._waiting.remove(began)
            self._waited += time.monotonic() - began

    # ----------------------------------------------------------------------------------- time

    def elapsed(self, run: Run) -> float:
        now = time.monotonic()
        away = sum(now - began for began in self._waiting)
        return max(0.0, now - self._began - self._waited - away)

    async def sleep(self, run: Run, seconds: float) -> None:
        left = run.budget.seconds_left(self.elapsed(run))
        if left is not None and seconds >= left[0]:
            await asyncio.sleep(max(0.0, left[0]))
            raise BudgetSpent(left[1], "time")
        await asyncio.sleep(seconds)

    def _patience(self, run: Run, timeout: Decimal | None) -> tuple[float | None, float | None]:
        """How long an attempt may take: its own timeout or what the budget leaves it."""
        limit = None if timeout is None else float(timeout)
        left = run.budget.seconds_left(self.elapsed(run))
        if left is not None:
            if left[0] <= 0:
                raise BudgetSpent(left[1], "time")
            limit = left[0] if limit is None else min(limit, left[0])
        return limit, limit

    def _out_of_time(self, run: Run) -> None:
        """A timeout that was the budget's own ends the run."""
        left = run.budget.seconds_left(self.elapsed(run))
        if left is not None and left[0] <= 0:
            raise BudgetSpent(left[1], "time")

    def jitter(self, longest: float) -> float:
        return self._chance.uniform(0.0, longest)

    # ----------------------------------------------------------------------------- side by side

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.ensure_future(work)

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        done, _ = await asyncio.wait(list(tasks), return_when=asyncio.FIRST_COMPLETED)
        return done

    async def stop(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        running = list(tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _effort(level: str | None) -> Any:
    return level


def _tokens(usage: Usage) -> int:
    return usage.input + usage.output + usage.cache_read + usage.cache_write


def _confidence(value: Any) -> float | None:
    found = getattr(value, "confidence", None)
    return float(found) if isinstance(found, Decimal) else None
