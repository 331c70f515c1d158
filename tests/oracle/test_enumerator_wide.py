"""The enumeration of sub-pipelines, lists and the rest against answers worked out by hand."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from . import cases_asked, cases_each, cases_run  # noqa: F401
from . import expressions as e
from . import model as m
from .building import World, ask, child, given, rate, returned, run, step
from .cases import CASES
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate_wide import generate_wide
from .values import OpenReadingError

MOST_RUNS = 4_000 if os.environ.get("ORACLE_LONG") else 1_000


@pytest.mark.parametrize("literal", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_known_answers(name: str, literal: bool) -> None:
    case = CASES[name]()
    result = enumerate_runs(case.program, literal=literal)
    assert {kind: p for kind, p in result.outcomes.items() if p} == {
        kind: p for kind, p in case.outcomes.items() if p
    }
    if case.escalations:
        assert result.escalations == case.escalations
    if case.wrong_effect is not None:
        assert result.wrong_effect == case.wrong_effect
    if case.cost is not None:
        assert result.cost_mean == case.cost


def test_two_pipelines_that_disagree_are_open() -> None:
    def gated(name: str, share: str) -> m.Pipeline:
        gate = m.Gate("g", m.Test(e.Path("x", "flag")), m.Reject())
        back = m.Return(e.Path("a"))
        return child(name, gate, step("a", ask("x")), back, shares=(given("x", share),))

    program = World(children=(gated("one", ".3"), gated("two", ".4"))).program(
        step("z", run("one")), step("w", run("two")), returned("z", "w")
    )
    with pytest.raises(OpenReadingError):
        enumerate_runs(program)


def test_a_copy_of_what_a_run_answered_is_open() -> None:
    inner = child("child", step("a", ask("x")), m.Return(e.Path("a")))
    judged = m.Test(e.Path("z", "ok"), m.Rates(rate(".5"), rate(".5")))
    program = World(transient=".5", children=(inner,)).program(
        step("z", ask(correlation=".5"), run("child")),
        m.Gate("g", judged, m.Reject(), m.Redo("z", 1)),
        returned("z"),
    )
    with pytest.raises(OpenReadingError):
        enumerate_runs(program)


@pytest.mark.parametrize("seed", range(72))
def test_short_cuts_change_nothing(seed: int) -> None:
    """Votes, agents, retries and hidden bits, drawn one by one and as a whole; runs that meet."""
    program = generate_wide(seed)
    try:
        literal = enumerate_runs(program, limit=MOST_RUNS, literal=True)
    except (TooManyRunsError, OpenReadingError):
        return  # some of them always; `coverage` counts how many
    assert enumerate_runs(program, literal=True, apart=True) == literal
    assert replace(enumerate_runs(program), runs=0) == replace(literal, runs=0)
