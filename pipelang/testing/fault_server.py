"""A local server that speaks a maker's wire format, and fails as the real one does.

It stands in for the API where a real SDK is to be used without a network: it demands what the API
demands (key, known parameters, closed schemas), answers what a test has scripted, and remembers
what it was sent.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelang.testing.dialects import KEY, Dialect
from pipelang.testing.local_server import LocalServer
from pipelang.testing.replies import Reply
from pipelang.testing.streams import Event, written

if TYPE_CHECKING:
    from aiohttp import web


@dataclass(frozen=True)
class Seen:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class FaultServer(LocalServer):
    """A context manager; `url` is what the provider takes as its `base_url`.

    Without a script, or when it is used up, the answer is `fallback`.
    """

    def __init__(
        self,
        dialect: Dialect,
        *script: Reply,
        key: str | None = KEY,
        fallback: Reply | None = None,
    ) -> None:
        super().__init__()
        self.dialect = dialect
        self.script = deque(script)
        self.fallback = fallback or Reply.status(500, "the script is used up")
        self.requests: list[Seen] = []
        self.arrived = threading.Event()
        """Set from the first request on."""
        self._key = key

    @property
    def last(self) -> Seen:
        """The last request."""
        return self.requests[-1]

    def base(self) -> str:
        return self.dialect.root

    def routes(self, app: web.Application) -> None:
        app.router.add_post(self.dialect.path, self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = self.dialect.sent(request.path, await request.json())
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Seen(request.path, headers, body))
        self.arrived.set()
        given = self.dialect.key(headers)
        if self._key is not None and given != self._key:
            # The real one doesn't repeat the key; a gateway may.
            return await self._play(Reply.status(401, f"invalid api key {given}"), request, body)
        problem = self.dialect.problem(body)
        if problem is not None:
            return await self._play(Reply.status(400, problem), request, body)
        return await self._play(
            self.script.popleft() if self.script else self.fallback, request, body
        )

    async def _play(
        self, reply: Reply, request: web.Request, body: dict[str, Any]
    ) -> web.StreamResponse:
        from aiohttp import web

        streamed = bool(body.get("stream")) and reply.kind in ("drip", "cut")
        kind = "text/event-stream" if streamed else "application/json"
        headers = {"content-type": kind} | reply.headers
        match reply.kind:
            case "hang":
                await self._over.wait()
                return web.Response(status=503)
            case "drip":
                response = web.StreamResponse(headers=headers)
                await response.prepare(request)
                while not self._over.is_set():
                    await response.write(b"\n" if streamed else b" ")
                    await asyncio.sleep(0.05)
                return response
            case "cut":
                response = web.StreamResponse(headers=headers | {"content-length": "1000"})
                await response.prepare(request)
                await response.write(b'{"type": "message", "con')
                if request.transport is not None:
                    request.transport.abort()
                return response
            case "raw":
                return web.Response(status=reply.code, body=reply.body, headers=headers)
            case "status":
                told = json.dumps(self.dialect.error(reply.code, reply.message)).encode()
                return web.Response(status=reply.code, body=told, headers=headers)
            case _:
                whole = self.dialect.body(reply, body, len(self.requests))
                events = self.dialect.stream(body, whole)
                if events is None:
                    return web.Response(body=json.dumps(whole).encode(), headers=headers)
                return await self._stream(events, request)

    async def _stream(self, events: Iterable[Event], request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(written(event))
        return response
