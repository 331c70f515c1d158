"""Serving: uvicorn with our limits, and an end at which everybody who follows something is told."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from pipelang.runtime.durable.address import StoreProblem

MOST_HEADERS = 32 * 1024
"""Bytes of the line and the headers of a request."""
HEADER_SECONDS = 10
"""Seconds that the headers of a request may take."""
SLOW_SECONDS = 15
"""Seconds of silence after which a connection that waits for its next request is closed."""
MOST_CONNECTIONS = 2_000


class ImpatientProtocol(H11Protocol):
    """Closes connections that do not come to the point: uvicorn alone waits for ever for the rest
    of a request's headers.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, transport.abort)

    def handle_events(self) -> None:
        """Stop waiting when the headers are there."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._stop_waiting()
        self._deadline = self.loop.call_later(SLOW_SECONDS + HEADER_SECONDS, self.transport.abort)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class ServiceServer(uvicorn.Server):
    """A server of the application: when it is asked to stop, streams end before it waits for
    connections. `ready` is called when it serves.
    """

    def __init__(
        self, app: Starlette, ready: Callable[[], None] = lambda: None, **options: Any
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                h11_max_incomplete_event_size=MOST_HEADERS,
                http=ImpatientProtocol,
                lifespan="on",
                timeout_keep_alive=SLOW_SECONDS,
                timeout_graceful_shutdown=10,
                limit_concurrency=MOST_CONNECTIONS,
                **options,
            )
        )
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        told = logging.getLogger("uvicorn.error")
        told.addFilter(self._is_news)
        try:
            await super().startup(sockets)
        except SystemExit:  # what uvicorn makes of an application that did not start
            if self.refused is None:
                raise
            self.should_exit = True
        finally:
            told.removeFilter(self._is_news)
        if self.started:
            self._ready()

    @property
    def refused(self) -> StoreProblem | None:
        """The problem with the store, if that kept the application from starting."""
        found: StoreProblem | None = self._app.state.refused
        return found

    def _is_news(self, record: logging.LogRecord) -> bool:
        """Whether uvicorn tells more than a problem that whoever serves tells better."""
        return self.refused is None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell whoever follows something, then end as uvicorn does."""
        self._app.state.service.stopping.ask()
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its protocol asyncio sees that it may send at once: without, the body of each answer on a
    # connection that goes on waits 40 ms for the caller's word that its headers have come.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(512)
    except BaseException:
        made.close()
        raise
    return made
