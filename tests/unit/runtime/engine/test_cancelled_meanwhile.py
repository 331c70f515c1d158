"""A run that is cancelled while it works, not while it waits, stops all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelang import Runtime

from ..stage import load

PROGRAM = """
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
tool pay(x: text) -> text { effect irreversible latency 1ms median succeeds 99% }
pipeline main(x: text) -> text {
  step a = call look(x) else "n"
  step b = call pay(a) else "n"
  return b
}
"""


@pytest.mark.parametrize("kind", ["run", "step", "result", "effect", "done"])
def test_by_a_sink(tmp_path: Path, kind: str) -> None:
    """Whatever a sink is told when it cancels the run: the tool that is called next does not make
    a failed attempt of it.
    """
    paid: list[str] = []
    seen = 0

    async def look(x: str) -> str:
        await asyncio.sleep(0)
        return x

    async def pay(x: str) -> str:
        await asyncio.sleep(0)
        paid.append(x)
        return x

    def sink(run_id: str, event: Any) -> None:
        nonlocal seen
        if event.kind == kind:
            seen += 1
            if seen == 1:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()

    async def main() -> None:
        runtime = Runtime(sinks=(sink,))
        ready = load(tmp_path, PROGRAM).pipeline(
            "main", runtime=runtime, tools={"look": look, "pay": pay}
        )
        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(ready.run(x="a"))

    asyncio.run(main())
    assert seen == 1 or kind != "effect"
    assert paid == []
