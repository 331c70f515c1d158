"""OpenTelemetry: which span is whose parent, what they say, what is counted."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.runtime.sinks.otel import OpenTelemetry

from ..stage import NO, OUT, YES, Humans, Models, handle, load


class Telemetry:
    """A sink with its spans and metrics in memory."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.sink = OpenTelemetry(self.provider, MeterProvider([self.reader]))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def paths(self) -> list[str]:
        """Every span with those around it, sorted."""
        by_id = {span.context.span_id: span for span in self.spans}

        def path(span: ReadableSpan) -> str:
            if span.parent is None:
                return span.name
            return f"{path(by_id[span.parent.span_id])} > {span.name}"

        return sorted(path(span) for span in self.spans)

    def points(self, name: str) -> dict[tuple[Any, ...], Any]:
        """The points of a metric by the values of their attributes: a sum, or a count."""
        data = self.reader.get_metrics_data()
        assert data is not None
        found = {}
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        for point in metric.data.data_points:
                            key = tuple(v for _, v in sorted(point.attributes.items()))
                            found[key] = getattr(point, "value", None) or point.count
        return found


PROGRAM = f"""
tool look(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
tool send(x: text) -> text {{ effect irreversible latency 1ms median succeeds 99% }}
pipeline inner(x: text) -> Answer {{
  step deep: Answer = ask say(x) by small {OUT}
  gate sure: deep.confidence >= 50% else escalate to boss
  return deep
}}
pipeline main(x: text) -> text {{
  step a: Answer = ask say(x) by small {OUT}
  step b = call look(x)
  step c = run inner(a.value)
  gate ready: c.confidence >= 60% else escalate to boss
  approve ok by boss showing c else reject
  step sent = call send(b)
  return sent
}}
"""


def answer(confidence: float) -> ModelAnswer:
    return ModelAnswer({"value": "v", "confidence": confidence}, Usage(10, 5), "model-s")


LOOK = {"look": lambda x: x}
TOOLS = {**LOOK, "send": lambda x: x}


def run_all(
    told: Telemetry, loaded: Any, models: Any, people: Any, count: int = 1, tools: Any = None
) -> list[Any]:
    async def main() -> list[Any]:
        ready = handle(loaded, models, people, tools or TOOLS, sinks=(told.sink,))
        before = trace.get_current_span()
        results = await asyncio.gather(*(ready.run(x=f"x{n}") for n in range(count)))
        alone = await ready.run(x="alone")
        # Nothing of a run stays in the context of who ran it.
        assert trace.get_current_span() is before
        return [*results, alone]

    return asyncio.run(main())


ONE = [
    "invoke_workflow main",
    "invoke_workflow main > pipelang.approve ok",
    "invoke_workflow main > pipelang.gate ready",
    "invoke_workflow main > pipelang.step a",
    "invoke_workflow main > pipelang.step a > chat model-s",
    "invoke_workflow main > pipelang.step b",
    "invoke_workflow main > pipelang.step b > execute_tool look",
    "invoke_workflow main > pipelang.step c",
    "invoke_workflow main > pipelang.step c > invoke_workflow inner",
    "invoke_workflow main > pipelang.step c > invoke_workflow inner > pipelang.gate sure",
    "invoke_workflow main > pipelang.step c > invoke_workflow inner > pipelang.step deep",
    "invoke_workflow main > pipelang.step c > invoke_workflow inner > pipelang.step deep"
    " > chat model-s",
    "invoke_workflow main > pipelang.step sent",
    "invoke_workflow main > pipelang.step sent > execute_tool send",
]


def test_spans_nest_as_the_run_does_also_of_runs_side_by_side(tmp_path: Path) -> None:
    chance = random.Random(4)

    async def slow(request: Any) -> ModelAnswer:
        await asyncio.sleep(chance.random() * 0.01)
        return answer(0.9)

    async def decide() -> Any:
        await asyncio.sleep(chance.random() * 0.01)
        return YES

    async def look(x: str) -> str:
        await asyncio.sleep(chance.random() * 0.01)
        return x

    told = Telemetry()
    models = Models(a=slow, deep=slow)
    loaded = load(tmp_path, PROGRAM)
    tools = {"look": look, "send": lambda x: x}
    results = run_all(told, loaded, models, Humans(ok=decide), 10, tools)
    assert all(isinstance(result, Answered) for result in results)
    assert told.paths() == sorted(ONE * 11)
    # Every run is a trace of its own, and knows its id.
    roots = told.named("invoke_workflow main")
    assert len({span.context.trace_id for span in roots}) == 11
    assert {span.attributes["pipelang.run.id"] for span in roots} == {r.run_id for r in results}
    for span in told.spans:
        around = next((s for s in told.spans if s.context.span_id == _parent(span)), None)
        if around is not None:
            assert around.start_time <= span.start_time + 1_000_000
            assert span.end_time <= around.end_time


