"""OpenAI's Batch API: a file of requests goes up, one of results comes down, and both are removed.

What is billed: requests that were completed, also of a batch that expired.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

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
from pipelang.runtime.providers.http_faults import said_in
from pipelang.runtime.providers.openai_wire import is_spent, kind_of
from pipelang.runtime.providers.protocol import FaultKind, ModelAnswer, ModelFault, ModelRequest
from pipelang.runtime.providers.records import field_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

_ENDPOINT: Final = "/v1/responses"
_ENDS = frozenset({"completed", "failed", "expired", "cancelled"})

_LIMITED = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "request_limit_exceeded"})
"""Codes of a batch that is too much beside those that already wait: later it may not be."""


class ResponseBatches(MakersBatches["Batch"]):
    """Batches of the Responses API. `arguments_of` and `answer_of` are the provider's own ways of a
    single request to the wire and of a response back.
    """

    most_bytes = 150_000_000
    one_model = True

    def __init__(
        self,
        client: AsyncOpenAI,
        redact: Callable[[str], str],
        arguments_of: Callable[[ModelRequest], dict[str, Any]],
        answer_of: Callable[[ModelRequest, Any], ModelAnswer],
    ) -> None:
        self._client = client
        self._redact = redact
        self._arguments_of = arguments_of
        self._answer_of = answer_of

    async def make(self, requests: Sequence[ModelRequest]) -> Batch:
        lines = (
            json.dumps(
                {
                    "custom_id": str(number),
                    "method": "POST",
                    "url": _ENDPOINT,
                    "body": self._arguments_of(request),
                }
            )
            for number, request in enumerate(requests)
        )
        data = "".join(f"{line}\n" for line in lines).encode()
        files = self._client.files
        file = await files.create(file=("batch.jsonl", data), purpose="batch", timeout=CALL)
        try:
            return await self._client.batches.create(
                input_file_id=file.id, endpoint=_ENDPOINT, completion_window="24h", timeout=CALL
            )
        except BaseException:
            with suppress(Exception):
                await files.delete(file.id, timeout=GIVING_UP)
            raise

    async def look(self, batch: Batch) -> Batch:
        return await self._client.batches.retrieve(batch.id, timeout=CALL)

    def is_over(self, batch: Batch) -> bool | None:
        state, known = getattr(batch, "status", None), getattr(batch, "id", None)
        return state in _ENDS if isinstance(state, str) and isinstance(known, str) else None

    async def give_up(self, batch: Batch) -> None:
        try:
            await self._client.batches.cancel(batch.id, timeout=GIVING_UP)
        finally:
            await self.tidy(batch)

    async def tidy(self, batch: Batch) -> None:
        for name in ("input_file_id", "output_file_id", "error_file_id"):
            file = getattr(batch, name, None)
            if isinstance(file, str) and file:
                with suppress(Exception):
                    await self._client.files.delete(file, timeout=GIVING_UP)

    async def results(self, batch: Batch, requests: Sequence[ModelRequest]) -> list[Result]:
        if batch.status == "failed":
            raise self._failed(batch)
        told: list[tuple[str, Result]] = []
        for name in ("output_file_id", "error_file_id"):
            file = getattr(batch, name, None)
            if not isinstance(file, str) or not file:
                continue
            content = await self._client.files.content(file, timeout=CALL)
            for number, request, line in results_in(content.content, requests):
                told.append((number, self._result(request, line)))
        lost = ended_before(batch.status) if batch.status in ("expired", "cancelled") else None
        return numbered(requests, told, lost)

    def _failed(self, batch: Batch) -> ModelFault:
        """The fault of a batch that was turned down as a whole: no request of it was begun."""
        told = field_of(getattr(batch, "errors", None), "data")
        error = told[0] if isinstance(told, list) and told else None
        code, said = field_of(error, "code"), field_of(error, "message")
        kind: FaultKind = "rate_limited" if str(code) in _LIMITED else "rejected"
        message = self._redact(f"the batch failed with `{code}`: {said or 'nobody says why'}")
        return ModelFault(kind, shorten(message, MESSAGE_BYTES), NOTHING)

    def _result(self, request: ModelRequest, line: dict[str, Any]) -> Result:
        """Read one line of the results, of which nothing is taken for granted."""
        from openai.types.responses import Response

        response, error = line.get("response"), line.get("error")
        status, body = field_of(response, "status_code"), field_of(response, "body")
        if status == 200 and isinstance(body, dict):
            try:
                return self._answer_of(request, Response.construct(**body))
            except ModelFault as fault:
                return fault
            except (AttributeError, LookupError, TypeError, ValueError):
                return ModelFault("server", "a result of the batch that isn't a response")
        if isinstance(error, dict) and error.get("code") in ("batch_expired", "batch_cancelled"):
            return ended_before(str(error["code"]).removeprefix("batch_"))
        told = field_of(body, "error") or error
        names = field_of(told, "code"), field_of(told, "type")
        code = names[0] or names[1]
        if not isinstance(status, int) or status < 400:
            kind: FaultKind = "rejected" if is_spent(*names) else "server"
        else:
            kind = kind_of(status, *names)
        message = self._redact(f"in a batch the API answered {status} `{code}`: {said_in(told)}")
        # A line that tells no error either is no result, and what it used nobody knows.
        known = NOTHING if told is not None else None
        return ModelFault(kind, shorten(message, MESSAGE_BYTES), known)
