"""Many runs in one process: ten thousand in flight, and nothing left behind of those stopped."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from pipelang.runtime.sinks.audit import AuditLog
from pipelang.runtime.sinks.otel import OpenTelemetry
from pipelang.runtime.sinks.traces import TraceFiles

from ..stage import OUT, Humans, Models, handle, load

PROGRAM = f"""
tool wait(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
tool fetch(x: text) -> text {{ effect read timeout 60s latency 1ms median succeeds 99% }}
pipeline inner(x: text) -> text {{
  step deep = call wait(x)
  return deep
}}
pipeline main(x: text) -> text {{
  step a = call wait(x)
  step b: text = ask say(x) by small {OUT}
  step c = run inner(x)
  return a
}}
pipeline wide(x: text) -> text {{
  step a: [text] max 4 = each one in [x, x, x, x] {{ call fetch(one) }}
  step b: text = ask say(x) by small {{ vote 3 output 90 tokens max }}
  approve ok by boss else reject
  return x
}}
"""

MANY = 10_000


def descriptors() -> int:
    """Open files and sockets of this process."""
    return len(os.listdir("/proc/self/fd"))


linux = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts /proc/self/fd")


@linux
def test_ten_thousand_runs_in_flight(tmp_path: Path) -> None:
    """Every other one is stopped; the others end as if they had been alone."""
    loaded = load(tmp_path, PROGRAM)

    async def main() -> None:
        go, all_there, waiting = asyncio.Event(), asyncio.Event(), 0

        async def wait(x: str) -> str:
            nonlocal waiting
            waiting += 1
            if waiting == MANY:
                all_there.set()
            try:
                await go.wait()
            finally:
                waiting -= 1
            return x

        ready = handle(loaded, tools={"wait": wait}, pipeline="inner")
        # Sockets that other tests left to the collector are theirs; of their idle threads some
        # may end meanwhile, none may come.
        gc.collect()
        before, threads = (asyncio.all_tasks(), descriptors()), threading.active_count()
        runs = [asyncio.ensure_future(ready.run(x=str(n))) for n in range(MANY)]
        await all_there.wait()
        assert descriptors() == before[1]
        assert threading.active_count() <= threads
        for run in runs[::2]:
            run.cancel()
        stopped = await asyncio.gather(*runs[::2], return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in stopped)
        assert waiting == MANY // 2
        go.set()
        results = await asyncio.gather(*runs[1::2])
        assert [r.value for r in results] == [str(n) for n in range(1, MANY, 2)]
        assert len({result.run_id for result in results}) == MANY // 2
        assert (asyncio.all_tasks(), descriptors()) == before
        assert threading.active_count() <= threads

    asyncio.run(asyncio.wait_for(main(), 240))


@linux
@pytest.mark.parametrize("seed", range(3))
def test_stopped_at_any_moment_nothing_is_left(tmp_path: Path, seed: int) -> None:
    """Tools with sockets and threads, votes, lists, people, all sinks; each stopped somewhere."""
    loaded = load(tmp_path, PROGRAM)
    chance = random.Random(seed)
    sinks = (
        TraceFiles(tmp_path / "traces", content=True),
        AuditLog(tmp_path / "audit.jsonl"),
        OpenTelemetry(TracerProvider()),
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)  # until the other side goes
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def fetch(x: str) -> str:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.sleep(chance.random() * 0.02)
            finally:
                writer.close()
            return x

        def wait(x: str) -> str:
            socket.socket().close()
            return x

        async def model(request: Any) -> str:
            await asyncio.sleep(chance.random() * 0.02)
            return "fine"

        tools = {"wait": wait, "fetch": fetch}
        models = Models(a=model, b=model, deep=model)
        ready = [
            handle(loaded, models, Humans(), tools, pipeline, sinks)
            for pipeline in ("main", "wide")
        ]
        # What is made once stays: connections of the loop, threads that wait for more work.
        await asyncio.wait({asyncio.ensure_future(ready[0].run(x="x"))}, timeout=5)
        await _quiet()
        before = (asyncio.all_tasks(), descriptors())
        threads = threading.active_count()
        for _ in range(3):
            runs = [asyncio.ensure_future(chance.choice(ready).run(x="x")) for _ in range(20)]
            for run in runs:
                asyncio.get_running_loop().call_later(chance.random() * 0.06, run.cancel)
            await asyncio.gather(*runs, return_exceptions=True)
        await _quiet()
        assert (asyncio.all_tasks(), descriptors()) == before
        # Threads are used again, and end after ten idle seconds.
        assert threading.active_count() <= threads + 30
        server.close()
        await server.wait_closed()

    asyncio.run(asyncio.wait_for(main(), 120))
    assert all(getattr(sink, "problem", None) is None for sink in sinks)


async def _quiet() -> None:
    """Let the other side of closed connections notice. Garbage is collected twice only: late in a
    long row of tests a collection goes through the heaps of all that ran before.
    """
    gc.collect()
    await asyncio.sleep(0.2)
    gc.collect()
