"""Updates of memories: a write that hangs on what was recalled is made from what is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Failed, Rejected, Runtime
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.shared.memory_store import InMemory, MemoryStore, Sqlite

from ..stage import Models, events, load

RUNS = 100
PLACE = (None, "count", '"k"')

COUNT = """
memory count(key: text) -> int { keeps 24h }
pipeline main(key: text) -> int {
  step old = recall count(key)
  let before = if old? then old else 0
  step after: int = before + 1
  remember count(key) = after
  return after
}
"""

LIMITED = """
memory count(key: text) -> int { keeps 24h }
pipeline main(key: text) -> int {
  step old = recall count(key)
  let before = if old? then old else 0
  gate left: before < 5 else reject "no more"
  when before == 0 { remember count(key) = 1 }
  else { remember count(key) = before + 1 }
  return before
}
"""

ASKED = """
memory last(key: text) -> text max 99 tokens { keeps 24h }
pipeline main(key: text) -> text {
  step old = recall last(key)
  let given = if old? then old else "nothing"
  step next: text max 99 tokens = ask say(given) by small { output 9 tokens max }
  remember last(key) = next
  return next
}
"""


def store_of(kind: str, folder: Path) -> MemoryStore:
    return InMemory() if kind == "memory" else Sqlite(folder / "state" / "memories.db")


def many(loaded: LoadedProgram, store: MemoryStore, runs: int, models: Any = None) -> list[Any]:
    """The results of runs that all go on together after each recall."""
    together = Together(store, runs)
    runtime = Runtime(memories=together, providers={"lab": models or Models()})
    ready = loaded.pipeline("main", runtime=runtime)

    async def main() -> list[Any]:
        return await asyncio.gather(*(ready.run(key="k") for _ in range(runs)))

    return asyncio.run(main())


class Together:
    """A store whose reads come back once all runs have read: each has the same old value."""

    def __init__(self, store: MemoryStore, runs: int) -> None:
        self._store = store
        self._barrier = threading.Barrier(runs)
        self.write, self.swap = store.write, store.swap

    def read(self, place: Any, keeps: float | None) -> list[Any]:
        found = self._store.read(place, keeps)
        self._barrier.wait(60)
        return found


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_so_many_runs_count_so_far(tmp_path: Path, kind: str) -> None:
    store = store_of(kind, tmp_path)
    results = many(load(tmp_path, COUNT), store, RUNS)
    assert store.read(PLACE, None) == [RUNS]
    # Each goes on with the number that it wrote.
    assert sorted(result.value for result in results) == list(range(1, RUNS + 1))
    late = next(result for result in results if result.value == RUNS)
    assert events(late, "remember")[0].data == {"renewed": ["after", "before", "old"]}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_gate_on_the_way_decides_on_what_is_there(tmp_path: Path, kind: str) -> None:
    store = store_of(kind, tmp_path)
    loaded = load(tmp_path, LIMITED)
    results = many(loaded, store, 20)
    # All passed the gate and took the first branch; that it would be taken no more fails a run.
    assert sum(isinstance(result, Answered) for result in results) == 1
    failed = [result for result in results if isinstance(result, Failed)]
    assert len(failed) == 19
    assert {failed[0].code, failed[0].reason} == {"chain_exhausted", "count"}
    assert "another run has written `count`" in (failed[0].text or "")
    assert [e.data["why"] for e in events(failed[0], "failed")] == ["outdated"]
    ready = loaded.pipeline("main", runtime=Runtime(memories=store))
    kinds = [type(ready.run_sync(key="k")) for _ in range(6)]
    assert kinds == [Answered] * 4 + [Rejected] * 2
    assert store.read(PLACE, None) == [5]


def test_a_gate_that_still_holds_lets_the_update_through(tmp_path: Path) -> None:
    store = InMemory()
    store.write(PLACE, 1, 1, None)
    results = many(load(tmp_path, LIMITED), store, 10)
    assert sum(isinstance(result, Answered) for result in results) == 4
    assert store.read(PLACE, None) == [5]


def test_what_a_model_made_of_the_old_value_is_not_written_over_a_newer_one(
    tmp_path: Path,
) -> None:
    store = InMemory()
    models = Models(next=["first", "second", "third"])
    results = many(load(tmp_path, ASKED), store, 3, models)
    answered = [result for result in results if isinstance(result, Answered)]
    assert len(answered) == 1
    assert store.read((None, "last", '"k"'), None) == [answered[0].value]
    lost = [result for result in results if isinstance(result, Failed)]
    assert all("`next` was made of what it held then" in result.text for result in lost)


def test_what_hangs_on_nothing_recalled_is_written_over(tmp_path: Path) -> None:
    text = ASKED.replace("ask say(given)", "ask say(key)")
    models = Models(next=["first", "second", "third"])
    results = many(load(tmp_path, text), InMemory(), 3, models)
    assert all(isinstance(result, Answered) for result in results)


def test_the_second_write_of_a_run_hangs_on_its_first(tmp_path: Path) -> None:
    text = COUNT.replace("return after", "remember count(key) = after + 10 return after")
    loaded = load(tmp_path, text)
    store = InMemory()
    assert loaded.pipeline("main", runtime=Runtime(memories=store)).run_sync(key="k").value == 1
    assert store.read(PLACE, None) == [11]


def test_two_processes_count_in_one_file(tmp_path: Path) -> None:
    load(tmp_path, COUNT)
    script = tmp_path / "count.py"
    script.write_text(
        "import asyncio, sys, pipelang\n"
        "from pipelang.runtime.shared.memory_store import Sqlite\n"
        f"runtime = pipelang.Runtime(memories=Sqlite({str(tmp_path / 'm.db')!r}))\n"
        f"file = {str(tmp_path / 'main.pipe')!r}\n"
        "loaded = pipelang.load(file, allow=pipelang.diagnostics.RULES)\n"
        "ready = loaded.pipeline('main', runtime=runtime)\n"
        "async def main():\n"
        "    await asyncio.gather(*(ready.run(key='k') for _ in range(25)))\n"
        "asyncio.run(main())\n",
        encoding="utf-8",
    )
    both = [subprocess.Popen([sys.executable, str(script)]) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert Sqlite(tmp_path / "m.db").read(PLACE, None) == [50]


def test_a_swap_looks_at_the_last_value_only_and_knows_true_from_one(tmp_path: Path) -> None:
    now = [100.0]
    stores: list[MemoryStore] = [InMemory(lambda: now[0])]
    stores.append(Sqlite(tmp_path / "m.db", lambda: now[0]))
    for store in stores:
        now[0] = 100.0
        assert store.swap(PLACE, [], 1, 10.0) is None
        assert store.swap(PLACE, [True], 2, 10.0) == [1]
        assert store.swap(PLACE, [], 2, 10.0) == [1]
        assert store.swap(PLACE, [0, 1], 2, 10.0) is None
        now[0] = 111.0
        assert store.swap(PLACE, [2], 3, 10.0) == []
        assert store.swap(PLACE, [], 3, 10.0) is None
        assert store.read(PLACE, 10.0) == [3]


def test_a_store_that_cannot_swap_says_so(tmp_path: Path) -> None:
    class Old:
        def read(self, place: Any, keeps: float | None) -> list[Any]:
            return []

        def write(self, *given: Any) -> None:
            raise AssertionError

    old: Any = Old()
    with pytest.raises(TypeError, match="`swap`"):
        load(tmp_path, COUNT).pipeline("main", runtime=Runtime(memories=old))
