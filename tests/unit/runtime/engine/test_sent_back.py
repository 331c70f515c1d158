"""Approvals that send back: a no is a redo, silence is the end, a new answer a new question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelang import Answered, Escalated
from pipelang.runtime.engine.world import Decision

from ..stage import NO, YES, Humans, Models, events, load, play

APPROVED = """
pipeline main(x: text) -> text {
  step a: Answer = ask say(x) by small
  let shout = a.value
  ## The boss wants it short.
  approve good by boss within 5s showing shout
    else redo a up to 2 WHY else escalate to boss "no agreement"
  return shout
}
"""


def one_by_one(*said: Any) -> Callable[[], Any]:
    left = list(said)
    return lambda: left.pop(0)


def drafts(*values: str) -> list[dict[str, Any]]:
    return [{"value": value, "confidence": 0.9} for value in values]


def told(models: Models) -> list[str]:
    return [request.user for request in models.requests]


def test_the_reason_of_a_no_is_the_feedback(tmp_path: Path) -> None:
    models = Models(a=drafts("one", "two", "three"))
    people = Humans(good=one_by_one(NO, Decision(False, "ada", "too long"), YES))
    result = play(load(tmp_path, APPROVED.replace("WHY", "")), models, people, x="hi")
    assert isinstance(result, Answered)
    assert result.value == "three"
    assert told(models) == ["Say hi.", "Say hi. Mind: wrong", "Say hi. Mind: too long"]
    assert [question.shown for question in people.questions] == ["one", "two", "three"]
    assert [e.data["passed"] for e in events(result, "approve")] == [False, False, True]
    assert [e.data["number"] for e in events(result, "redo")] == [1, 2]


def test_the_because_takes_the_place_of_the_reason(tmp_path: Path) -> None:
    models = Models(a=drafts("one", "two"))
    text = APPROVED.replace("WHY", "because a.value")
    result = play(load(tmp_path, text), models, Humans(good=one_by_one(NO, YES)), x="hi")
    assert isinstance(result, Answered)
    assert told(models)[1] == "Say hi. Mind: one"


def test_a_no_without_a_reason_gives_the_name_and_the_comment(tmp_path: Path) -> None:
    models = Models(a=drafts("one", "two"))
    people = Humans(good=one_by_one(Decision(False), YES))
    play(load(tmp_path, APPROVED.replace("WHY", "")), models, people, x="hi")
    assert told(models)[1] == "Say hi. Mind: good: The boss wants it short."


def test_the_last_no_takes_the_outcome(tmp_path: Path) -> None:
    models = Models(a=drafts("one", "two", "three"))
    result = play(load(tmp_path, APPROVED.replace("WHY", "")), models, Humans(good=NO), x="hi")
    assert isinstance(result, Escalated)
    assert (result.reason, result.text) == ("good", "no agreement")
    assert len(models.requests) == 3
    assert result.handoff["values"]["a"]["value"] == "three"
    assert result.handoff["decided"]["good"]["reason"] == "wrong"


def test_nobody_in_time_sends_nothing_back(tmp_path: Path) -> None:
    models = Models(a=drafts("one"))
    text = APPROVED.replace("WHY", "").replace("5s", "20ms")
    result = play(load(tmp_path, text), models, Humans(), x="hi")
    assert isinstance(result, Escalated)
    assert len(models.requests) == 1
    result = play(load(tmp_path, text), Models(a=drafts("one")), Humans(good=None), x="hi")
    assert isinstance(result, Escalated)
    assert events(result, "redo") == []


def test_people_who_cannot_be_reached_send_nothing_back(tmp_path: Path) -> None:
    models = Models(a=drafts("one"))
    people = Humans(good=OSError("no post"))
    result = play(load(tmp_path, APPROVED.replace("WHY", "")), models, people, x="hi")
    assert isinstance(result, Escalated)
    assert len(models.requests) == 1
    assert "nobody could be asked" in result.handoff["decided"]["good"]["reason"]


def test_who_need_not_be_asked_sends_nothing_back(tmp_path: Path) -> None:
    text = APPROVED.replace("WHY", "").replace(
        "by boss within", "by boss when a.value == 'bad' within"
    )
    text = text.replace("'", '"')
    models = Models(a=drafts("bad", "fine"))
    result = play(load(tmp_path, text), models, Humans(good=NO), x="hi")
    assert isinstance(result, Answered)
    assert result.value == "fine"


def test_redos_of_two_approvals_of_one_name_are_counted_apart(tmp_path: Path) -> None:
    branch = """
  when {test} {{
    step draft: Answer = ask say(x) by small
    approve good by boss showing draft else redo draft up to 1 else escalate to boss
  }}"""
    whens = branch.format(test='x != "a"') + branch.format(test='x != "b"')
    loaded = load(tmp_path, f"pipeline main(x: text) -> text {{{whens}\n  return x\n}}")
    people = Humans(good=one_by_one(NO, YES, NO, YES))
    result = play(loaded, Models(draft=drafts("one")), people, x="hi")
    assert isinstance(result, Answered)


def test_a_step_that_people_answer_is_asked_again(tmp_path: Path) -> None:
    text = """
pipeline main(x: text) -> text {
  step a: Answer = ask say(x) by boss
  gate sure: a.confidence >= 85% else redo a up to 1 else escalate to boss "unsure"
  return a.value
}
"""
    first = {"value": "hm", "confidence": 0.2}
    people = Humans(boss=one_by_one(first, *drafts("yes")))
    result = play(load(tmp_path, text), Models(), people, x="hi")
    assert isinstance(result, Answered)
    assert result.value == "yes"
