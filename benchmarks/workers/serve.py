"""What every worker does: take a sample for each line that comes in, and print it.

Nothing here may be imported but the standard library: a worker runs in its peer's environment.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

AT_LEAST = 0.1
"""Seconds that a sample of something short is repeated for."""

MOST_MEMORY = 6 * 1024**3
"""Bytes that a worker may ask for: what grows with the square must not take the machine down."""


def serve(sample: Callable[[], float]) -> None:
    """Answer every line with a sample, till there are no more."""
    _bound_memory()
    # What a library prints goes elsewhere: this stream holds samples.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for _ in sys.stdin:
        gc.collect()
        print(sample(), file=answers, flush=True)
    answers.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # taking 10,000 waiting tasks apart would take longer than the sample


def _bound_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, ValueError, OSError):  # Windows has none, macOS doesn't keep to it
        return


def once(work: Callable[[], Any]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def serve_async(work: Callable[[], Awaitable[Any]], parts: int) -> None:
    """Serve seconds a part, of work that is repeated for a while in one event loop."""
    with asyncio.Runner() as runner:

        async def sample() -> float:
            times = 0
            began = time.perf_counter()
            while (took := time.perf_counter() - began) < AT_LEAST:
                await work()
                times += 1
            return took / times / parts

        serve(lambda: runner.run(sample()))


def serve_memory(begin: Callable[[asyncio.Event], Awaitable[Any]], runs: int) -> None:
    """Serve bytes a run, of runs that all wait for one event. One sample a process."""
    with asyncio.Runner() as runner:

        async def sample() -> float:
            event = asyncio.Event()
            # What is set up once is not a run's.
            first = [asyncio.ensure_future(begin(event)) for _ in range(3)]
            await _settle()
            gc.collect()
            before = _resident()
            tasks = [asyncio.ensure_future(begin(event)) for _ in range(runs)]
            await _settle()
            gc.collect()
            took = _resident() - before
            assert not any(task.done() for task in first + tasks), "a run did not wait"
            return took / runs

        serve(lambda: runner.run(sample()))


async def _settle() -> None:
    """Let everything run until it waits."""
    for _ in range(200):
        await asyncio.sleep(0)


def _resident() -> int:
    """Bytes of this process that are in memory."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # not Linux: the most that there has been, which only grows here
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
