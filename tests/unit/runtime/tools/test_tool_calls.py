"""Calls of tools: what is granted, how often, under which key, and what comes back."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import pydantic
import pytest

from pipelang import Answered, Failed
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.providers.protocol import ModelAnswer, Usage

from ..stage import OUT, Models, events, handle, left_over, load, play

WRITES = """
tool put(x: text) { effect write permit "put.it" latency 1ms median succeeds 99% }
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
"""


class Ledger:
    """A tool that writes down the keys of its calls; the first `fails` of them raise."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.seen: list[tuple[str, str]] = []

    def put(self, x: str, *, idempotency_key: str) -> None:
        self.seen.append((x, idempotency_key.partition("/")[2]))
        if len(self.seen) <= self.fails:
            raise OSError("down")

    @property
    def tools(self) -> dict[str, Any]:
        return {"put": self.put, "look": lambda x: x}


# ----------------------------------------------------------------------------------- permits


NESTED = (
    WRITES
    + """
pipeline inner(x: text) -> bool {
  permits "put.it"
  step sent = call put(x) else fail "not_granted"
  return true
}
pipeline main(x: text) -> bool {
  permits "put.it"
  step done = run inner(x)
  return done
}
"""
)


@pytest.mark.parametrize(
    ("granted", "works"), [(None, True), (["put.it"], True), (["put.it", "b"], True), ([], False)]
)
def test_a_sub_pipeline_has_at_most_what_the_host_granted(
    tmp_path: Path, granted: Any, works: bool
) -> None:
    ledger = Ledger()
    ready = handle(load(tmp_path, NESTED), tools=ledger.tools).with_options(permits=granted)
    result = ready.run_sync(x="a")
    assert isinstance(result, Answered if works else Failed)
    assert bool(ledger.seen) == works


