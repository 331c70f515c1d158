"""Server-sent events of a run: recorded ones with their number as id, live ones without."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from pipelang.interfaces.service.api.requests import as_json
from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import Occurrence, RunJson
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

PING = 15.0
"""Seconds without an event after which a comment is sent, so that nobody in between hangs up."""
RETRY = 2000
"""Milliseconds until a browser that lost its stream comes back."""
AWAY = 1.0
"""Seconds between two tries to read a run whose store is away."""


def event_stream(
    service: Service,
    who: Principal,
    id: str,
    found: AsyncIterator[Occurrence | None],
    holds: Callable[[], bool] | None,
    is_head: bool = False,
) -> Response:
    """The answer that follows a run until its end, with `event: end`, or that of the server, with
    `event: stopping`, or until `holds` says that who follows may do so no more, with
    `event: problem`.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if is_head:
        return Response(media_type="text/event-stream", headers=headers)
    return StreamingResponse(
        _lines(service, who, id, found, holds),
        media_type="text/event-stream",
        headers=headers,
    )


async def _lines(
    service: Service,
    who: Principal,
    id: str,
    found: AsyncIterator[Occurrence | None],
    holds: Callable[[], bool] | None,
) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY}\n\n".encode()
    following = service.stopping.ending(found, holds)
    try:
        async for one in following:
            yield b": nothing new\n\n" if one is None else _event(one)
        if service.stopping.asked:
            yield b"event: stopping\ndata: {}\n\n"
            return
        if holds is not None and not holds():
            raise Problem(401, "bad_token", "the token is expired or revoked")
        run = await _ended(service, who, id)
        yield b"event: end\ndata: " + _data(run) + b"\n\n"
    except Problem as problem:
        yield b"event: problem\ndata: " + _data(problem.as_json()) + b"\n\n"
    finally:
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            await following.aclose()


async def _ended(service: Service, who: Principal, id: str) -> RunJson:
    """A run that has ended. Its store may be away just then: whoever followed it so far waits."""
    while True:
        try:
            return await service.run(who, id)
        except Problem as problem:
            if problem.status != 503 or service.stopping.asked:
                raise
        await asyncio.sleep(AWAY)


def _event(one: Occurrence) -> bytes:
    head = "event: live\n" if one.number is None else f"id: {one.number}\n"
    return head.encode() + b"data: " + _data(one.as_json()) + b"\n\n"


_BREAKS = re.compile("[\x85\u2028\u2029]")


def _data(value: Any) -> bytes:
    """A value as JSON in one line, also for readers that end lines wherever Unicode does."""
    text = as_json(value).decode()
    return _BREAKS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text).encode()
