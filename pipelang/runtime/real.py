"""The real world: models behind providers, Python tools, people, and asyncio's clock."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from pipelang.runtime.budget import Budget, BudgetSpent, Reservation
from pipelang.runtime.people import People
from pipelang.runtime.pricing import Ask, ask_for, price_of, reservation, tokens_of
from pipelang.runtime.providers.protocol import ModelFault, ModelProvider, ModelRequest
from pipelang.runtime.secrets import redact
from pipelang.runtime.templates import RenderError
from pipelang.runtime.tools import Toolbox, ToolRaised, call, checked, describe
from pipelang.runtime.values import Misfit, Types, shown
from pipelang.runtime.world import Attempt, AttemptFailed, Decision, Question, being_cancelled
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.sizes import output_limit
from pipelang.semantics.types import NothingType, RecordType

if TYPE_CHECKING:
    from pipelang.runtime.interpreter import Run

_MOST_COUNTING = 5.0
"""Seconds that a provider gets to count tokens; then our own count must do."""

_NO_TIME = 0.001
"""Seconds: with less left nothing is begun."""

_UNBILLED = frozenset({"rate_limited", "overloaded", "rejected", "no_recording"})
"""Faults that cost nothing where the provider does not say what was used."""


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long an attempt may take; `budget` is set where its time runs out before the timeout."""

    seconds: float | None
    budget: Budget | None