def test_options_are_of_the_handle_that_has_them_and_collide_with_no_input(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        memory seen(key: text) -> text { keeps 24h }
        pipeline main(permits: text, run_id: text) -> text? {
          step old = recall seen("a")
          remember seen("a") = permits
          return old
        }
        """,
    )
    ready = handle(loaded)
    ours = ready.with_options(tenant="acme", run_id="r1")
    assert getattr(ours.run_sync(permits="p", run_id="x"), "run_id", None) == "r1"
    assert getattr(ready.run_sync(permits="q", run_id="x"), "value", 0) is None
    assert getattr(ours.run_sync(permits="r", run_id="x"), "value", 0) == "p"

    async def stream() -> Any:
        updates = [u async for u in ours.with_options(run_id="r2").stream(permits="s", run_id="")]
        return updates[-1].result

    assert asyncio.run(stream()).run_id == "r2"


# -------------------------------------------------------------------------------------- keys


def keys(folder: Path, body: str, fails: int = 0, models: Any = None, **inputs: Any) -> Any:
    ledger = Ledger(fails)
    result = play(load(folder, WRITES + body), models, tools=ledger.tools, **inputs)
    assert isinstance(result, Answered), result
    return ledger.seen


def test_attempts_of_one_call_have_one_key(tmp_path: Path) -> None:
    body = """pipeline main(x: text) -> bool {
      permits "put.it"
      step a = call look(x)
      step b = call put(a) { retry 2 }
      step c = call put("c")
      return true
    }"""
    assert keys(tmp_path, body, fails=2, x="x") == [
        ("x", "b/0"), ("x", "b/0"), ("x", "b/0"), ("c", "c/0")
    ]  # fmt: skip


def test_a_fallback_is_another_call(tmp_path: Path) -> None:
    body = """pipeline main(x: text) -> bool {
      permits "put.it"
      step b = call put("one") { retry 1 } else call put("two")
      return true
    }"""
    assert keys(tmp_path, body, fails=2, x="x") == [
        ("one", "b/0"),
        ("one", "b/0"),
        ("two", "b/0:else1"),
    ]


def test_an_element_has_its_index_whatever_the_order(tmp_path: Path) -> None:
    body = """pipeline main(xs: [text] max 5) -> bool {
      permits "put.it"
      step b = each x in xs { call put(x) { retry 1 } else call put("late") }
      return true
    }"""
    assert sorted(keys(tmp_path, body, xs=["p", "q", "r"])) == [
        ("p", "b/0"), ("q", "b/1"), ("r", "b/2")
    ]  # fmt: skip
    late = keys(tmp_path, body, fails=2, xs=["p"])
    assert late == [("p", "b/0"), ("p", "b/0"), ("late", "b/0:else1")]


def test_a_retried_sub_pipeline_repeats_its_keys(tmp_path: Path) -> None:
    inner = """pipeline inner(x: text) -> bool {
      permits "put.it"
      step sent = call put(x)
      step checked = call put("check")
      return true
    }
    pipeline main(x: text) -> bool {
      permits "put.it"
      step a = run inner(x) { retry 1 } else run inner("other")
      return a
    }"""
    assert keys(tmp_path, inner, fails=1, x="x") == [
        ("x", "a/sent/0"), ("x", "a/sent/0"), ("check", "a/checked/0")
    ]  # fmt: skip
    assert keys(tmp_path, inner, fails=2, x="x")[2:] == [
        ("other", "a:else1/sent/0"), ("check", "a:else1/checked/0")
    ]  # fmt: skip


def test_what_an_agent_runs_twice_are_two_things(tmp_path: Path) -> None:
    body = f"""pipeline note(x: text) -> bool {{
      permits "put.it"
      step sent = call put(x)
      return true
    }}
    pipeline main(x: text) -> Answer {{
      permits "put.it"
      step a: Answer = agent say(x) by small with note {OUT[:-1]} steps 3 }}
      return a
    }}"""
    asks = ModelAnswer(
        None,
        Usage(1, 1),
        "s",
        calls=(ToolCall("1", "note", {"x": "p"}), ToolCall("2", "note", {"x": "q"})),
    )
    models = Models(a=[asks, {"value": "v", "confidence": 1}])
    assert sorted(keys(tmp_path, body, models=models, x="x")) == [
        ("p", "a:turn0.0/sent/0"), ("q", "a:turn0.1/sent/0")
    ]  # fmt: skip


def test_who_was_offered_no_tools_can_ask_for_none(tmp_path: Path) -> None:
    """A call in place of an answer is none: the step must not go on without a value."""
    body = f"""pipeline main(x: text) -> Answer {{
      permits "put.it"
      step a: Answer = ask say(x) by small {OUT[:-1]} retry 1 }}
      step sent = call put(a.value)
      return a
    }}"""
    ledger, call = Ledger(), ToolCall("1", "put", {"x": "p"})
    forged = ModelAnswer({"value": "v", "confidence": 1}, Usage(1, 1), "s", calls=(call,))
    loaded = load(tmp_path, WRITES + body)
    stubborn = play(loaded, models=Models(a=forged), tools=ledger.tools, x="x")
    assert isinstance(stubborn, Failed)
    assert (stubborn.code, stubborn.reason, ledger.seen) == ("chain_exhausted", "a", [])
    models = Models(a=[forged, {"value": "v", "confidence": 1}])
    assert isinstance(play(loaded, models=models, tools=ledger.tools, x="x"), Answered)
    assert "tools" in str(models.requests[1].misfit)
    assert [x for x, _ in ledger.seen] == ["v"]


def test_every_call_is_audited_with_its_key(tmp_path: Path) -> None:
    body = """pipeline main(x: text) -> bool {
      permits "put.it"
      step b = call put(x) { retry 1 }
      return true
    }"""
    result = play(load(tmp_path, WRITES + body), tools=Ledger(1).tools, x="x")
    told = [e.data["key"] for e in result.trace if e.kind in ("failed", "result")]
    assert told == [f"{result.run_id}/b/0"] * 2


# ------------------------------------------------------------------------------------- rates

RATED = """
tool put(x: int) -> int { effect read rate 3/s latency 1ms median succeeds 99% }
pipeline main(x: int) -> int {
  BUDGET
  step a = call put(x) { OPTIONS } else -1
  return a
}
"""


@pytest.mark.usefixtures("virtual_time")
def test_a_rate_holds_for_all_runs_of_a_runtime_and_blocks_nobody(tmp_path: Path) -> None:
    loaded = load(tmp_path, RATED.replace("BUDGET", "").replace("{ OPTIONS }", ""))
    at: list[float] = []

    async def put(x: int) -> int:
        at.append(time.monotonic())
        return x

    async def main() -> list[Result]:
        first = handle(loaded, tools={"put": put})
        second = loaded.pipeline("main", runtime=first.runtime, tools={"put": put})
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.ensure_future(tick())
        results = await asyncio.gather(*((first, second)[i % 2].run(x=i) for i in range(7)))
        ticking.cancel()
        assert ticks > 20, "the loop goes on while calls wait"
        return results

    results = asyncio.run(main())
    assert sorted(getattr(r, "value", None) for r in results) == list(range(7))
    at.sort()
    assert all(later - earlier >= 0.99 for earlier, later in zip(at, at[3:], strict=False))


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize(
    ("budget", "options", "ends"),
    [("", "timeout 200ms", -1), ('budget 200ms else fail "late"', "", "late")],
)
def test_waiting_for_a_rate_counts_as_time(
    tmp_path: Path, budget: str, options: str, ends: Any
) -> None:
    loaded = load(tmp_path, RATED.replace("BUDGET", budget).replace("OPTIONS", options))
    calls: list[int] = []

    async def put(x: int) -> int:
        calls.append(x)
        return x

    async def main() -> Any:
        ready = handle(loaded, tools={"put": put})
        await asyncio.gather(*(ready.run(x=i) for i in range(3)))
        return await ready.run(x=9)

    result = asyncio.run(main())
    assert getattr(result, "value", getattr(result, "code", None)) == ends
    assert 9 not in calls


# ------------------------------------------------------------------------------ what comes back


class Colour(enum.Enum):
    red = "red"


class Part(NamedTuple):
    n: int


@dataclasses.dataclass
class Data:
    name: str
    parts: list[Part]
    colour: Colour


class Model(pydantic.BaseModel):
    name: str
    parts: tuple[Part, ...]
    colour: Colour


BOX = """
enum Colour { red blue }
type Part { n: int }
type Box { name: text  parts: [Part] max 5  colour: Colour }
tool get() -> Box { effect read latency 1ms median succeeds 99% }
tool do() { effect read latency 1ms median succeeds 99% }
pipeline main() -> Box { step a = call get() return a }
pipeline other() -> bool { step a = call do() return true }
"""


@pytest.mark.parametrize(
    "made",
    [
        Data("a", [Part(1)], Colour.red),
        Model(name="a", parts=(Part(1),), colour=Colour.red),
        {"name": "a", "parts": [Part(1)], "colour": "red"},
    ],
)
def test_what_stands_for_a_record_is_one(tmp_path: Path, made: Any) -> None:
    result = play(load(tmp_path, BOX), tools={"get": lambda: made, "do": print})
    assert isinstance(result, Answered), result
    assert result.value.model_dump() == {"name": "a", "parts": [{"n": 1}], "colour": "red"}


async def lazily() -> Any:
    yield 1


def slowly() -> Any:
    yield 1


@pytest.mark.parametrize(("function", "word"), [(lazily, "async generator"), (slowly, "generator")])
def test_a_generator_has_done_nothing_yet(tmp_path: Path, function: Any, word: str) -> None:
    tools = {"get": function, "do": function}
    for name in ("main", "other"):
        result = play(load(tmp_path, BOX), tools=tools, pipeline=name)
        assert isinstance(result, Failed)
        assert word in events(result, "failed")[0].data["message"]


def test_a_list_in_itself_ends(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    loaded = load(
        tmp_path,
        """tool get() -> json { effect read latency 1ms median succeeds 99% }
        pipeline main() -> json { step a = call get() return a }""",
    )
    result = play(loaded, tools={"get": lambda: loop})
    assert isinstance(result, Failed)
    assert "larger than" in events(result, "failed")[0].data["message"]


@pytest.mark.parametrize(
    ("is_async", "error"),
    [
        (False, KeyboardInterrupt()),
        (False, GeneratorExit()),
        (False, BaseException("odd")),
        (True, KeyboardInterrupt()),
        (True, BaseException("odd")),
    ],
)
def test_no_exception_of_a_tool_ends_the_program(
    tmp_path: Path, is_async: bool, error: BaseException
) -> None:
    def get() -> None:
        raise error

    async def later() -> None:
        get()

    result = play(load(tmp_path, BOX), tools={"get": later if is_async else get, "do": print})
    assert isinstance(result, Failed)
    assert events(result, "failed")[0].data["why"] == "raised"


def test_threads_of_a_function_that_hangs_do_not_pile_up(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """tool get() -> int { effect read timeout 20ms latency 1ms median succeeds 99% }
        tool fine() -> int { effect read latency 1ms median succeeds 99% }
        pipeline main() -> int { step a = call get() return a }
        pipeline well() -> int { step a = call fine() return a }""",
    )
    open_ = threading.Event()
    tools = {"get": lambda: open_.wait(60) and 1, "fine": lambda: 2}
    before = threading.active_count()

    async def main() -> list[Any]:
        ready = handle(loaded, tools=tools)
        seen: list[Any] = []
        for _ in range(10):
            seen += await asyncio.gather(*(ready.run() for _ in range(20)))
        others = loaded.pipeline("well", runtime=ready.runtime, tools=tools)
        assert getattr(await others.run(), "value", None) == 2, "other tools go on"
        assert threading.active_count() - before < 100
        open_.set()
        await asyncio.sleep(0.2)
        seen.append(await ready.run())
        assert left_over() == []
        return seen

    *failed, last = asyncio.run(main())
    said = [events(result, "failed")[0].data["message"] for result in failed]
    assert "still hang" in said[-1]
    assert getattr(last, "value", None) == 1, "it is called again when its threads are back"
