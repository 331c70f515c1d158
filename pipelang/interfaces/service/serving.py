"""Serving: uvicorn with our limits, and an end at which everybody who follows something is told."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from starlette.applications import Starlette

MOST_HEADERS = 32 * 1024
"""Bytes of the line and the headers of a request."""
SLOW_SECONDS = 15
"""Seconds of silence after which a connection that waits for its next request is closed."""
MOST_CONNECTIONS = 2_000


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
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                h11_max_incomplete_event_size=MOST_HEADERS,
                http="h11",
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
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell whoever follows something, then end as uvicorn does."""
        self._app.state.service.stopping.ask()
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(512)
    except BaseException:
        made.close()
        raise
    return made
