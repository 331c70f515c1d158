"""Pipelines inside pipelines, lists, agents, memories and caches, over the real world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Escalated, Failed, Rejected
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.host.handle import Runtime
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.shared.memory_store import InMemory, Sqlite

from ..stage import YES, Humans, Models, events, load, play

CHILD = """
pipeline child(x: text max 10 tokens) -> text {
  step inner: text = ask say(x) by small { output 100 tokens max }
  gate fine: inner != "bad" else escalate to boss "not fine" with inner
  gate wanted: inner != "no" else reject "unwanted"
  gate works: inner != "broken" else fail "broke"
  return inner
}
"""
MAIN = CHILD + 'pipeline main(x: text) -> text { step s = run child(x) else "else" return s }'


def test_a_sub_pipeline_answers(tmp_path: Path) -> None:
    result = play(load(tmp_path, MAIN), Models(inner="good"), x="q")
    assert isinstance(result, Answered)
    assert result.value == "good"
    assert result.cost > 0
    assert events(result, "answer", "s/inner")


def test_what_fails_inside_is_caught_outside(tmp_path: Path) -> None:
    for script in ("broken", ModelFault("server", "?")):
        result = play(load(tmp_path, MAIN), Models(inner=script), x="q")
        assert isinstance(result, Answered)
        assert result.value == "else"


def test_an_argument_that_does_not_fit_is_a_failed_attempt(tmp_path: Path) -> None:
    models = Models(inner="good")
    result = play(load(tmp_path, MAIN), models, x="much too long for ten tokens " * 5)
    assert isinstance(result, Answered)
    assert result.value == "else"
    assert models.requests == []


def test_decisions_propagate_and_handoffs_nest(tmp_path: Path) -> None:
    result = play(load(tmp_path, MAIN), Models(inner="bad"), x="q")
    assert isinstance(result, Escalated)
    assert (result.role, result.reason, result.text) == ("boss", "child.fine", "not fine")
    assert result.handoff["pipeline"] == "main"
    assert result.handoff["input"] == {"x": "q"}
    inside = result.handoff["inside"]
    assert inside["pipeline"] == "child"
    assert inside["values"] == {"inner": "bad"}
    assert inside["with"] == "bad"
    result = play(load(tmp_path, MAIN), Models(inner="no"), x="q")
    assert isinstance(result, Rejected)
    assert result.reason == "child.wanted"


def test_the_innermost_budget_that_is_spent_says_so(tmp_path: Path) -> None:
    for outer, inner, reason in (
        ("50 steps", "1 steps else escalate to boss", "child.budget"),
        ("1 steps else escalate to boss", "50 steps", "budget"),
    ):
        text = f"""
        pipeline child(x: text) -> text {{
          budget {inner}
          step a: text = ask say(x) by small {{ output 9 tokens max }}
          step b: text = ask say(a) by small {{ output 9 tokens max }}
          return b
        }}
        pipeline main(x: text) -> text {{ budget {outer} step s = run child(x) return s }}
        """
        result = play(load(tmp_path, text), x="q")
        assert isinstance(result, Escalated), result
        assert result.reason == reason


@pytest.mark.usefixtures("virtual_time")
def test_a_run_has_its_own_patience(tmp_path: Path) -> None:
    text = (
        CHILD
        + """
    pipeline main(x: text) -> text {
      step s = run child(x) { timeout 50ms retry 1 } else "late"
      return s
    }
    """
    )

    async def slow(request: ModelRequest) -> Any:
        await asyncio.sleep(5)

    result = play(load(tmp_path, text), Models(inner=slow), x="q")
    assert isinstance(result, Answered)
    assert result.value == "late"
    assert len(events(result, "failed", "s")) == 2


# ------------------------------------------------------------------------------------- lists

EACH = """
pipeline main(xs: [text max 9 tokens] max 5) -> {type} {{
  step s: {type} = each x in xs {ordered} {{ ask say(x) by small {{ output 9 tokens max }} {end} }}
    {{ {options} }}
    else escalate to boss "too few"
  return s
}}
"""


def each(
    folder: Path,
    models: Models,
    *,
    type: str = "[text] max 5",
    ordered: str = "",
    options: str = "need all",
    end: str = "",
    xs: list[str] | None = None,
) -> Any:
    text = EACH.format(type=type, ordered=ordered, options=options, end=end)
    return play(load(folder, text), models, xs=["a", "b", "c"] if xs is None else xs)


def says(request: ModelRequest) -> Any:
    word = request.arguments["x"]
    return ModelFault("server", "?") if word.startswith("!") else word.upper()


def test_every_element_has_its_answer(tmp_path: Path) -> None:
    result = each(tmp_path, Models(s=says))
    assert result.value == ["A", "B", "C"]
    assert each(tmp_path, Models(s=says), xs=[]).value == []


def test_side_by_side_but_no_more_than_parallel(tmp_path: Path) -> None:
    models = Models(s=lambda request: asyncio.sleep(0.01, says(request)))
    result = each(tmp_path, models, options="parallel 2", xs=list("abcde"))
    assert result.value == list("ABCDE")
    running, most = 0, 0
    for entry in models.log:
        running += 1 if entry[0] == "+" else -1
        most = max(most, running)
    assert most == 2


def test_need_says_how_many_must_answer(tmp_path: Path) -> None:
    some = ["a", "!b", "c"]
    lost = each(tmp_path, Models(s=says), xs=some)
    assert isinstance(lost, Escalated)
    assert lost.handoff["values"]["s"] == ["A", None, "C"]
    partial = {"type": "[text?] max 5"}
    result = each(tmp_path, Models(s=says), options="need 60%", xs=some, **partial)
    assert result.value == ["A", None, "C"]
    assert isinstance(
        each(tmp_path, Models(s=says), options="need 67%", xs=some, **partial), Escalated
    )
    assert isinstance(
        each(tmp_path, Models(s=says), options="need any", xs=["!a"], **partial), Escalated
    )


def test_ordered_stops_at_the_first_that_does_not_answer(tmp_path: Path) -> None:
    models = Models(s=says)
    result = each(
        tmp_path,
        models,
        ordered="ordered",
        options="need any",
        type="[text?] max 5",
        xs=["a", "!b", "c"],
    )
    assert result.value == ["A", None, None]
    assert len(models.requests) == 2


def test_an_outcome_of_an_element_ends_the_run_after_the_others(tmp_path: Path) -> None:
    models = Models(s=says)
    result = each(tmp_path, models, end='else escalate to boss "one"', xs=["a", "!b", "c"])
    assert isinstance(result, Escalated)
    assert result.text == "one"
    assert len(models.requests) == 3


# ------------------------------------------------------------------------------------ agents

AGENT = (
    CHILD
    + """
