"""The exits of `examples/resilient_agent`, and what is left at each of them."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.runtime.engine.messages import ToolCall
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.providers.replay import ReplayProvider

from .test_systems import EXAMPLES, load

HERE = EXAMPLES / "resilient_agent"
TOOLS = load(HERE / "tools.py")


@functools.cache
def limits() -> LoadedProgram:
    """Loads it once, and for none who only imports this file."""
    return pipelang.load(HERE / "limits.pipe")


@functools.cache
def program() -> LoadedProgram:
    """Loads it once, and for none who only imports this file."""
    return pipelang.load(HERE / "resilient_agent.pipe")


TASK = {"body": "When do we close?"}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))


def looks(request: ModelRequest, said: int = 10) -> ModelAnswer:
    """A turn that reads a section."""
    call = ToolCall(f"c{len(request.turns)}", "read_doc", {"name": "hours"})
    return ModelAnswer(None, Usage(100, said), request.model, calls=(call,))


def answers(request: ModelRequest) -> ModelAnswer:
    assert request.answer is not None
    said = request.answer.model_validate({"body": "At eight.", "confidence": 0.9})
    return ModelAnswer(said, Usage(100, 10), request.model)


class Scripted:
    """A model that does what a function says, and keeps what it was asked."""

    name = "scripted"
    takes = ReplayProvider.takes

    def __init__(self, does: Callable[[ModelRequest, int], ModelAnswer], wait: float = 0) -> None:
        self.does, self.wait = does, wait
        self.asked: list[ModelRequest] = []
        self.begun = asyncio.Event()

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.asked.append(request)
        self.begun.set()
        if self.wait:
            await asyncio.sleep(self.wait)
        return self.does(request, len(self.asked) - 1)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


def limited(name: str, model: Scripted, program: Any = None) -> pipelang.Handle:
    loaded = program or limits()
    runtime = pipelang.Runtime(providers=dict.fromkeys(loaded.program.providers, model))
    return loaded.pipeline(name, runtime=runtime)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("in_steps", "max_steps"),
        ("in_money", "budget_exceeded"),
        ("in_tokens", "budget_exceeded"),
    ],
)
def test_a_limit_has_its_code_and_leaves_what_was_found(name: str, code: str):
    result = limited(name, Scripted(lambda request, _: looks(request))).run_sync(task=TASK)
    assert isinstance(result, pipelang.Failed)
    assert (result.code, result.reason) == (code, "budget")
    found = result.partial["values"]["found"]
    assert len(found) >= 1
    assert found[0]["tool"] == "read_doc"
    assert "eight" in found[0]["result"]


def test_short_of_time_it_says_so():
    model = Scripted(lambda request, _: looks(request), wait=60)
    result = limited("in_time", model).run_sync(task=TASK)
    assert isinstance(result, pipelang.Failed)
    assert result.code == "timeout"


def test_a_cancelled_run_leaves_nothing_running():
    model = Scripted(lambda request, _: looks(request), wait=60)

    async def run() -> None:
        task = asyncio.create_task(limited("in_steps", model).run(task=TASK))
        await model.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def quick(tmp_path: Path) -> Any:
    """The same limits with waits of milliseconds."""
    file = tmp_path / "limits.pipe"
    text = (HERE / "limits.pipe").read_text("utf-8").replace("backoff 2s..8s", "backoff 1ms..4ms")
    file.write_text(text.replace('"tools:', '"tools:'), "utf-8")
    (tmp_path / "tools.py").write_text((HERE / "tools.py").read_text("utf-8"), "utf-8")
    (tmp_path / "data").mkdir()
    shop = (HERE / "data/shop.json").read_text("utf-8")
    (tmp_path / "data/shop.json").write_text(shop, "utf-8")
    return pipelang.load(file)


def test_three_retries_a_turn_begin_anew_after_a_success(tmp_path: Path):
    """Nine faults in a row of three are survived; the fourth of one turn is not."""

    def shaky(request: ModelRequest, number: int) -> ModelAnswer:
        if number % 4 < 3:
            raise ModelFault("overloaded", "an outage")
        return looks(request) if number < 12 else answers(request)

    program = quick(tmp_path)
    model = Scripted(shaky)
    result = limited("as_reported", model, program).run_sync(task=TASK)
    assert isinstance(result, pipelang.Answered)
    assert len(model.asked) == 16

    def broken(request: ModelRequest, number: int) -> ModelAnswer:
        if number == 0:
            return looks(request)
        raise ModelFault("overloaded", "an outage")

    model = Scripted(broken)
    result = limited("as_reported", model, program).run_sync(task=TASK)
    assert isinstance(result, pipelang.Failed)
    assert result.code == "max_retries"
    assert len(model.asked) == 1 + 4
    assert len(result.partial["values"]["found"]) == 1


@pytest.mark.parametrize(("said", "dear"), [(500, 10), (10, 50)])
def test_under_ten_cents_the_cheap_model_goes_on(said: int, dear: int):
    """10 turns of 500 tokens cost $0.052 of the $0.15, and leave less than $0.10; 50 short ones
    cost $0.015.
    """
    model = Scripted(lambda request, _: looks(request, said))
    result = limited("in_cents", model).run_sync(task=TASK)
    assert isinstance(result, pipelang.Failed)
    assert result.code == "max_retries"
    assert [one.tier for one in model.asked] == ["sonnet"] * dear + ["haiku"] * (50 - dear)
    turns = [event.data["tier"] for event in result.trace if event.kind == "turn"]
    assert turns == [one.tier for one in model.asked]
    assert result.cost <= Decimal("0.15")


def test_who_takes_over_has_the_turns_and_the_code():
    def stuck(request: ModelRequest, _: int) -> ModelAnswer:
        if request.prompt == "answer_at_once":
            raise ModelFault("rejected", "an outage")
        return looks(request)

    result = limited("in_layers", Scripted(stuck)).run_sync(task=TASK)
    assert isinstance(result, pipelang.Escalated)
    assert result.text == "queued for a person"
    inside = result.handoff["unfinished"]["found"]
    assert inside["failed"] == "max_steps"
    assert len(inside["values"]["found"]) == 25


def test_live_updates_say_where_it_is_and_what_it_waits_for():
    class Owner:
        async def decide(
            self, run_id: str, question: pipelang.Question
        ) -> pipelang.Decision | None:
            return pipelang.Decision(yes=True, by="olga")

        async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
            return None

    played = ReplayProvider(HERE / "recordings/resilient_agent.jsonl")
    runtime = pipelang.Runtime(
        providers=dict.fromkeys(program().program.providers, played), people=Owner()
    )
    handle = program().pipeline("handle", runtime=runtime)
    rows = map(json.loads, (HERE / "data/tasks.jsonl").read_text("utf-8").splitlines())
    task = next(row["task"] for row in rows if row["task"]["id"] == "A12")

    async def watch() -> list[Any]:
        return [update async for update in handle.stream(task=task)]

    updates = asyncio.run(watch())
    assert updates[-1].progress == 100
    assert isinstance(updates[-1].result, pipelang.Answered)
    assert updates[-1].result.value.changed
    held = [one.phase for one in updates[:-1] if not one.can_cancel]
    assert held == ["acting"]  # what is being done to the world is not cut off
    progress = [one.progress for one in updates]
    assert progress == sorted(progress)
    assert any(one.needs_approval for one in updates)
    assert len({one.phase for one in updates}) >= 2
    assert str(TOOLS.price_of("BK-102")) == "12.5"
    turns = [e for e in updates[-1].result.trace if e.kind in ("turn", "answer")]
    assert turns
    assert all(
        e.data["tokens_in"] > 0 and e.data["seconds"] >= 0 for e in turns if "tier" in e.data
    )


@pytest.mark.parametrize(
    ("query", "first"),
    [("closing Sunday", "hours"), ("chairs reading", "events"), ('" OR 1=1 --', ""), ("", "")],
)
def test_the_handbook_is_found_by_its_words_and_not_by_its_syntax(query: str, first: str):
    found = TOOLS.search_docs(query)
    assert (found[0].split(":")[0] if found else "") == first or (first == "" and len(found) <= 3)


def test_the_same_key_changes_a_price_once(tmp_path: Path):
    for key in ("r1", "r1", "r2"):
        TOOLS.set_price("BK-101", Decimal(9), key)
    assert len((tmp_path / "prices.jsonl").read_text("utf-8").splitlines()) == 2
    with pytest.raises(LookupError):
        TOOLS.set_price("BK-999", Decimal(9), "r3")
