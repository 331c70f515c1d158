"""The one stream of events: every decision is in it, in order, with where it belongs."""

from __future__ import annotations

import asyncio
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.report.runs.tree import TreeNode, tree_lines, tree_of
from pipelang.interfaces.runs.trace_files import NoTrace, find, read
from pipelang.interfaces.text.colours import painter
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.host.progress import Progress
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.runtime.sinks.traces import TraceFiles

from ..stage import OUT, YES, Humans, Models, handle, load

PROGRAM = f"""
memory seen(key: text) -> [text] max 3 {{ keeps 1d }}
tool send(x: text) -> text {{ effect write latency 1ms median succeeds 99% }}
tool look(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
pipeline inner(x: text) -> text {{
  step deep: text = ask say(x) by small {OUT}
  return deep
}}
"""


def told(tmp_path: Path, text: str, models: Any = None, **given: Any) -> list[Event]:
    """The events of one run of `main`, as a sink gets them."""
    got: list[tuple[str, Event]] = []
    loaded = load(tmp_path, text)
    tools = {"send": lambda x: x, "look": lambda x: x}
    tools = {name: tool for name, tool in tools.items() if name in loaded.program.tools}
    people = given.pop("people", None)
    ready = handle(loaded, models, people, tools, sinks=(lambda r, e: got.append((r, e)),))
    result = asyncio.run(ready.run(**(given or {"x": "hi"})))
    assert tuple(event for _, event in got) == result.trace
    assert {run for run, _ in got} == {result.run_id}
    ats = [event.at for event in result.trace]
    assert ats == sorted(ats)
    return list(result.trace)


def kinds(events: list[Event]) -> list[str]:
    return [f"{event.kind} {event.name}" for event in events]


def test_every_construct_says_where_it_begins_and_ends(tmp_path: Path) -> None:
    events = told(
        tmp_path,
        PROGRAM
        + f"""
        pipeline main(x: text) -> text {{
          step a: text = ask say(x) by small {OUT}
          step b = run inner(a)
          gate good: b != "" else reject
          step c = call send(b)
          approve ok by boss else reject
          return c
        }}
        """,
        people=Humans(ok=YES),
    )
    assert kinds(events) == [
        "run main",
        "step a",
        "answer a",
        "done a",
        "step b",
        "runs b",
        "step b/deep",
        "answer b/deep",
        "done b/deep",
        "returned b",
        "done b",
        "gate good",
        "step c",
        "effect c",
        "result c",
        "done c",
        "asks ok",
        "approve ok",
        "outcome answered",
    ]
    run, outcome = events[0], events[-1]
    started = datetime.datetime.fromisoformat(run.data["started"])
    assert abs((datetime.datetime.now(datetime.UTC) - started).total_seconds()) < 60
    assert run.data["tenant"] is None
    assert set(outcome.data) == {"cost", "tokens", "seconds"}
    assert (events[-2].data["by"], events[-2].data["passed"]) == ("ada", True)


def test_failures_waits_and_fallbacks(tmp_path: Path) -> None:
    events = told(
        tmp_path,
        f"""
        pipeline main(x: text) -> text {{
          step a: text = ask say(x) by small {{ retry 1 output 90 tokens max }}
            else ask say(x) by big {OUT}
            else escalate to boss
          return a
        }}
        """,
        Models(a=ModelFault("server", "500")),
    )
    assert kinds(events) == [
        "run main",
        "step a",
        "failed a",
        "retry a",
        "failed a",
        "fallback a",
        "failed a",
        "ended a",
        "outcome escalated",
    ]
    assert events[2].data["model"] == "s"


def test_votes_cascades_agents_lists_and_redos(tmp_path: Path) -> None:
    turns = [
        ModelAnswer(None, Usage(1, 1), "m", calls=(ToolCall("1", "look", {"x": "y"}),)),
        ModelAnswer(None, Usage(1, 1), "m", calls=(ToolCall("2", "inner", {"x": "y"}),)),
        "done",
    ]
    sure = ({"value": "v", "confidence": c} for c in (0.2, 0.9))
    events = told(
        tmp_path,
        PROGRAM
        + f"""
        pipeline main(x: text) -> text {{
          step v: text = ask say(x) by small {{ vote 3 output 90 tokens max }}
          step c: Answer = ask say(x) by cascade(small, big) until it.confidence >= 50% {OUT}
          step w: text = agent say(x) by small with look, inner {{ steps 4 output 90 tokens max }}
          step l = each one in [x, x] {{ call look(one) }}
          gate good: v != "again" else redo v up to 1 else reject
          return w
        }}
        """,
        Models(w=turns, c=lambda _: next(sure), v=["again"] * 3 + ["fine"]),
    )
    said = kinds(events)
    for expected in (
        "vote v",
        "until c",
        "turn w",
        "result w",
        "runs w",
        "answer w/deep",
        "returned w",
        "result l[0]/l",
        "result l[1]/l",
        "each l",
        "redo v",
    ):
        assert expected in said, expected
    assert [e.data["redone"] for e in events if e.kind == "step" and e.name == "v"] == [False, True]
    assert [e.data["passed"] for e in events if e.kind == "gate"] == [False, True]
    assert [e.data["accepted"] for e in events if e.kind == "until"] == [False, True]


