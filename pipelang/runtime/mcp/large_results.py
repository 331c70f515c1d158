"""Large results of servers: what of them is read at all, and beside the event loop of the runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

LARGE = 2**16
"""Bytes from which on a message is parsed, and its result checked, in a thread."""

LARGEST_MESSAGE = 21 * 2**20
"""Bytes of a message that are read: the most that a tool may give, which may stand there twice, as
structured content and as text.
"""

_MOST_PARTS = 10_000
"""Parts of a result's content that the SDK may go through, one by one, on the event loop."""

_REFUSED = "pipelang/refused"
"""The `data` of an error that answers a call in place of the server."""


def refusal(request: int | str, why: str) -> Any:
    """The message that fails a call whose result is not taken."""
    from mcp.shared.message import SessionMessage
    from mcp.types import INTERNAL_ERROR, ErrorData, JSONRPCError

    error = ErrorData(code=INTERNAL_ERROR, message=why, data=_REFUSED)
    return SessionMessage(JSONRPCError(jsonrpc="2.0", id=request, error=error))


def is_refusal(error: Any) -> bool:
    """Whether an error of the SDK is a `refusal`."""
    return bool(getattr(getattr(error, "error", None), "data", None) == _REFUSED)


def lighten(result: dict[str, Any]) -> str | None:
    """Take out of a large result what nobody reads: the content beside structured content. The
    reason why it is not taken at all, if there is one.
    """
    content = result.get("content")
    if not isinstance(content, list):
        return None
    if result.get("structuredContent") is not None:
        result["content"] = []
    elif len(content) > _MOST_PARTS:
        return f"it has {len(content):,} parts, and at most {_MOST_PARTS:,} are read"
    return None


def weigh(value: Any, left: int = LARGE) -> int:
    """The rest of so many bytes after a JSON value; nothing more is looked at below 0."""
    waiting = [value]
    while waiting and left >= 0:
        one = waiting.pop()
        left -= 8
        if isinstance(one, str):
            left -= len(one)
        elif isinstance(one, Mapping):
            left -= 8 * len(one)
            waiting += one.values() if left >= 0 else ()
        elif isinstance(one, list):
            left -= 8 * len(one)
            waiting += one if left >= 0 else ()
    return left


def is_large(result: Any) -> bool:
    """Whether a result of a call takes long to go through."""
    texts = [getattr(part, "text", None) for part in result.content]
    return weigh([result.structured_content, *texts]) < 0


Validate = Callable[[str, Any], Coroutine[Any, Any, None]]


def beside_the_loop(validate: Validate) -> Validate:
    """The SDK's check of a result against its tool's schema, in a thread where that is long."""

    async def validated(name: str, result: Any) -> None:
        if is_large(result):
            # It waits for nothing: the tools of a session are listed before any is called.
            await asyncio.to_thread(_driven, validate(name, result))
        else:
            await validate(name, result)

    return validated


def _driven(work: Coroutine[Any, Any, None]) -> None:
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("the tool is not listed by its server")


async def limit_body(response: Any) -> None:
    """Break off an HTTP response, as soon as it is larger than a message may be. A hook of httpx. A
    stream of events has a limit for each event.
    """
    if "text/event-stream" not in response.headers.get("content-type", ""):
        response.stream = _limited(response.stream)


def _limited(stream: Any) -> Any:
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        """The chunks of a body, as many as may be read."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = LARGEST_MESSAGE
            async for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    size = LARGEST_MESSAGE // 2**20
                    raise httpx2.StreamError(f"its message is larger than {size} MB")
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    return Limited()
