"""The `anthropic` provider: Claude through the official SDK."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pipelang.runtime.providers.answers import count_of, max_tokens_of
from pipelang.runtime.providers.anthropic_faults import fault_of
from pipelang.runtime.providers.anthropic_wire import answer_of, call_of
from pipelang.runtime.providers.batches.waiting import run_batches
from pipelang.runtime.providers.body_limits import hooks
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest
from pipelang.runtime.providers.sdk_provider import CONNECT_TIMEOUT, DEFAULT_TIMEOUT, SdkProvider
from pipelang.runtime.providers.streams.anthropic import message_of
from pipelang.runtime.providers.streams.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anthropic import AsyncAnthropic, Timeout
    from anthropic.resources.messages import AsyncMessages
    from httpx2 import AsyncClient

DEFAULT_BASE_URL = "https://api.anthropic.com"
_COUNT_TIMEOUT = 10.0


class HasMessages(Protocol):
    """A client of the SDK: of Anthropic's own API, or of a platform that offers Claude."""

    @property
    def messages(self) -> AsyncMessages:
        """The calls of the Messages API."""


Client = TypeVar("Client", bound=HasMessages)


class MessagesProvider(SdkProvider[Client]):
    """Answers requests with Claude models, by the Messages API, wherever that is.

    Without `max_output_tokens` the limit is 4096 tokens; the API wants one.
    """

    sdk = "anthropic"
    streams: ClassVar[bool] = False
    """Whether answers are streamed to those who listen."""

    async def count_tokens(self, request: ModelRequest) -> int | None:
        """The API's own count of the request's input in tokens, or None if it doesn't say."""
        try:
            client = await self._client()
        except ModelFault:
            return None
        from anthropic import omit

        call = call_of(request)
        limit = min(_COUNT_TIMEOUT, request.timeout or _COUNT_TIMEOUT)
        try:
            async with asyncio.timeout(limit):
                count = await client.messages.count_tokens(
                    model=request.model,
                    messages=call.messages,
                    system=omit if call.system is None else call.system,
                    output_config=omit if call.output_config is None else call.output_config,
                    tools=omit if call.tools is None else call.tools,
                    thinking=omit if call.thinking is None else call.thinking,
                    timeout=_timeout(limit),
                )
        except Exception as error:
            if self._fault_of(error) is None:
                raise
            return None
        # Not validated by the SDK: a gateway without a counter may answer anything.
        return count_of(count, "input_tokens") or None

    async def _send(self, client: Client, request: ModelRequest) -> Any:
        from anthropic import omit

        call = call_of(request)
        arguments: dict[str, Any] = {
            "model": request.model,
            "max_tokens": max_tokens_of(request),
            "messages": call.messages,
            "system": omit if call.system is None else call.system,
            "output_config": omit if call.output_config is None else call.output_config,
            "tools": omit if call.tools is None else call.tools,
            "thinking": omit if call.thinking is None else call.thinking,
            "timeout": _timeout(request.timeout),
        }
        if request.partial is None or not self.streams:
            return await client.messages.create(**arguments)
        async with client.messages.stream(**arguments) as stream:
            return await read(message_of(stream, request.partial))

    def _answer_of(self, request: ModelRequest, response: Any) -> ModelAnswer:
        return answer_of(request, response)

    def _fault_of(self, error: Exception) -> ModelFault | None:
        return fault_of(error, self._redact)


class AnthropicProvider(MessagesProvider["AsyncAnthropic"]):
    """Answers requests with Claude models, by Anthropic's own API."""

    name = "anthropic"
    streams = True
    extra = "anthropic"
    key_variable = "ANTHROPIC_API_KEY"
    default_base_url = DEFAULT_BASE_URL

    async def batch(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelFault]:
        """The answer or fault of each request of a Message Batch, in order. Raises ModelFault."""
        client = await self._client()
        from pipelang.runtime.providers.batches.anthropic import MessageBatches

        return await run_batches(MessageBatches(client, self._redact), requests, self._fault_of)

    def _new_client(self) -> AsyncAnthropic:
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(
            api_key=self._key, base_url=self._base_url, max_retries=0, http_client=transport()
        )

    async def _close_client(self, client: AsyncAnthropic) -> None:
        await client.close()


def transport() -> AsyncClient:
    """A transport for a client of the SDK.

    Redirects are not followed: prompts and key are for the host that the program names.
    """
    from anthropic import DefaultAioHttpClient, DefaultAsyncHttpxClient

    try:
        # About half the CPU a call of the default transport.
        return DefaultAioHttpClient(follow_redirects=False, event_hooks=hooks())
    except RuntimeError:  # aiohttp isn't installed
        return DefaultAsyncHttpxClient(follow_redirects=False, event_hooks=hooks())


def _timeout(seconds: float | None) -> Timeout:
    from anthropic import Timeout

    limit = DEFAULT_TIMEOUT if seconds is None else max(seconds, 0.001)
    # Always given: without one the SDK refuses outputs that it thinks may take over ten minutes.
    return Timeout(limit, connect=min(limit, CONNECT_TIMEOUT))
