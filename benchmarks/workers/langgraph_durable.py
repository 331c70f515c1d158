"""`python langgraph_durable.py URL STEPS RUNS`: graphs of LangGraph with a checkpoint per node."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    x: str


def main() -> None:
    url, steps, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    graph = StateGraph(State)
    at = START
    for number in range(steps):
        graph.add_node(f"s{number}", lambda state: {"x": state["x"]})
        graph.add_edge(at, f"s{number}")
        at = f"s{number}"
    graph.add_edge(at, END)
    with ExitStack() as ends:
        saver: Any
        if url.startswith("sqlite"):
            from langgraph.checkpoint.sqlite import SqliteSaver

            saver = ends.enter_context(SqliteSaver.from_conn_string(url.removeprefix("sqlite:///")))
        else:
            from langgraph.checkpoint.postgres import PostgresSaver

            saver = ends.enter_context(PostgresSaver.from_conn_string(url))
        saver.setup()
        made = graph.compile(checkpointer=saver)
        for number in range(runs):
            config: Any = {"configurable": {"thread_id": str(number)}}
            made.invoke({"x": str(number)}, config, durability="sync")


if __name__ == "__main__":
    main()
