"""The `anthropic` provider: Claude through the official SDK.

Three things about it aren't obvious.

**Import.** The SDK takes 1.5 to 2.6 s to import. That happens at the first call, in a thread, so
that other runs on the loop go on, and before the step's deadline begins.

**One client an event loop.** Connections belong to the loop that opened them; a client used from
another one fails in strange ways. A host may use one `Runtime` from several threads, and scripts
call `asyncio.run` again and again, so clients are kept by loop. Each is closed together with its
loop: an async generator holds it open, and `asyncio.run` closes the generators that are left.

**Secrets.** Key and base URL are always handed to the SDK: without them it would look for
credentials in the environment and on disk, and might send prompts where the program doesn't say.
Faults are raised outside of `except`, so that the SDK's exceptions, which hold the request and
its headers, aren't chained to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelang.runtime.providers.anthropic_faults import fault_of
from pipelang.runtime.providers.anthropic_wire import answer_of, call_of, max_tokens_of
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from anthropic import AsyncAnthropic, Timeout

DEFAULT_BASE_URL = "https://api.anthropic.com"
DEFAULT_TIMEOUT = 600.0
"""Seconds for an attempt whose step declares no timeout; the SDK's own default."""
_CONNECT_TIMEOUT = 5.0
_COUNT_TIMEOUT = 10.0


class _Held:
    """A client, kept open by a generator that closes it when its loop shuts down."""

    __slots__ = ("client", "keeper")

    def __init__(self, client: AsyncAnthropic, keeper: AsyncGenerator[None]) -> None:
        self.client = client
        self.keeper = keeper


