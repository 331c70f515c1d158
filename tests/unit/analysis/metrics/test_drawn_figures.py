"""Figures over draws of a posterior: some rows at a time, all figures in one sweep of them."""

from __future__ import annotations

import json
import tracemalloc
from random import Random
from typing import Any

import pytest

from pipelang.analysis.metrics import drawn_figures
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.metrics.differences import differences
from pipelang.analysis.metrics.drawn_figures import DrawnFigures
from pipelang.analysis.model import posterior
from pipelang.semantics import program as p
from pipelang.semantics.build import build

from ....memory import MemoryLoader
from ..one_lab import WORLD

COUNTED = """\
  step a: Answer = ask say(q) by model { accuracy from "a.jsonl" shift 3% timeout 5s }
  gate sure: a.confidence >= 60% else escalate to desk
  step b: Answer = ask say(a.body) by model { accuracy from "b.jsonl" shift 2% timeout 5s }
  gate fine: b.confidence >= 50% else reject
"""
UNKNOWN = """\
  step c: Answer = ask say(b.body) by model { timeout 5s }
  step d: Answer = ask say(c.body) by model { timeout 5s }
  step e: Answer = ask say(d.body) by model { timeout 5s }
  gate good: e.confidence >= 50% else escalate to desk
"""


def rows(seed: int, right: int, wrong: int) -> str:
    pick = Random(seed)
    return "\n".join(
        json.dumps({"confidence": round(pick.betavariate(6, 2), 2), "correct": good})
        for good in [True] * right + [False] * wrong
    )


FILES = {"a.jsonl": rows(1, 90, 10), "b.jsonl": rows(2, 40, 9)}


def program(items: str, answer: str) -> p.Program:
    slo = "slo { success >= 60%  escalation.sure <= 30%  cost.mean <= $0.01 }"
    head = "pipeline p(q: text max 200 tokens) -> text max 20 tokens {\n"
    text = f"{WORLD}{head}  {slo}\n{items}  return {answer}.body\n}}\n"
    made = build("x.pipe", MemoryLoader({"x.pipe": text, **FILES}))
    assert made.program is not None, [one.message for one in made.diagnostics]
    return made.program


def analysed(made: p.Program) -> Analysis:
    return analyse(made, made.pipelines["p"])


def all_numbers(found: Analysis) -> dict[str, Any]:
    return {
        "metrics": found.numbers,
        "escalations": found.escalations,
        "asked": found.asked,
        "steps": [tuple(row) for row in found.steps],
        "promises": [(one.number, one.probability, one.holds) for one in found.slo],
    }


CASES = [(COUNTED, "b"), (COUNTED + UNKNOWN, "e")]


@pytest.mark.parametrize(("items", "answer"), CASES)
def test_they_are_the_same_however_many_rows_are_swept_at_a_time(
    items: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posterior, "MOST_ELEMENTS", 20_000)
    made = program(items, answer)
    at_once = all_numbers(analysed(made))
    monkeypatch.setattr(drawn_figures, "MOST_NUMBERS", 1)
    assert all_numbers(analysed(made)) == at_once


def test_changes_are_the_same_however_many_rows_are_swept_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sides = [program(COUNTED, "b"), program(COUNTED.replace("60%", "70%"), "b")]
    old, new = map(analysed, sides)
    at_once = differences(sides[0], old, sides[1], new)
    assert any(one.how == "paired" for one in at_once.metrics.values())
    monkeypatch.setattr(drawn_figures, "MOST_NUMBERS", 1)
    assert differences(sides[0], old, sides[1], new) == at_once


def test_draws_of_all_figures_at_all_points_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 ways of drifting and none, times 16 points, times the draws, times 40 figures, was 8 GB
    where draws were as many as they may be; here they are a tenth.
    """
    monkeypatch.setattr(posterior, "MOST_ELEMENTS", 200_000)
    made = program(COUNTED + UNKNOWN, "e")
    analysed(made)  # what is imported and kept for later is none of it
    tracemalloc.start()
    found = analysed(made)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.draws > 5_000
    assert peak < 100e6


@pytest.mark.parametrize(("items", "answer"), CASES)
def test_one_sweep_of_the_rows_answers_all_that_is_asked(
    items: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an analysis asks without having said so is swept once more: right, and slow."""
    monkeypatch.setattr(posterior, "MOST_ELEMENTS", 20_000)
    swept: list[bool] = []
    plain = DrawnFigures._sweep

    def counted(self: DrawnFigures, questions: Any, everywhere: bool) -> None:
        if questions:
            swept.append(everywhere)
        plain(self, questions, everywhere)

    monkeypatch.setattr(DrawnFigures, "_sweep", counted)
    analysed(program(items, answer))
    assert len(swept) == len(set(swept)) <= 2


def test_a_ratio_of_nothing_warns_nobody() -> None:
    """Where a threshold drifted so far that it rejects everything, nothing is answered, rightly or
    not: numpy's warning of 0 / 0 stood on the screen of a first `check`.
    """
    text = (
        WORLD
        + """
pipeline main(q: text max 200 tokens) -> Answer {
  step a: Answer = ask say(q) by model { accuracy from "a.jsonl" shift 60% timeout 5s }
    else reject
  gate sure: a.confidence >= 60% else reject
  return a
}
"""
    )
    files = {"e.pipe": text, "a.jsonl": rows(1, 9, 3)}
    program = build("e.pipe", MemoryLoader(files)).program
    assert program is not None
    risk = analyse(program, program.pipelines["main"]).numbers["selective_risk"]
    low, value, high = (part or 0.0 for part in (risk.low, risk.value, risk.high))
    assert 0 <= low <= value <= high <= 1
    assert high > low
