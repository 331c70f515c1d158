"""Live updates of the pages: a stream that says that something changed, and never what.

The script then fetches the page again, so that what people see is rendered and escaped in one
place. A run is followed by its events, lists are looked at once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pipelang.interfaces.service.pages.board import LOOK, board_of
from pipelang.interfaces.service.pages.run_list import filter_of, filters_of
from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import Occurrence
    from pipelang.interfaces.service.service import Service

PING = 15.0
"""Seconds without a change after which a comment goes out, so that nobody in between hangs up."""
PAUSE = 0.25
"""Seconds between two changes of a run that are told of."""
_BEGIN, _CHANGE = b"retry: 2000\n\n", b"event: change\ndata: {}\n\n"
_OVER, _PING = b"event: over\ndata: {}\n\n", b": nothing new\n\n"


async def live(request: Request) -> Response:
    """The stream of a page: `?of=runs` with its filters, `?of=run&id=`, `?of=cases`,
    `?of=health`.
    """
    state = request.app.state
    who = state.gate.of_page(request)
    if who is None:
        return Response(status_code=401)
    board, service, query = board_of(request), state.service, request.query_params
    try:
        match query.get("of"):
            case "run":
                after = query.get("after", "")
                seen = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else -1
                following = await service.follow(who, query.get("id", ""), seen)
                return _stream(_of_run(service, following))
            case "runs":
                filters = filters_of(query)
                key = tuple(sorted(filters.items()))

                async def runs() -> Any:
                    wanted = filter_of(filters, None)
                    return await board.runs(who, wanted, key), await board.cases(who)

                return _stream(_of_list(service, runs))
            case "health" if who.has("operator"):
                return _stream(_of_list(service, board.depths))
            case _:
                return _stream(_of_list(service, lambda: board.cases(who)))
    except Problem as problem:
        return Response(status_code=problem.status)


def _stream(lines: AsyncIterator[bytes]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


async def _of_run(
    service: Service, following: AsyncIterator[Occurrence | None]
) -> AsyncIterator[bytes]:
    yield _BEGIN
    found = service.stopping.ending(following)
    try:
        async for one in found:
            yield _PING if one is None else _CHANGE
            if one is not None:
                await asyncio.sleep(PAUSE)
        if not service.stopping.asked:
            yield _OVER
    except Problem:
        return
    finally:
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            await found.aclose()


async def _of_list(service: Service, look: Callable[[], Awaitable[Any]]) -> AsyncIterator[bytes]:
    yield _BEGIN
    before: Any = None
    quiet, seen = 0.0, False
    while not service.stopping.asked:
        try:
            now = await look()
        except Problem:
            now = before  # the store is away for a moment
        if seen and now != before:
            quiet = 0.0
            yield _CHANGE
        elif quiet >= PING:
            quiet = 0.0
            yield _PING
        before, seen = now, True
        await asyncio.sleep(LOOK)
        quiet += LOOK