@pytest.mark.usefixtures("virtual_time")
def test_a_run_that_is_cancelled_or_breaks_says_so(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        f"pipeline main(x: text) -> text {{ step a: text = ask say(x) by small {OUT} return a }}",
    )
    got: list[Event] = []

    async def main() -> None:
        models = Models(a=asyncio.Event().wait())
        ready = handle(loaded, models, sinks=(lambda _, event: got.append(event),))
        task = asyncio.ensure_future(ready.run(x="hi"))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (got[-1].kind, got[-1].name) == ("outcome", "interrupted")


# ------------------------------------------------------------------------- what a stream says


def test_a_stream_knows_who_is_waited_for_and_when_not_to_cancel(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        PROGRAM
        + f"""
        pipeline main(x: text) -> text {{
          step a: text = ask say(x) by small {OUT}
          step who: text = ask say(x) by boss
          step b = call look(a)
          step sent = call send(b)
          ## refund it
          approve ok by boss else reject
          return sent
        }}
        """,
    )

    async def send(x: str) -> str:
        await asyncio.sleep(0.01)
        return x

    async def main() -> list[Any]:
        tools = {"send": send, "look": lambda x: x}
        ready = handle(loaded, Models(), Humans(boss="me", ok=YES), tools)
        return [update async for update in ready.stream(x="hi")]

    updates = asyncio.run(asyncio.wait_for(main(), 60))
    waits = [(u.step, u.phase, u.needs_approval, u.can_cancel) for u in updates]
    assert [u.step for u in updates if u.needs_approval == "boss: who"] == ["who"]
    acting = [(u.step, u.phase) for u in updates if not u.can_cancel]
    assert acting == [("sent", "acting"), (None, "answered")], waits
    assert [u.needs_approval for u in updates if u.step == "ok"] == ["boss: ok, refund it", None]
    assert (updates[-1].can_cancel, updates[-1].needs_approval) == (False, None)


def test_what_goes_on_beside_a_wait_says_that_somebody_is_waited_for(tmp_path: Path) -> None:
    """Elements of a list wait side by side, and effects of elements act side by side."""
    loaded = load(tmp_path, "pipeline main(x: text) -> text { step a = x return a }")
    progress = Progress(loaded.program.pipelines["main"])

    def update(kind: str, name: str, **data: Any) -> tuple[str | None, bool]:
        made = progress.update(Event(kind, name, 0.0, data))
        assert made is not None
        return made.needs_approval, made.can_cancel

    who = {"role": "boss", "text": "why"}
    acts = {"tool": "send", "effect": "write"}
    assert update("step", "a") == (None, True)
    assert update("asks", "a[0]/a", **who) == ("boss: a[0]/a, why", True)
    assert update("asks", "a[1]/a", **who) == ("boss: a[0]/a, why; boss: a[1]/a, why", True)
    assert update("effect", "a[2]/a", **acts) == ("boss: a[0]/a, why; boss: a[1]/a, why", False)
    assert update("effect", "a[3]/a", **acts)[1] is False
    assert update("answer", "a[0]/a", role="boss") == ("boss: a[1]/a, why", False)
    assert update("failed", "a[2]/a", why="raised", message="", **acts)[1] is False
    assert update("failed", "a[3]/a", why="permit", message="", **acts)[1] is False
    assert update("result", "a[3]/a", **acts) == ("boss: a[1]/a, why", True)
    progress.update(Event("done", "a", 0.0, {}))
    assert update("gate", "g", passed=True) == (None, True)


# ----------------------------------------------------------------------------- traces and trees


def node(root: TreeNode, name: str) -> TreeNode:
    return next(
        child for child in root.children if isinstance(child, TreeNode) and child.name == name
    )