tool look(q: text, most: int = 2) -> text { effect read timeout 1s }
pipeline main(x: text) -> text {
  step s: text = agent say(x) by small with look, child { steps 3 output 90 tokens max }
    else "gave up"
  return s
}
"""
)


def calls(*asked: tuple[str, dict[str, Any]]) -> ModelAnswer:
    wanted = tuple(ToolCall(str(i), name, given) for i, (name, given) in enumerate(asked))
    return ModelAnswer(None, Usage(10, 5), "s", calls=wanted, said="raw")


def test_an_agent_calls_tools_until_it_answers(tmp_path: Path) -> None:
    models = Models(
        s=[calls(("look", {"q": "one"}), ("child", {"x": "two"})), calls(("look", {})), "done"],
        inner="inside",
    )
    seen = []

    def look(q: str, most: int) -> str:
        seen.append((q, most))
        return q.upper()

    result = play(load(tmp_path, AGENT), models, tools={"look": look}, x="q")
    assert isinstance(result, Answered)
    assert result.value == "done"
    assert seen == [("one", 2)]
    first, second, third = models.asked("s")
    assert [tool.name for tool in first.tools] == ["look", "child"]
    assert first.turns == ()
    (turn,) = second.turns
    assert turn.said == "raw"
    assert [(r.value, r.failed) for r in turn.results] == [("ONE", False), ("inside", False)]
    assert third.turns[1].results[0].failed
    assert "q" in third.turns[1].results[0].value


def test_an_agent_has_so_many_turns(tmp_path: Path) -> None:
    models = Models(s=calls(("nothing", {})))
    result = play(load(tmp_path, AGENT), models, tools={"look": str}, x="q")
    assert isinstance(result, Answered)
    assert result.value == "gave up"
    assert len(models.asked("s")) == 3
    assert "there is no tool `nothing`" in models.asked("s")[1].turns[0].results[0].value


def test_what_a_pipeline_of_an_agent_decides_ends_the_run(tmp_path: Path) -> None:
    models = Models(s=[calls(("child", {"x": "a"})), "done"], inner="bad")
    result = play(load(tmp_path, AGENT), models, tools={"look": str}, x="q")
    assert isinstance(result, Escalated)
    assert result.reason == "child.fine"


# --------------------------------------------------------------------- memories and caches

MEMORY = """
memory notes(key: text) -> [text max 9 tokens] max 2 { keeps 1h }
memory last(key: text) -> text max 9 tokens { keeps 1h }
pipeline main(key: text, note: text max 9 tokens) -> [text] max 9 {
  step before = recall notes(key)
  step latest = recall last(key)
  remember notes(key) = note
  remember last(key) = note
  gate fine: note != "bad" else escalate to boss
  return if latest? then [len(before), latest] else []
}
""".replace("[len(before), latest]", "[latest]")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_memories_are_kept_by_tenant_and_key(tmp_path: Path, kind: str) -> None:
    now = [1000.0]
    store: Any = InMemory(lambda: now[0])
    if kind == "sqlite":
        store = Sqlite(tmp_path / "state" / "memories.db", lambda: now[0])
    loaded = load(tmp_path, MEMORY)
    ready = loaded.pipeline("main", runtime=Runtime(memories=store, people=Humans(ok=YES)))

    def said(key: str, note: str, tenant: str | None = None) -> Any:
        run = ready.start({"key": key, "note": note}, tenant=tenant)
        return getattr(asyncio.run(run_pipeline(run)), "value", None)

    assert said("k", "one") == []
    assert said("k", "two") == ["one"]
    assert said("other", "x") == []
    assert said("k", "x", tenant="t") == []
    assert said("k", "bad") is None  # remembered whatever the outcome
    assert said("k", "three") == ["bad"]
    place = (None, "notes", '"k"')
    assert store.read(place, 3600.0) == ["bad", "three"]
    now[0] += 3601
    assert said("k", "four") == []


CACHED = """
pipeline main(x: text, y: text) -> text {
  step s: text = ask say(y) by small { output 9 tokens max cache 1h by x }
  gate fine: s != "bad" else escalate to boss
  return s
}
"""


def test_only_runs_that_were_answered_fill_the_cache(tmp_path: Path) -> None:
    loaded = load(tmp_path, CACHED)
    models = Models(s=["bad", "good", "other", "third"])
    ready = loaded.pipeline("main", runtime=Runtime(providers={"lab": models}))

    def said(x: str, tenant: str | None = None) -> Any:
        result = asyncio.run(run_pipeline(ready.start({"x": x, "y": "q"}, tenant=tenant)))
        return getattr(result, "value", type(result).__name__)

    assert said("k") == "Escalated"
    assert said("k") == "good"
    assert said("k") == "good"
    assert said("j") == "other"
    assert said("k", tenant="t") == "third"
    assert len(models.requests) == 4


def test_a_redo_never_reads_the_cache(tmp_path: Path) -> None:
    text = CACHED.replace("else escalate", "else redo s up to 1 else escalate")
    models = Models(s=["bad", "good", "bad", "fresh"])
    loaded = load(tmp_path, text)
    ready = loaded.pipeline("main", runtime=Runtime(providers={"lab": models}))
    assert ready.run_sync(x="k", y="q").value == "good"
    assert ready.run_sync(x="k", y="q").value == "good"
    assert len(models.requests) == 2


LATE_KEY = """
tool look(x: text) -> text max 9 tokens { effect read succeeds 99% }
pipeline main(x: text) -> text {
  step key = call look(x)
  step s: text = ask say(x) by small { output 9 tokens max cache 1h by key }
  return s
}
"""


def test_a_key_is_waited_for(tmp_path: Path) -> None:
    """Nothing but its key reads `key`, so `s` could begin beside it."""
    models = Models(s=["one", "two", "three"])

    async def look(x: str) -> str:
        await asyncio.sleep(0.01)
        return x[:1]

    runtime = Runtime(providers={"lab": models})
    ready = load(tmp_path, LATE_KEY).pipeline("main", runtime=runtime, tools={"look": look})
    answers = [ready.run_sync(x=x) for x in ("k1", "k2", "j1")]
    assert [one.value for one in answers if isinstance(one, Answered)] == ["one", "one", "two"]


CACHED_RUN = """
tool look(x: text) -> text max 9 tokens { effect read permit "look.it" succeeds 99% }
pipeline inner(x: text, y: text max 9 tokens) -> text max 9 tokens {
  permits "look.it"
  step found = call look(y)
  step s: text max 9 tokens = ask say(found) by small { output 9 tokens max }
  gate fine: s != "bad" else fail "bad"
  gate decent: s != "rude" else reject "rude"
  return s
}
pipeline main(x: text, y: text max 9 tokens) -> text {
  permits "look.it"
  step s = run inner(x, y) { cache 1h by x } else "none"
  gate last: y != "late" else escalate to boss
  return s
}
"""


def test_the_answer_of_a_pipeline_is_kept(tmp_path: Path) -> None:
    """Only what it answers, by its key and tenant, and only where the run itself is answered."""
    loaded = load(tmp_path, CACHED_RUN)
    models = Models(s=["rude", "bad", "lost", "good", "other", "third"])
    looked: list[str] = []

    def look(x: str) -> str:
        looked.append(x)
        return x

    runtime = Runtime(providers={"lab": models})
    ready = loaded.pipeline("main", runtime=runtime, tools={"look": look})

    def said(x: str, y: str, tenant: str | None = None) -> Any:
        run = ready.start({"x": x, "y": y}, tenant=tenant)
        result = asyncio.run(run_pipeline(run))
        return getattr(result, "value", type(result).__name__)

    assert said("k", "a") == "Rejected"
    assert said("k", "b") == "none"
    assert said("k", "late") == "Escalated"
    assert said("k", "c") == "good"
    assert said("k", "d") == "good"
    assert looked == ["a", "b", "late", "c"], "on a hit nothing of it is done"
    assert said("j", "e") == "other"
    assert said("k", "f", tenant="t") == "third"
    hit = ready.run_sync(x="k", y="g")
    assert events(hit, "cached", "s")
    assert not events(hit, "runs")
    assert hit.tokens == 0
    for off in ({"tool": "look"}, {"pipeline": "inner"}):
        runtime.switches.kill(**off)
        killed = ready.run_sync(x="k", y="h")
        assert not events(killed, "cached"), "what is switched off answers from no cache"
        assert isinstance(killed, Failed)
        assert killed.code == "killed"
        runtime.switches.revive(**off)
    refused = ready.with_options(permits=()).run_sync(x="k", y="h")
    assert refused.value == "none", "it is for those who might have got it themselves"


def test_a_failed_sub_pipeline_without_an_else_fails_the_run(tmp_path: Path) -> None:
    text = CHILD + "pipeline main(x: text) -> text { step s = run child(x) return s }"
    result = play(load(tmp_path, text), Models(inner="broken"), x="q")
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("chain_exhausted", "s")


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("amounts", ["1 steps", "200ms"])
def test_what_a_cut_sub_pipeline_knew_is_handed_over(tmp_path: Path, amounts: str) -> None:
    async def hangs() -> str:
        await asyncio.sleep(30)
        return ""

    text = f"""
    pipeline inner(x: text) -> text {{
      step a: text = ask say(x) by small {{ output 5 tokens max }}
      step b: text = ask say(a) by small {{ output 5 tokens max }}
      return b
    }}
    pipeline middle(x: text) -> text {{ step i = run inner(x) return i }}
    pipeline main(x: text) -> text {{ budget {amounts} step m = run middle(x) return m }}"""
    result = play(load(tmp_path, text), Models(b=lambda request: hangs()), x="q")
    assert isinstance(result, Failed)
    inner = {"input": {"x": "q"}, "values": {"a": "a"}}
    middle = {"input": {"x": "q"}, "values": {}, "unfinished": {"i": inner}}
    assert result.partial == {"input": {"x": "q"}, "values": {}, "unfinished": {"m": middle}}


def test_a_secret_of_a_sub_pipeline_is_in_no_handoff(tmp_path: Path) -> None:
    text = """
    tool pin() -> secret text { effect read latency 1ms median succeeds 99% }
    tool echo(x: secret text) -> text { effect read latency 1ms median succeeds 99% }
    pipeline inner(x: text) -> text {
      step p = call pin()
      step e = call echo(p)
      gate g: e == "" else escalate to boss
      return e
    }
    pipeline main(x: text) -> text { step i = run inner(x) return i }"""
    tools = {"pin": lambda: "hidden-1234", "echo": lambda x: f"it was {x}"}
    result = play(load(tmp_path, text), tools=tools, x="q")
    assert isinstance(result, Escalated)
    assert "hidden-1234" not in str(result.handoff)
