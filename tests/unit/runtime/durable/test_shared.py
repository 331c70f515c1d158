"""Rates, breakers and caches in a store behave as those in memory do, for all workers together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

import pipelang
from pipelang import Answered, Escalated, Runtime
from pipelang.diagnostics import Span
from pipelang.runtime.durable.shared.breakers import StoredBreakers
from pipelang.runtime.durable.shared.caches import StoredCache
from pipelang.runtime.durable.shared.rates import StoredRates
from pipelang.runtime.durable.store import Store
from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.shared.cache import InMemoryCache, Key
from pipelang.runtime.shared.circuit_breakers import Admission, Breakers, EndedRun
from pipelang.runtime.tools.rate_limits import Rates
from pipelang.semantics import program as p

NOWHERE = Span("", 0, 0)
NO_STEP: Any = None


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the clock of the store, and of this process."""
    at = [1000.0]
    monkeypatch.setattr(Store, "now_on", lambda self, connection: at[0])
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    return at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    yield made
    made.close()


PIPE = """
tool send(n: int) -> int { python "x:y" effect read rate 3/min }
tool other(n: int) -> int { python "x:z" effect read rate 3/min }
pipeline guarded(n: int) -> int {
  breaker { opens when small rejects 2 in a row } else escalate to desk "down"
  gate small: n < 5 else reject
  return n
}
pipeline kept(n: int) -> int {
  step a: int = call send(n) { cache 1h by n }
  return a
}
role desk { people 2 accuracy 99% }
"""


def loaded(folder: Path) -> pipelang.LoadedProgram:
    folder.mkdir(exist_ok=True)
    (folder / "all.pipe").write_text(PIPE, encoding="utf-8")
    return pipelang.load(folder / "all.pipe")


@pytest.mark.parametrize("seed", range(4))
def test_rates_as_in_memory(seed: int, store: Store, now: list[float], tmp_path: Path) -> None:
    luck, one = Random(seed), Rates()
    workers = [StoredRates(store) for _ in range(3)]
    tools = list(loaded(tmp_path).program.tools.values())
    waits = 0
    for _ in range(80):
        now[0] += luck.choice((0.0, 1.0, 30.0))
        tool = luck.choice(tools)
        wait = one.take(tool)
        assert luck.choice(workers).take(tool) == pytest.approx(wait)
        waits += wait > 0
    assert waits > 5


def test_a_clock_that_is_put_back_keeps_no_tool_waiting(
    store: Store, now: list[float], tmp_path: Path
) -> None:
    rates, tool = StoredRates(store), loaded(tmp_path).program.tools["send"]
    for _ in range(3):
        assert rates.take(tool) == 0
    assert rates.take(tool) == 60
    now[0] -= 500_000
    assert rates.take(tool) == 0


@pytest.mark.parametrize("seed", range(6))
def test_breakers_as_in_memory(seed: int, store: Store, now: list[float]) -> None:
    luck, one = Random(seed), Breakers(lambda: now[0])
    workers = [StoredBreakers(store) for _ in range(3)]
    opens: tuple[Any, ...] = (
        p.OpensRejects("sure", 2, NOWHERE),
        p.OpensMetric("error_rate", ">", Decimal("0.4"), 3, NOWHERE),
    )
    breaker = p.Breaker(opens, Decimal(60), NO_STEP, NOWHERE)
    live: list[tuple[Admission, Admission]] = []
    opened = probed = 0
    for number in range(120):
        now[0] += luck.choice((0.0, 5.0, 40.0))
        worker = luck.choice(workers)
        if luck.random() < 0.6 or not live:
            key = "f.pipe", "p", luck.choice((None, "t"))
            name = luck.choice((None, f"r{number}/"))
            mine, theirs = one.admit(key, breaker, name), worker.admit(key, breaker, name)
            assert mine == theirs
            if name is not None:
                assert luck.choice(workers).admit(key, breaker, name) == theirs
            if isinstance(mine, str):
                opened += 1
                continue
            assert isinstance(theirs, Admission)
            probed += mine.probe
            live.append((mine, theirs))
            continue
        mine, theirs = live.pop(luck.randrange(len(live)))
        seen = luck.choice(
            (
                None,
                EndedRun("answered", gates={"sure": True}),
                EndedRun("failed", "x", 0.5, 7, 1.0, 2.0),
                EndedRun("rejected", gates={"sure": False}),
            )
        )
        assert one.record_end(mine, seen) == worker.record_end(theirs, seen, breaker)
        assert one.state(mine.key) == worker.state(mine.key)
    assert opened > 3
    assert probed > 0


def test_a_breaker_that_is_written_in_another_way_begins_anew(
    store: Store, now: list[float]
) -> None:
    breakers, key = StoredBreakers(store), ("f.pipe", "p", None)
    one = p.Breaker((p.OpensRejects("sure", 1, NOWHERE),), Decimal(60), NO_STEP, NOWHERE)
    given = breakers.admit(key, one)
    assert isinstance(given, Admission)
    breakers.record_end(given, EndedRun("rejected", gates={"sure": False}), one)
    assert isinstance(breakers.admit(("elsewhere/f.pipe", "p", None), one), str)
    other = p.Breaker((p.OpensRejects("sure", 2, NOWHERE),), Decimal(60), NO_STEP, NOWHERE)
    assert isinstance(breakers.admit(key, other), Admission)


@pytest.mark.parametrize("seed", range(3))
def test_caches_as_in_memory(seed: int, store: Store, now: list[float]) -> None:
    luck, one = Random(seed), InMemoryCache(lambda: now[0])
    workers = [StoredCache(store) for _ in range(2)]
    keys: list[Key] = [(None, "h", "a", "[1]"), ("", "h", "a", "[1]"), ("t", "h", "a", "[1]")]
    for _ in range(60):
        now[0] += luck.choice((0.0, 4.0))
        key = luck.choice(keys)
        if luck.random() < 0.3:
            answer, seconds = luck.choice((1, True, "ä", [None], {"a": 1.5})), luck.choice((3, 9))
            one.store(key, answer, seconds)
            luck.choice(workers).store(key, answer, seconds)
        found = luck.choice(workers).find(key)
        assert found is one.find(key) is NOTHING or found == one.find(key)


def test_what_one_worker_counts_the_other_minds(store: Store, tmp_path: Path) -> None:
    """Two runtimes, as of two processes, whose program lies in different folders."""

    def runtime() -> Runtime:
        return Runtime(
            tools={"send": lambda n: n, "other": lambda n: n},
            breakers=StoredBreakers(store),
            cache=StoredCache(store),
            rates=StoredRates(store),
        )

    one, other = (
        loaded(tmp_path / name).pipeline("guarded", runtime=runtime()) for name in ("a", "b")
    )
    for handle in (one, other):
        handle.run_sync(n=9)
    assert isinstance(one.run_sync(n=1), Escalated)
    assert isinstance(other.with_options(tenant="t").run_sync(n=1), Answered)
    asked: list[int] = []

    def send(n: int) -> int:
        asked.append(n)
        return n

    for name in ("a", "b"):
        mine = runtime()
        handle = loaded(tmp_path / name).pipeline("kept", runtime=mine, tools={"send": send})
        assert isinstance(handle.run_sync(n=4), Answered)
    assert asked == [4]
