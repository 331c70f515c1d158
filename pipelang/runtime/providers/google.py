"""The `google` provider: Gemini through the official SDK, google-genai.

Left alone, that SDK retries a connection that failed after seconds of sleep, and follows redirects.
Its own settings for retries and a transport of ours keep an attempt an attempt.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pipelang.runtime.providers import google_wire
from pipelang.runtime.providers.answers import count_of
from pipelang.runtime.providers.batches.waiting import run_batches
from pipelang.runtime.providers.body_limits import hooks
from pipelang.runtime.providers.http_faults import (
    clean,
    connection_fault,
    kind_of_status,
    local_fault,
    status_fault,
    timed_out,
)
from pipelang.runtime.providers.protocol import (
    FaultKind,
    ModelAnswer,
    ModelFault,
    ModelRequest,
)
from pipelang.runtime.providers.sdk_provider import (
    CONNECT_TIMEOUT,
    DEFAULT_TIMEOUT,
    SdkProvider,
    well_formed,
)
from pipelang.runtime.providers.streams.google import answers_closed, candidate_of, note_answer
from pipelang.runtime.providers.streams.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.genai import Client
    from google.genai.errors import APIError

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"
_COUNT_TIMEOUT = 10.0

_BY_STATUS: dict[str, FaultKind] = {
    "RESOURCE_EXHAUSTED": "rate_limited",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "timeout",
}


class GoogleProvider(SdkProvider["Client"]):
    """Answers requests with Gemini models, by the Gemini API."""

    name = "google"
    sdk = "google.genai"
    extra = "google"
    key_variable = "GEMINI_API_KEY"
    default_base_url = DEFAULT_BASE_URL

    async def count_tokens(self, request: ModelRequest) -> int | None:
        """The API's own count of the request's texts in tokens, or None if it doesn't say."""
        try:
            client = await self._client()
        except ModelFault:
            return None
        limit = min(_COUNT_TIMEOUT, request.timeout or _COUNT_TIMEOUT)
        texts = google_wire.contents_of(request)
        if request.system:
            texts = [{"role": "user", "parts": [{"text": request.system}]}, *texts]
        try:
            async with asyncio.timeout(limit):
                asked = client.aio.models.count_tokens(
                    model=request.model, contents=_contents(texts)
                )
                count: Any = await well_formed(asked)
        except ModelFault:
            return None
        except Exception as error:
            if self._fault_of(error) is None:
                raise
            return None
        return count_of(count, "total_tokens") or None

    async def _send(self, client: Client, request: ModelRequest) -> Any:
        from google.genai.types import GenerateContentConfig

        limit = DEFAULT_TIMEOUT if request.timeout is None else max(request.timeout, 0.001)
        config = google_wire.config_of(request)
        config["http_options"] = {"timeout": max(1, round(limit * 1000))}
        arguments: dict[str, Any] = {
            "model": request.model,
            "contents": _contents(google_wire.contents_of(request)),
            "config": GenerateContentConfig.model_validate(config),
        }
        if request.partial is None:
            return await well_formed(client.aio.models.generate_content(**arguments))
        async with answers_closed():
            chunks: Any = await client.aio.models.generate_content_stream(**arguments)
            return await read(candidate_of(chunks, request.partial))

    async def batch(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelFault]:
        """The answer or fault of each request of a batch, in order. Raises ModelFault."""
        client = await self._client()
        from pipelang.runtime.providers.batches.google import GeminiBatches

        return await run_batches(GeminiBatches(client, self._redact), requests, self._fault_of)

    def _answer_of(self, request: ModelRequest, response: Any) -> ModelAnswer:
        return google_wire.answer_of(request, response)

    def _fault_of(self, error: Exception) -> ModelFault | None:
        import httpx2
        from google.genai.errors import APIError, UnknownApiResponseError

        match error:
            case httpx2.TimeoutException():
                return timed_out()
            case httpx2.TransportError():
                return connection_fault(error)
            case UnknownApiResponseError():
                return ModelFault("server", "the API's answer isn't JSON")
            case APIError():
                return self._of_status(error)
            case httpx2.HTTPError() | httpx2.InvalidURL():
                return ModelFault("rejected", clean(str(error), self._redact))
            case _:
                return local_fault(error)

    def _of_status(self, error: APIError) -> ModelFault:
        headers = getattr(error.response, "headers", None) or {}
        code = error.code if isinstance(error.code, int) else 500
        kind = _BY_STATUS.get(str(error.status), kind_of_status(code))
        if code < 400:  # redirects are not followed
            kind = "rejected"
        fault = status_fault(
            kind, code, headers, self._redact, code=error.status, said=error.message
        )
        if fault.retry_after is None:
            fault.retry_after = _retry_delay(error.details)
        return fault

    def _new_client(self) -> Client:
        import httpx2
        from google.genai import Client
        from google.genai.types import HttpOptions, HttpRetryOptions

        limit = httpx2.Timeout(DEFAULT_TIMEOUT, connect=CONNECT_TIMEOUT)
        noted = {"response": [*hooks()["response"], note_answer]}
        transport = httpx2.AsyncClient(follow_redirects=False, timeout=limit, event_hooks=noted)
        return Client(
            vertexai=False,
            api_key=self._key,
            http_options=HttpOptions(
                base_url=self._base_url,
                retry_options=HttpRetryOptions(attempts=1),
                httpx_async_client=transport,
            ),
        )

    async def _close_client(self, client: Client) -> None:
        await client.aio.aclose()
        # The SDK leaves a transport that it was given to its owner.
        transport = client._api_client._http_options.httpx_async_client
        if transport is not None:
            await transport.aclose()


def _contents(contents: list[dict[str, Any]]) -> Any:
    from google.genai.types import Content

    return [Content.model_validate(content) for content in contents]


def _retry_delay(details: Any) -> float | None:
    """Seconds of a `RetryInfo` among an error's details, such as `"12.5s"`; None without one."""
    try:
        found = details["error"]["details"]
        told = next(one["retryDelay"] for one in found if "retryDelay" in one)
        return max(0.0, float(str(told).removesuffix("s")))
    except (KeyError, TypeError, ValueError, StopIteration):
        return None
