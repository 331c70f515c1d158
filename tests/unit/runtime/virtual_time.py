"""A clock for event loops that stands still while anything can be done, and jumps when all wait.

A wait of an hour takes no time, and what a machine needs for its work takes none either: durations
are exact, and a timeout of 50 ms neither passes too early on a busy machine nor slows the tests.
Only for tests in which no thread and no socket is waited for: their answers come from outside this
clock, so it would jump to the next timeout without them.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

START = 1000.0
T = TypeVar("T")


class VirtualTime:
    """The time that `time.monotonic` tells."""

    def __init__(self) -> None:
        self.now = START

    @property
    def passed(self) -> float:
        """Seconds since the clock was set up."""
        return self.now - START


@contextmanager
def virtual() -> Iterator[VirtualTime]:
    """Loops that are made inside run by a clock of their own."""
    clock = VirtualTime()

    class Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
        """Where a loop would sleep until its next timer, the clock jumps there."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is None:  # no timer: only another thread can wake the loop
                return super().select(None)
            ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
            if not ready and timeout > 0:
                clock.now += timeout
            return ready

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: clock.now)
        patch.setattr(time, "monotonic_ns", lambda: round(clock.now * 1e9))
        patch.setattr(selectors, "DefaultSelector", Jumping)
        yield clock


def run_alone(main: Coroutine[Any, Any, T]) -> T:
    """Do what `asyncio.run` does, without its hands on signals and threads, for tests that begin
    loops by thousands: nobody presses Ctrl-C in them. What is left of a loop is found by itself:
    asyncio looks for it among the tasks of all loops that there have been.
    """
    loop = asyncio.new_event_loop()
    made: list[asyncio.Task[Any]] = []

    def make(loop: asyncio.AbstractEventLoop, work: Any, **given: Any) -> asyncio.Task[Any]:
        made.append(asyncio.Task(work, loop=loop, **given))
        return made[-1]

    loop.set_task_factory(make)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        left = [task for task in made if not task.done()]
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
