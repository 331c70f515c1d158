"""Breakers: what opens one, who answers meanwhile, and how it closes again."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Escalated, Failed, Rejected, Runtime
from pipelang.diagnostics import Span
from pipelang.runtime.shared.circuit_breakers import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    Admission,
    Breakers,
    EndedRun,
    measure,
)
from pipelang.semantics import program as p

from ..stage import Humans, events, load

NOWHERE = Span("", 0, 0)
STEP: Any = None


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def breaker(*opens: Any, probes: int = 60) -> p.Breaker:
    return p.Breaker(opens, Decimal(probes), STEP, NOWHERE)


def rejects(count: int, gate: str = "sure") -> p.OpensRejects:
    return p.OpensRejects(gate, count, NOWHERE)


def metric(name: str, op: str, target: Any, runs: int) -> p.OpensMetric:
    return p.OpensMetric(name, op, Decimal(str(target)), runs, NOWHERE)


GOOD, BAD = EndedRun("answered", gates={"sure": True}), EndedRun("rejected", gates={"sure": False})
FAILS = EndedRun("failed")


class Stage:
    """One breaker with its clock."""

    def __init__(self, what: p.Breaker) -> None:
        self.clock = Clock()
        self.all = Breakers(self.clock)
        self.what = what

    def enter(self) -> Any:
        return self.all.admit(("k",), self.what)

    def run(self, *seen: EndedRun | None) -> str:
        for one in seen:
            given = self.enter()
            assert isinstance(given, Admission), given
            self.all.record_end(given, one)
        return self.all.state(("k",))


def test_rejects_count_in_a_row_and_only_where_the_gate_was_reached() -> None:
    stage = Stage(breaker(rejects(3)))
    assert stage.run(BAD, BAD, GOOD, BAD, FAILS, BAD, None) == CLOSED
    assert stage.run(BAD) == OPEN
    assert stage.enter() == "`sure` rejected 3 in a row"


@pytest.mark.parametrize("seed", range(20))
def test_shares_and_means_are_of_the_last_runs(seed: int) -> None:
    """Against counting everything anew after every run."""
    chance = random.Random(seed)
    share, mean = metric("error_rate", ">", 0.4, 5), metric("latency.p95", ">=", 8, 4)
    stage = Stage(breaker(share, mean))
    seen: list[EndedRun] = []
    for _ in range(60):
        one = EndedRun(
            chance.choice(["failed", "answered", "answered"]), latency=chance.uniform(0, 10)
        )
        seen.append(one)
        state = stage.run(one)
        failed = len(seen) >= 5 and sum(s.outcome == "failed" for s in seen[-5:]) / 5 > 0.4
        slow = len(seen) >= 4 and max(s.latency for s in seen[-4:]) >= 8
        assert (state == OPEN) == (failed or slow)
        if state == OPEN:
            stage.clock.now += 60
            assert stage.run(EndedRun("answered")) == CLOSED
            seen.clear()


def test_metrics() -> None:
    runs = [
        EndedRun("escalated", "sure", cost=1, tokens=10, latency=n, turnaround=2 * n)
        for n in (1, 2, 3, 10)
    ]
    assert measure("latency", runs) == 4
    assert measure("latency.p50", runs) == 2
    assert measure("latency.p95", runs) == 10
    assert measure("turnaround.worst", runs) == 20
    assert measure("tokens.mean", runs) == 10
    assert measure("escalation.sure", runs) == 1
    assert measure("escalation.other", runs) == 0
    assert measure("coverage", runs) == 0


def test_one_probe_at_a_time_decides() -> None:
    stage = Stage(breaker(rejects(1)))
    assert stage.run(BAD) == OPEN
    stage.clock.now += 59
    assert isinstance(stage.enter(), str)
    stage.clock.now += 1
    probe = stage.enter()
    assert isinstance(probe, Admission)
    assert probe.probe
    assert isinstance(stage.enter(), str), "while one probe is out, there is no other"
    assert stage.all.state(("k",)) == HALF_OPEN
    assert stage.all.record_end(probe, BAD) == (OPEN, "`sure` rejected the probe")
    assert isinstance(stage.enter(), str), "a bad probe begins the wait anew"
    stage.clock.now += 60
    assert stage.run(GOOD) == CLOSED
    assert isinstance(stage.enter(), Admission)


def test_a_probe_of_which_nothing_is_learnt_makes_room_for_the_next() -> None:
    stage = Stage(breaker(rejects(1)))
    stage.run(BAD)
    stage.clock.now += 60
    assert stage.run(None) == OPEN
    assert stage.run(GOOD) == CLOSED


def test_a_probe_that_never_comes_back_does_not_keep_it_open() -> None:
    stage = Stage(breaker(rejects(1)))
    stage.run(BAD)
    stage.clock.now += 60
    lost = stage.enter()
    stage.clock.now += 60
    assert stage.run(GOOD) == CLOSED
    assert stage.all.record_end(lost, BAD) is None
    assert stage.all.state(("k",)) == CLOSED


def test_runs_from_before_a_change_do_not_count() -> None:
    stage = Stage(breaker(rejects(2)))
    early = [stage.enter() for _ in range(5)]
    stage.all.record_end(early[0], BAD)
    stage.all.record_end(early[1], BAD)
    stage.clock.now += 60
    assert stage.run(GOOD) == CLOSED
    for given in early[2:]:
        assert stage.all.record_end(given, BAD) is None
    assert stage.all.state(("k",)) == CLOSED


# ------------------------------------------------------------------------------------ in runs

ROUTE = """
pipeline main(x: int) -> text {
  breaker { opens when sure rejects 2 in a row probes after 60s }
    else "by the rules" else escalate to boss
  gate sure: x > 0 else escalate to boss "unsure"
  return "by a model"
}
"""


def play(runtime: Runtime, loaded: Any, tenant: str | None = None, **inputs: Any) -> Any:
    ready = loaded.pipeline("main", runtime=runtime).with_options(tenant=tenant)
    return ready.run_sync(**inputs)


def runtime(clock: Clock) -> Runtime:
    return Runtime(breakers=Breakers(clock), people=Humans())


def test_an_open_breaker_answers_for_its_pipeline_and_tenant(tmp_path: Path) -> None:
    text = ROUTE.replace(" else escalate to boss\n  gate", "\n  gate")
    loaded, clock = load(tmp_path, text), Clock()
    ours = runtime(clock)
    for _ in range(2):
        last = play(ours, loaded, x=-1)
        assert isinstance(last, Escalated)
        assert last.reason == "sure"
    (event,) = events(last, "breaker")
    assert event.data == {"state": "open", "why": "`sure` rejected 2 in a row"}
    result = play(ours, loaded, x=1)
    assert isinstance(result, Answered)
    assert result.value == "by the rules"
    assert events(result, "breaker")[0].data["state"] == "open"
    assert events(result, "gate") == []
    assert getattr(play(ours, loaded, "acme", x=1), "value", None) == "by a model"
    clock.now += 60
    probe = play(ours, loaded, x=1)
    assert getattr(probe, "value", None) == "by a model"
    assert [e.data["state"] for e in events(probe, "breaker")] == ["half_open", "closed"]
    assert events(play(ours, loaded, x=1), "breaker") == []


def test_an_outcome_as_else_has_the_breaker_as_its_reason(tmp_path: Path) -> None:
    text = """
    pipeline main(x: int) -> int {
      breaker { opens when error_rate >= 50% over 2 runs probes after 60s }
        else escalate to boss "broken"
      gate fine: x > 0 else fail "bad_luck"
      return x
    }"""
    loaded, ours = load(tmp_path, text), runtime(Clock())
    assert isinstance(play(ours, loaded, x=1), Answered)
    assert isinstance(play(ours, loaded, x=-1), Failed)
    result = play(ours, loaded, x=1)
    assert isinstance(result, Escalated)
    assert (result.reason, result.text) == ("breaker", "broken")


def test_a_sub_pipeline_has_a_breaker_of_its_own(tmp_path: Path) -> None:
    text = """
    pipeline inner(x: int) -> int {
      breaker { opens when coverage < 50% over 2 runs probes after 60s } else reject "tired"
      gate fine: x > 0 else fail "bad_luck"
      return x
    }
    pipeline main(x: int) -> int {
      breaker { opens when inner.fine rejects 3 in a row } else -3
      step a = run inner(x) else -2
      return a
    }"""
    loaded, ours = load(tmp_path, text), runtime(Clock())
    values = [getattr(play(ours, loaded, x=x), "value", None) for x in (1, -1, -1)]
    assert values == [1, -2, -2]
    result = play(ours, loaded, x=-1)
    assert isinstance(result, Rejected)
    assert result.reason == "inner.breaker"


def test_the_gates_of_sub_pipelines_count(tmp_path: Path) -> None:
    text = """
    pipeline inner(x: int) -> int { gate fine: x > 0 else fail "no" return x }
    pipeline main(x: int) -> int {
      breaker { opens when inner.fine rejects 2 in a row } else -3
      step a = run inner(x) else -2
      return a
    }"""
    loaded, ours = load(tmp_path, text), runtime(Clock())
    assert [getattr(play(ours, loaded, x=-1), "value", None) for _ in range(3)] == [-2, -2, -3]


def test_a_redo_that_helps_is_no_rejection(tmp_path: Path) -> None:
    from ..stage import OUT, Models

    text = f"""
    pipeline main(x: text) -> Answer {{
      breaker {{ opens when sure rejects 1 in a row }} else reject
      step a: Answer = ask say(x) by small {OUT}
      gate sure: a.confidence >= 70% else redo a up to 1 else reject
      return a
    }}"""
    loaded = load(tmp_path, text)
    good, bad = {"value": "v", "confidence": 1}, {"value": "v", "confidence": 0}
    for answers, state in (([bad, good], CLOSED), ([bad, bad], OPEN)):
        ours = Runtime(providers={"lab": Models(a=answers)})
        play(ours, loaded, x="x")
        assert ours.breakers.state((loaded.program.file, "main", None)) == state


@pytest.mark.usefixtures("virtual_time")
def test_a_cancelled_run_says_nothing(tmp_path: Path) -> None:
    text = """
    pipeline main(x: int) -> int {
      breaker { opens when error_rate > 5% over 1 runs } else -1
      approve ok by boss within 1h else fail "no"
      return x
    }"""
    loaded, ours = load(tmp_path, text), runtime(Clock())

    async def main() -> None:
        running = asyncio.ensure_future(loaded.pipeline("main", runtime=ours).run(x=1))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())
    assert ours.breakers.state((loaded.program.file, "main", None)) == CLOSED


def test_effects_of_an_else_are_barriers_and_bound(tmp_path: Path) -> None:
    """A pipeline whose breaker acts is one that acts: nothing below its `run` starts before."""
    text = """
    tool put(x: int) -> int { effect write latency 1ms median succeeds 99% }
    pipeline inner(x: int) -> int {
      breaker { opens when error_rate > 5% over 1 runs } else call put(x)
      gate fine: x > 0 else fail "no"
      return x
    }
    pipeline main(x: int) -> int { step a = run inner(x) else -1 step b = run inner(x) return b }
    """
    loaded = load(tmp_path, text)
    ours = Runtime(breakers=Breakers(Clock()))
    ready = loaded.pipeline("main", runtime=ours, tools={"put": lambda x: x * 10})
    result = ready.run_sync(x=-1)
    assert isinstance(result, Answered)
    assert result.value == -10
    kinds = [(e.kind, e.name) for e in result.trace if e.kind in ("returned", "runs", "failed")]
    assert kinds == [
        ("runs", "a"),
        ("returned", "a"),
        ("failed", "a"),
        ("runs", "b"),
        ("returned", "b"),
    ]
