"""The part of a provider that is the same for every maker's official SDK.

Three things about it aren't obvious.

**Import.** An SDK takes up to 2.6 s to import. That happens at the first call, in a thread, so that
other runs on the loop go on, and before the step's deadline begins.

**Time.** The SDKs' timeouts are for each read, so a dripping answer would outlast them: the whole
attempt is limited as well.

**Secrets.** Key and base URL are always handed to the SDK: without them it would look for
credentials in the environment and on disk, and might send prompts where the program doesn't say.
Faults are raised outside of `except`, so that the SDK's exceptions, which hold the request and
its headers, aren't chained to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from pipelang.runtime.engine.messages import UNDECLARED_TIMEOUT
from pipelang.runtime.providers.answers import uncounted, with_estimate
from pipelang.runtime.providers.loop_clients import LoopClients
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest
from pipelang.semantics.kernels.addresses import address_problem, secrets_in
from pipelang.semantics.kernels.media import BOTH

Client = TypeVar("Client")

DEFAULT_TIMEOUT = UNDECLARED_TIMEOUT
"""Seconds for an attempt whose step declares no timeout; the SDKs' own default."""
CONNECT_TIMEOUT = 5.0
"""Seconds for a connection to be made."""


async def well_formed(work: Awaitable[Any]) -> Any:
    """Await an answer of a library that reads it as it comes, and takes its parts for what they
    should be: where one is something else it fails as Python does. Raises ModelFault.
    """
    try:
        return await work
    except (AssertionError, AttributeError, LookupError, TypeError):
        fault = ModelFault("server", "the API's answer cannot be read")
    raise fault


class SdkProvider(ABC, Generic[Client]):
    """Answers requests through a maker's SDK.

    `key` is the API key, or None where none was found: then each call is `rejected`, with a
    message that says what to set. `base_url` is for gateways and servers of one's own; None means
    the maker's.
    """

    name: str
    takes: ClassVar[tuple[str, ...]] = BOTH
    """Kinds of what it can send to a model besides texts."""
    sdk: ClassVar[str]
    """The module of the SDK."""
    extra: ClassVar[str]
    """The extra of this package that installs it."""
    key_variable: ClassVar[str]
    """The environment variable of the key where a provider names none."""
    default_base_url: ClassVar[str] = ""
    needs_key: ClassVar[bool] = True

    def __init__(self, key: str | None, base_url: str | None = None) -> None:
        # Keys that were read from a file end in a line break, which no header can hold.
        self._key = (key or "").strip()
        self._base_url = base_url or self.default_base_url
        self._clients: LoopClients[Client] = LoopClients(self._new_client, self._close_client)
        self._imported = False

    def __repr__(self) -> str:
        # The host alone: a gateway's URL may hold a password.
        found = None if address_problem(self._base_url) else urlsplit(self._base_url).hostname
        return f"{type(self).__name__}(host={found!r})"

    async def warm(self) -> None:
        """Import the SDK: it takes seconds, which are no model's."""
        if self._key or not self.needs_key:
            with contextlib.suppress(ModelFault):
                await self._import()

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """One call of the maker's API. Raises ModelFault."""
        client = await self._client()
        fault: ModelFault | None
        try:
            async with asyncio.timeout(request.timeout):
                response = await self._send(client, request)
        except ModelFault as told:
            fault = told
        except Exception as error:
            fault = self._fault_of(error)
            if fault is None:
                raise
        else:
            return self._billed(request, response)
        if fault.kind == "connection":
            fault = ModelFault("connection", f"{fault.message} at {self._address()}", fault.usage)
        raise fault

    def _billed(self, request: ModelRequest, response: Any) -> ModelAnswer:
        """Read a response. What its server did not count is estimated; of a fault nobody knows it
        then, so that what was reserved counts. Raises ModelFault.
        """
        fault: ModelFault
        try:
            return with_estimate(request, self._answer_of(request, response))
        except ModelFault as told:
            fault = uncounted(told)
        raise fault

    def _address(self) -> str:
        """The host and port of the server, without a password that its URL may hold."""
        url = urlsplit(self._base_url)
        return f"`{url.hostname}:{url.port}`" if url.port else f"`{url.hostname}`"

    async def count_tokens(self, request: ModelRequest) -> int | None:
        """Nothing: this maker's API has no counter that costs no tokens."""
        return None

    async def close(self) -> None:
        """Close the clients of all loops; those of other running loops are told to."""
        await self._clients.close()

    # ------------------------------------------------------------------------- the maker's own

    @abstractmethod
    def _new_client(self) -> Client:
        """Make a client; the SDK is imported."""

    @abstractmethod
    async def _close_client(self, client: Client) -> None:
        """Close a client's connections."""

    @abstractmethod
    async def _send(self, client: Client, request: ModelRequest) -> Any:
        """Send one request, without retries; the SDK's response."""

    @abstractmethod
    def _answer_of(self, request: ModelRequest, response: Any) -> ModelAnswer:
        """Read a response, of which nothing is taken for granted. Raises ModelFault."""

    @abstractmethod
    def _fault_of(self, error: Exception) -> ModelFault | None:
        """Translate an exception of the SDK; None where it is our own defect."""

    # ------------------------------------------------------------------------- shared

    async def _client(self) -> Client:
        """The client of this loop, made on first use. Raises ModelFault if there can't be one."""
        self._check()
        await self._import()
        return await self._clients.get()

    async def _import(self) -> None:
        if not self._imported:
            # Not `in sys.modules`: a module is there from the start of its import on.
            await asyncio.to_thread(self._import_sdk)
            self._imported = True

    def _import_sdk(self) -> None:
        try:
            importlib.import_module(self.sdk)
        except ImportError:
            missing = True
        else:
            missing = False
        if missing:
            raise ModelFault(
                "rejected",
                f"the `{self.sdk}` SDK isn't installed: pip install 'pipelang-dsl[{self.extra}]'",
            )

    def _check(self) -> None:
        if not self._key and self.needs_key:
            raise ModelFault(
                "rejected",
                f"no API key: set the environment variable {self.key_variable}, or the one that "
                "the provider's `key` names",
            )
        if not (self._key.isascii() and self._key.isprintable()) or " " in self._key:
            raise ModelFault(
                "rejected",
                "the API key holds a blank or a character that no key has: look at the "
                f"environment variable {self.key_variable}, or the one that `key` names",
            )
        problem = address_problem(self._base_url)
        if problem is not None:
            raise ModelFault("rejected", f"`base_url` {problem}")

    def _redact(self, text: str) -> str:
        for secret in (self._key, *secrets_in(self._base_url)):
            text = text.replace(secret, "[key]") if secret else text
        return text