def _parent(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def test_what_spans_and_metrics_say(tmp_path: Path) -> None:
    told = Telemetry()
    models = Models(a=answer(0.9), deep=[answer(0.9), answer(0.3), answer(0.55), answer(0.8)])
    loaded = load(tmp_path, PROGRAM)
    people = Humans(ok=lambda: NO if len(people.questions) == 2 else YES)
    outcomes = []
    for _ in range(2):
        outcomes += run_all(told, loaded, models, people)
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["Answered", "Escalated", "Escalated", "Rejected"]
    (first, *_), chat = told.named("invoke_workflow main"), told.named("chat model-s")[0]
    assert first.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert first.attributes["gen_ai.workflow.name"] == "main"
    assert first.attributes["gen_ai.agent.name"] == "main"
    assert first.attributes["pipelang.outcome"] == "answered"
    assert first.attributes["pipelang.cost"] == pytest.approx(float(outcomes[0].cost))
    assert first.attributes["pipelang.tokens"] == outcomes[0].tokens
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.response.model"] == "model-s"
    assert chat.attributes["gen_ai.provider.name"] == "lab"
    assert chat.attributes["gen_ai.usage.input_tokens"] == 10
    assert chat.attributes["gen_ai.usage.output_tokens"] == 5
    assert chat.attributes["pipelang.confidence"] == 0.9
    tool = told.named("execute_tool send")[0]
    assert tool.attributes["gen_ai.tool.name"] == "send"
    assert tool.attributes["pipelang.effect"] == "irreversible"
    gates = [span.attributes["pipelang.passed"] for span in told.named("pipelang.gate ready")]
    assert gates == [True, False, True]
    no = told.named("pipelang.approve ok")[1]
    assert (no.attributes["pipelang.by"], no.attributes["pipelang.reason"]) == ("ada", "wrong")
    assert told.points("pipelang.runs") == {
        ("answered", "main"): 1,
        ("escalated", "main"): 2,
        ("rejected", "main"): 1,
    }
    reasons = {e.reason for e in outcomes if isinstance(e, Escalated)}
    assert len(reasons) == 2
    assert told.points("pipelang.escalations") == {("main", r, "boss"): 1 for r in reasons}
    assert told.points("pipelang.answer.confidence") == {
        ("main", "a", "small"): 4,
        ("main", "deep", "small"): 4,
    }
    assert told.points("pipelang.tool.calls") == {
        ("look", "read", False): 4,
        ("send", "irreversible", False): 1,
    }
    assert sum(told.points("pipelang.run.duration").values()) == 4
    assert sum(told.points("pipelang.run.cost").values()) == 4
    assert sum(told.points("gen_ai.client.operation.duration").values()) == 8


def test_failures_fallbacks_and_budgets(tmp_path: Path) -> None:
    told = Telemetry()
    loaded = load(
        tmp_path,
        f"""
        tool look(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
        pipeline main(x: text) -> text {{
          budget 3 steps
          step a: text = ask say(x) by small {{ retry 1 output 100 tokens max }}
            else ask say(x) by big {OUT}
          step b: text = call look(a) else "none"
          step c: text = ask say(b) by small {OUT}
          return c
        }}
        """,
    )

    def broken(x: str) -> str:
        raise ValueError("no")

    models = Models(a=[ModelFault("overloaded", "busy"), ModelFault("server", "500"), "fine"])
    result = run_all(told, loaded, models, None, 0, {"look": broken})[0]
    assert isinstance(result, Failed)
    assert result.code == "max_steps"
    (root,) = told.named("invoke_workflow main")
    assert root.attributes["error.type"] == "max_steps"
    failed = [s.attributes.get("error.type") for s in told.spans if s.name.startswith("chat")]
    assert failed == ["overloaded", "server", None]
    assert told.named("pipelang.budget main")
    step = told.named("pipelang.step a")[0]
    assert [event.name for event in step.events] == ["pipelang.retry", "pipelang.fallback"]
    assert told.points("pipelang.fallbacks") == {("main", "a"): 1}
    # The budget cut the step off: its span ends all the same, inside the run's.
    assert "invoke_workflow main > pipelang.step b" in told.paths()


def test_a_span_around_an_unknown_cost_tells_no_known_part_of_it(tmp_path: Path) -> None:
    told = Telemetry()
    loaded = load(
        tmp_path,
        f"""
        tool look(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
        tier bare {{
          provider lab model "n" latency 1s median transient 0% context 100k tokens
        }}
        pipeline inner(x: text) -> text {{
          step known: text = ask say(x) by small {OUT}
          step unknown: text = ask say(known) by bare {OUT}
          return unknown
        }}
        pipeline main(x: text) -> text {{
          step c = run inner(x)
          step d: text = call look(c)
          return d
        }}
        """,
    )
    used = ModelAnswer("fine", Usage(10, 5), "model")
    (result,) = run_all(told, loaded, Models(known=[used], unknown=[used]), None, 0, LOOK)
    assert isinstance(result, Answered)
    assert result.cost is None
    with_cost = {span.name for span in told.spans if "pipelang.cost" in (span.attributes or {})}
    around = {"invoke_workflow main", "pipelang.step c", "invoke_workflow inner"}
    assert "pipelang.step known" in with_cost
    assert not with_cost & {*around, "pipelang.step unknown"}


def test_a_cancelled_run_leaves_no_span_open(tmp_path: Path) -> None:
    told = Telemetry()
    loaded = load(tmp_path, PROGRAM)

    async def forever(request: Any) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        ready = handle(loaded, Models(a=answer(0.9), deep=forever), None, TOOLS, sinks=(told.sink,))
        task = asyncio.ensure_future(ready.run(x="x"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    (root,) = told.named("invoke_workflow main")
    assert root.attributes["pipelang.outcome"] == "interrupted"
    (deep,) = told.named("pipelang.step deep")
    assert deep.attributes["pipelang.outcome"] == "cancelled"
    assert told.sink._roots == {}


def test_a_span_of_a_tool_and_a_run_in_a_tool_find_their_place(tmp_path: Path) -> None:
    told = Telemetry()
    loaded = load(tmp_path, PROGRAM)
    small = load(tmp_path, "pipeline main(x: text) -> text { return x }", "small.pipe")
    tracer = told.provider.get_tracer("host")

    async def look(x: str) -> str:
        with tracer.start_as_current_span("mine"):
            await handle(small, sinks=(told.sink,)).run(x=x)
        return x

    tools = {"look": look, "send": lambda x: x}
    models = Models(a=answer(0.9), deep=answer(0.9))
    run_all(told, loaded, models, Humans(ok=YES), 0, tools)
    step = "invoke_workflow main > pipelang.step b"
    assert f"{step} > mine > invoke_workflow main" in told.paths()


def test_what_was_said_is_in_no_attribute(tmp_path: Path) -> None:
    told = Telemetry()
    word = "somebody's own words"
    said = ModelAnswer({"value": word, "confidence": 0.9}, Usage(1, 1), "s")
    loaded = load(tmp_path, PROGRAM)
    run_all(told, loaded, Models(a=said, deep=said), Humans(ok=YES), 0)
    assert word not in json.dumps([json.loads(span.to_json()) for span in told.spans])


def test_nothing_else_imports_it() -> None:
    code = (
        "import sys, pipelang, pipelang.runtime.host.handle, pipelang.interfaces.cli.run.command,"
        " pipelang.runtime.sinks.traces, pipelang.runtime.sinks.audit\n"
        "assert not [n for n in sys.modules if n.startswith('opentelemetry')]\n"
        "assert pipelang.OpenTelemetry"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


SDK = """
import asyncio, sys
from pathlib import Path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pipelang import OpenTelemetry, Runtime
from pipelang.runtime.providers.anthropic import AnthropicProvider
from tests.e2e.messages_server import KEY, MessagesServer, Reply
from tests.unit.runtime.stage import OUT, load

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
text = f"pipeline main(x: text) -> text {{ step a: text = ask say(x) by small {OUT} return a }}"
sinks = (OpenTelemetry(*([provider] if sys.argv[2] == "own" else [])),)
with MessagesServer(Reply.answer("fine")) as server:
    runtime = Runtime(providers={"lab": AnthropicProvider(KEY, server.url)}, sinks=sinks)
    result = asyncio.run(load(Path(sys.argv[1]), text).pipeline("main", runtime=runtime).run(x="q"))
spans = exporter.get_finished_spans()
names = {span.context.span_id: span.name for span in spans}
for span in spans:
    if span.attributes.get("gen_ai.operation.name") == "chat":
        print(span.instrumentation_scope.name, "in", names[span.parent.span_id])
"""


@pytest.mark.parametrize("whose", ["global", "own"])
def test_the_sdks_own_spans_stand_below_the_step(tmp_path: Path, whose: str) -> None:
    """Where the SDK tells of a call, we do not tell of it again."""
    run = subprocess.run(
        [sys.executable, "-c", SDK, str(tmp_path), whose],
        cwd=Path(__file__).resolve().parents[4],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    told = set(run.stdout.splitlines())
    sdk = "com.anthropic.sdk.python in pipelang.step a"
    assert told == ({sdk} if whose == "global" else {sdk, "pipelang in pipelang.step a"})
