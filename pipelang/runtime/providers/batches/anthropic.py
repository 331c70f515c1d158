"""Anthropic's Message Batches.

What is billed: requests that succeeded. Those that errored, were cancelled or expired are not, and
their faults say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelang.runtime.providers.answers import max_tokens_of
from pipelang.runtime.providers.anthropic_faults import kind_of_type
from pipelang.runtime.providers.anthropic_wire import answer_of, call_of
from pipelang.runtime.providers.batches.result_lines import results_in
from pipelang.runtime.providers.batches.waiting import (
    CALL,
    GIVING_UP,
    MESSAGE_BYTES,
    NOTHING,
    MakersBatches,
    Result,
    ended_before,
    numbered,
)
from pipelang.runtime.providers.fitting import shorten
from pipelang.runtime.providers.protocol import ModelFault, ModelRequest

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types.messages import MessageBatch
    from anthropic.types.messages.batch_create_params import Request


class MessageBatches(MakersBatches["MessageBatch"]):
    """Batches of the Messages API."""

    most_bytes = 200_000_000

    def __init__(self, client: AsyncAnthropic, redact: Callable[[str], str]) -> None:
        self._client = client
        self._redact = redact

    async def make(self, requests: Sequence[ModelRequest]) -> MessageBatch:
        params = [_params(str(number), request) for number, request in enumerate(requests)]
        return await self._client.messages.batches.create(requests=params, timeout=CALL)

    async def look(self, batch: MessageBatch) -> MessageBatch:
        return await self._client.messages.batches.retrieve(batch.id, timeout=CALL)

    def is_over(self, batch: MessageBatch) -> bool | None:
        state, known = getattr(batch, "processing_status", None), getattr(batch, "id", None)
        return state == "ended" if isinstance(state, str) and isinstance(known, str) else None

    async def give_up(self, batch: MessageBatch) -> None:
        await self._client.messages.batches.cancel(batch.id, timeout=GIVING_UP)

    async def results(self, batch: MessageBatch, requests: Sequence[ModelRequest]) -> list[Result]:
        self._check_place(batch)
        from anthropic.types.messages import MessageBatchIndividualResponse

        # The SDK's own reader of lines ends at the first one that is torn, and with it all others.
        raw = self._client.messages.batches.with_streaming_response
        async with raw.results(batch.id, timeout=CALL) as told:
            content = await told.read()
        found: list[tuple[str, Result]] = []
        for number, request, line in results_in(content, requests):
            result = getattr(MessageBatchIndividualResponse.construct(**line), "result", None)
            found.append((number, self._result(request, result)))
        return numbered(requests, found)

    def _check_place(self, batch: MessageBatch) -> None:
        """Raise ModelFault if the results are elsewhere than the provider: keys go nowhere else."""
        found = str(getattr(batch, "results_url", None) or "")
        ours = str(self._client.base_url)
        if "//" in found and _origin(found) != _origin(ours):
            where = shorten(urlsplit(found).netloc, MESSAGE_BYTES)
            message = (
                f"the results of the batch are at `{where}`, which is not the provider's address"
            )
            raise ModelFault("rejected", message)

    def _result(self, request: ModelRequest, result: Any) -> Result:
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
            message = self._redact(f"in a batch the API answered `{name}`: {said}")
            return ModelFault(kind_of_type(name), shorten(message, MESSAGE_BYTES), NOTHING)
        if kind in ("canceled", "expired"):
            return ended_before(kind)
        return ModelFault("server", "a result of the batch that nobody knows")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


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
