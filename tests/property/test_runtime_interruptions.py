"""A kill, a cancellation or a fault at every await of generated pipelines.

Every tool, model, person, MCP server and store of a pipeline passes a `Stage`, which counts the
awaits of foreign code. A pipeline is run once undisturbed, and then once for each of these awaits,
at which something happens. Whatever it is: nothing acts after the end, nothing that was done is
done again, no task is left, and nothing but a cancellation comes out of the run.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")

from pipelang import Answered, Escalated, Failed, Rejected
from pipelang.runtime.host.handle import LoadedProgram

from ..unit.runtime.stage import left_over, load
from ..unit.runtime.virtual_time import virtual
from .interruptions import Stage

TOOLS = """
tool put(x: text) -> text {
  effect write idempotent cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
tool pay(x: text) -> text {
  effect irreversible cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
tool far(x: text) -> text {
  mcp "srv" "far" effect write idempotent cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
tool rated(x: text) -> text {
  effect write idempotent cost $0.00001 latency 1ms median succeeds 99% timeout 20s rate 1/s
}
tool look(x: text) -> text {
  effect read cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
memory notes(key: text) -> [text] max 3 { keeps 1h }
memory last(key: text) -> text { keeps 1h }
pipeline inner(x: text) -> text {
  budget $1, 60s
  step a = call put(x) { retry 1 } else fail "none"
  step b: text = ask say(x) by small { output 10 tokens max } else "n"
  return a
}
pipeline outer(x: text) -> text {
  step a = call far(x) else fail "none"
  remember last(x) = a
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
    "stored": 'step NAME = call look(x) { cache 1h by x } else "n"',
    "far": 'step NAME = call far(x) { retry 1 } else call put("f") else "n"',
    "rated": "step NAME: [text?] max 2 = each y in [x, x] { call rated(y) } { need any }"
    ' else fail "r"',
    "asked": 'step NAME: text = ask say(x) by boss { timeout 9s retry 1 } else "n"',
    "cascade": 'step NAME: text = ask say(x) by cascade(small, big) until it != "said"'
    ' { output 10 tokens max accuracy 90% } else "n"',
    "tools": "step NAME: text = agent say(x) by small with look, outer"
    ' { steps 3 output 10 tokens max } else "n"',
    "notes": 'step NAME = recall notes(x)\n  remember notes(x) = "NAME"',
    "update": 'step NAME = recall last(x)\n  remember last(x) = if NAME? then NAME else "first"',
    "hold": 'hold NAME for 5s by boss showing x else reject "no"',
    "approve": 'approve NAME by boss within 5s showing x else reject "no"',
    "redo": 'step NAME: text = ask say(x) by small { output 10 tokens max } else "n"\n'
    '  gate NAMEg: NAME != "said" else redo NAME up to 1 else fail "g"',
}
BUDGETS = ("", "budget $0.0003", "budget 12s", 'budget $0.0009, 40s else reject "spent"')

WHATS = ("kill", "cancel", "raise", "cancelled", "exit", "generator", "interrupt", "wrong")
MANNERS = ("honest", "raises", "value")


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
            await stage.runtime.close()
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
