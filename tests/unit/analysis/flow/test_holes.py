"""Holes in the flow of data are found, and their sound twins are left alone.

The cases of `holes.txt` and of the files beside it are written by hand, each for
one kind of hole; those of `mutations` are sound pipelines that have lost their guard. Faults that
the analysis once had are put back, one at a time: the cases find each.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from pipelang.analysis.flow import (
    actions,
    checking,
    looking,
    marks,
    reading,
    redoing,
    remembering,
    telling,
    tracking,
)
from pipelang.analysis.flow.bounding import Limits
from pipelang.analysis.flow.covering import Covered
from pipelang.analysis.flow.expenses import Expenses
from pipelang.analysis.flow.halting import Halts
from pipelang.analysis.flow.looking import NO_LOOKS, NONE
from pipelang.analysis.flow.marks import NOTHING, Mark
from pipelang.analysis.flow.reading import Values
from pipelang.analysis.flow.situation import Control, Situation
from pipelang.analysis.flow.tracked_run import TrackedRun
from pipelang.analysis.flow.tracking import Tracker
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.templates import prompts

from .holes import hole, mended, told, whole, written
from .mutations import GUARDS, SOURCES, planted


@pytest.mark.parametrize("name", written())
def test_a_hole_is_found_and_its_twin_is_quiet(name: str) -> None:
    assert told(hole(name))
    assert told(mended(name)) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("guard", GUARDS)
def test_a_sound_pipeline_is_quiet_until_it_loses_its_guard(source: str, guard: str) -> None:
    cases = [one for one in planted() if one.name.startswith(f"{source}/{guard}/")]
    assert len(cases) >= 3
    for sound in {one.sound for one in cases}:
        assert told(whole(sound)) == [], sound
    missed = [one.name for one in cases if not told(whole(one.hole))]
    assert not missed


# ---------------------------------------------------------------------- faults that it once had

Change = Callable[[pytest.MonkeyPatch], None]


def _instead(owner: Any, name: str, made: Callable[[Any], Any]) -> Change:
    """Put something in the place of a function, made of it."""
    return lambda patch: patch.setattr(owner, name, made(getattr(owner, name)))


def _every_element(path: Any) -> Any:
    def changed(*given: Any) -> Any:
        way = path(*given)
        return way and tuple("*" if part.startswith("[") else part for part in way)

    return changed


def _elements_alike(patch: pytest.MonkeyPatch) -> None:
    _instead(Values, "path", _every_element)(patch)
    _instead(looking, "path", _every_element)(patch)


def _shown_are_all(_: Any) -> Any:
    def changed(node: expr.Expr) -> looking.Looks:
        ways = (looking.path(part) for part in expr.walk(node))
        return frozenset(way for way in ways if way is not None)

    return changed


def _six_rounds(_: Any) -> Any:
    def changed(flows: checking.Flows) -> dict[str, Any]:
        memories: dict[str, Any] = {}
        for _ in range(6):
            now: dict[str, Any] = {}
            for pipeline in flows.program.pipelines.values():
                tracker = Tracker(flows.program, pipeline, memories)
                tracker.go()
                for name, flow in tracker.remembered.items():
                    now[name] = marks.joined(now.get(name, {}), flow)
            memories = now
        return memories

    return changed


def _six_marks(_: Any) -> Any:
    def changed(into: dict[Mark, None], more: Any) -> None:
        for mark in more:
            if mark not in into and sum(one.kind == mark.kind for one in into) < 6:
                into[mark] = None

    return changed


def _only_if_marked(loop: Any) -> Any:
    return lambda tracker, situation, step, agent, found, link: (
        loop(tracker, situation, step, agent, found, link) if found else (NOTHING, [])
    )


def _any_part(_: Any) -> Any:
    def changed(gaze: looking.Gaze, node: expr.Expr, holds: bool = True) -> looking.Looks:
        ways = (looking.path(part) for part in expr.walk(node))
        return frozenset(way for way in ways if way is not None)

    return changed


def _if_steered(passed: Any) -> Any:
    return lambda before, control, vouches: passed(
        before, control if control.marks else Control("", control.span, ()), vouches
    )


def _what_is_read(_: Any) -> Any:
    def changed(values: Values, test: expr.Expr) -> Limits:
        looks = values.judged(test)
        return Limits(looks, looks)

    return changed


def _always_there(remembered: Any) -> Any:
    return lambda *given: (remembered(*given)[0], NOTHING)


def _by_its_own_type(_: Any) -> Any:
    def changed(type: Any, flow: Any) -> Any:
        return flow if marks.is_choice(type) else marks.only(flow, ("untrusted", "private"))

    return changed


def _nothing(*_: Any, **__: Any) -> Any:
    return NOTHING


def _counts_nothing(read: Any) -> Any:
    return lambda *given, **named: (*read(*given, **named)[:2], ())


def _steps_and_lets(_: Any) -> Any:
    def changed(items: Any, gate: int, redo: p.Redo) -> list[int]:
        return [at for at in redo.reruns if not isinstance(items[at], p.Gate)]

    return changed


def _never_sent_back(*given: Any) -> Situation:
    situation: Situation = given[-1]
    return situation


FAULTS: dict[str, tuple[Change, str]] = {
    "every element is one": (_elements_alike, "another-element"),
    "what is shown in part is shown": (
        _instead(reading, "shown", _shown_are_all),
        "shows-the-first-words",
    ),
    "a gate reads all that it mentions": (
        _instead(looking.Gaze, "judged", _any_part),
        "one-side-of-an-or",
    ),
    "a function reads all its arguments": (
        _instead(Values, "_without_functions", lambda _: lambda values, node: node),
        "a-fn-that-ignores-it",
    ),
    "coverage is never reset": (
        _instead(Covered, "entered", lambda _: lambda monitor, pipeline, state: state),
        "looked-at-in-the-other-run",
    ),
    "all runs of a child are one": (
        _instead(Mark, "key", lambda _: property(lambda mark: (mark.origin, mark.maker[-1:]))),
        "the-other-answer-of-a-child",
    ),
    "nothing decides that a child fails": (
        _instead(TrackedRun, "fail", lambda _: _nothing),
        "a-failing-child-decides",
    ),
    "presence and length say nothing": (
        _instead(marks, "shapes", lambda _: lambda type: iter(())),
        "the-presence-of-an-optional",
    ),
    "a choice says nothing of what it was made by": (
        _instead(tracking, "picked", lambda _: _nothing),
        "private-by-a-return-in-a-branch",
    ),
    "a number is harmless": (
        _instead(marks, "is_number", lambda _: lambda type: False),
        "money",
    ),
    "a key is no place": (_instead(Tracker, "keyed", lambda _: _nothing), "secret-as-a-key"),
    "memories are followed for six rounds": (
        _instead(checking.Flows, "_fixed_point", _six_rounds),
        "nine-memories",
    ),
    "the seventh origin is dropped": (_instead(marks, "_add", _six_marks), "many-private"),
    "an agent with a clean prompt calls nothing": (
        _instead(actions, "_loop", _only_if_marked),
        "an-agent-with-a-clean-prompt",
    ),
    "a gate tells nothing": (
        _instead(Situation, "passed", _if_steered),
        "private-gate-decides-what-is-remembered",
    ),
    "a gate bounds what it reads": (
        _instead(Values, "limits", _what_is_read),
        "a-number-under-a-min",
    ),
    "that it was remembered says nothing": (
        _instead(tracking, "remembered", _always_there),
        "presence-of-what-is-recalled-by-a-gate",
    ),
    "a key picks nothing": (
        _instead(remembering, "steered", lambda _: _nothing),
        "recalled-by-a-steered-key",
    ),
    "an index picks nothing": (
        _instead(Values, "_indices", lambda _: lambda values, node: iter(())),
        "secret-number-picks-an-element",
    ),
    "nothing picks a tier": (
        _instead(actions, "_routed", lambda _: _nothing),
        "secret-decides-which-tier-is-asked",
    ),
    "a branch on the way to a gate decides nothing": (
        _instead(Halts, "left_of", lambda _: lambda halts, control: None),
        "a-branch-that-leads-to-a-gate",
    ),
    "a child looks at nothing of its caller's": (
        _instead(actions, "seen_outside", lambda _: lambda *given: NO_LOOKS),
        "a-gate-in-a-child-that-the-caller-waits-for",
    ),
    "one arm looks at nothing": (
        _instead(looking, "taken_by", lambda _: lambda *given: NONE),
        "arms-beside-a-let",
    ),
    "one bit of a text reveals it": (
        _instead(telling, "is_choice", lambda _: lambda type: True),
        "secret-picks-by-a-match-on-a-text",
    ),
    "a choice is one as long as it has its type": (
        _instead(reading, "of_test", _by_its_own_type),
        "secret-choice-as-a-text",
    ),
    "what has led to an ask costs nothing": (
        _instead(Expenses, "lead", lambda _: _nothing),
        "budget-by-a-private-branch",
    ),
    "what runs beside a reading comes after it": (
        _instead(Expenses, "side_by_side", lambda _: lambda spending, place: nullcontext()),
        "budget-reading-beside",
    ),
    "whoever sends back has seen nothing": (
        _instead(tracking, "sent_back", lambda _: _never_sent_back),
        "feedback-of-a-person-who-saw-private",
    ),
    "a redo within a redo has no second round": (
        _instead(redoing, "all_reruns", _steps_and_lets),
        "feedback-of-an-inner-redo",
    ),
    "a gate in between is judged once": (
        _instead(redoing, "all_reruns", _steps_and_lets),
        "a-gate-that-is-judged-again",
    ),
    "a loop shows its elements alone": (
        _instead(prompts, "read_template", _counts_nothing),
        "a-loop-shows-how-many",
    ),
    "the type that a function returns has no labels": (
        _instead(reading, "source", lambda _: _nothing),
        "secret-bool-from-a-text-by-code",
    ),
    "a key by which something is recalled is its owner everywhere": (
        _instead(remembering, "_kept", lambda _: lambda mark, maker: mark),
        "a-recall-makes-no-key-the-owner",
    ),
    "an effect on both ways is decided": (
        _instead(tracking, "always_called", lambda _: lambda program, ways: frozenset()),
        "always-in-both-branches",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_put_back_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, name = FAULTS[fault]
    change(monkeypatch)
    assert not told(hole(name)) or told(mended(name))
