"""Approvals, holds and asks by a role: who may stop a run, and what their time costs it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Decision, Escalated, Failed
from pipelang.runtime.inbox.people import Nobody

from ..stage import NO, YES, Humans, Models, events, load, play


def person(folder: Path, item: str, head: str = "") -> Any:
    return load(
        folder,
        f"""
        pipeline main(x: text) -> text {{
          {head}
          step a: text = ask say(x) by small
          {item} else escalate to boss "stopped"
          return a
        }}
        """,
    )


def test_an_approval_passes_on_a_yes(tmp_path: Path) -> None:
    people = Humans(ok=YES)
    result = play(person(tmp_path, "approve ok by boss"), people=people, x="hi")
    assert isinstance(result, Answered)
    (event,) = events(result, "approve")
    assert event.data == {
        "asked": True,
        "answered": True,
        "passed": True,
        "by": "ada",
        "reason": "",
    }
    assert people.questions[0].shown == {"a": "a"}


def test_an_approval_stops_on_a_no(tmp_path: Path) -> None:
    result = play(person(tmp_path, "approve ok by boss"), people=Humans(ok=NO), x="hi")
    assert isinstance(result, Escalated)
    assert (result.reason, result.text) == ("ok", "stopped")


@pytest.mark.usefixtures("virtual_time")
def test_no_answer_in_time_is_a_no(tmp_path: Path) -> None:
    began = time.monotonic()
    result = play(person(tmp_path, "approve ok by boss within 50ms"), x="hi")
    assert time.monotonic() - began < 2
    assert isinstance(result, Escalated)
    assert events(result, "approve")[0].data["answered"] is False


def test_nobody_plugged_in_approves_nothing(tmp_path: Path) -> None:
    result = play(person(tmp_path, "approve ok by boss within 1d"), people=Nobody(), x="hi")
    assert isinstance(result, Escalated)


@pytest.mark.usefixtures("virtual_time")
def test_a_hold_goes_on_after_its_time_and_not_before(tmp_path: Path) -> None:
    for people in (Humans(), Nobody()):
        began = time.monotonic()
        result = play(person(tmp_path, "hold veto for 100ms by boss"), people=people, x="hi")
        assert time.monotonic() - began == pytest.approx(0.1)
        assert isinstance(result, Answered)


@pytest.mark.usefixtures("virtual_time")
def test_a_veto_stops_a_hold_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    result = play(person(tmp_path, "hold veto for 1h by boss"), people=Humans(veto=NO), x="hi")
    assert time.monotonic() - began < 2
    assert isinstance(result, Escalated)
    assert events(result, "hold")[0].data["reason"] == "wrong"


@pytest.mark.usefixtures("virtual_time")
def test_a_veto_that_comes_too_late_does_nothing(tmp_path: Path) -> None:
    async def late() -> Decision:
        await asyncio.sleep(5)
        return NO

    people = Humans(veto=late)
    result = play(person(tmp_path, "hold veto for 50ms by boss"), people=people, x="hi")
    assert isinstance(result, Answered)


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("said", [TimeoutError("the pager is down"), OSError("down"), False, True])
@pytest.mark.parametrize("item", ["hold ok for 200ms by boss", "approve ok by boss"])
def test_people_who_cannot_be_asked_have_not_agreed(tmp_path: Path, item: str, said: Any) -> None:
    """Also not to a hold: nobody was there who could have said no. A bare bool is no decision."""
    result = play(person(tmp_path, item), people=Humans(ok=said), x="hi")
    assert isinstance(result, Escalated)
    (event,) = events(result, item.split()[0])
    assert event.data["reason"].startswith("nobody could be asked: ")


def test_a_condition_decides_whether_anybody_is_asked(tmp_path: Path) -> None:
    for item in ("hold", "approve"):
        middle = "for 1h by boss" if item == "hold" else "by boss"
        loaded = person(tmp_path, f'{item} ok {middle} when x == "hi"')
        people = Humans(ok=NO)
        assert isinstance(play(loaded, people=people, x="hi"), Escalated)
        result = play(loaded, people=people, x="other")
        assert isinstance(result, Answered)
        assert events(result, item)[0].data == {"asked": False}
        assert len(people.questions) == 1


def test_only_what_is_shown_is_shown(tmp_path: Path) -> None:
    people = Humans(ok=YES)
    play(person(tmp_path, "approve ok by boss showing a"), people=people, x="hi")
    (question,) = people.questions
    assert question.shown == "a"


@pytest.mark.usefixtures("virtual_time")
def test_waiting_for_people_counts_neither_as_duration_nor_against_the_budget(
    tmp_path: Path,
) -> None:
    async def slow() -> Decision:
        await asyncio.sleep(0.3)
        return YES

    async def quick(request):
        await asyncio.sleep(0.02)
        return "a"

    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          budget 200ms
          approve ok by boss else reject
          hold veto for 300ms by boss else reject
          step said: text = ask say(x) by boss
          step a: text = ask say(x) by small
          return a
        }
        """,
    )

    async def answer() -> str:
        await asyncio.sleep(0.3)
        return "fine"

    began = time.monotonic()
    people = Humans(ok=slow, boss=answer)
    result = play(loaded, Models(a=quick), people, x="hi")
    assert time.monotonic() - began == pytest.approx(0.92)
    assert isinstance(result, Answered), result
    assert result.duration == pytest.approx(0.02)