def test_a_tree_adds_up_and_nests(tmp_path: Path) -> None:
    events = told(
        tmp_path,
        PROGRAM
        + f"""
        pipeline main(x: text) -> text {{
          step a = run inner(x)
          step l: [text] max 3 = each one in [x, x, x] {{ ask say(one) by small {OUT} }}
          step m = each one in [x, x] {{ run inner(one) }}
          when "a/b" == "a/c" {{ }}
          return a
        }}
        """,
    )
    root = tree_of(events)
    price = 10 * 1e-6 + 5 * 5e-6
    assert [c.name for c in root.children if isinstance(c, TreeNode)] == ["a", "l", "m"]
    assert node(root, "a").cost == pytest.approx(price)
    assert node(root, "a").tokens == 15
    assert node(node(root, "a"), "deep").cost == pytest.approx(price)
    assert node(root, "l").cost == pytest.approx(3 * price)
    assert [node(node(root, "l"), f"l[{n}]").tokens for n in range(3)] == [15, 15, 15]
    assert node(node(node(root, "m"), "m[1]"), "deep").tokens == 15
    assert root.cost == pytest.approx(6 * price)
    assert root.cost == pytest.approx(events[-1].data["cost"])
    assert root.tokens == events[-1].data["tokens"]
    assert all(child.seconds is not None for child in root.children if isinstance(child, TreeNode))
    text = "\n".join(tree_lines(root, painter(False), False, 100))
    assert "when" not in text
    assert '"a/b" == "a/c" does not hold' in text.replace("'", '"')
    json.dumps(root.as_json())


def test_a_trace_file_holds_what_the_sinks_were_told(tmp_path: Path) -> None:
    traces = TraceFiles(tmp_path / "t")
    loaded = load(
        tmp_path,
        PROGRAM
        + f"pipeline main(x: text) -> text {{ step a: text = ask say(x) by small {OUT} return a }}",
    )
    ready = handle(loaded, sinks=(traces,))
    results = [asyncio.run(ready.run(x=f"words {n}")) for n in range(3)]
    for result in results:
        assert isinstance(result, Answered)
        trace = read(find(tmp_path / "t", result.run_id[:10]))
        assert trace.header["run"] == result.run_id
        assert trace.header["pipeline"] == "main"
        assert trace.torn == ()
        assert [e.kind for e in trace.events] == [e.kind for e in result.trace]
        assert [e.data for e in trace.events] == [e.data for e in result.trace]
        assert not any(event.content for event in trace.events)
        assert "words" not in traces.path(result.run_id).read_text()
    for nothing in ("nothing like it", "x" * 5_000, "\udcff", ""):
        with pytest.raises(NoTrace):
            find(tmp_path / "t", nothing)


def test_a_run_may_have_any_name(tmp_path: Path) -> None:
    """Also one that would be another place as a path."""
    traces = TraceFiles(tmp_path / "t")
    loaded = load(tmp_path, "pipeline main(x: text) -> text { return x }")
    ready = handle(loaded, sinks=(traces,))
    for name in ("../../out", "a b/c", "..", "ü"):
        asyncio.run(run_pipeline(ready.start({"x": "hi"}, run_id=name)))
        assert read(find(tmp_path / "t", name)).header["run"] == name
    asyncio.run(run_pipeline(ready.start({"x": "hi"}, run_id="a\udcff")))
    assert read(find(tmp_path / "t", "a\udcff")).header["pipeline"] == "main"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["main.pipe", "t"]
    assert traces.problem is None


def test_a_trace_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    traces = TraceFiles(tmp_path / "file" / "t")
    loaded = load(tmp_path, "pipeline main(x: text) -> text { return x }")
    result = asyncio.run(handle(loaded, sinks=(traces,)).run(x="hi"))
    assert isinstance(result, Answered)
    assert traces.problem is not None


def test_what_a_spent_budget_cut_off_is_in_the_tree(tmp_path: Path) -> None:
    events = told(
        tmp_path,
        f"""
        pipeline main(x: text) -> text {{
          budget 1 steps
          step a: text = ask say(x) by small {OUT}
          step b: text = ask say(a) by small {OUT}
          return b
        }}
        """,
    )
    assert events[-1].data["code"] == "max_steps"
    root = tree_of(events)
    assert node(root, "b").seconds is None
    assert "the steps budget is spent" in "\n".join(tree_lines(root, painter(False), False, 100))
