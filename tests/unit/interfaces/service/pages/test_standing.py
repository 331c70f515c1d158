"""Timelines, traces and graphs of runs: those of the examples' tests, cut off anywhere."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from pipelang.interfaces.loading import load
from pipelang.interfaces.service.pages.run_page import ROW_STYLES
from pipelang.interfaces.service.pages.standing import run_picture
from pipelang.interfaces.service.pages.timeline import (
    GROUP_OF,
    GROUPS,
    TraceNode,
    timeline,
    trace,
    waited_for,
    words,
)
from pipelang.interfaces.service.pages.words import summary
from pipelang.runtime.engine.events import Event
from pipelang.runtime.host.pipeline_tests import run_test
from pipelang.semantics import program as p

REPO = Path(__file__).resolve().parents[5]
FILES = ["support/support", "devops/devops", "moderation/moderation", "supervisor/supervisor"]
Story = tuple[str, list[Event]]
"""A pipeline, and the events of a run of it."""


@cache
def stories(name: str) -> tuple[p.Program, list[Story]]:
    """The runs of the tests of an example."""
    loaded = load(str(REPO / "examples" / f"{name}.pipe"))
    found = []
    for test in loaded.program.tests:
        events = list(asyncio.run(run_test(loaded, test)).trace)
        if events:
            found.append((test.pipeline, events))
    return loaded.program, found


def states(picture: str) -> Counter[str]:
    return Counter(re.findall(r'<g class="[^"]*(is-\w+)">', picture))


def flat(nodes: tuple[TraceNode, ...]) -> list[TraceNode]:
    return [one for node in nodes for one in (node, *flat(node.inside))]


@pytest.mark.parametrize("name", FILES)
def test_a_run_that_is_over_has_one_ending(name: str) -> None:
    program, found = stories(name)
    endings = Counter[str]()
    for pipeline, events in found:
        outcome = events[-1]
        assert outcome.kind == "outcome"
        picture = run_picture(program, pipeline, events)
        assert picture is not None
        assert "<style" not in picture
        lit = re.findall(r'<g class="(answered|escalated|rejected|failed) is-done">', picture)
        reason = str(outcome.data.get("reason", ""))
        if outcome.name == "failed" and not lit:
            continue  # the codes of the engine itself (a budget, a kill) are no node
        if "." in reason:
            # A pipeline that a step runs ended it: the step is where it stopped.
            assert not lit
            assert states(picture)["is-failed"]
            rows = [row for row in timeline(events, ended=True) if row.depth == 0]
            assert rows[-1].word == "stopped it"
            continue
        assert set(lit) == {outcome.name}, (pipeline, outcome)
        if outcome.name != "answered":
            assert len(lit) == 1, (pipeline, outcome)
        assert not states(picture)["is-working"]
        assert not states(picture)["is-waiting"]
        endings[outcome.name] += 1
        rows = timeline(events, ended=True)
        assert {row.state for row in rows} <= ROW_STYLES.keys() - {"working", "waiting"}
    assert sum(endings.values()) >= len(found) / 2
    assert len(endings) > 1


@pytest.mark.parametrize("name", FILES)
def test_it_can_be_looked_at_at_any_time(name: str) -> None:
    program, found = stories(name)
    for pipeline, events in found[:6]:
        before = 0
        for at in range(0, len(events), 3):
            seen = events[:at]
            rows = timeline(seen, ended=False)
            waiting = waited_for(seen)
            at_work = [row for row in rows if row.state in ("working", "waiting")]
            begun = Counter(one.name for one in seen if one.kind == "step")
            over = Counter(one.name for one in seen if one.kind in ("done", "ended"))
            # What began and is not over is at work, and nothing else.
            assert bool(begun - over) == any(row.lasts is not None for row in at_work)
            assert bool(waiting) == any(row.state == "waiting" for row in rows)
            for row in rows:
                assert 0 <= row.begins <= 100
                assert row.lasts is None or row.begins + row.lasts <= 100.0001
            picture = run_picture(program, pipeline, seen)
            assert picture is not None
            lit = sum(states(picture).values())
            assert lit >= before or any(one.kind == "redo" for one in seen)
            before = lit


@pytest.mark.parametrize("name", FILES)
def test_the_trace_has_every_event_that_says_something(name: str) -> None:
    _, found = stories(name)
    for _, events in found:
        nodes = flat(trace(events))
        said = Counter(node.said for node in nodes if not node.is_step)
        own = (one for one in events if one.kind not in ("run", "step", "done", "outcome"))
        assert said == Counter(words(one) for one in own if words(one))
        steps = sum(one.kind == "step" for one in events)
        assert sum(node.is_step for node in nodes) >= steps
        for group in GROUPS:
            left = flat(trace(events, frozenset({group})))
            assert not any(node.group == group for node in left)
            hidden = sum(GROUP_OF.get(one.kind) == group and bool(words(one)) for one in events)
            assert len(left) == len(nodes) - hidden


def test_attempts_and_failures_are_told() -> None:
    events = [
        Event("run", "p", 0.0, {"started": "2026-11-29T10:00:00+00:00"}),
        Event("step", "s", 0.0, {"redone": False}),
        Event("failed", "s", 1.0, {"why": "timeout", "attempt": 0, "message": "took too long"}),
        Event("retry", "s", 1.0, {"attempt": 1, "wait": 2.0}),
        Event("failed", "s", 3.0, {"why": "timeout", "attempt": 1, "message": "took too long"}),
        Event("fallback", "s", 3.0, {"link": 1}),
        Event("asks", "s", 3.0, {"role": "desk", "what": "ask"}),
    ]
    (row,) = timeline(events, ended=False)
    assert (row.state, row.attempts, row.begins, row.lasts) == ("waiting", 3, 0.0, 100.0)
    assert row.said == "failed: timeout, took too long"
    events += [
        Event("answer", "s", 4.0, {"role": "desk", "by": "ada"}),
        Event("done", "s", 4.0, {}),
        Event("gate", "g", 4.0, {"passed": False, "confidence": 0.4}),
    ]
    step, gate = timeline(events, ended=True)
    assert (step.state, step.seconds, step.attempts) == ("done", 4.0, 3)
    assert (gate.state, gate.word, gate.lasts, gate.confidence) == (
        "failed",
        "not passed",
        None,
        0.4,
    )


def test_a_run_that_was_cut_off_works_no_more() -> None:
    events = [Event("run", "p", 0.0, {}), Event("step", "s", 0.0, {})]
    assert [row.state for row in timeline(events, ended=False)] == ["working"]
    assert [row.state for row in timeline(events, ended=True)] == ["stopped"]


def test_a_run_that_was_cancelled_waits_for_nobody() -> None:
    """In a store that is no event: the graph and the timeline went on waiting."""
    program, runs = stories(FILES[0])
    cut = [(pipeline, seen[: at + 1]) for pipeline, seen in runs for at in range(len(seen))]
    asked = [(pipeline, seen) for pipeline, seen in cut if waited_for(seen)]
    assert asked
    shown = 0
    for pipeline, seen in asked:
        assert all(row.state != "waiting" for row in timeline(seen, ended=True))
        picture, before = (
            run_picture(program, pipeline, seen, True),
            run_picture(program, pipeline, seen),
        )
        if picture is not None and before is not None:
            shown += states(before)["is-waiting"]
            assert not states(picture)["is-waiting"]
    assert shown


@pytest.mark.parametrize("outcome", [[], [Event("outcome", "failed", 1.0, {"reason": "x"})]])
def test_what_nobody_answered_before_the_end_keeps_its_row(outcome: list[Event]) -> None:
    """The approval at which a run was cancelled was missing in its timeline."""
    asked = {"role": "clerk", "what": "approve"}
    events = [
        Event("run", "p", 0.0, {}),
        Event("asks", "signed", 1.0, asked),
        Event("asks", "signed", 1.0, asked),  # it would show something else, and asked again
    ]
    (waits,) = timeline(events, ended=False)
    assert (waits.name, waits.state, waits.word) == ("signed", "waiting", "waiting")
    (row,) = timeline([*events, *outcome], ended=True)
    assert (row.name, row.state, row.word, row.lasts) == (
        "signed",
        "stopped",
        "not answered",
        None,
    )
    answered = Event(
        "approve",
        "signed",
        1.0,
        {"passed": True, "asked": True} | {"answered": True, "role": "clerk", "by": "ada"},
    )
    (row,) = timeline([*events, answered, *outcome], ended=True)
    assert row.word == "yes"


def test_a_run_that_waits_for_a_time_says_when_it_goes_on() -> None:
    """It named its pipeline, as if that was somebody to wait for."""
    waiting = {"kind": "time", "name": "nap", "due": "2999-01-01T00:00:00Z"}
    assert summary({"status": "delayed", "waiting_for": waiting}).startswith("begins in ")
    assert summary({"status": "waiting", "waiting_for": waiting}).startswith("goes on in ")
