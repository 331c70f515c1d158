"""Anthropic's Message Batches: created, looked at until they have ended, given up when unwanted.

What is billed: requests that succeeded. Those that errored, were cancelled or expired are not, and
their faults say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelang.runtime.providers.answers import max_tokens_of
from pipelang.runtime.providers.anthropic_faults import fault_of, kind_of_type
from pipelang.runtime.providers.anthropic_wire import answer_of, call_of
from pipelang.runtime.providers.fitting import shorten
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types.messages import MessageBatch
    from anthropic.types.messages.batch_create_params import Request

DEFAULT_TIMEOUT = 86_400.0
"""Seconds for a batch whose requests have no time limit: the API itself gives it 24 hours."""

_CALL = 60.0
"""Seconds for one call about a batch; it is the API that works long, not the connection."""

_GIVING_UP = 5.0
_MISSED = 5
"""Polls in a row that may fail before the batch is taken for lost."""

_MESSAGE_BYTES = 400
_NOTHING = Usage(0, 0)


async def run_batch(
    client: AsyncAnthropic, requests: Sequence[ModelRequest], redact: Callable[[str], str]
) -> list[ModelAnswer | ModelFault]:
    """Send a batch: the answer or fault of each request, in order. Raises ModelFault."""
    fault: ModelFault | None
    try:
        return await _run(client, requests, redact)
    except ModelFault:
        raise
    except Exception as error:
        fault = fault_of(error, redact)
        if fault is None:
            raise
    raise fault


async def _run(
    client: AsyncAnthropic, requests: Sequence[ModelRequest], redact: Callable[[str], str]
) -> list[ModelAnswer | ModelFault]:
    limits = [request.timeout for request in requests]
    known = [limit for limit in limits if limit is not None]
    patience = max(known) if len(known) == len(limits) else DEFAULT_TIMEOUT
    params = [_params(str(number), request) for number, request in enumerate(requests)]
    creating = asyncio.ensure_future(client.messages.batches.create(requests=params, timeout=_CALL))
    try:
        # Shielded: a batch that is cancelled while it is being made has no id yet to give it up by.
        batch = await asyncio.shield(creating)
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(_GIVING_UP):
                await _give_up(client, (await creating).id)
        creating.cancel()
        raise
    try:
        async with asyncio.timeout(patience):
            ended = await _ended(client, batch, patience)
            _check_place(client, ended)
            return await _results(client, batch.id, requests, redact)
    except BaseException:
        with suppress(Exception):
            async with asyncio.timeout(_GIVING_UP):
                await _give_up(client, batch.id)
        raise


async def _give_up(client: AsyncAnthropic, batch_id: str) -> None:
    """Cancel what is left of a batch; one that has ended refuses that, which is as well."""
    await client.messages.batches.cancel(batch_id, timeout=_GIVING_UP)


async def _ended(client: AsyncAnthropic, batch: MessageBatch, patience: float) -> MessageBatch:
    pause, longest, missed = min(1.0, patience / 50), min(60.0, patience / 20), 0
    while batch.processing_status != "ended":
        await asyncio.sleep(pause)
        pause = min(longest, pause * 1.5)
        try:
            batch = await client.messages.batches.retrieve(batch.id, timeout=_CALL)
            missed = 0
        except Exception:
            missed += 1
            if missed == _MISSED:
                raise
    return batch


def _check_place(client: AsyncAnthropic, batch: MessageBatch) -> None:
    """Raise ModelFault if the results are elsewhere than the provider: keys go nowhere else."""
    found, ours = batch.results_url or "", str(client.base_url)
    if "//" in found and _origin(found) != _origin(ours):
        where = shorten(urlsplit(found).netloc, _MESSAGE_BYTES)
        message = f"the results of the batch are at `{where}`, which is not the provider's address"
        raise ModelFault("rejected", message)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


async def _results(
    client: AsyncAnthropic,
    batch_id: str,
    requests: Sequence[ModelRequest],
    redact: Callable[[str], str],
) -> list[ModelAnswer | ModelFault]:
    found: dict[str, ModelAnswer | ModelFault] = {}
    async for one in await client.messages.batches.results(batch_id, timeout=_CALL):
        number = str(one.custom_id)
        if number.isdecimal() and int(number) < len(requests):
            found[number] = _result(requests[int(number)], one.result, redact)
    lost = "the batch ended without a result for this request"
    numbers = map(str, range(len(requests)))
    return [found.get(number) or ModelFault("server", lost) for number in numbers]


def _result(
    request: ModelRequest, result: Any, redact: Callable[[str], str]
) -> ModelAnswer | ModelFault:
    """Read one line of the results. The SDK does not validate it, so nothing is assumed."""
    kind = getattr(result, "type", None)
    if kind == "succeeded":
        try:
            return answer_of(request, getattr(result, "message", None))
        except ModelFault as fault:
            return fault
    if kind == "errored":
        error = getattr(getattr(result, "error", None), "error", None)
        name, said = getattr(error, "type", None), getattr(error, "message", "")
        message = redact(f"in a batch the API answered `{name}`: {said}")
        return ModelFault(kind_of_type(name), shorten(message, _MESSAGE_BYTES), _NOTHING)
    if kind in ("canceled", "expired"):
        return ModelFault("timeout", f"the batch was {kind} before its turn came", _NOTHING)
    return ModelFault("server", "a result of the batch that nobody knows")


def _params(number: str, request: ModelRequest) -> Request:
    call = call_of(request)
    parts = {
        "model": request.model,
        "max_tokens": max_tokens_of(request),
        "messages": call.messages,
        "system": call.system,
        "output_config": call.output_config,
        "tools": call.tools,
        "thinking": call.thinking,
    }
    params: Any = {name: part for name, part in parts.items() if part is not None}
    return {"custom_id": number, "params": params}
