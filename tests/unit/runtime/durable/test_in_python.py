"""Durable runs from Python: what a host submits, and what it gets back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import pipelang
from pipelang.runtime.durable import listing
from pipelang.runtime.durable.address import BadAddress, KeyConflict, NotPossible, UnknownRun
from pipelang.runtime.host.handle import Handle

from .by_hand import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    yield made
    made.store.close()


def handle(stage: Stage, name: str = "acts") -> Handle:
    tools = {"put": stage.put, "pay": stage.pay, "look": stage.look}
    runtime = pipelang.Runtime(tools=tools, store=stage.url)
    return stage.loaded.pipeline(name, runtime=runtime)


def test_a_result_comes_back_as_it_was(stage: Stage) -> None:
    acts = handle(stage)
    run = acts.submit(x="a", key="k", tenant="t", thread="th", priority=3)
    assert acts.submit({"x": "a"}, key="k", tenant="t") == run
    row = stage.row(run)
    assert (row["tenant"], row["thread"], row["priority"]) == ("t", "th", 3)
    assert stage.do(stage.take(run))
    result = asyncio.run(acts.result(run))
    assert isinstance(result, pipelang.Answered)
    assert (result.value, result.run_id) == ("pay put pay seen a", run)
    assert result.cost == Decimal("0.00012")
    asyncio.run(acts.runtime.close())


def test_a_result_is_waited_for(stage: Stage) -> None:
    acts = handle(stage)
    run = acts.submit(x="a")

    async def main() -> pipelang.Result:
        waiting = asyncio.ensure_future(acts.result(run))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        assert await asyncio.to_thread(lambda: stage.do(stage.take(run)))
        return await waiting

    assert isinstance(asyncio.run(main()), pipelang.Answered)


def test_what_cannot_be_is_an_exception(stage: Stage) -> None:
    acts, asks = handle(stage), handle(stage, "asks")
    with pytest.raises(pipelang.InputError):
        acts.submit(y="a")
    run = acts.submit(x="a", key="k")
    with pytest.raises(KeyConflict):
        acts.submit(x="b", key="k")
    for wrong in (
        {"key": ""},
        {"key": 5},
        {"key": "\ud800"},
        {"thread": "a\x00"},
        {"tenant": ""},
        {"priority": 0},
        {"priority": 2**31},
        {"priority": "3"},
        {"delay": -1.0},
        {"delay": float("nan")},
        {"delay": float("inf")},
        {"delay": "1h"},
    ):
        with pytest.raises(ValueError, match=f"a {next(iter(wrong))} is"):
            acts.submit({"x": "a"}, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UnknownRun):
        asyncio.run(acts.result("nobody"))
    with pytest.raises(NotPossible, match="`acts`"):
        asyncio.run(asks.result(run))
    alone = stage.loaded.pipeline("acts", runtime=stage.runtime)
    with pytest.raises(BadAddress, match="no store"):
        alone.submit(x="a")


SET = """
setting least: int in 0..9 = 3
tool pay(x: text) -> text { effect irreversible permit "paying" timeout 20s }
pipeline main(x: text) -> text {
  permits "paying"
  step a = call pay(x) else fail "unpaid"
  return if least >= 5 then "much" else a
}
"""


def test_permits_and_settings_go_with_the_run(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "set.pipe"
    file.write_text(SET, encoding="utf-8")
    stage.loaded = pipelang.load(file, allow=["P507"])
    runtime = pipelang.Runtime(tools={"pay": stage.pay}, store=stage.url)
    main = stage.loaded.pipeline("main", runtime=runtime)
    plain, without = main.submit(x="a"), main.with_options(permits=()).submit(x="a")
    turned = main.with_options(settings={"least": 7}).submit(x="a")
    assert stage.do(stage.take(plain))
    assert stage.do(stage.take(without))
    assert listing.run(stage.store, plain)["result"] == {"value": "pay a"}
    assert listing.run(stage.store, without)["result"]["code"] == "unpaid"
    stage.loaded = stage.loaded.with_settings({"least": 7})
    assert stage.do(stage.take(turned))
    assert listing.run(stage.store, turned)["result"] == {"value": "much"}
    assert len(stage.store.rows("SELECT 1 FROM pipelang_programs")) == 2
    asyncio.run(runtime.close())
