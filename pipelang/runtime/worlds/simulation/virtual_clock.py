"""A virtual clock with the work that waits for it: time passes only when nothing else can happen.

Coroutines of the interpreter wait here by yielding a `_Pause`; the loop resumes them in the order
of their times, and of their starts where times are equal.
"""

from __future__ import annotations

import heapq
from collections.abc import Coroutine, Generator, Iterable
from typing import Any


class Task:
    """A coroutine on its way; `result()` gives its value or raises what it raised."""

    __slots__ = ("_error", "_value", "done", "waiters", "work")

    def __init__(self, work: Coroutine[Any, Any, Any] | None) -> None:
        self.work = work
        self.done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self.waiters: list[Task] = []

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

    def finish(self, value: Any, error: BaseException | None) -> None:
        self.done, self._value, self._error = True, value, error


class _Pause:
    """A coroutine's request to be woken at a time, or when one of some tasks is done."""

    __slots__ = ("seconds", "tasks")

    def __init__(self, seconds: float | None, tasks: tuple[Task, ...]) -> None:
        self.seconds = seconds
        self.tasks = tasks

    def __await__(self) -> Generator[_Pause, None, None]:
        yield self


class VirtualLoop:
    """Runs one coroutine and everything that it starts."""

    def __init__(self) -> None:
        self.now = 0.0
        self._ready: list[Task] = []
        self._sleeping: list[tuple[float, int, Task]] = []
        self._count = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end of `work`."""
        main = self.spawn(work)
        while not main.done:
            if self._ready:
                self._step(self._ready.pop(0))
            elif self._sleeping:
                self.now, _, task = heapq.heappop(self._sleeping)
                if not task.done:
                    self._step(task)
            else:
                raise RuntimeError("every task waits for another")
        return main.result()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> Task:
        task = Task(work)
        self._ready.append(task)
        return task

    async def sleep(self, seconds: float) -> None:
        await _Pause(seconds, ())

    async def first(self, tasks: Iterable[Task]) -> list[Task]:
        """Wait until one of the tasks is done; the done ones."""
        waited = tuple(tasks)
        while not any(task.done for task in waited):
            await _Pause(None, waited)
        return [task for task in waited if task.done]

    async def stop(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            if not task.done:
                if task.work is not None:
                    task.work.close()
                task.finish(None, None)

    def signal(self) -> Task:
        """A task without work, which is done once it is `given`."""
        return Task(None)

    def give(self, signal: Task) -> None:
        """Let those go on that wait for a signal."""
        self._finish(signal, None, None)

    def _step(self, task: Task) -> None:
        assert task.work is not None
        try:
            pause = task.work.send(None)
        except StopIteration as end:
            self._finish(task, end.value, None)
        except BaseException as error:
            self._finish(task, None, error)
        else:
            if pause.seconds is not None:
                self._count += 1
                heapq.heappush(self._sleeping, (self.now + pause.seconds, self._count, task))
            else:
                for other in pause.tasks:
                    other.waiters.append(task)

    def _finish(self, task: Task, value: Any, error: BaseException | None) -> None:
        task.finish(value, error)
        for waiter in task.waiters:
            if not waiter.done and waiter not in self._ready:
                self._ready.append(waiter)
        task.waiters.clear()
