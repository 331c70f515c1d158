"""The floor under every runtime: bare asyncio tasks. `bare.py chain|fan|many|memory [N]`."""

from __future__ import annotations

import asyncio
import sys

from serve import serve_async, serve_memory


async def noop(x: int) -> int:
    return x


async def chain(steps: int) -> int:
    """A task a step, one after the other."""
    x = 1
    for _ in range(steps):
        x = await asyncio.create_task(noop(x))
    return x


async def loop(steps: int) -> int:
    """The same without tasks."""
    x = 1
    for _ in range(steps):
        x = await noop(x)
    return x


async def fan(steps: int) -> int:
    return sum(await asyncio.gather(*(noop(1) for _ in range(steps))))


async def many(runs: int) -> None:
    await asyncio.gather(*(chain(5) for _ in range(runs)))


async def waiting(event: asyncio.Event) -> int:
    """A run that waits in its first step, which is a task, as in `chain`."""
    await asyncio.create_task(_wait(event))
    return 1


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def alone(event: asyncio.Event) -> int:
    """A run that is nothing but a task that waits."""
    await _wait(event)
    return 1


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2])
    works = {"chain": chain, "loop": loop, "fan": fan, "many": many}
    if what == "memory":
        serve_memory(alone, count)
    elif what == "memory-step":
        serve_memory(waiting, count)
    else:
        work = works[what]
        serve_async(lambda: work(count), count)


main()
