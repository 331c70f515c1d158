"""The work of a step and the weight of a waiting run, counted: times depend on the machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Any

import pytest

import pipelang
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.run import Run
from pipelang.runtime.host.handle import Handle, Runtime

from ..stage import load

TOOL = 'tool noop(x: int) -> int { python "noops:noop" effect pure }\n'


def chain(steps: int) -> str:
    lines = [f"  step s{i + 1} = call noop(s{i})" for i in range(steps)]
    body = "\n".join(["  step s0 = call noop(x)", *lines, f"  return s{steps}"])
    return f"{TOOL}pipeline main(x: int) -> int {{\n{body}\n}}\n"


def fan(steps: int) -> str:
    lines = "\n".join(f"  step s{i} = call noop(x)" for i in range(steps))
    return f"{TOOL}pipeline main(x: int) -> int {{\n{lines}\n  return s0\n}}\n"


def ready(folder: Path, text: str, noop: Any, trace: bool = False) -> Handle:
    loaded = load(folder, text)
    return loaded.pipeline("main", tools={"noop": noop}, runtime=Runtime(trace=trace))


OURS = str(Path(pipelang.__file__).parent)


def calls_of(handle: Handle) -> int:
    """The functions of ours that a run calls; the first run prepares what all share."""
    found = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal found
        found += event == "call" and frame.f_code.co_filename.startswith(OURS)

    async def both() -> None:
        await run_pipeline(handle.start({"x": 1}))
        sys.setprofile(count)
        try:
            await run_pipeline(handle.start({"x": 1}))
        finally:
            sys.setprofile(None)

    asyncio.run(both())
    return found


async def noop(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ("text", "trace", "most"),
    [(chain, False, 24), (chain, True, 43), (fan, False, 27), (fan, True, 46)],
)
def test_a_step_calls_few_functions(tmp_path: Path, text: Any, trace: bool, most: int) -> None:
    few, many = (calls_of(ready(tmp_path, text(steps), noop, trace)) for steps in (20, 60))
    assert (many - few) / 40 <= most


def frames_of(work: Coroutine[Any, Any, Any]) -> list[str]:
    found, at = [], work
    while isinstance(at, CoroutineType):
        found.append(at.cr_code.co_name)
        at = at.cr_await
    return found


def test_a_waiting_run_holds_few_frames(tmp_path: Path) -> None:
    async def main() -> tuple[list[str], Run]:
        goes_on = asyncio.Event()

        async def wait(x: int) -> int:
            await goes_on.wait()
            return x

        run = ready(tmp_path, chain(3), wait).start({"x": 1})
        work = run_pipeline(run)
        task = asyncio.create_task(work)
        for _ in range(5):
            await asyncio.sleep(0)
        frames = frames_of(work)
        goes_on.set()
        await task
        return frames, run

    frames, _ = asyncio.run(main())
    assert frames == ["run_pipeline", "_go_through", "walk", "call", "wait", "wait"]


def test_what_few_runs_need_is_not_made(tmp_path: Path) -> None:
    handle = ready(tmp_path, chain(1), noop)
    first, second = handle.start({"x": 1}), handle.start({"x": 1})
    assert first.terms is second.terms
    assert first.known_id is None
    asyncio.run(run_pipeline(first))
    for made in (first._notes, first._calls, first.trace, first.visits):
        assert made is None


def test_a_run_has_no_getattr() -> None:
    """Python looks up every attribute of a class with a `__getattr__` in its slowest way."""
    assert not hasattr(Run, "__getattr__")
    assert Run.__getattribute__ is object.__getattribute__
