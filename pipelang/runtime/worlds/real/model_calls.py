"""Calls of models in the real world: one attempt of an ask, or of a turn of an agent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, cast

from pipelang.records import replace
from pipelang.runtime.engine.budget import ZERO, Reservation
from pipelang.runtime.engine.event_payloads import dollars
from pipelang.runtime.engine.interruption import foreign, interrupts, mark, stop_if_cancelled
from pipelang.runtime.engine.misfits import without_nulls
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, shown
from pipelang.runtime.engine.world import Attempt, Turn
from pipelang.runtime.prompts.templates import RenderError
from pipelang.runtime.providers.pricing import (
    PricedAsk,
    ask_for,
    conversation_tokens,
    media_tokens,
    price_of,
    reservation,
    tokens_of,
)
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    ToolSchema,
    Usage,
    checked_answer,
)
from pipelang.runtime.shared.batching import HALF, BatchProvider
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.binding import describe
from pipelang.runtime.worlds.real.attempts import (
    TimeLimit,
    attempt_failed,
    off_the_clock,
    room,
    settle,
    take_up_or_release,
    time_left,
    time_limit,
    time_limit_or_release,
    timed_out,
)
from pipelang.runtime.worlds.real.cancellation import check_not_killed, unless_killed
from pipelang.runtime.worlds.real.partial_answers import listener
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import tools_of
from pipelang.semantics.kernels.decisions import PROBABILITIES, WORD
from pipelang.semantics.kernels.media import refusal, rule_of
from pipelang.semantics.kernels.prices import is_priced
from pipelang.semantics.quantities import plain
from pipelang.semantics.sizes import output_limit
from pipelang.semantics.types import RecordType, choices_of

_MOST_COUNTING = 5.0
"""Seconds that a provider gets to count tokens; then our own count must do."""

_UNBILLED = frozenset({"rate_limited", "overloaded", "rejected", "no_recording"})
"""Faults that cost nothing where the provider does not say what was used."""


class ModelCalls:
    """Asks the models of a program, for any of its runs."""

    __slots__ = ("_services",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def ask(self, run: Run, attempt: Attempt, action: p.AskTier) -> Any:
        return (await self._exchange(run, attempt, action, (), ())).answer

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        assert isinstance(attempt.action, p.AskTier)
        tools = tuple(
            ToolSchema(schema["name"], schema.get("description"), schema["input_schema"])
            for schema, _ in tools_of(run.program, agent)
        )
        return await self._exchange(run, attempt, attempt.action, tools, turns)

    async def _exchange(
        self,
        run: Run,
        attempt: Attempt,
        action: p.AskTier,
        tools: tuple[ToolSchema, ...],
        turns: tuple[Turn, ...],
    ) -> Turn:
        """One call of a model: its answer, or the tool calls that it asks for."""
        check_not_killed(self._services.switches, run)
        assert attempt.tier is not None
        tier = run.program.tiers[attempt.tier]
        if run.budget.needs_price() and not is_priced(tier):
            raise Halted("unpriced", f"tier `{tier.name}` has no price, and money is limited")
        try:
            provider = self._services.providers[tier.provider]
        except Exception as error:  # no such kind, or a plug-in that does not load
            message = describe(error)
            raise attempt_failed(run, attempt, "rejected", message, retryable=False) from None
        timeout, share, reply = self._route(run, attempt.link, provider)
        await self._warmed(run, attempt, provider)
        ask, request = self._request(run, attempt, action, tier)
        seen = self._seen(run, attempt, ask, tier, provider)
        if tools:
            request = replace(request, tools=tools, turns=turns)
        heard = None if tools else listener(run, attempt.step.name, action.answers)
        if heard is not None:
            request = replace(request, partial=heard.add)
        counted, counting = None, 0.0
        if run.budget.limited():
            began = time.monotonic()
            counted = await self._count(run, provider, request)
            counting = time.monotonic() - began
        money, tokens = reservation(
            tier,
            ask,
            attempt,
            request.max_output_tokens,
            counted,
            conversation_tokens(tools, turns) + len(turns) * (attempt.link.thinking or 0),
            seen,
        )
        money = _share_of(money, share)
        held = run.budget.hold(money, tokens)
        if not isinstance(held, Reservation):
            held, counting = await room(
                self._services.switches, run, attempt, money, tokens, timeout, counting
            )
        if run.budget.rests():
            await take_up_or_release(run, held)
        limit = time_limit_or_release(run, attempt, held, timeout, counting)
        request = replace(request, timeout=limit.seconds)
        started, clock = run.world.elapsed(run), asyncio.timeout(limit.seconds)
        before = mark()
        used: _Used = NOTHING_USED
        try:
            check_not_killed(self._services.switches, run)
            async with clock:
                if run.world.lasting:
                    await off_the_clock(clock, run.world.reserved(run, held))
                used = money, tokens  # unless the provider says what it really was
                answer = checked_answer(await reply(request))
                if heard is not None:
                    heard.end()
                stop_if_cancelled(before)
            used = _used(tier, answer.usage, share)
            if answer.estimated:
                used = _least(used, (money, tokens))
            if answer.calls and not tools:
                raise Misfit("expected an answer, found calls of tools, and none were offered")
            value = None if answer.calls else self._fit(action, ask, answer.value)
        except BaseException as error:
            if interrupts(error, before):
                if not isinstance(error, GeneratorExit):
                    stop_if_cancelled(before)
                raise
            if isinstance(error, Halted):
                raise
            if isinstance(error, ModelFault):
                if error.usage is not None:
                    used = _used(tier, error.usage, share)
                elif error.kind in _UNBILLED:
                    used = NOTHING_USED
            raise _failure(run, attempt, error, limit, clock, started, used[0]) from error
        finally:
            settle(run, held, *used)
        self._beyond(run, attempt, tier, held, used)
        money, tokens = used
        confidence = _confidence(value)
        if run.sampled and request.choices:
            run.notes.sources[run.at(attempt.step.name)] = _source(answer)
        asked = [{"tool": call.name, "arguments": dict(call.arguments)} for call in answer.calls]
        run.emit(
            "turn" if answer.calls else "answer",
            attempt.step.name,
            content=asked if answer.calls else shown(action.answers, value),
            tier=tier.name,
            provider=provider.name,
            model=answer.model if answer.model == tier.model else hide(run, answer.model),
            attempt=attempt.number,
            seconds=round(run.world.elapsed(run) - started, 3),
            tokens_in=max(tokens - answer.usage.output, 0),
            tokens_out=min(answer.usage.output, tokens),
            **_of_a_cache(answer.usage),
            cost=dollars(money),
            **({} if confidence is None else {"confidence": confidence}),
            **({"confidence_from": _source(answer)} if request.choices else {}),
            **({"note": hide(run, answer.note)} if answer.note else {}),
            **({"batch": True} if share != WHOLE else {}),
        )
        return Turn(value, answer.calls, answer.said)

    def _request(
        self, run: Run, attempt: Attempt, action: p.AskTier, tier: p.Tier
    ) -> tuple[PricedAsk, ModelRequest]:
        prompt = run.program.prompts[action.prompt]
        try:
            ask = ask_for(prompt, action, attempt, self._services.types)
        except RenderError as error:
            raise attempt_failed(run, attempt, "render", str(error), retryable=False) from None
        except Misfit as misfit:
            raise attempt_failed(run, attempt, "argument", str(misfit), retryable=False) from None
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
            thinking=attempt.link.thinking,
            timeout=time_limit(run, attempt.link.timeout).seconds,
            misfit=attempt.misfit,
            call=number,
            choices=choices_of(action.answers),
            content=ask.content,
        )
        return ask, request

    def _seen(
        self, run: Run, attempt: Attempt, ask: PricedAsk, tier: p.Tier, provider: ModelProvider
    ) -> int:
        """The most tokens of the pictures and documents that are shown. What the maker would turn
        down fails here, before anything is paid.
        """
        media = ask.media
        if not media:
            return 0
        rule = rule_of(run.program.providers[tier.provider].kind, tier.model)
        takes = getattr(provider, "takes", ())
        missing = next((one.kind for one in media if one.kind not in takes), None)
        if missing is not None:
            why: str | None = f"provider `{provider.name}` sends no {missing} to a model"
        else:
            why = refusal(rule, media)
        if why is not None:
            raise attempt_failed(run, attempt, "rejected", why, retryable=False)
        tokens = media_tokens(rule, tier, media)
        if tokens is None and run.budget.limited():
            why = f"nobody published what a {media[0].kind} counts at tier `{tier.name}`"
            raise Halted("unpriced", f"{why}; its `context` would bound it")
        return tokens or 0

    async def _warmed(self, run: Run, attempt: Attempt, provider: ModelProvider) -> None:
        """Let a provider get ready. That is the run's time and its budget's, not the attempt's."""
        warm: Callable[[], Awaitable[None]] | None = getattr(provider, "warm", None)
        if warm is None:
            return
        left = time_left(run)
        try:
            with run.budget.at_work():
                async with asyncio.timeout(None if left is None else left[0]):
                    await foreign(warm())
        except TimeoutError:
            return
        except Exception as error:
            raise attempt_failed(run, attempt, "raised", describe(error), error=error) from error

    async def _count(self, run: Run, provider: ModelProvider, request: ModelRequest) -> int | None:
        """The provider's own count of the prompt; ours alone where it has none or fails."""
        patience = _MOST_COUNTING
        if request.timeout is not None:
            patience = min(patience, request.timeout / 2)
        try:
            with run.budget.at_work():
                async with asyncio.timeout(patience):
                    counted = await foreign(provider.count_tokens(request))
        except Exception:
            return None
        return counted if isinstance(counted, int) else None

    def _beyond(
        self,
        run: Run,
        attempt: Attempt,
        tier: p.Tier,
        held: Reservation,
        used: _Used,
    ) -> None:
        """End a run that used more than was reserved for a call, where a budget limits that: what
        has no bound cannot be carried within one. Raises `Halted`.
        """
        money, tokens = used
        limits = [budget.limits for budget in run.budget.chain() if budget.limits is not None]
        over = ""
        priced = [limit for limit in limits if limit.money is not None]
        if money is not None and held.money is not None and money > held.money and priced:
            over = f"${plain(money)} where at most ${plain(held.money)} was reserved"
        elif tokens > held.tokens and any(limit.tokens is not None for limit in limits):
            over = f"{tokens} tokens where at most {held.tokens} were reserved"
        if over:
            message = f"one call of tier `{tier.name}` used {over}"
            attempt_failed(run, attempt, "budget_exceeded", message, cost=money)
            raise Halted("budget_exceeded", message)

    def _route(
        self, run: Run, link: p.Link, provider: ModelProvider
    ) -> tuple[Decimal | None, Decimal, Reply]:
        """The timeout of an attempt (seconds), the share of the price that is billed, and the
        function to ask: a batch where the link wants one and the provider takes batches.
        """
        if link.batch is None or not isinstance(provider, BatchProvider):
            return link.timeout, WHOLE, provider.answer
        takes, batches = provider, self._services.batches
        within = link.batch if link.timeout is None else min(link.batch, link.timeout)

        async def reply(request: ModelRequest) -> ModelAnswer:
            work = batches.answer(takes, request, float(within))
            answer: ModelAnswer = await unless_killed(self._services.switches, run, work)
            return answer

        return within, HALF, reply

    def _fit(self, action: p.AskTier, ask: PricedAsk, value: Any) -> Any:
        """The answer as the step's type: a record as it is, anything else out of its wrapper."""
        if ask.answer is not None and not isinstance(action.answers, RecordType):
            if not isinstance(value, dict) or "answer" not in value:
                raise Misfit("`answer`: is missing")
            value = value["answer"]
        value = without_nulls(action.answers, value)
        return self._services.types.check(action.answers, value)


