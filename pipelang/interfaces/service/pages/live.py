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

from pipelang.interfaces.service.pages.board import LOOK, board_of, mark_of
from pipelang.interfaces.service.pages.observatory import observatory_of
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
    """The stream of a page: `?of=runs` with its filters, `?of=run&id=&after=`, `?of=cases`,
    `?of=health`. `seen` is the mark of what the page shows: what changed in between is told first.
    """
    state = request.app.state
    who = state.gate.of_page(request)
    if who is None:
        return Response(status_code=401)
    board, service, query = board_of(request), state.service, request.query_params
    seen, holds = query.get("seen", ""), state.gate.holds(request, who)
    try:
        match query.get("of"):
            case "run":
                text, id = query.get("after", ""), query.get("id", "")
                after = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
                following = await service.follow(who, id, after)
                return _stream(_of_run(service, following, lambda: board.run(who, id), seen, holds))
            case "runs":
                filters = filters_of(query)
                key = tuple(sorted(filters.items()))

                async def runs() -> Any:
                    wanted = filter_of(filters, None)
                    return await board.runs(who, wanted, key)

                return _stream(_of_list(service, runs, seen, holds))
            case "health" if who.has("operator"):

                async def health() -> Any:
                    return (await board.depths()).parts, observatory_of(request).made

                return _stream(_of_list(service, health, seen, holds))
            case _:
                return _stream(_of_list(service, lambda: board.cases(who), seen, holds))
    except Problem as problem:
        return Response(status_code=problem.status)


def _stream(lines: AsyncIterator[bytes]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


async def _of_run(
    service: Service,
    following: AsyncIterator[Occurrence | None],
    look: Callable[[], Awaitable[Any]],
    seen: str,
    holds: Callable[[], bool] | None,
) -> AsyncIterator[bytes]:
    """Changes of a run: its events, and what changes beside them."""
    yield _BEGIN
    found = service.stopping.ending(following, holds)
    coming: asyncio.Future[Occurrence | None] | None = None
    try:
        while True:
            now = await _looked(look, seen)
            if now != seen:
                seen = now
                yield _CHANGE
            if coming is None:
                coming = asyncio.ensure_future(anext(found))
            done, _ = await asyncio.wait({coming}, timeout=LOOK)
            if not done:
                continue
            one = coming.result()
            coming = None
            yield _PING if one is None else _CHANGE
            if one is not None:
                await asyncio.sleep(PAUSE)
    except StopAsyncIteration:
        if not service.stopping.asked and (holds is None or holds()):
            yield _OVER
    except Problem:
        return
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await coming
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            await found.aclose()


async def _looked(look: Callable[[], Awaitable[Any]], seen: str) -> str:
    """The mark of a look; the one before while the store is away."""
    try:
        return mark_of(await look())
    except Problem:
        return seen


async def _of_list(
    service: Service,
    look: Callable[[], Awaitable[Any]],
    seen: str,
    holds: Callable[[], bool] | None,
) -> AsyncIterator[bytes]:
    yield _BEGIN
    quiet = 0.0
    while not service.stopping.asked and (holds is None or holds()):
        now = await _looked(look, seen)
        if now != seen:
            seen, quiet = now, 0.0
            yield _CHANGE
        elif quiet >= PING:
            quiet = 0.0
            yield _PING
        await asyncio.sleep(LOOK)
        quiet += LOOK
