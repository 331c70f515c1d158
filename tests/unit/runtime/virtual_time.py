"""A clock for event loops that stands still while anything can be done, and jumps when all wait.

A wait of an hour takes no time, and what a machine needs for its work takes none either: durations
are exact, and a timeout of 50 ms neither passes too early on a busy machine nor slows the tests.
Only for tests in which no thread and no socket is waited for: their answers come from outside this
clock, so it would jump to the next timeout without them.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

START = 1000.0


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
