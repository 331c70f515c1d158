"""Server-sent events of a run: recorded ones with their number as id, live ones without."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from pipelang.interfaces.service.api.requests import as_json
from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import Occurrence
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

PING = 15.0
"""Seconds without an event after which a comment is sent, so that nobody in between hangs up."""
RETRY = 2000
"""Milliseconds until a browser that lost its stream comes back."""
LOOK = 0.25
"""Seconds between two looks whether the server stops."""


def event_stream(
    service: Service,
    who: Principal,
    id: str,
    found: AsyncIterator[Occurrence | None],
    is_head: bool = False,
) -> Response:
    """The answer that follows a run until its end, with `event: end`, or that of the server, with
    `event: stopping`.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if is_head:
        return Response(media_type="text/event-stream", headers=headers)
    return StreamingResponse(
        _lines(service, who, id, found),
        media_type="text/event-stream",
        headers=headers,
    )


async def _lines(
    service: Service, who: Principal, id: str, found: AsyncIterator[Occurrence | None]
) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY}\n\n".encode()
    following = service.stopping.ending(found)
    try:
        async for one in following:
            yield b": nothing new\n\n" if one is None else _event(one)
        if service.stopping.asked:
            yield b"event: stopping\ndata: {}\n\n"
            return
        run = await service.run(who, id)
        yield b"event: end\ndata: " + as_json(run) + b"\n\n"
    except Problem as problem:
        yield b"event: problem\ndata: " + as_json(problem.as_json()) + b"\n\n"
    finally:
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            await following.aclose()


def _event(one: Occurrence) -> bytes:
    head = "event: live\n" if one.number is None else f"id: {one.number}\n"
    return head.encode() + b"data: " + as_json(one.as_json()) + b"\n\n"
