"""A kill, a cancellation or a fault at every await of generated pipelines.

Every tool, model and person of a pipeline passes a `Stage`, which counts the awaits of foreign
code. A pipeline is run once undisturbed, and then once for each of these awaits, at which something
happens. Whatever it is: nothing acts after the end, nothing that was done is done again, no task
is left, and nothing but a cancellation comes out of the run.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelang import Answered, Escalated, Failed, Rejected, Runtime
from pipelang.runtime.engine.world import Decision, Question, ToolCall
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage

from ..unit.runtime.stage import left_over, load
from ..unit.runtime.virtual_time import VirtualTime, virtual

TOOLS = """
tool put(x: text) -> text {
  effect write idempotent cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
tool pay(x: text) -> text {
  effect irreversible cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
pipeline inner(x: text) -> text {
  budget $1, 60s
  step a = call put(x) { retry 1 } else fail "none"
  step b: text = ask say(x) by small { output 10 tokens max } else "n"
  return a
}
"""

STEPS = {
    "put": 'step NAME = call put(x) { retry 1 } else call put("b") else "n"',
    "pay": 'step NAME = call pay(x) else call put("c") else "n"',
    "ask": "step NAME: text = ask say(x) by small { retry 2 timeout 9s output 10 tokens max }"
    ' else "n"',
    "vote": "step NAME: text = ask say(x) by small { vote 3 retry 1 output 10 tokens max }"
    ' else "n"',
    "each": 'step NAME: [text?] max 3 = each y in ["a", "b", "c"] { call put(y) else call pay(y) }'
    ' { need any } else fail "e"',
    "order": 'step NAME: [text?] max 2 = each y in ["a", "b"] ordered'
    ' { match y { "a" => run inner(y) else => call pay(y) } } { need any } else fail "e"',
    "run": 'step NAME = run inner(x) { retry 1 } else "n"',
    "agent": "step NAME: text = agent say(x) by small with inner { steps 3 output 10 tokens max }"
    ' else "n"',
    "cached": "step NAME: text = ask say(x) by small { cache 1h by x output 10 tokens max }"
    ' else "n"',
    "approve": 'approve NAME by boss within 5s showing x else reject "no"',
    "redo": 'step NAME: text = ask say(x) by small { output 10 tokens max } else "n"\n'
    '  gate NAMEg: NAME != "said" else redo NAME up to 1 else fail "g"',
}
BUDGETS = ("", "budget $0.0003", "budget 12s", 'budget $0.0009, 40s else reject "spent"')

WHATS = ("kill", "cancel", "raise", "cancelled", "exit", "generator", "interrupt", "wrong")
MANNERS = ("honest", "raises", "value")


class Stage:
    """Foreign code that does `what` at its await number `at`, counted from 1, and that takes being
    cancelled in its own manner.
    """

    name = "lab"

    def __init__(self, clock: VirtualTime, what: str, at: int, manner: str) -> None:
        self.clock, self.what, self.at, self.manner = clock, what, at, manner
        self.count = 0
        self.over: float | None = None
        self.task: asyncio.Task[Any] | None = None
        self.runtime = Runtime(
            providers={"lab": self}, people=self, tools={"put": self.put, "pay": self.pay}
        )
        self.done: set[str] = set()
        self.wrong: list[str] = []

    async def point(self) -> None:
        """One await of foreign code."""
        self.count += 1
        number = self.count
        if number == self.at:
            self.happen()
        try:
            await asyncio.sleep(0.25 * (1 + number % 5))
        except asyncio.CancelledError:
            if self.manner == "raises":
                raise ConnectionError("cleanup failed") from None
            if self.manner == "honest":
                raise

    def happen(self) -> None:
        match self.what:
            case "kill":
                self.over = self.clock.now
                self.runtime.switches.kill(reason="stop")
            case "cancel":
                assert self.task is not None
                self.over = self.clock.now
                self.task.cancel()
            case "raise":
                raise RuntimeError("broken")
            case "cancelled":
                raise asyncio.CancelledError
            case "exit":
                raise SystemExit(3)
            case "generator":
                raise GeneratorExit
            case "interrupt":
                raise ModelFault("connection", "gone")

    def begins(self, key: str) -> None:
        """An effect begins."""
        if self.what == "kill" and self.over is not None:
            self.wrong.append(f"{key} after the kill")
        if self.over is not None and self.clock.now > self.over:
            self.wrong.append(f"{key} after the end")
        if key in self.done:
            self.wrong.append(f"{key} twice")

    async def put(self, x: str, idempotency_key: str) -> Any:
        self.begins(idempotency_key)
        await self.point()
        if self.what == "wrong" and self.count == self.at:
            return 7  # nobody can tell from that whether it was done
        self.done.add(idempotency_key)
        return "done"

    async def pay(self, x: str, idempotency_key: str) -> Any:
        return await self.put(x, idempotency_key)

    async def answer(self, *request: Any) -> Any:
        await self.point()
        if not isinstance(request[0], ModelRequest):
            return "said"
        asked: ModelRequest = request[0]
        if asked.tools and not asked.turns:
            calls = (ToolCall("1", "inner", {"x": "p"}), ToolCall("2", "inner", {"x": "p"}))
            return ModelAnswer(None, Usage(1, 1), "s", calls=calls)
        wrong: Any = 7 if self.what == "wrong" else "s"
        return ModelAnswer("said", Usage(5, 5), wrong)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        await self.point()
        return None

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        await self.point()
        return Decision(True, by="ada")

    async def close(self) -> None:
        return None


def once(program: LoadedProgram, what: str, at: int, manner: str) -> tuple[int, list[str]]:
    """Run a pipeline; how many awaits there were, and what went wrong."""
    with virtual() as clock:

        async def main() -> tuple[int, list[str]]:
            stage = Stage(clock, what, at, manner)
            ready = program.pipeline("main", runtime=stage.runtime).with_options(run_id="r")
            stage.task = asyncio.ensure_future(ready.run(x="a"))
            wrong = stage.wrong
            try:
                result = await stage.task
                if not isinstance(result, (Answered, Escalated, Failed, Rejected)):
                    wrong.append(f"no result: {result}")
                if what == "cancel" and stage.over is not None:
                    wrong.append(f"it went on after its cancellation to {type(result).__name__}")
            except asyncio.CancelledError:
                if what != "cancel":
                    wrong.append("it was cancelled by nobody")
            except BaseException as error:
                wrong.append(f"it raised {error!r}")
            wrong += [f"left over: {task}" for task in left_over()]
            if stage.over is None:
                stage.over = clock.now
            await asyncio.sleep(60)
            return stage.count, wrong

        return asyncio.run(main())


def text_of(kinds: list[str], budget: str) -> str:
    steps = [STEPS[kind].replace("NAME", f"s{number}") for number, kind in enumerate(kinds)]
    body = "\n  ".join([budget, *steps, "return x"])
    return f"{TOOLS}\npipeline main(x: text) -> text {{\n  {body}\n}}\n"


def judge(kinds: list[str], budget: str, whats: tuple[str, ...], manner: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = load(Path(folder), text_of(kinds, budget))
    awaits, wrong = once(program, "nothing", 0, manner)
    assert wrong == []
    for what in whats:
        for at in range(1, awaits + 1):
            _, wrong = once(program, what, at, manner)
            assert wrong == [], (what, at, kinds, budget, manner)


@pytest.mark.parametrize("kind", STEPS)
def test_everything_at_every_await_of_one_step(kind: str) -> None:
    for manner in MANNERS:
        judge([kind, "pay"], "budget $1, 300s", WHATS, manner)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4),
    st.sampled_from(BUDGETS),
    st.sampled_from(WHATS),
    st.sampled_from(MANNERS),
)
def test_something_at_every_await_of_a_generated_pipeline(
    kinds: list[str], budget: str, what: str, manner: str
) -> None:
    judge(kinds, budget, (what,), manner)
