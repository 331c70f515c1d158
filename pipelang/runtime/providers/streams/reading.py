"""Faults of streams, and what the streams of all makers have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pipelang.runtime.providers.http_faults import connection_fault, timed_out
from pipelang.runtime.providers.protocol import ModelFault

Tell = Callable[[str], None]


def broken_off() -> ModelFault:
    """The fault of a stream without its end; what was used nobody knows."""
    return ModelFault("connection", "the stream of the answer broke off")


async def read(work: Awaitable[Any]) -> Any:
    """Await the reading of a stream, of which nothing is taken for granted. Raises ModelFault."""
    import httpx2

    try:
        return await work
    except httpx2.TimeoutException:
        fault = timed_out()
    except httpx2.TransportError as error:  # the SDKs translate only what comes before a stream
        fault = connection_fault(error)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        fault = ModelFault("server", "the stream of the API's answer cannot be read")
    raise fault


def is_stream(response: Any) -> bool:
    """Whether a response is a stream of events."""
    return "text/event-stream" in response.headers.get("content-type", "")


def no_stream() -> ModelFault:
    """The fault of an answer that is no stream, where one was asked for."""
    return ModelFault("server", "the API's answer isn't a stream")


def tell_piece(tell: Tell, piece: Any) -> None:
    """Tell a piece of text, if it is one."""
    if isinstance(piece, str) and piece:
        tell(piece)
