"""A local HTTP server in a thread with a loop of its own.

One server so outlives several `asyncio.run`, and can serve another process.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from aiohttp import web


class LocalServer(ABC):
    """A context manager; `url` is what a provider takes as its `base_url`.

    Raises RuntimeError where the server does not start within 30 seconds.
    """

    def __init__(self) -> None:
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner
        self._over: asyncio.Event
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(30):
            raise RuntimeError("the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    @abstractmethod
    def routes(self, app: web.Application) -> None:
        """Add what the server answers to its application."""

    def connections(self) -> int:
        """Connections that are open now."""
        server = self._runner.server
        return 0 if server is None else len(server.connections)

    def base(self) -> str:
        """The part of the path that belongs to `url`."""
        return ""

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        from aiohttp import web

        self._over = asyncio.Event()
        app = web.Application(client_max_size=2**26)
        self.routes(app)
        runner = self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}{self.base()}"
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()
