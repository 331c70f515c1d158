"""Bodies of answers: no more of one is read than an answer can be, whoever sends it.

The longest answers of models have some hundred thousand tokens. What is a hundred times as large
is a mistake of a gateway, or malice, and would fill the memory of all runs of the process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

LARGEST_ANSWER = 64 * 2**20
"""Bytes of an answer that are read, as a stream or in one piece."""

TOO_LARGE = "AnswerTooLarge"
"""The name of the exception of an answer that is larger."""

_BATCHES = ("/batches", "/files/", ":batch")
"""Parts of addresses of batches: their results are the answers of many runs."""


def hooks() -> dict[str, list[Any]]:
    """The hooks of an HTTP client whose answers have a limit."""
    return {"response": [limit_answer]}


async def limit_answer(response: Any) -> None:
    """Break an answer off as soon as it is larger than one can be. A hook of httpx."""
    if not any(part in str(response.request.url.path) for part in _BATCHES):
        response.stream = _limited()(response.stream)


@cache
def _limited() -> Any:
    """The class of such streams; httpx takes a while to import."""
    import httpx2

    too_large = type(TOO_LARGE, (httpx2.TransportError,), {})

    class LimitedAnswer(httpx2.AsyncByteStream):
        """The chunks of a body, as many as may be read."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = LARGEST_ANSWER
            async for chunk in self._stream:
                left -= len(chunk)
                if left < 0:
                    raise too_large("an answer that is none")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    return LimitedAnswer
