"""Runs of a tenant at once, in one process."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path
from random import Random

import pytest

import pipelang
from pipelang import Answered, Runtime
from pipelang.runtime.shared.tenant_turns import TenantTurns


@pytest.mark.parametrize("seed", range(4))
def test_never_more_at_once_whoever_is_cancelled(seed: int) -> None:
    turns, at_work, most, luck = TenantTurns(), Counter[str](), Counter[str](), Random(seed)

    async def one(tenant: str) -> None:
        async with turns.turn(tenant, 2):
            at_work[tenant] += 1
            most[tenant] = max(most[tenant], at_work[tenant])
            try:
                for _ in range(luck.randint(0, 5)):
                    await asyncio.sleep(0)
            finally:
                at_work[tenant] -= 1

    async def all_of_them() -> None:
        tasks = [asyncio.create_task(one(luck.choice("ab"))) for _ in range(40)]
        for _ in range(60):
            await asyncio.sleep(0)
            luck.choice(tasks).cancel()
        ends = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert sum(end is None for end in ends) > 3

    asyncio.run(all_of_them())
    assert most == {"a": 2, "b": 2}
    assert (turns._working, turns._waiting) == ({}, {})


def test_runs_wait_for_their_turn_in_several_loops(tmp_path: Path) -> None:
    (tmp_path / "a.pipe").write_text(
        'tool look(n: int) -> int { python "x:y" effect read timeout 9s }\n'
        'pipeline p(n: int) -> int {\n  step a = call look(n) else fail "no"\n  return a\n}\n',
        encoding="utf-8",
    )
    at_work, most, lock = [0], [0], threading.Lock()

    async def look(n: int) -> int:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        await asyncio.sleep(0.01)
        with lock:
            at_work[0] -= 1
        return n

    runtime = Runtime(tools={"look": look}, per_tenant=3)
    handle = pipelang.load(tmp_path / "a.pipe").pipeline("p", runtime=runtime)
    ended: list[int] = []

    def work() -> None:
        async def some() -> None:
            for result in await asyncio.gather(*(handle.run(n=n) for n in range(8))):
                assert isinstance(result, Answered)
                ended.append(result.value)
            async for update in handle.stream(n=1):
                last = update.result
            assert isinstance(last, Answered)

        asyncio.run(some())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 16
    assert most == [3]
