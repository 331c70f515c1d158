"""The end of a server: whoever follows something hears of it at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LOOK = 2.0
"""Seconds between two looks whether somebody may still follow."""


class Stopping:
    """Whether the server is about to end. Belongs to one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether it is."""
        return self._event.is_set()

    def ask(self) -> None:
        """Have everything that follows something end."""
        self._event.set()

    async def first(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of some work, None if the server is about to end before it."""
        stop = asyncio.ensure_future(self._event.wait())
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait({doing, stop}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            stop.cancel()
            doing.cancel()

    async def ending(
        self, following: AsyncIterator[T], holds: Callable[[], bool] | None = None
    ) -> AsyncGenerator[T, None]:
        """The same things, until the server is about to end, or `holds` says that who follows may
        do so no more.
        """
        stop = asyncio.ensure_future(self._event.wait())
        try:
            while not stop.done():
                coming = asyncio.ensure_future(anext(following))
                try:
                    await self._first(coming, stop, holds)
                finally:
                    if not coming.done():
                        coming.cancel()
                        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                            await coming
                if coming.cancelled():
                    return
                try:
                    one = coming.result()
                except StopAsyncIteration:
                    return
                if holds is not None and not holds():
                    return
                yield one
        finally:
            stop.cancel()
            close = getattr(following, "aclose", None)
            if close is not None:
                await close()

    async def _first(
        self, coming: asyncio.Future[T], stop: asyncio.Future[Any], holds: Callable[[], bool] | None
    ) -> None:
        """Wait for the next thing, or for what ends all of them."""
        both: set[asyncio.Future[Any]] = {coming, stop}
        wait = None if holds is None else LOOK
        done = set[asyncio.Future[Any]]()
        while not done and (holds is None or holds()):
            done, _ = await asyncio.wait(both, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