ROLE = 'step a: int = ask say(x) by boss { timeout 50ms retry 1 } else ask say("b") by small'


@pytest.mark.parametrize(
    ("said", "why"),
    [("five", "misfit"), (True, "misfit"), (OSError("down"), "raised"), (None, "nobody")],
)
def test_a_person_without_a_fitting_answer_is_a_failed_attempt(
    tmp_path: Path, said: Any, why: str
) -> None:
    loaded = load(tmp_path, f"pipeline main(x: text) -> int {{ {ROLE} return a }}")
    result = play(loaded, Models(a={"answer": 3}), Humans(boss=lambda: said), x="hi")
    assert isinstance(result, Answered)
    assert result.value == 3
    assert [e.data["why"] for e in events(result, "failed")] == [why, why]


def test_a_person_who_answers_too_late_is_a_failed_attempt(tmp_path: Path) -> None:
    loaded = load(tmp_path, f"pipeline main(x: text) -> int {{ {ROLE} return a }}")
    result = play(loaded, Models(a={"answer": 3}), Humans(), x="hi")
    assert isinstance(result, Answered)
    assert [e.data["why"] for e in events(result, "failed")] == ["nobody", "nobody"]


def test_a_person_answers_with_the_steps_type(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "pipeline main(x: text) -> Answer { step a: Answer = ask say(x) by boss return a }",
    )
    said = {"value": "x", "confidence": 0.5}
    result = play(loaded, people=Humans(boss=said), x="hi")
    assert isinstance(result, Answered)
    assert result.value.value == "x"
    failed = play(loaded, people=Humans(boss={"value": "x"}), x="hi")
    assert isinstance(failed, Failed)


def test_who_takes_over_reads_what_was_decided_and_why(tmp_path: Path) -> None:
    text = """pipeline main(x: text) -> text {
      approve first by boss else reject
      hold second for 1h by boss else escalate to boss "vetoed"
      return x
    }"""
    result = play(load(tmp_path, text), None, Humans(first=YES, second=NO), x="a")
    assert isinstance(result, Escalated)
    assert result.handoff["decided"] == {
        "first": {"role": "boss", "yes": True, "by": "ada", "reason": ""},
        "second": {"role": "boss", "yes": False, "by": "ada", "reason": "wrong"},
    }
    nobody = Humans(first=YES, second=ValueError("down"))
    lost = play(load(tmp_path, text), None, nobody, x="a")
    assert isinstance(lost, Escalated)
    assert "nobody could be asked" in lost.handoff["decided"]["second"]["reason"]
