"""A watch over runs in a store: one query for all runs that somebody follows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipelang.interfaces.service.backend import Occurrence
from pipelang.interfaces.service.problems import Problem

LOOK = 0.25
"""Seconds between two looks at the store."""
MOST_LIVE = 1_000
"""Events in progress that are kept for somebody who is slow; the oldest go."""

MOST_READ = 50
"""Runs whose events are kept for who follows them next."""

Mark = tuple[Any, ...]
GONE: Mark = ()
"""The mark of a run that is there no more."""
Marks = Callable[[list[str]], Awaitable[dict[str, Mark] | None]]
"""The marks of runs, None while the store is away."""


Read = Callable[[str], Awaitable[tuple[Occurrence, ...]]]


class SharedReads:
    """Events of runs as they were at a mark, read once for all who follow: all of a run's are read
    at each change. Belongs to one event loop.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[str, tuple[Mark, asyncio.Future[tuple[Occurrence, ...]]]] = {}

    async def at(self, run: str, mark: Mark) -> tuple[Occurrence, ...]:
        """The events of a run that was seen with this mark, and perhaps some later ones."""
        known = self._known.get(run)
        if known is None or known[0] != mark:
            known = mark, asyncio.ensure_future(self._read(run))
            self._known.pop(run, None)
            self._known[run] = known
            while len(self._known) > MOST_READ:
                del self._known[next(iter(self._known))]
        try:
            return await asyncio.shield(known[1])
        except Problem:
            if self._known.get(run) is known:
                del self._known[run]
            raise


class Watcher:
    """Somebody who follows a run."""

    def __init__(self) -> None:
        self.live: deque[Occurrence] = deque(maxlen=MOST_LIVE)
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Say that something happened."""
        self._changed.set()

    async def change(self, seconds: float) -> bool:
        """Wait until something happens; whether anything did in so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class RunWatch:
    """Wakes those who follow runs when these change. Belongs to one event loop."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._watchers: dict[str, set[Watcher]] = {}
        self._known: dict[str, Mark] = {}
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def over(self, run: str) -> Iterator[Watcher]:
        """Follow a run."""
        watcher = Watcher()
        self._watchers.setdefault(run, set()).add(watcher)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._look())
        try:
            yield watcher
        finally:
            mine = self._watchers[run]
            mine.discard(watcher)
            if not mine:
                del self._watchers[run]
                self._known.pop(run, None)

    def told(self, run: str, one: Occurrence | None) -> None:
        """Pass an event in progress on; None says that something was recorded."""
        for watcher in self._watchers.get(run, ()):
            if one is not None:
                watcher.live.append(one)
            watcher.wake()

    async def _look(self) -> None:
        while self._watchers:
            await asyncio.sleep(LOOK)
            asked = list(self._watchers)
            found = await self._marks(asked)
            for run in asked if found is not None else ():
                mark = (found or {}).get(run, GONE)
                if run in self._watchers and self._known.get(run) != mark:
                    self._known[run] = mark
                    for watcher in self._watchers[run]:
                        watcher.wake()

    def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
