"""Walks of all that a run may run: each pipeline once, however many ways lead to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from pipelang.analysis.production.failing import models_inside, needs_model
from pipelang.interfaces.check.check import check_file
from pipelang.semantics import program as p
from pipelang.semantics.answerers import answered_by_models
from pipelang.semantics.build import build
from pipelang.semantics.kernels import run
from pipelang.semantics.walk import all_steps
from tests.memory import MemoryLoader
from tests.work import calls, grows_no_faster_than

HEAD = """
use std.tiers { anthropic }
use std.openai { openai }
role team { people 3 handles 4m hours 8 responds 15m median, 2h p95 accuracy 98% }
tier small { provider anthropic model "a" price $1 in, $5 out latency 1s median transient 1% }
tier other { provider openai model "b" price $1 in, $5 out latency 1s median transient 1% }
type A { body: text max 100 tokens  confidence: probability }
tool look(q: text max 100 tokens) -> A { effect read latency 10ms median succeeds 99% }
tool send(q: text max 100 tokens) -> A { effect irreversible latency 10ms median succeeds 99% }
prompt answer(q: text) \"\"\"
  Answer {{ q }}.
\"\"\"
"""

LEAF = """
pipeline p0(q: text max 100 tokens, n: int) -> A {
  budget $5, 100h, 90 steps else escalate to team "spent"
  step a: A = ask answer(q) by small { accuracy 90% } else ask answer(q) by other { accuracy 80% }
  when big: n > 2 { step x = call send(q) }
  approve ok by team within 2h showing a else escalate to team "no"
  return a
}
"""

LEVEL = """
pipeline p%(level)d(q: text max 100 tokens, n: int) -> A {
  step a = run p%(inner)d(q, n) else run p%(inner)d(q, n) else call look(q)
  step b = run p%(inner)d(a.body, n)
  return b
}
"""


LEAN = """
pipeline p0(q: text max 100 tokens, n: int) -> A {
  step a: A = ask answer(q) by small { accuracy 90% } else ask answer(q) by other { accuracy 80% }
  return a
}
"""


@cache
def nested(levels: int, leaf: str = LEAF) -> str:
    """Levels of pipelines of which each runs the one below three times."""
    above = (LEVEL % {"level": level, "inner": level - 1} for level in range(1, levels + 1))
    return "".join((HEAD, leaf, *above))


@cache
def built(levels: int) -> p.Program:
    found = build("m.pipe", MemoryLoader({"m.pipe": nested(levels)}))
    assert found.program is not None, found.diagnostics
    return found.program


WALKS: dict[str, Callable[[p.Program, p.Pipeline], Any]] = {
    "all_behind": lambda program, top: [*run.all_behind(program, top)],
    "with_inner": lambda program, top: [*run.with_inner(program, top)],
    "waits_for_people": run.waits_for_people,
    "pipeline_acts": lambda program, top: run.pipeline_acts(program, top.name),
    "tiers_behind": lambda program, top: [*run.tiers_behind(program, top)],
    "tools_behind": lambda program, top: [*run.tools_behind(program, top)],
    "prompts_behind": lambda program, top: [*run.prompts_behind(program, top)],
    "endings_of": lambda program, top: run.endings_of(program, top.name),
    "pipelines_behind": lambda program, top: [
        *run.pipelines_behind(program, next(all_steps(top)).chain)
    ],
    "needs_model": lambda program, top: needs_model(program, next(all_steps(top)).chain.links[0]),
    "models_inside": lambda program, top: models_inside(program, next(all_steps(top)).chain),
    "answered_by_models": lambda program, top: answered_by_models(program, top, ["b"]),
}


@pytest.mark.parametrize("walk", WALKS)
def test_a_pipeline_that_is_run_in_many_ways_is_walked_once(walk: str) -> None:
    """Of 15 levels the lowest is reached in 14 million ways."""
    program = built(15)
    made = calls(lambda: WALKS[walk](program, program.pipelines["p15"]))
    assert made < 10_000


def test_a_check_of_nested_pipelines_grows_with_their_levels() -> None:
    """A single walk of all 3^12 ways would make as many calls as the whole check."""

    def checked(levels: int) -> None:
        found = check_file("m.pipe", MemoryLoader({"m.pipe": nested(levels, LEAN)}))
        assert found.program is not None, found.diagnostics

    grows_no_faster_than(2.6, checked, 6, 2)


def test_what_answers_while_a_breaker_is_open_is_behind_a_pipeline() -> None:
    text = (
        HEAD
        + """
pipeline by_people(q: text) -> A {
  step a: A = ask answer(q) by team { accuracy 90% } else fail "nobody"
  return a
}
pipeline main(q: text max 100 tokens) -> A {
  breaker { opens when error_rate > 5% over 100 runs probes after 5m } else run by_people(q)
  step a = call look(q)
  return a
}
"""
    )
    found = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert found.program is not None, found.diagnostics
    program, main = found.program, found.program.pipelines["main"]
    assert [one.name for one in run.with_inner(program, main)] == ["main"]
    assert [one.name for one in run.all_behind(program, main)] == ["main", "by_people"]
    assert run.waits_for_people(program, main)
    assert [*run.prompts_behind(program, main)] == ["answer"]
