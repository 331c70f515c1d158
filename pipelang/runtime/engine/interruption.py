"""Interruptions of a run, told apart from what foreign code raises.

asyncio cancels by raising CancelledError where a task waits, which is inside a tool, a provider or
a store. That code may turn it into a value or into another error, and it may raise a
CancelledError or a GeneratorExit of its own. So what came out of it says nothing about the run: its
task does. After every wait for foreign code the run looks whether its task was asked to cancel
meanwhile, and if so it stops, whatever came back.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")

Mark = tuple["asyncio.Task[Any] | None", int]
"""A task, and how often it was asked to cancel."""


class ForeignError(Exception):
    """Foreign code raised what no code but a run's own may raise, such as SystemExit."""


def mark() -> Mark:
    """The task that runs now, before it waits for foreign code."""
    task = asyncio.current_task()
    return task, 0 if task is None else asked_before(task)


def asked_before(task: asyncio.Task[Any]) -> int:
    """The times that a task was asked to cancel and heard it. It hears the last one only at its
    next wait, if that came while it worked: from a sink, from a thread, from Ctrl-C.
    """
    return task.cancelling() - bool(getattr(task, "_must_cancel", False))


def stop_if_cancelled(before: Mark) -> None:
    """Raise CancelledError if the task was asked to cancel since the mark."""
    task, asked = before
    if task is not None and task.cancelling() > asked:
        raise asyncio.CancelledError


def interrupts(error: BaseException, before: Mark) -> bool:
    """Whether an exception out of foreign code is about the run: its task is being cancelled, its
    coroutine closed, or the user pressed Ctrl-C.
    """
    task, asked = before
    if isinstance(error, GeneratorExit):
        return _running() is not task  # who closes a coroutine is not the task that it is of
    if task is not None and task.cancelling() > asked:
        return True
    return isinstance(error, KeyboardInterrupt) and _may_be_the_user()


async def foreign(work: Awaitable[T]) -> T:
    """Wait for foreign code. Raises its exceptions, `ForeignError` for those that are none, and
    CancelledError if the run was cancelled, whatever the code made of it.
    """
    before = mark()
    try:
        result = await work
    except BaseException as error:
        if interrupts(error, before):
            if not isinstance(error, GeneratorExit):
                stop_if_cancelled(before)
            raise
        if isinstance(error, Exception):
            raise
        raise ForeignError(f"{type(error).__name__}: {error}") from error
    stop_if_cancelled(before)
    return result


def _running() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _may_be_the_user() -> bool:
    """Whether Ctrl-C can raise KeyboardInterrupt in a coroutine. Under `asyncio.run` it cancels."""
    ours = threading.current_thread() is threading.main_thread()
    return ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler
