"""LangGraph's runtime: `langgraph_runs.py chain|fan|many|memory COUNT`, without a checkpointer."""

from __future__ import annotations

import asyncio
import operator
import sys
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from serve import serve_async, serve_memory

EVENT: list[asyncio.Event] = []


class State(TypedDict):
    x: int


class Sums(TypedDict):
    x: Annotated[int, operator.add]


async def noop(state: State) -> dict[str, int]:
    return {"x": state["x"]}


async def one(state: Sums) -> dict[str, int]:
    return {"x": 1}


async def wait(state: State) -> dict[str, int]:
    await EVENT[0].wait()
    return {"x": state["x"]}


def chain(steps: int, step: Any) -> Any:
    graph = StateGraph(State)
    before = START
    for index in range(steps):
        graph.add_node(f"s{index}", step)
        graph.add_edge(before, f"s{index}")
        before = f"s{index}"
    graph.add_edge(before, END)
    return graph.compile()


def fan(steps: int) -> Any:
    graph = StateGraph(Sums)
    for index in range(steps):
        graph.add_node(f"s{index}", one)
        graph.add_edge(START, f"s{index}")
        graph.add_edge(f"s{index}", END)
    return graph.compile()


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2])
    limits = {"recursion_limit": max(25, count + 5)}
    if what == "memory":
        made = chain(5, wait)

        async def waiting(event: asyncio.Event) -> None:
            EVENT[:] = [event]
            await made.ainvoke({"x": 1})

        serve_memory(waiting, count)
    elif what == "many":
        made = chain(5, noop)

        async def many() -> None:
            await asyncio.gather(*(made.ainvoke({"x": 1}) for _ in range(count)))

        serve_async(many, count)
    else:
        made = fan(count) if what == "fan" else chain(count, noop)
        serve_async(lambda: made.ainvoke({"x": 1}, limits), count)


main()