Reply = Callable[[ModelRequest], Awaitable[ModelAnswer]]

WHOLE = Decimal(1)

_Used = tuple[Decimal | None, int]
"""Dollars (None without a price) and tokens of a call."""

NOTHING_USED = ZERO, 0
"""The usage of a call that was not billed."""


def _used(tier: p.Tier, usage: Usage, share: Decimal) -> _Used:
    """The usage of a call, of whose price a `share` is billed."""
    return _share_of(price_of(tier, usage), share), tokens_of(usage)


def _share_of(money: Decimal | None, share: Decimal) -> Decimal | None:
    return None if money is None else share * money


def _least(one: _Used, other: _Used) -> _Used:
    """The less of two bounds on the same call."""
    known = [money for money in (one[0], other[0]) if money is not None]
    return min(known) if len(known) == 2 else None, min(one[1], other[1])


def _failure(
    run: Run,
    attempt: Attempt,
    error: BaseException,
    limit: TimeLimit,
    clock: asyncio.Timeout,
    started: float,
    cost: Decimal | None,
) -> Exception:
    """The exception for an attempt at which something was raised that does not interrupt the run:
    it failed, or the time of a budget ran out.
    """
    if clock.expired() or isinstance(error, TimeoutError):
        return timed_out(run, attempt, limit, clock, started, cost)
    if isinstance(error, ModelFault):
        return attempt_failed(
            run,
            attempt,
            error.kind,
            error.message,
            retryable=error.retryable,
            retry_after=error.retry_after,
            misfit=_feedback(error),
            started=started,
            cost=cost,
        )
    if isinstance(error, Misfit):
        said = str(error)
        return attempt_failed(run, attempt, "misfit", said, misfit=said, started=started, cost=cost)
    # A provider that breaks its promise; what it used nobody knows.
    return attempt_failed(
        run, attempt, "raised", describe(error), started=started, cost=cost, error=error
    )


def _feedback(fault: ModelFault) -> str | None:
    """The text for the next attempt about what was wrong with this answer; None if it was not the
    answer that failed.
    """
    if fault.kind == "output_limit":
        return f"{fault.message}; a shorter one is needed"
    return fault.message if fault.kind == "misfit" else None


def _source(answer: ModelAnswer) -> str:
    return PROBABILITIES if answer.probabilities else WORD


def _of_a_cache(usage: Usage) -> dict[str, int]:
    """The tokens of input that have prices of their own, where there were any."""
    told = {"cache_read": usage.cache_read, "cache_write": usage.cache_write}
    return {name: count for name, count in told.items() if count}


def _confidence(value: Any) -> float | None:
    found = getattr(value, "confidence", None)
    return float(found) if isinstance(found, Decimal) else None
