"""Threads for functions that block: used again while they come back, left behind when they hang.

asyncio's own pool has a few threads and is waited for when a program ends: a handful of functions
that hang past their timeouts would keep every other call waiting, and the end of the program too.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

_MOST = 256
"""Awaited calls of one loop at once; more wait their turn."""

MOST_LEFT_BEHIND = 64
"""Calls of one function that may hang after their callers gave up."""

_IDLE = 10.0
"""Seconds after which a thread without work ends."""

Ready = Callable[[], None]
"""Called before a call begins that had to wait; what it raises takes the place of the call."""

_Inbox = queue.SimpleQueue[Callable[[], None]]


class TooManyHang(RuntimeError):
    """A function of which so many calls hang that it gets no more threads until one returns."""


_ALL: WeakSet[Threads] = WeakSet()
"""All there are, to begin anew in a forked process: the threads stay behind in the other."""


class Threads:
    """Runs functions in daemon threads. May be used from several event loops, and after a fork."""

    def __init__(self) -> None:
        self._begin()
        _ALL.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Inbox] = []
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._turns = WeakKeyDictionary()
        self._left_behind: Counter[str] = Counter()

    async def run(self, work: Callable[[], Any], name: str = "", ready: Ready | None = None) -> Any:
        """Run a function in a thread: its result, or what it raises. Cancelling leaves it running.

        Calls are counted by `name`. `ready` is called when it is the function's turn. Raises
        `TooManyHang` if too many calls of that name were left behind.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._left_behind[name] >= MOST_LEFT_BEHIND:
                raise TooManyHang(f"{MOST_LEFT_BEHIND} earlier calls still hang; it is not called")
            turns = self._turns.setdefault(loop, asyncio.Semaphore(_MOST))
        async with turns:
            if ready is not None:
                ready()
            done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
            context = contextvars.copy_context()
            state = _Call()

            def deliver(result: Any, error: BaseException | None) -> None:
                if not done.done():
                    done.set_result((result, error))

            def perform() -> None:
                result, error = None, None
                try:
                    result = context.run(work)
                except BaseException as raised:  # the waiter decides what becomes of it
                    error = raised
                self._came_back(name, state)
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waited
                    loop.call_soon_threadsafe(deliver, result, error)

            self._start(perform)
            try:
                result, error = await done
            except asyncio.CancelledError:
                self._leave(name, state)
                raise
        if error is not None:
            raise error
        return result

    def _leave(self, name: str, call: _Call) -> None:
        with self._lock:
            if not call.back:
                call.left = True
                self._left_behind[name] += 1

    def _came_back(self, name: str, call: _Call) -> None:
        with self._lock:
            call.back = True
            if call.left:
                self._left_behind[name] -= 1

    def _start(self, work: Callable[[], None]) -> None:
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = _Inbox()
            threading.Thread(target=self._serve, args=(inbox,), daemon=True).start()
        inbox.put(work)

    def _serve(self, inbox: _Inbox) -> None:
        while True:
            try:
                work = inbox.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if inbox in self._idle:
                        self._idle.remove(inbox)
                        return
                continue
            work()
            del work
            with self._lock:
                self._idle.append(inbox)


class _Call:
    """The state of a call: whether it returned, and whether its caller gave up before."""

    __slots__ = ("back", "left")

    def __init__(self) -> None:
        self.back = False
        self.left = False


def _forked() -> None:
    for threads in list(_ALL):
        threads._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
