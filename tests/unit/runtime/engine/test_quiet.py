"""Runs that nobody listens to: no events are made, and everything else is as ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Escalated
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.run import Run
from pipelang.runtime.host.handle import Handle, Runtime
from pipelang.runtime.providers.protocol import ModelFault

from ..stage import Models, load

PROGRAM = """
type Two { one: text  two: text }
pipeline inner(x: text) -> text {
  step i: text = ask say(x) by small { output 9 tokens max }
  return i
}
pipeline main(x: text) -> [text] max 2 {
  step a: text = ask say(x) by small { retry 1 output 9 tokens max }
  step b: text = run inner(x)
  step l: [text] max 2 = each y in [a, b] { ask say(y) by small { output 9 tokens max } }
    else escalate to boss "few"
  gate g: a != "bad" else redo a up to 1 else escalate to boss
  return l
}
"""


def ready(tmp_path: Path, trace: bool, sinks: tuple[Any, ...] = (), **scripts: Any) -> Handle:
    runtime = Runtime(providers={"lab": Models(**scripts)}, trace=trace, sinks=sinks)
    return load(tmp_path, PROGRAM).pipeline("main", runtime=runtime)


@pytest.mark.parametrize(
    "scripts",
    [{}, {"a": ["bad", "good"]}, {"a": "bad"}, {"l": ["first", ModelFault("refusal", "no")]}],
)
def test_without_a_trace_all_else_is_the_same(tmp_path: Path, scripts: dict[str, Any]) -> None:
    told = ready(tmp_path, True, **scripts).run_sync(x="q")
    quiet = ready(tmp_path, False, **scripts).run_sync(x="q")
    assert len(told.trace) > 5
    assert quiet.trace == ()
    assert (type(quiet), quiet.cost, quiet.tokens) == (type(told), told.cost, told.tokens)
    if isinstance(told, Answered) and isinstance(quiet, Answered):
        assert quiet.value == told.value
    else:
        assert isinstance(told, Escalated)
        assert isinstance(quiet, Escalated)
        assert quiet.handoff["values"] == told.handoff["values"]


def test_a_sink_hears_everything_although_the_result_carries_nothing(tmp_path: Path) -> None:
    heard: list[Event] = []
    handle = ready(tmp_path, False, sinks=(lambda run, event: heard.append(event),))
    result = handle.run_sync(x="q")
    assert result.trace == ()
    kinds = [event.kind for event in heard]
    assert kinds == [event.kind for event in ready(tmp_path, True).run_sync(x="q").trace]


def test_a_stream_needs_no_trace(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        return [update async for update in ready(tmp_path, False).stream(x="q")]

    updates = asyncio.run(main())
    assert len(updates) > 4
    assert isinstance(updates[-1].result, Answered)


def test_runs_of_one_handle_share_nothing(tmp_path: Path) -> None:
    handle = ready(tmp_path, True)

    async def main() -> list[Run]:
        runs = [handle.start({"x": str(n)}) for n in range(3)]
        await asyncio.gather(*(run_pipeline(run) for run in runs))
        return runs

    first, *others = asyncio.run(main())
    for other in others:
        for name in ("values", "made", "calls", "trace", "notes"):
            assert getattr(first, name) is not getattr(other, name), name
        for name in ("redos", "conditions", "partial"):
            assert getattr(first.notes, name) is not getattr(other.notes, name), name
    with pytest.raises(AttributeError):
        _ = first.nothing  # type: ignore[attr-defined]
