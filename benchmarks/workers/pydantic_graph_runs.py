"""pydantic-graph's runtime: `pydantic_graph_runs.py chain|fan|many|memory COUNT`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pydantic_graph import GraphBuilder, StepContext, reduce_sum
from serve import serve_async, serve_memory

EVENT: list[asyncio.Event] = []


async def noop(ctx: StepContext[None, None, int]) -> int:
    return ctx.inputs


async def wait(ctx: StepContext[None, None, int]) -> int:
    await EVENT[0].wait()
    return ctx.inputs


def _builder() -> Any:
    # Without spans: nobody listens to them here.
    return GraphBuilder(input_type=int, output_type=int, auto_instrument=False)


def chain(steps: int, step: Any) -> Any:
    builder = _builder()
    made = [builder.step(step, node_id=f"s{index}") for index in range(steps)]
    before: Any = builder.start_node
    for one in made:
        builder.add(builder.edge_from(before).to(one))
        before = one
    builder.add(builder.edge_from(before).to(builder.end_node))
    return builder.build()


def fan(steps: int) -> Any:
    builder = _builder()
    made = [builder.step(noop, node_id=f"s{index}") for index in range(steps)]
    join = builder.join(reduce_sum, initial=0)
    builder.add(builder.edge_from(builder.start_node).to(*made))
    builder.add(builder.edge_from(*made).to(join))
    builder.add(builder.edge_from(join).to(builder.end_node))
    return builder.build()


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2])
    if what == "memory":
        made = chain(5, wait)

        async def waiting(event: asyncio.Event) -> None:
            EVENT[:] = [event]
            await made.run(inputs=1)

        serve_memory(waiting, count)
    elif what == "many":
        made = chain(5, noop)

        async def many() -> None:
            await asyncio.gather(*(made.run(inputs=1) for _ in range(count)))

        serve_async(many, count)
    else:
        made = fan(count) if what == "fan" else chain(count, noop)
        serve_async(lambda: made.run(inputs=1), count)


main()
