"""Votes and cascades: how many are asked, who wins, and what a failed call counts as."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Failed
from pipelang.runtime.host.pipeline_tests import run_test
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage

from ..stage import Models, events, handle, left_over, load, play

BUSY = ModelFault("overloaded", "busy")
REFUSED = ModelFault("refusal", "no")


def step(folder: Path, links: str, kind: str = "text", head: str = "") -> Any:
    return load(
        folder,
        f"pipeline main(x: text) -> {kind} {{ {head} step a: {kind} = {links} return a }}",
    )


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        (["x", "x", "y"], "x"),
        (["y", "x", "x"], "x"),
        (["x", "y", "z"], None),
        (["x", REFUSED, "x"], "x"),
        (["x", REFUSED, REFUSED], None),
        ([REFUSED, REFUSED, REFUSED], None),
    ],
)
def test_a_majority_is_of_all_calls(tmp_path: Path, answers: list[Any], value: Any) -> None:
    models = Models(a=answers)
    loaded = step(tmp_path, 'ask say(x) by small { vote 3 } else "none"')
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered)
    assert result.value == (value or "none")
    assert len(models.requests) == 3


def test_the_calls_of_a_majority_run_side_by_side(tmp_path: Path) -> None:
    loaded = step(tmp_path, "ask say(x) by small { vote 5 }")

    async def main() -> Any:
        together = asyncio.Barrier(5)

        async def meet(request):
            await together.wait()
            return "x"

        result = await asyncio.wait_for(handle(loaded, Models(a=meet)).run(x="hi"), 60)
        assert left_over() == []
        return result

    assert isinstance(asyncio.run(main()), Answered)


def test_equal_answers_are_equal_as_values(tmp_path: Path) -> None:
    one, two = {"value": "v", "confidence": 1}, {"confidence": 1.0, "value": "v"}
    models = Models(a=[one, two, {"value": "w", "confidence": 0.5}])
    result = play(step(tmp_path, "ask say(x) by small { vote 3 }", "Answer"), models, x="hi")
    assert isinstance(result, Answered)
    assert result.value.value == "v"


@pytest.mark.parametrize(
    ("answers", "value", "asked"),
    [
        (["x", "x"], "x", 2),
        (["x", "y", "x", "x"], "x", 4),
        (["x", "y", "x", "y", "x"], None, 5),
        ([BUSY, "x", BUSY, "x"], "x", 4),
        ([BUSY] * 5, None, 5),
    ],
)
def test_a_lead_is_asked_for_one_by_one(
    tmp_path: Path, answers: list[Any], value: Any, asked: int
) -> None:
    models = Models(a=answers)
    loaded = step(tmp_path, 'ask say(x) by small { vote lead 2 of 5 } else "none"')
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered)
    assert result.value == (value or "none")
    assert len(models.requests) == asked


def test_every_call_has_the_retries_for_itself(tmp_path: Path) -> None:
    loaded = step(tmp_path, 'ask say(x) by small { vote lead 2 of 3 retry 1 } else "none"')
    models = Models(a=[BUSY, "x", BUSY, "x"])
    assert getattr(play(loaded, models, x="hi"), "value", None) == "x"
    models = Models(a=[REFUSED, "x", BUSY, BUSY, "x"])
    result = play(loaded, models, x="hi")
    assert getattr(result, "value", None) == "none"
    # refused (no retry), "x", busy and busy again: three calls, and nobody leads by two.
    assert len(models.requests) == 4


def test_what_did_not_fit_is_told_within_a_call_only(tmp_path: Path) -> None:
    loaded = step(tmp_path, "ask say(x) by small { vote lead 2 of 3 retry 1 }")
    models = Models(a=[5, "x", "x"])
    assert isinstance(play(loaded, models, x="hi"), Answered)
    assert [bool(request.misfit) for request in models.requests] == [False, True, False]


def test_a_spent_budget_ends_a_vote_and_cancels_its_calls(tmp_path: Path) -> None:
    gone: list[str] = []

    async def slow(request):
        try:
            await asyncio.sleep(0.05)
        finally:
            gone.append(request.step)
        return ModelAnswer("x", Usage(3, 100), "m")

    loaded = step(
        tmp_path,
        "ask say(x) by small { vote 5 output 100 tokens max }",
        head="budget $0.0012",
    )
    models = Models(a=slow)
    result = play(loaded, models, x="hi")
    assert isinstance(result, Failed)
    assert result.code == "budget_exceeded"
    assert result.cost <= Decimal("0.0012")
    assert len(gone) == len(models.requests) == 2


CASCADE = "ask say(x) by cascade(small, big) until it.confidence >= 80% { retry 1 }"


def sure(confidence: float, value: str = "v") -> dict[str, Any]:
    return {"value": value, "confidence": confidence}


@pytest.mark.parametrize(
    ("answers", "tiers", "value"),
    [
        ([sure(0.8)], ["small"], "v"),
        ([sure(0.1), sure(0.9, "w")], ["small", "big"], "w"),
        ([sure(0.1), sure(0.2)], ["small", "big"], None),
        ([BUSY, sure(0.9)], ["small", "small"], "v"),
        ([BUSY, BUSY, sure(0.9)], ["small", "small", "big"], "v"),
        ([REFUSED, sure(0.9)], ["small", "big"], "v"),
        ([REFUSED, REFUSED], ["small", "big"], None),
    ],
)
def test_a_cascade_goes_on_until_an_answer_will_do(
    tmp_path: Path, answers: list[Any], tiers: list[str], value: str | None
) -> None:
    models = Models(a=answers)
    result = play(step(tmp_path, CASCADE, "Answer"), models, x="hi")
    assert [request.tier for request in models.requests] == tiers
    if value is None:
        assert isinstance(result, Failed)
        assert result.code == "chain_exhausted"
    else:
        assert isinstance(result, Answered)
        assert result.value.value == value


def test_a_redo_of_a_cascade_hands_the_feedback_to_every_tier(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        f"""
        pipeline main(x: text) -> text {{
          step a: Answer = {CASCADE}
          gate g: a.value == "good" else redo a up to 1 because "be good" else reject
          return a.value
        }}
        """,
    )
    models = Models(a=[sure(0.9), sure(0.1), sure(0.9, "good")])
    assert isinstance(play(loaded, models, x="hi"), Answered)
    feedback = ["Mind: be good" in request.user for request in models.requests]
    assert feedback == [False, True, True]


def test_mocks_are_the_calls_of_a_vote_or_cascade(tmp_path: Path) -> None:
    low, high = '{value: "l", confidence: 10%}', '{value: "h", confidence: 90%}'
    loaded = load(
        tmp_path,
        f"""
        pipeline main(x: text) -> text {{
          step a: Answer = {CASCADE}
          step b: text = ask say(x) by small {{ vote 3 }} else "none"
          return b
        }}
        test "one" {{
          given main(x: "x")
          mock a = {low}, {high}
          mock b = "p", "q", "p"
          expect answered "p"
        }}
        test "two" {{
          given main(x: "x")
          mock a = {low}, {high}
          mock b = "p", "q", "r"
          expect answered "none"
        }}
        """,
    )
    for test in loaded.program.tests:
        assert asyncio.run(run_test(loaded, test)).misses == ()


def test_what_was_voted_is_told(tmp_path: Path) -> None:
    loaded = step(tmp_path, "ask say(x) by small { vote 3 }")
    result = play(loaded, Models(a=["x", "y", "x"]), x="hi")
    (event,) = events(result, "vote")
    assert event.data == {"calls": 3, "tally": [2, 1]}
