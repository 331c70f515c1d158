"""Guards before all routes: hosts, the size of bodies, and headers that browsers obey."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelang.interfaces.service.problems import PROBLEM_JSON, Problem

MOST_BODY = 10 * 1024 * 1024
"""Bytes of a body."""
MOST_DRAINED = 64 * 1024 * 1024
DRAIN_SECONDS = 60.0
QUIET_SECONDS = 5.0
"""Of a body that is read on behind its answer: the bytes and the seconds at most, and the seconds
without a byte after which its caller sends no more.
"""
BODY_SECONDS = 60.0
"""Seconds that a body may take."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing from elsewhere, nothing inline."""


class SafeHeaders:
    """Adds the headers that keep a browser from doing what nobody asked for. Who is sent on is sent
    to a path: a slash too many must not lead from `https` to `http`, or to whatever `Host` says.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", CSP)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers.setdefault("Cache-Control", "no-store")
                there = headers.get("Location", "")
                if "://" in there:  # who stands before the server may be called otherwise
                    headers["Location"] = "/" + there.split("/", 3)[3].lstrip("/")
            await send(message)

        await self._app(scope, receive, sending)


class EarlyAnswers:
    """Reads on behind an answer that was there before the body was: a connection that is closed on
    somebody who still sends takes the answer with it. The answer itself does not wait.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        whole = False

        async def receiving() -> Message:
            nonlocal whole
            message = await receive()
            whole = whole or not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and not whole:
                await send({**message, "more_body": True})
                await _drain(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, receiving, sending)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class HostGuard:
    """Refuses hosts that are not this machine's, where no tokens are asked for: a page elsewhere
    may have its own name lead here.
    """

    def __init__(self, app: ASGIApp, any_host: bool) -> None:
        self._app = app
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._any_host:
            host = Headers(scope=scope).get("host", "")
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            if name.lower() not in LOOPBACK:
                await refuse(send, Problem(421, "host", "only this machine is served"))
                return
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies that are too large, as soon as that is known, and those that do not come."""

    def __init__(self, app: ASGIApp, most: int = MOST_BODY) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = Problem(413, "too_large", f"a body has at most {self._most} bytes")
        said = Headers(scope=scope).get("content-length", "")
        if said.isascii() and said.isdigit() and int(said[:15]) > self._most:
            await refuse(send, problem)
            return
        seen, begun, whole = 0, False, False
        end = time.monotonic() + BODY_SECONDS

        async def receiving() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, end - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, "slow", "the body did not come in time") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if seen > self._most:
                    raise problem
            return message

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        except Problem as found:
            if begun:
                raise
            await refuse(send, found)


async def _drain(receive: Receive) -> None:
    """Read the rest of a body, for a while."""
    left = MOST_DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                async with asyncio.timeout(QUIET_SECONDS):
                    message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return


async def refuse(send: Send, problem: Problem) -> None:
    """Send a problem, before any route."""
    body = json.dumps(problem.as_json()).encode()
    headers: list[Any] = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
