"""Burr's runtime: `burr_runs.py chain|many|memory COUNT`, async actions on a graph made once.

Burr has no steps side by side within a graph (its parallelism is sub-applications), so no fan.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import pairwise
from typing import Any

from burr.core import ApplicationBuilder, State, action
from burr.core.graph import Graph, GraphBuilder
from serve import serve_async, serve_memory

EVENT: list[asyncio.Event] = []


@action(reads=["x"], writes=["x"])
async def noop(state: State) -> State:
    return state.update(x=state["x"])


@action(reads=["x"], writes=["x"])
async def wait(state: State) -> State:
    await EVENT[0].wait()
    return state.update(x=state["x"])


def graph(steps: int, step: Any) -> Graph:
    names = [f"s{index}" for index in range(steps)]
    builder = GraphBuilder().with_actions(**dict.fromkeys(names, step))
    return builder.with_transitions(*pairwise(names)).build()


async def run(made: Graph, steps: int) -> int:
    builder = ApplicationBuilder().with_graph(made).with_entrypoint("s0").with_state(x=1)
    app = await builder.abuild()
    _, _, state = await app.arun(halt_after=[f"s{steps - 1}"])
    return int(state["x"])


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2])
    if what == "memory":
        made = graph(5, wait)

        async def waiting(event: asyncio.Event) -> None:
            EVENT[:] = [event]
            await run(made, 5)

        serve_memory(waiting, count)
    elif what == "many":
        made = graph(5, noop)

        async def many() -> None:
            await asyncio.gather(*(run(made, 5) for _ in range(count)))

        serve_async(many, count)
    else:
        made = graph(count, noop)
        serve_async(lambda: run(made, count), count)


main()