class AnthropicProvider:
    """Answers requests with Claude models.

    `key` is the API key, or None where none was found: then each call is `rejected`, with a
    message that says what to set. `base_url` is for gateways; None means Anthropic's own.
    """

    name = "anthropic"

    def __init__(self, key: str | None, base_url: str | None = None) -> None:
        # Keys that were read from a file end in a line break, which no header can hold.
        self._key = (key or "").strip()
        self._base_url = base_url or DEFAULT_BASE_URL
        self._clients: dict[asyncio.AbstractEventLoop, _Held] = {}
        # Reentrant: dropping a client may run its generator's end, which takes the lock as well.
        self._lock = threading.RLock()
        self._imported = False

    def __repr__(self) -> str:
        # The host alone: a gateway's URL may hold a password.
        return f"AnthropicProvider(host={urlsplit(self._base_url).hostname!r})"

    async def warm(self) -> None:
        """Import the SDK: it takes seconds, which are no model's."""
        if self._key:
            with contextlib.suppress(ModelFault):
                await self._import()

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """One call of the Messages API. Raises ModelFault.

        Without `max_output_tokens` the limit is 4096 tokens; the API wants one.
        """
        client = await self._client()
        from anthropic import omit

        call = call_of(request)
        fault: ModelFault | None
        try:
            # The SDK's timeouts are for each read, so a dripping answer would outlast them.
            async with asyncio.timeout(request.timeout):
                message = await client.messages.create(
                    model=request.model,
                    max_tokens=max_tokens_of(request),
                    messages=call.messages,
                    system=omit if call.system is None else call.system,
                    output_config=omit if call.output_config is None else call.output_config,
                    tools=omit if call.tools is None else call.tools,
                    timeout=_timeout(request.timeout),
                )
        except Exception as error:
            fault = fault_of(error, self._redact)
            if fault is None:
                raise
        else:
            return answer_of(request, message)
        raise fault

    async def batch(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelFault]:
        """The answer or fault of each request of a Message Batch, in order. Raises ModelFault."""
        client = await self._client()
        from pipelang.runtime.providers.anthropic_batch import run_batch

        return await run_batch(client, requests, self._redact)

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
                    timeout=_timeout(limit),
                )
        except Exception as error:
            if fault_of(error, self._redact) is None:
                raise
            return None
        # Not validated by the SDK: a gateway without a counter may answer anything.
        tokens = getattr(count, "input_tokens", None)
        return tokens if isinstance(tokens, int) else None

    async def close(self) -> None:
        """Close the clients of all loops; those of other running loops are told to."""
        here = asyncio.get_running_loop()
        with self._lock:
            held, self._clients = self._clients, {}
        for loop, client in held.items():
            if loop is here:
                await client.keeper.aclose()
            elif loop.is_running():
                # Not waited for: that loop may be waiting for this one.
                closing = _aclose(client.keeper)
                try:
                    asyncio.run_coroutine_threadsafe(closing, loop)
                except RuntimeError:  # it was closed just now, and the client with it
                    closing.close()

    async def _client(self) -> AsyncAnthropic:
        """This loop's client, made on first use. Raises ModelFault if there can't be one."""
        self._check()
        await self._import()
        loop = asyncio.get_running_loop()
        with self._lock:
            held = self._clients.get(loop)
            if held is not None:
                return held.client
            # Loops that were closed without their generators: their sockets are gone already.
            for dead in [other for other in self._clients if other.is_closed()]:
                del self._clients[dead]
            client = _new_client(self._key, self._base_url)
            keeper = self._keep(loop, client)
            self._clients[loop] = _Held(client, keeper)
        # Up to its `yield` the generator doesn't wait for anything, so nobody comes in between.
        await anext(keeper)
        return client

    async def _import(self) -> None:
        if not self._imported:
            # Not `in sys.modules`: a module is there from the start of its import on.
            await asyncio.to_thread(_import_sdk)
            self._imported = True

    async def _keep(
        self, loop: asyncio.AbstractEventLoop, client: AsyncAnthropic
    ) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            with self._lock:
                # After `close` the loop may have a new one already, which stays.
                held = self._clients.get(loop)
                if held is not None and held.client is client:
                    del self._clients[loop]
            await client.close()

    def _check(self) -> None:
        if not self._key:
            raise ModelFault(
                "rejected",
                "no API key: set the environment variable ANTHROPIC_API_KEY, or the one that "
                "the provider's `key` names",
            )
        if not (self._key.isascii() and self._key.isprintable()) or " " in self._key:
            raise ModelFault(
                "rejected",
                "the API key holds a blank or a character that no key has: look at the "
                "environment variable ANTHROPIC_API_KEY, or the one that `key` names",
            )
        url = urlsplit(self._base_url)
        if url.scheme not in ("https", "http") or not url.hostname:
            raise ModelFault("rejected", "`base_url` isn't an http or https address")

    def _redact(self, text: str) -> str:
        return text.replace(self._key, "[key]")


def _timeout(seconds: float | None) -> Timeout:
    from anthropic import Timeout

    limit = DEFAULT_TIMEOUT if seconds is None else max(seconds, 0.001)
    # Always given: without one the SDK refuses outputs that it thinks may take over ten minutes.
    return Timeout(limit, connect=min(limit, _CONNECT_TIMEOUT))


def _import_sdk() -> None:
    try:
        import anthropic  # noqa: F401
    except ImportError:
        missing = True
    else:
        missing = False
    if missing:
        raise ModelFault(
            "rejected", "the `anthropic` SDK isn't installed: pip install 'pipelang-dsl[anthropic]'"
        )


def _new_client(key: str, base_url: str) -> AsyncAnthropic:
    from anthropic import AsyncAnthropic, DefaultAioHttpClient, DefaultAsyncHttpxClient

    # Redirects are not followed: prompts and key are for the host that the program names.
    try:
        # About half the CPU a call of the default transport.
        transport = DefaultAioHttpClient(follow_redirects=False)
    except RuntimeError:  # aiohttp isn't installed
        transport = DefaultAsyncHttpxClient(follow_redirects=False)
    return AsyncAnthropic(api_key=key, base_url=base_url, max_retries=0, http_client=transport)


async def _aclose(keeper: AsyncGenerator[None]) -> None:
    await keeper.aclose()
