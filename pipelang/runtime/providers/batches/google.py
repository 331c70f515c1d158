"""Google's batches of `generateContent`, with their requests and results in the calls themselves.

Results come in the order of the requests; the number that each request carries comes back with
some of them only, and where it does it decides. The SDK reads a batch as a whole, and fails where a
part of one result is not what it should be; then each result is read by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

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
from pipelang.runtime.providers.google_wire import answer_of, config_of, contents_of
from pipelang.runtime.providers.http_faults import kind_of_status
from pipelang.runtime.providers.protocol import FaultKind, ModelFault, ModelRequest
from pipelang.runtime.providers.records import field_of, list_of, text_in

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import BatchJob, InlinedResponse

_ENDS = {
    "JOB_STATE_SUCCEEDED": "ended",
    "JOB_STATE_PARTIALLY_SUCCEEDED": "ended",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_CANCELLED": "cancelled",
    "JOB_STATE_EXPIRED": "expired",
}
_NUMBER = "key"

_BY_CODE: dict[int, FaultKind] = {
    4: "timeout",
    8: "rate_limited",
    13: "server",
    14: "overloaded",
}
"""Kinds of faults by google.rpc's codes, of which the others are the request's."""


class GeminiBatches(MakersBatches["BatchJob"]):
    """Batches of the Gemini API."""

    most_bytes = 18_000_000
    one_model = True

    def __init__(self, client: Client, redact: Callable[[str], str]) -> None:
        self._client = client
        self._batches = client.aio.batches
        self._redact = redact

    async def make(self, requests: Sequence[ModelRequest]) -> BatchJob:
        from google.genai.types import (
            Content,
            CreateBatchJobConfig,
            GenerateContentConfig,
            InlinedRequest,
        )

        inlined = [
            InlinedRequest(
                contents=[Content.model_validate(one) for one in contents_of(request)],
                config=GenerateContentConfig.model_validate(config_of(request)),
                metadata={_NUMBER: str(number)},
            )
            for number, request in enumerate(requests)
        ]
        config = CreateBatchJobConfig(display_name="pipelang", http_options=_within(CALL))
        source: Any = inlined
        return await self._batches.create(model=requests[0].model, src=source, config=config)

    async def look(self, batch: BatchJob) -> BatchJob:
        name = batch.name or ""
        try:
            return await self._batches.get(name=name, config={"http_options": _within(CALL)})
        except (AttributeError, LookupError, TypeError, ValueError):
            return await self._result_by_result(name)

    async def _result_by_result(self, name: str) -> BatchJob:
        """The batch as it is now, read without the SDK's own reading of results."""
        from google.genai.types import BatchJob, BatchJobDestination

        path = f"batches/{name.removeprefix('batches/')}"
        answer = await self._client._api_client.async_request("get", path, {}, _within(CALL))
        told = json.loads(answer.body or "")
        about = field_of(told, "metadata")
        state = (text_in(about, "state") or "").replace("BATCH_", "JOB_", 1)
        listed = field_of(field_of(about, "output"), "inlinedResponses")
        results = [_read(one) for one in list_of(listed, "inlinedResponses")]
        kept = BatchJobDestination.model_construct(inlined_responses=results)
        return BatchJob.model_construct(name=text_in(told, "name"), state=state, dest=kept)

    def is_over(self, batch: BatchJob) -> bool | None:
        state = _state(batch)
        return None if state is None or not batch.name else state in _ENDS

    async def give_up(self, batch: BatchJob) -> None:
        await self._batches.cancel(
            name=batch.name or "", config={"http_options": _within(GIVING_UP)}
        )

    async def tidy(self, batch: BatchJob) -> None:
        await self._batches.delete(
            name=batch.name or "", config={"http_options": _within(GIVING_UP)}
        )

    async def results(self, batch: BatchJob, requests: Sequence[ModelRequest]) -> list[Result]:
        told = list(getattr(batch.dest, "inlined_responses", None) or [])
        how = _ENDS[_state(batch) or ""]
        lost: Result | None = ended_before(how) if how in ("cancelled", "expired") else None
        if how == "failed":
            lost = ModelFault("server", "the batch failed, and the API does not say why")
        known = {str(place): request for place, request in enumerate(requests)}
        numbers = [_number(one, known) for one in told]
        if not any(numbers) and len(told) == len(requests):
            numbers = [*known]
        found = [
            (number, self._result(known[number], one))
            for number, one in zip(numbers, told, strict=True)
            if number is not None
        ]
        return numbered(requests, found, lost)

    def _result(self, request: ModelRequest, one: Any) -> Result:
        error, response = getattr(one, "error", None), getattr(one, "response", None)
        if error is not None:
            code, said = field_of(error, "code"), field_of(error, "message")
            message = self._redact(f"in a batch the API answered {code}: {said}")
            # What tells neither is no error, and what it used nobody knows.
            known = None if code is None and said is None else NOTHING
            return ModelFault(_kind(code), shorten(message, MESSAGE_BYTES), known)
        try:
            return answer_of(request, response)
        except ModelFault as fault:
            return fault


def _read(one: Any) -> InlinedResponse | None:
    """A result as the SDK reads it; what it cannot read is left out of it."""
    from google.genai.types import GenerateContentResponse, InlinedResponse

    if not isinstance(one, dict):
        return None
    found = {name: one.get(name) for name in ("metadata", "error")}
    try:
        found["response"] = GenerateContentResponse._from_response(
            response=one["response"], kwargs={}
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        found["response"] = None
    return InlinedResponse.model_construct(**found)


def _within(seconds: float) -> Any:
    from google.genai.types import HttpOptions

    return HttpOptions(timeout=round(seconds * 1000))


def _state(batch: BatchJob) -> str | None:
    state = getattr(batch, "state", None)
    found = getattr(state, "value", state)
    return found if isinstance(found, str) and found else None


def _number(one: Any, known: Container[str]) -> str | None:
    """The number of the request that a result says it is of, if it is one."""
    found = text_in(getattr(one, "metadata", None), _NUMBER)
    return found if found in known else None


def _kind(code: Any) -> FaultKind:
    if not isinstance(code, int):
        return "server"
    return kind_of_status(code) if code >= 100 else _BY_CODE.get(code, "rejected")
