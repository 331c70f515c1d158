"""Checks where an action has an effect: on what goes into it, and on what decided to take it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelang.analysis.flow import sinks
from pipelang.analysis.flow.looking import covers
from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    PRIVATE,
    UNTRUSTED,
    Flow,
    Mark,
    Way,
    is_closed,
    is_number,
    labelled_ways,
    labels,
    leaves,
    marks_of,
)
from pipelang.analysis.flow.situation import Reaching, Situation, keys_of
from pipelang.semantics import program as p
from pipelang.semantics.types import Type

if TYPE_CHECKING:
    from pipelang.analysis.flow.tracked_run import TrackedRun
    from pipelang.analysis.flow.tracking import Tracker


def effect(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    link: p.Link,
    action: p.Call,
    given: tuple[tuple[str, Flow], ...],
    situation: Situation,
) -> None:
    """Check a call with an effect: the flow into its arguments, and the tests that decided to make
    it.
    """
    tool = tracker.program.tools[action.tool]
    types = {parameter.name: parameter.type for parameter in tool.parameters}
    told = len(tracker.found)
    for (name, flow), (_, value) in zip(given, action.arguments, strict=True):
        open_to = labelled_ways(types[name], UNTRUSTED)
        reaching = Reaching(tool.name, name, flow, link, place.pipeline.name, place.values, value)
        for mark in not_allowed(flow, open_to, UNTRUSTED):
            if not tracker.tests.looked_at(reaching, mark):
                tracker.found.append(sinks.untrusted(mark, tool.name, name, value, link.span))
                break
        for way, mark in _of_any_size(flow, types[name], open_to):
            if not tracker.tests.limited(reaching, way):
                tracker.found.append(sinks.unbounded(mark, tool.name, name, value, link.span))
                break
    for control in situation.open_controls():
        always = tool.name in control.always
        if not always and not tracker.tests.vouched(control, link.span, action.tool):
            mark = control.marks[0]
            tracker.found.append(sinks.steered(mark, control, tool.name, link.span))
            break
    _trifecta(tracker, place, link, action, given, types, situation)
    made = any(
        hop.by_model
        for _, flow in given
        for mark in marks_of(flow, UNTRUSTED, INFLUENCED)
        for hop in mark.hops
    )
    unchecked = made and not situation.tested and len(tracker.found) == told
    if tool.effect == "irreversible" and unchecked:
        tracker.found.append(sinks.ungated(tool.name, step, link.span))


def not_allowed(flow: Flow, open_to: list[Way], kind: str) -> Iterator[Mark]:
    """Return the marks of a kind that reach what does not accept it."""
    for way, marks in flow.items():
        if any(_covers(allowed, way) for allowed in open_to):
            continue
        yield from (mark for mark in marks if mark.kind == kind)


def _of_any_size(flow: Flow, type: Type, open_to: list[Way]) -> Iterator[tuple[Way, Mark]]:
    """Return the marks, each with its place, of numbers that somebody outside may pick, where
    nothing bounds them: not their own type, a test or the parameter that gets them.
    """
    bounded = [way for way, leaf in leaves(type) if is_closed(leaf) and not is_number(leaf)]
    for way, marks in flow.items():
        if not any(_covers(allowed, way) for allowed in (*open_to, *bounded)):
            yield from ((way, mark) for mark in marks if mark.free)


def _covers(allowed: Way, way: Way) -> bool:
    return len(allowed) <= len(way) and all(
        one in (other, ELEMENT) or other == ELEMENT
        for one, other in zip(allowed, way, strict=False)
    )


def _trifecta(
    tracker: Tracker,
    place: TrackedRun,
    link: p.Link,
    action: p.Call,
    given: tuple[tuple[str, Flow], ...],
    types: dict[str, Type],
    situation: Situation,
) -> None:
    """Report private data and untrusted text that are sent out together: in one argument, or in
    several of which one does not accept private data.
    """
    pair: tuple[Mark, Mark] | None = None
    seen = place.values.approved
    unseen = [
        (name, flow)
        for (name, flow), (_, value) in zip(given, action.arguments, strict=True)
        if not seen or not covers(seen, place.values.plain(value))
    ]
    loose: Mark | None = None
    outside: Mark | None = None
    for name, flow in unseen:
        private = next(marks_of(flow, PRIVATE), None)
        # What was looked at by a gate is still what a model made of text from outside.
        steering = next(marks_of(flow, UNTRUSTED, INFLUENCED), None)
        if private is not None and steering is not None and len(steering.hops) > 1:
            pair = pair or (private, steering)
        declared = any(PRIVATE in labelled for _, labelled, _ in labels(types[name]))
        if private is not None and not declared:
            loose = loose or private
        if steering is not None and steering.kind == UNTRUSTED:
            outside = outside or steering
    if pair is None and loose is not None and outside is not None:
        pair = (loose, outside)
    if pair is None or keys_of(pair) <= situation.approved:
        return
    if not tracker.tests.approved(pair, link.span, action.tool):
        tracker.found.append(sinks.trifecta(*pair, action.tool, link.span))
