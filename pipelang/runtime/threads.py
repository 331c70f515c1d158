"""Threads for functions that block: used again while they come back, left behind when they hang.

asyncio's own pool has a few threads and is waited for when a program ends: a handful of functions
that hang past their timeouts would keep every other call waiting, and the end of the program too.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

_MOST = 256
"""Calls of one loop that somebody waits for, at once; more wait their turn."""

_IDLE = 10.0
"""Seconds after which a thread without work ends."""

_Inbox = queue.SimpleQueue[Callable[[], None]]


class Threads:
    """Runs functions in daemon threads. May be used from several event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Inbox] = []
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._turns = WeakKeyDictionary()

    async def run(self, work: Callable[[], Any]) -> Any:
        """What the function returns or raises. Who is cancelled leaves it to itself."""
        loop = asyncio.get_running_loop()
        with self._lock:
            turns = self._turns.setdefault(loop, asyncio.Semaphore(_MOST))
        async with turns:
            done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
            context = contextvars.copy_context()

            def tell(result: Any, error: BaseException | None) -> None:
                if not done.done():
                    done.set_result((result, error))

            def perform() -> None:
                result, error = None, None
                try:
                    result = context.run(work)
                except BaseException as raised:  # the waiter decides what becomes of it
                    error = raised
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waited
                    loop.call_soon_threadsafe(tell, result, error)

            self._start(perform)
            result, error = await done
        if error is not None:
            raise error
        return result

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
