"""A soak: `python -m benchmarks.soak [RUNS]` runs a pipeline so often and says how memory grew.

Every part that outlives a run takes part: tools, threads, asks, retries, caches, memories, lists,
budgets, kills and cancellations. 200,000 runs must stay within 5 MB once
the first tenth has warmed everything up. The exit code is 1 if they do not.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
from pathlib import Path
from typing import Any

import pipelang
from pipelang.runtime.providers.protocol import ModelAnswer, Usage

MOST = 5 * 2**20
"""Bytes by which memory may grow."""

PROGRAM = """
provider lab { kind fake available 100% }
tier small {
  provider lab model "s" price $1 in, $5 out latency 1s median transient 0% context 100k tokens
}
prompt say(x: text) \"\"\"Say {{ x }}.\"\"\"
memory last(x: text) -> [text] max 3 { keeps 1s }
memory seen(x: text) -> int { keeps 1s }
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% timeout 9s retry 1 }
tool put(x: text) -> text { effect write idempotent latency 1ms median succeeds 99% }
pipeline main(x: text, xs: [text] max 3) -> text {
  budget $0.001, 60s
  step a: text = ask say(x) by small { cache 1h by x retry 1 output 10 tokens max } else "n"
  step b: [text?] max 3 = each y in xs { call look(y) } { need any } else fail "none"
  step old = recall last(x)
  step c = call put(x) else "n"
  remember last(x) = c
  step before = recall seen(x)
  remember seen(x) = if before? then before + 1 else 1
  return a
}
"""


class Lab:
    """A provider that answers at once."""

    name = "lab"

    async def answer(self, request: Any) -> ModelAnswer:
        await asyncio.sleep(0)
        return ModelAnswer("said", Usage(5, 5), request.model)

    async def count_tokens(self, request: Any) -> None:
        return None

    async def close(self) -> None:
        return None


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


async def soak(runs: int, folder: Path) -> int:
    """Run so often; by how many bytes memory grew after the first tenth."""
    file = folder / "soak.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    count = 0

    async def look(x: str) -> str:
        nonlocal count
        count += 1
        if count % 7 == 0:
            raise ValueError("every seventh fails")
        return x

    async def put(x: str) -> str:
        await asyncio.sleep(0)
        return x

    runtime = pipelang.Runtime(
        providers={"lab": Lab()}, tools={"look": look, "put": put}, trace=False
    )
    ready = pipelang.load(file).pipeline("main", runtime=runtime)
    began, done = 0, 0
    while done < runs:
        # As many keys as the caches hold: they are full before the tenth is over.
        batch = [
            asyncio.ensure_future(ready.run(x=f"k{(done + n) % 500}", xs=["a", "b", "c"]))
            for n in range(100)
        ]
        if done % 1000 == 0:
            await asyncio.sleep(0)
            batch[0].cancel()
            runtime.switches.kill(reason="soak")
            runtime.switches.revive()
        await asyncio.gather(*batch, return_exceptions=True)
        done += len(batch)
        if not began and done >= runs // 10:
            gc.collect()
            began = resident()
    gc.collect()
    return resident() - began


def main() -> int:
    """Print how memory grew; the exit code."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        grew = asyncio.run(soak(runs, Path(folder)))
    print(f"{runs} runs: memory grew by {grew / 2**20:.2f} MB, at most {MOST / 2**20:g} MB")
    return 0 if grew <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
