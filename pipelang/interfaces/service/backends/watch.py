"""A watch over runs in a store: one query for all runs that somebody follows."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

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


Read = Callable[[str, int], Awaitable[tuple[tuple[Occurrence, ...], int]]]
"""Reads the events in the rows of a run beyond one, and says which row was the last."""


class ToldEvents:
    """The recorded events of a run as far as they were read, which only grow."""

    def __init__(self) -> None:
        self._found: list[Occurrence] = []
        self._row = -1
        self._known: set[tuple[str, str, float]] = set()
        self._turn = asyncio.Lock()

    async def read(self, run: str, read: Read) -> None:
        """Read those that are new. Raises `Problem`; what was read before stays."""
        async with self._turn:
            found, self._row = await read(run, self._row)
            self._found += found
            self._known.update((one.kind, one.name, one.at) for one in found)

    def beyond(self, number: int) -> list[Occurrence]:
        """The events after one, in their order."""
        first = bisect_right(self._found, number, key=_number)
        return self._found[first:]

    def has(self, told: Occurrence) -> bool:
        """Whether an event that was told in progress is recorded."""
        return (told.kind, told.name, told.at) in self._known


def _number(one: Occurrence) -> int:
    return -1 if one.number is None else one.number


class SharedReads:
    """Events of runs as they were at a mark, read once for all who follow, at each change only
    those that are new. Belongs to one event loop.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._told: WeakValueDictionary[str, ToldEvents] = WeakValueDictionary()
        self._known: dict[str, tuple[Mark, asyncio.Future[None], ToldEvents]] = {}

    async def at(self, run: str, mark: Mark) -> ToldEvents:
        """The events of a run that was seen with this mark, and perhaps some later ones. Whoever
        keeps them while following has no row read again, however many others follow others.
        """
        known = self._known.get(run)
        if known is None or known[0] != mark:
            told = self._told.get(run)
            if told is None:
                told = self._told[run] = ToldEvents()
            known = mark, asyncio.ensure_future(told.read(run, self._read)), told
            self._known.pop(run, None)
            self._known[run] = known
            while len(self._known) > MOST_READ:
                del self._known[next(iter(self._known))]
        try:
            await asyncio.shield(known[1])
        except Problem:
            if self._known.get(run) is known:
                del self._known[run]
            raise
        return known[2]


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