class RealWorld:
    """Performs for one run. `providers` are by the name of the program's provider; `secrets` are
    references to what must not be told.
    """

    def __init__(
        self,
        types: Types,
        providers: Mapping[str, ModelProvider],
        tools: Toolbox,
        people: People,
        chance: random.Random,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._types = types
        self._providers = providers
        self._tools = tools
        self._people = people
        self._chance = chance
        self._secrets = secrets
        self._began = time.monotonic()
        self._waited = 0.0
        self._waiting: list[float] = []

    # --------------------------------------------------------------------------------- values

    def value(self, run: Run, expr: ir.Expr) -> Any:
        return run.expressions.evaluate(expr, run.values)

    def route(self, run: Run, expr: ir.Expr) -> Any:
        return run.expressions.evaluate(expr, run.values)

    def pure(self, run: Run, step: p.Step, link: p.Link, subjects: tuple[ir.Expr, ...]) -> Any:
        assert isinstance(link.action, p.Value)
        return run.expressions.evaluate(link.action.value, run.values)

    def answer(self, run: Run, value: Any) -> Any:
        return run.expressions.fitted(value, run.pipeline.returns)

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
        if run.budget.needs_price() and not {"in", "out"} <= set(tier.prices):
            from pipelang.runtime.interpreter import Halted

            raise Halted("unpriced", f"tier `{tier.name}` has no price, and money is limited")
        try:
            provider = self._providers[tier.provider]
        except Exception as error:  # no such kind, or a plug-in that does not load
            message = describe(error)
            raise self._failed(run, attempt, "rejected", message, retryable=False) from None
        ask, request = self._request(run, attempt, action, tier)
        counted, counting = None, 0.0
        if run.budget.limited():
            began = time.monotonic()
            counted = await self._count(provider, request)
            counting = time.monotonic() - began
        limit = request.max_output_tokens
        money, tokens = reservation(tier, ask, attempt, limit, counted)
        held, patience = await self._reserve(run, money, tokens, attempt.link.timeout, counting)
        request = dataclasses.replace(request, timeout=patience.seconds)
        started, clock = self.elapsed(run), asyncio.timeout(patience.seconds)
        try:
            async with clock:
                answer = await provider.answer(request)
            money, tokens = price_of(tier, answer.usage), tokens_of(answer.usage)
            value = self._fit(action, ask, answer.value)
        except ModelFault as fault:
            if fault.usage is not None:
                money, tokens = price_of(tier, fault.usage), tokens_of(fault.usage)
            elif fault.kind in _UNBILLED:
                money, tokens = Decimal(0), 0
            raise self._failed(
                run,
                attempt,
                fault.kind,
                fault.message,
                retryable=fault.retryable,
                retry_after=fault.retry_after,
                misfit=fault.message if fault.kind == "misfit" else None,
                started=started,
                cost=money,
            ) from None
        except Misfit as misfit:
            said = str(misfit)
            raise self._failed(
                run, attempt, "misfit", said, misfit=said, started=started, cost=money
            ) from None
        except TimeoutError:
            raise self._timed_out(run, attempt, patience, clock, started, money) from None
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and being_cancelled():
                raise
            # A provider that breaks its promise; what it used nobody knows.
            message = describe(error)
            raise self._failed(
                run, attempt, "raised", message, started=started, cost=money
            ) from error
        finally:
            run.budget.settle(held, money, tokens)
        confidence = _confidence(value)
        run.tell(
            "answer",
            attempt.step.name,
            content=shown(attempt.step.type, value),
            tier=tier.name,
            provider=provider.name,
            model=answer.model,
            attempt=attempt.number,
            seconds=round(self.elapsed(run) - started, 3),
            tokens_in=tokens - answer.usage.output,
            tokens_out=answer.usage.output,
            cost=float(money),
            **({} if confidence is None else {"confidence": confidence}),
            **({"note": answer.note} if answer.note else {}),
        )
        return value

    def _request(
        self, run: Run, attempt: Attempt, action: p.AskTier, tier: p.Tier
    ) -> tuple[Ask, ModelRequest]:
        prompt = run.program.prompts[action.prompt]
        try:
            ask = ask_for(prompt, action, attempt, self._types)
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        key = f"{action.prompt}:{ask.fingerprint}"
        number = run.calls.get(key, 0)
        run.calls[key] = number + 1
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
            effort=cast(Any, attempt.link.effort),
            timeout=self._patience(run, attempt.link.timeout).seconds,
            misfit=attempt.misfit,
            call=number,
        )
        return ask, request

    async def _count(self, provider: ModelProvider, request: ModelRequest) -> int | None:
        """The provider's own count of the prompt; ours alone where it has none or fails."""
        patience = _MOST_COUNTING
        if request.timeout is not None:
            patience = min(patience, request.timeout / 2)
        try:
            async with asyncio.timeout(patience):
                return await provider.count_tokens(request)
        except Exception:
            return None

    def _fit(self, action: p.AskTier, ask: Ask, value: Any) -> Any:
        """The answer as the step's type: a record as it is, anything else out of its wrapper."""
        if ask.answer is not None and not isinstance(action.answers, RecordType):
            if not isinstance(value, dict) or "answer" not in value:
                raise Misfit("`answer`: is missing")
            value = value["answer"]
        return self._types.check(action.answers, value)

    async def _call(self, run: Run, attempt: Attempt, action: p.Call) -> Any:
        tool = run.program.tools[action.tool]
        if tool.permit is not None and run.granted is not None and tool.permit not in run.granted:
            message = f'this run was not granted "{tool.permit}"'
            raise self._failed(run, attempt, "permit", message, retryable=False)
        function = self._tools.function(tool)
        try:
            arguments = checked(self._types, tool, attempt.arguments)
        except Misfit as misfit:
            message = str(misfit)
            raise self._failed(run, attempt, "argument", message, retryable=False) from None
        cost, timeout = tool.cost, attempt.link.timeout or tool.timeout
        held, patience = await self._reserve(run, cost, 0, timeout)
        started, clock = self.elapsed(run), asyncio.timeout(patience.seconds)
        try:
            async with clock:
                result = await call(function, arguments, self._tools.threads)
            value = None
            if not isinstance(tool.returns, NothingType):
                value = self._types.check(tool.returns, result)
        except TimeoutError:
            raise self._timed_out(run, attempt, patience, clock, started, cost) from None
        except ToolRaised as raised:
            message = str(raised)
            raise self._failed(
                run, attempt, "raised", message, started=started, cost=cost
            ) from raised
        except Misfit as misfit:
            message = str(misfit)
            raise self._failed(
                run, attempt, "misfit", message, started=started, cost=cost
            ) from None
        finally:
            run.budget.settle(held, cost, 0)
        run.tell(
            "result",
            attempt.step.name,
            content=shown(tool.returns, value),
            tool=tool.name,
            effect=tool.effect,
            attempt=attempt.number,
            seconds=round(self.elapsed(run) - started, 3),
            cost=float(cost),
        )
        return value

    async def _ask_role(self, run: Run, attempt: Attempt, action: p.AskRole) -> Any:
        from pipelang.semantics.jsonschema import json_schema

        prompt = run.program.prompts[action.prompt]
        timeout = attempt.link.timeout
        try:
            ask = ask_for(prompt, action, attempt, self._types)
            run.tell("asks", attempt.step.name, role=action.role, what="ask", content=ask.user)
            said = await self._away(
                self._people.answer(run.id, action.role, ask.user, json_schema(action.answers)),
                None if timeout is None else float(timeout),
            )
            if said is None:
                raise self._failed(run, attempt, "nobody", f"nobody of `{action.role}` answered")
            value = self._types.check(action.answers, said)
        except AttemptFailed:
            raise
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        except Exception as error:
            raise self._failed(run, attempt, "raised", describe(error)) from error
        content = shown(attempt.step.type, value)
        run.tell("answer", attempt.step.name, content=content, role=action.role)
        return value

    def _failed(
        self,
        run: Run,
        attempt: Attempt,
        kind: str,
        message: str,
        *,
        started: float | None = None,
        cost: Decimal | None = None,
        retryable: bool = True,
        retry_after: float | None = None,
        misfit: str | None = None,
    ) -> AttemptFailed:
        message = redact(message, self._secrets)
        data: dict[str, Any] = {"tier": attempt.tier} if attempt.tier else {}
        if isinstance(attempt.action, p.Call):
            data = {"tool": attempt.action.tool}
        if cost:
            data["cost"] = float(cost)
        run.tell(
            "failed",
            attempt.step.name,
            why=kind,
            message=message,
            attempt=attempt.number,
            seconds=None if started is None else round(self.elapsed(run) - started, 3),
            **data,
        )
        return AttemptFailed(
            message, kind=kind, retryable=retryable, retry_after=retry_after, misfit=misfit
        )

    def _timed_out(
        self,
        run: Run,
        attempt: Attempt,
        patience: _Patience,
        clock: asyncio.Timeout,
        started: float,
        cost: Decimal,
    ) -> Exception:
        """An attempt that took too long failed, unless it was the budget's time that ran out."""
        ours = clock.expired() and patience.seconds is not None
        message = f"nothing came within {patience.seconds:g} s" if ours else "it timed out"
        failed = self._failed(run, attempt, "timeout", message, started=started, cost=cost)
        if ours and patience.budget is not None:
            return BudgetSpent(patience.budget, "time")
        return failed

    # ------------------------------------------------------------------------ tests and people

    async def holds(self, run: Run, item: Any, test: ir.Expr) -> bool:
        return bool(run.expressions.evaluate(test, run.values))

    def chose(self, run: Run, step: p.Step, answer: Any) -> None:
        return None

    async def accepts(self, run: Run, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        return bool(run.expressions.evaluate(action.until, {**run.values, "it": answer}))

    async def decide(self, run: Run, question: Question) -> Decision | None:
        """A person's word. Where people cannot be reached at all nobody could have said no, so that
        counts as one.
        """
        seconds = question.person.seconds
        limit = None if seconds is None else float(seconds)
        try:
            decision = await self._away(self._people.decide(run.id, question), limit)
            if decision is not None and not isinstance(decision, Decision):
                raise TypeError(f"expected a Decision, found a `{type(decision).__name__}`")
        except Exception as error:
            reason = f"nobody could be asked: {redact(describe(error), self._secrets)}"
            return Decision(False, reason=reason)
        return decision

    async def _away(self, work: Coroutine[Any, Any, Any], limit: float | None) -> Any:
        """Wait for people: their time does not count as the run's. None if it was up."""
        began = time.monotonic()
        self._waiting.append(began)
        clock = asyncio.timeout(limit)
        try:
            async with clock:
                return await work
        except TimeoutError:
            if not clock.expired():
                raise
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

    def _patience(self, run: Run, timeout: Decimal | None, used: float = 0.0) -> _Patience:
        """What an attempt's timeout and the budgets leave it. Raises `BudgetSpent` if nothing."""
        limit = None if timeout is None else max(float(timeout) - used, 0.0)
        left = run.budget.seconds_left(self.elapsed(run))
        if left is None:
            return _Patience(limit, None)
        if left[0] <= _NO_TIME:
            raise BudgetSpent(left[1], "time")
        if limit is None or left[0] < limit:
            return _Patience(left[0], left[1])
        return _Patience(limit, None)

    async def _reserve(
        self, run: Run, money: Decimal, tokens: int, timeout: Decimal | None, used: float = 0.0
    ) -> tuple[Reservation, _Patience]:
        """Room in the budgets for one call, and how long it may then take. Raises `BudgetSpent`."""
        held = await run.budget.reserve(money, tokens)
        try:
            return held, self._patience(run, timeout, used)
        except BudgetSpent:
            run.budget.settle(held, Decimal(0), 0)
            raise

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


def _confidence(value: Any) -> float | None:
    found = getattr(value, "confidence", None)
    return float(found) if isinstance(found, Decimal) else None
