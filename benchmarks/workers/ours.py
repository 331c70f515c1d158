"""pipelang's runtime: `ours.py WHAT FILE COUNT traced|quiet`, with `main(x)` of the file.

WHAT is `steps` (COUNT steps a run), `many` (COUNT runs at once) or `memory` (COUNT runs that wait).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from serve import serve_async, serve_memory

from pipelang import load
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered
from pipelang.runtime.host.handle import Runtime


async def noop(x: int) -> int:
    return x


def main() -> None:
    what, file, count, tracing = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    loaded = load(file)
    waits: list[asyncio.Event] = []

    async def wait(x: int) -> int:
        await waits[0].wait()
        return x

    tools = {"noop": wait if what == "memory" else noop}
    handle = loaded.pipeline("main", tools=tools, runtime=Runtime(trace=tracing == "traced"))

    async def run() -> Any:
        result = await run_pipeline(handle.start({"x": 1}))
        assert isinstance(result, Answered), result
        return result

    async def many() -> None:
        await asyncio.gather(*(run() for _ in range(count)))

    def waiting(event: asyncio.Event) -> Coroutine[Any, Any, Any]:
        waits[:] = [event]
        return run_pipeline(handle.start({"x": 1}))

    if what == "memory":
        serve_memory(waiting, count)
    else:
        serve_async(many if what == "many" else run, count)


main()
