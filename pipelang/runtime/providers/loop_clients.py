"""One client of a maker's SDK for each event loop.

Connections belong to the loop that opened them; a client used from another one fails in strange
ways. A host may use one `Runtime` from several threads, and scripts call `asyncio.run` again and
again, so clients are kept by loop. Each is closed together with its loop: an async generator holds
it open, and `asyncio.run` closes the generators that are left.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

Client = TypeVar("Client")


class _Held(Generic[Client]):
    """A client, kept open by a generator that closes it when its loop shuts down."""

    __slots__ = ("client", "keeper")

    def __init__(self, client: Client, keeper: AsyncGenerator[None]) -> None:
        self.client = client
        self.keeper = keeper


class LoopClients(Generic[Client]):
    """Clients by loop, made on first use by `make` and closed by `close_one`."""

    def __init__(
        self, make: Callable[[], Client], close_one: Callable[[Client], Awaitable[None]]
    ) -> None:
        self._make = make
        self._close_one = close_one
        self._held: dict[asyncio.AbstractEventLoop, _Held[Client]] = {}
        # Reentrant: dropping a client may run its generator's end, which takes the lock as well.
        self._lock = threading.RLock()

    async def get(self) -> Client:
        """The client of this loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            held = self._held.get(loop)
            if held is not None:
                return held.client
            # Loops that were closed without their generators: their sockets are gone already.
            for dead in [other for other in self._held if other.is_closed()]:
                del self._held[dead]
            client = self._make()
            keeper = self._keep(loop, client)
            self._held[loop] = _Held(client, keeper)
        # Up to its `yield` the generator doesn't wait for anything, so nobody comes in between.
        await anext(keeper)
        return client

    async def close(self) -> None:
        """Close the clients of all loops; those of other running loops are told to."""
        here = asyncio.get_running_loop()
        with self._lock:
            held, self._held = self._held, {}
        for loop, one in held.items():
            if loop is here:
                await one.keeper.aclose()
            elif loop.is_running():
                # Not waited for: that loop may be waiting for this one.
                closing = _aclose(one.keeper)
                try:
                    asyncio.run_coroutine_threadsafe(closing, loop)
                except RuntimeError:  # it was closed just now, and the client with it
                    closing.close()

    async def _keep(self, loop: asyncio.AbstractEventLoop, client: Client) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            with self._lock:
                # After `close` the loop may have a new one already, which stays.
                held = self._held.get(loop)
                if held is not None and held.client is client:
                    del self._held[loop]
            await self._close_one(client)


async def _aclose(keeper: AsyncGenerator[None]) -> None:
    await keeper.aclose()
