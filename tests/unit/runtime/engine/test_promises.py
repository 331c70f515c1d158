"""What a run promises it keeps, whatever foreign code does and whenever it is stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, CheckFailed, Failed, Runtime
from pipelang.runtime.host.handle import InputError
from pipelang.runtime.providers.protocol import ModelAnswer, Usage
from pipelang.runtime.shared.cache import InMemoryCache
from pipelang.runtime.shared.disk_cache import DiskCache
from pipelang.runtime.shared.memory_store import InMemory, Sqlite

from ..stage import Models, events, handle, left_over, load, play
from ..virtual_time import virtual

ROOM = """
tool pay(x: text) -> text {
  effect irreversible cost $0.0001 latency 1ms median succeeds 99% timeout 9s
}
pipeline child(x: text) -> text {
  budget $0.1, 500ms else reject "out of time"
  step a: text = ask say(x) by small { output 10 tokens max } else fail "c"
  return a
}
pipeline main(xs: [text] max 9) -> text {
  budget $0.0001
  step a: [text] max 9 = each x in xs {
    match x {
      "m" => ask say(x) by small { output 10 tokens max timeout 30s }
      "child" => run child(x)
      "late" => ask say(x) by small { output 10 tokens max timeout 2s }
      else => call pay(x)
    }
  } { need all } else fail "no"
  return "paid"
}
"""


async def slow(request: Any) -> ModelAnswer:
    await asyncio.sleep(20)
    return ModelAnswer("hi", Usage(1, 1), request.model)


def test_a_kill_stops_what_waits_for_room(tmp_path: Path) -> None:
    paid: list[str] = []

    async def pay(x: str) -> str:
        paid.append(x)
        return x

    with virtual() as clock:

        async def main() -> Any:
            runtime = Runtime(providers={"lab": Models(a=lambda r: slow(r))}, tools={"pay": pay})
            ready = load(tmp_path, ROOM).pipeline("main", runtime=runtime)
            task = asyncio.ensure_future(ready.run(xs=["m", "x"]))
            await asyncio.sleep(1)
            runtime.switches.kill(reason="stop")
            result = await task
            assert clock.passed == pytest.approx(1, abs=0.1)
            assert left_over() == []
            return result

        result = asyncio.run(main())
    assert isinstance(result, Failed)
    assert (result.code, paid) == ("killed", [])


@pytest.mark.parametrize(("who", "seconds"), [("child", 0.5), ("late", 2.0)])
def test_a_wait_for_room_is_the_time_of_who_waits(tmp_path: Path, who: str, seconds: float) -> None:
    with virtual():
        models = Models(a=lambda r: slow(r))
        result = play(load(tmp_path, ROOM), models, xs=["m", who], tools={"pay": print})
    ends = [e for e in result.trace if e.kind == "budget" or e.data.get("why") == "timeout"]
    assert [e.at for e in ends] == pytest.approx([seconds], abs=0.01)


PEOPLE = """
tool work(x: text) -> text { effect read latency 1ms median succeeds 99% timeout 99s }
pipeline asks(x: text) -> text {
  budget 1s else reject "asks"
  step a: text = ask say(x) by boss { timeout 90s } else "nobody"
  return a
}
pipeline main(xs: [text] max 5) -> text {
  budget 8s else reject "main"
  step a: [text] max 5 = each x in xs {
    match x {
      "person" => ask say(x) by boss { timeout 90s }
      "asks" => run asks(x)
      else => call work(x)
    }
  } { need all } else fail "no"
  return "done"
}
"""


@pytest.mark.parametrize(
    ("xs", "works", "answers", "ends", "seconds"),
    [
        (["person"], 0, 60, "done", 0),  # a person alone takes no machine time
        (["person", "w"], 5, 60, "done", 5),  # a neighbour's clock goes on
        (["person", "w"], 30, 60, "main", 8),  # and is used up beside a person
        (["asks", "w"], 5, 60, "done", 5),  # what only waits is not charged for the neighbour
    ],
)
def test_waits_for_people_and_the_clocks_of_neighbours(
    tmp_path: Path, xs: list[str], works: float, answers: float, ends: str, seconds: float
) -> None:
    async def work(x: str) -> str:
        await asyncio.sleep(works)
        return x

    class Slow:
        async def decide(self, run_id: str, question: Any) -> None:
            return None

        async def answer(self, *_: Any) -> str:
            await asyncio.sleep(answers)
            return "said"

    with virtual():
        result = play(
            load(tmp_path, PEOPLE), people=Slow(), tools={"work": work}, patience=999, xs=xs
        )
    said = result.value if isinstance(result, Answered) else getattr(result, "text", None)
    assert said == ends
    assert result.duration == pytest.approx(seconds, abs=0.01)


SECRETS = """
type Cred { token: secret text  user: text }
memory last(u: text) -> Cred { keeps 1h }
tool login(u: text) -> Cred { effect read latency 1ms median succeeds 99% }
tool enter(c: Cred?) -> text { effect read latency 1ms median succeeds 99% }
tool look(key: secret text) -> text { effect read latency 1ms median succeeds 99% }
pipeline cached(u: text) -> text {
  step c = call login(u) { cache 1h by u } else fail "x"
  step s = call enter(c) else fail "failed"
  return s
}
pipeline keyed(u: secret text) -> text {
  step s = call look(u) { cache 1h by u } else fail "failed"
  return s
}
pipeline remembers(u: text) -> text {
  step c = call login(u) else fail "x"
  remember last(u) = c
  step again = recall last(u)
  step s = call enter(again) else fail "failed"
  return s
}
"""


@pytest.mark.parametrize("name", ["cached", "keyed", "remembers"])
def test_secrets_are_used_as_they_are_and_stored_nowhere(tmp_path: Path, name: str) -> None:
    used: list[str] = []

    def login(u: str) -> Any:
        return {"token": "tok-REAL-123456", "user": u}

    def enter(c: Any) -> str:
        used.append(c.token)
        return "in"

    loaded = load(tmp_path, SECRETS)
    runtime = Runtime(
        tools={"login": login, "enter": enter, "look": len},
        memories=Sqlite(tmp_path / "state" / "m.db"),
        cache=DiskCache(tmp_path / "state" / "cache"),
    )
    ready = loaded.pipeline(
        name, runtime=runtime, tools={"look": lambda key: used.append(key) or key[:1]}
    )
    for _ in range(2):
        result = ready.run_sync(u="usr-SECRET-99")
        assert isinstance(result, Answered), result
    real = "usr-SECRET-99" if name == "keyed" else "tok-REAL-123456"
    assert set(used) == {real}
    files = [f.read_bytes() for f in (tmp_path / "state").rglob("*") if f.is_file()]
    assert not any(real.encode() in data for data in files)


PERMITS = """
tool look(x: text) -> text { effect read permit "look.it" latency 1ms median succeeds 99% }
pipeline main(x: text) -> text {
  permits "look.it"
  step a = call look(x) { cache 1h by x } else fail "not allowed"
  return a
}
"""


def test_a_cached_value_needs_the_permit_of_its_tool(tmp_path: Path) -> None:
    ready = load(tmp_path, PERMITS).pipeline("main", tools={"look": lambda x: x})
    assert isinstance(ready.run_sync(x="a"), Answered)
    without = ready.with_options(permits=()).run_sync(x="a")
    assert isinstance(without, Failed)
    assert events(without, "failed")[0].data["why"] == "permit"
    assert events(ready.run_sync(x="a"), "cached")


def test_what_is_left_of_the_budget_is_no_key(tmp_path: Path) -> None:
    body = """pipeline main(x: text) -> text {
      budget 10 steps
      step a: text = ask say(x) by small { cache 1h by budget.remaining.steps } else "n"
      return a
    }"""
    with pytest.raises(CheckFailed, match="P212"):
        load(tmp_path, body)


CACHED = """pipeline main(x: text) -> text {
  step a: text = ask say(x) by small { cache 1h by x output 10 tokens max } else "n"
  return a
}"""


class BrokenStore(InMemoryCache):
    def store(self, key: Any, answer: Any, seconds: float) -> None:
        raise OSError("the disk is full")


def test_a_store_that_fails_loses_no_answered_run(tmp_path: Path) -> None:
    runtime = Runtime(providers={"lab": Models(a="said")}, cache=BrokenStore())
    result = load(tmp_path, CACHED).pipeline("main", runtime=runtime).run_sync(x="a")
    assert isinstance(result, Answered)
    (failed,) = events(result, "failed")
    assert (failed.data["why"], failed.data["error"]) == ("cache", "OSError")


class Raises(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise ZeroDivisionError("secret detail")

    def __iter__(self) -> Iterator[str]:
        raise ZeroDivisionError("secret detail")

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    "answer",
    [
        ModelAnswer("said", Usage(1, 1), 7),  # type: ignore[arg-type]
        ModelAnswer("said", Usage(1, 1), None),  # type: ignore[arg-type]
        ModelAnswer("said", Usage(1, 1), "m", note=["x"]),  # type: ignore[arg-type]
        ModelAnswer(Raises(), Usage(1, 1), "m"),
        ModelAnswer("said", None, "m"),  # type: ignore[arg-type]
        GeneratorExit(),
        SystemExit(2),
        asyncio.CancelledError(),
    ],
)
def test_a_strange_provider_ends_no_run(tmp_path: Path, answer: Any) -> None:
    assert isinstance(play(load(tmp_path, CACHED), Models(a=answer), x="a"), Answered)


def test_a_mapping_that_raises_is_a_misfit(tmp_path: Path) -> None:
    body = """
    type R { a: text }
    tool look(x: text) -> R { effect read latency 1ms median succeeds 99% }
    pipeline main(r: R) -> R {
      step a = call look(r.a) else r
      return a
    }"""
    loaded = load(tmp_path, body)
    result = play(loaded, tools={"look": lambda x: Raises()}, r={"a": "b"})
    assert isinstance(result, Answered)
    with pytest.raises(InputError):
        play(loaded, tools={"look": print}, r=Raises())


def test_usage_beyond_what_was_reserved_ends_the_run(tmp_path: Path) -> None:
    def body(budget: str) -> str:
        return f"""pipeline main(x: text) -> text {{
          {budget}
          step a: text = ask say(x) by small {{ output 10 tokens max }} else "n"
          return a
        }}"""

    models = Models(a=ModelAnswer("said", Usage(10, 5000), "s"))
    for budget in ("budget $1", "budget 1M tokens"):
        result = play(load(tmp_path, body(budget)), models, x="a")
        assert isinstance(result, Failed)
        assert (result.code, "reserved" in str(result.text)) == ("budget_exceeded", True)
    assert isinstance(play(load(tmp_path, body("budget 9s")), models, x="a"), Answered)


def test_what_a_tool_raised_is_content(tmp_path: Path) -> None:
    body = """
    tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
    pipeline inner(x: text) -> text {
      step a = call look(x)
      return a
    }
    pipeline main(x: text) -> text {
      step a = run inner(x) else "none"
      return a
    }"""

    def look(x: str) -> str:
        raise LookupError(f"nothing about {x}")

    loaded = load(tmp_path, body)
    result = play(loaded, tools={"look": look}, x="ada@example.org")
    assert "ada@" not in str([e.data for e in result.trace])
    first = events(result, "failed")[0]
    assert (first.data["error"], "ada@" in first.content) == ("LookupError", True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_threads(tmp_path: Path) -> None:
    body = """
    tool look(x: text) -> text { effect read latency 1ms median succeeds 99% timeout 3s }
    pipeline main(x: text) -> text {
      step a = call look(x) else "timed out"
      return a
    }"""
    ready = load(tmp_path, body).pipeline("main", tools={"look": lambda x: x + "!"})
    for _ in range(3):
        assert ready.run_sync(x="a").value == "a!"  # type: ignore[union-attr]
        child = os.fork()
        if child == 0:
            said = getattr(ready.run_sync(x="b"), "value", None)
            os._exit(0 if said == "b!" else 1)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_memories_drop_what_is_too_old_of_every_place(tmp_path: Path, kind: str) -> None:
    now = [1000.0]
    path = tmp_path / "m.db"
    store = InMemory(lambda: now[0]) if kind == "memory" else Sqlite(path, lambda: now[0])
    store.write((None, "m", "old"), "OLD-VALUE", 1, 60.0)
    store.write((None, "m", "kept"), "KEPT", 1, None)
    now[0] += 61
    assert store.read((None, "m", "kept"), None) == ["KEPT"]
    if isinstance(store, InMemory):
        assert "OLD-VALUE" not in str(store._entries)
    else:
        import sqlite3

        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT value FROM memories").fetchall()
        assert rows == [('"KEPT"',)]


def test_two_runs_of_one_batch_line_have_one_key(tmp_path: Path) -> None:
    body = """
    tool put(x: text) -> bool { effect write idempotent latency 1ms median succeeds 99% }
    pipeline main(xs: [text] max 5) -> bool {
      step a: [bool] max 5 = each x in xs { call put(x) { retry 1 } } else fail "e"
      return true
    }"""
    seen: list[list[str]] = []

    def put(x: str, idempotency_key: str) -> bool:
        seen[-1].append(f"{x} {idempotency_key}")
        return True

    ready = handle(load(tmp_path, body), tools={"put": put}).with_options(run_id="batch-7")
    for _ in range(2):
        seen.append([])
        ready.run_sync(xs=["p", "q", "r"])
    assert sorted(seen[0]) == sorted(seen[1]) == [
        "p batch-7/a/0", "q batch-7/a/1", "r batch-7/a/2"
    ]  # fmt: skip
