"""Information flow through the actions of a chain, with the checks where an action has an
effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_never

from pipelang.analysis.flow import sinks
from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    NOTHING,
    OWNER,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Hop,
    Mark,
    Origin,
    Way,
    inside,
    joined,
    labels,
    marks_of,
    only,
    source,
    spread,
    under,
)
from pipelang.analysis.flow.owners import owned_by, told_apart
from pipelang.analysis.flow.reading import steered
from pipelang.analysis.flow.situation import Control, Reaching, Situation, keys_of, together
from pipelang.diagnostics import Span
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType, Type
from pipelang.semantics.walk import agent_of

if TYPE_CHECKING:
    from pipelang.analysis.flow.tracking import TrackedRun, Tracker

ALL = (UNTRUSTED, INFLUENCED, PRIVATE, SECRET)


def chain(
    tracker: Tracker, place: TrackedRun, step: p.Step, chain: p.Chain, situation: Situation
) -> tuple[Flow, Situation]:
    """Return the flow into the answer of a chain, and the situation after it."""
    found = [_link(tracker, place, step, link, situation) for link in chain.links]
    if chain.end is not None:
        tracker.end(place, chain.end, situation)
    behind = together([after for _, after in found])
    return joined(*(flow for flow, _ in found)), behind


def _link(
    tracker: Tracker, place: TrackedRun, step: p.Step, link: p.Link, situation: Situation
) -> tuple[Flow, Situation]:
    action, values = link.action, place.values
    content, behind = NOTHING, situation
    match action:
        case p.Value():
            return values.of(action.value), situation
        case p.Choose():
            return _choose(tracker, place, step, link, action, situation)
        case p.AskTier() | p.Cascade() | p.Agent():
            content = _prompted(tracker, place, step, action, link.span)
            loop = agent_of(action)
            if loop is not None:
                content = _agent(tracker, place, step, loop, content, link)
            found = _answered(step, content, action.answers, link.span)
        case p.AskRole():
            content = _prompted(tracker, place, step, action, link.span)
            # A person has read it: what they write is theirs. What they were told stays private.
            kept = only(content, (PRIVATE,))
            found = _answered(step, kept, action.answers, link.span)
        case p.Call():
            content = joined(*(under(n, values.of(v)) for n, v in action.arguments))
            found = _call(tracker, place, step, link, action, situation)
        case p.RunPipeline():
            content = joined(*(under(n, values.of(v)) for n, v in action.arguments))
            found, behind = _run(tracker, place, action, link.span, situation)
        case p.Each():
            content = found = _each(tracker, place, step, action, situation)
        case p.Recall():
            return _recall(tracker, place, step, action, link.span), situation
        case p.Broken():
            return NOTHING, situation
        case _:
            assert_never(action)
    if link.cache is not None:
        _cached(tracker, place, step, link, joined(content, found))
        behind = situation  # an answer out of the cache has passed none of the tests
    return found, behind


def _choose(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    link: p.Link,
    action: p.Choose,
    situation: Situation,
) -> tuple[Flow, Situation]:
    steers = place.values.of(action.subject)
    marks = tuple(marks_of(steers, UNTRUSTED, INFLUENCED))
    inner = situation.under(Control(expr.show(action.subject), link.span, marks))
    arms = [_link(tracker, place, step, arm, inner) for _, arm in action.arms]
    chosen = joined(*(flow for flow, _ in arms))
    ends = [after for _, after in arms]
    behind = inner.behind(ends, only_way=False) if ends else situation
    return joined(chosen, steered(expr.Read(step.name, step.type), steers)), behind


def _answered(step: p.Step, content: Flow, answers: Type, span: Span) -> Flow:
    """Return the marks of a model's answer: those of everything in its prompt."""
    words = f"`{step.name}` answers a prompt that holds it"
    marks = [mark.through(words, span, by_model=True) for mark in marks_of(content, *ALL)]
    return spread(answers, marks)


def _prompted(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    action: p.AskTier | p.Cascade | p.Agent | p.AskRole,
    span: Span,
) -> Flow:
    """Return the flow into a prompt: the paths that its templates read."""
    prompt, values = tracker.program.prompts[action.prompt], place.values
    given = {name: values.of(value) for name, value in action.arguments}
    given["feedback"] = place.feedback.get(step.name, NOTHING)
    parts = []
    for way in prompt.shows:
        flow = given.get(way[0], NOTHING)
        for part in way[1:]:
            flow = inside(flow, part)
        parts.append(under(".".join(way), flow))
    content = joined(*parts)
    for mark in marks_of(content, SECRET):
        where = f"the prompt `{prompt.name}`"
        tracker.found.append(sinks.secret(mark, where, None, span))
    return only(content, (UNTRUSTED, INFLUENCED, PRIVATE))


def _call(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    link: p.Link,
    action: p.Call,
    situation: Situation,
) -> Flow:
    values, tool = place.values, tracker.program.tools[action.tool]
    given = tuple((name, values.of(value)) for name, value in action.arguments)
    for (name, flow), (_, value) in zip(given, action.arguments, strict=True):
        tracker.calls.append(Reaching(tool.name, name, flow, link, place, value))
    if tool.binding is not None and tool.binding[0] == "mcp":
        for (_, flow), (_, value) in zip(given, action.arguments, strict=True):
            for mark in marks_of(flow, SECRET):
                where = f"`{tool.name}`, which runs in another process"
                tracker.found.append(sinks.secret(mark, where, value, link.span))
    if tool.acts:
        _effect(tracker, place, step, link, action, given, situation)
    return _told(tracker, place, step, tool, action, given, link.span)


def _told(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    tool: p.Tool,
    action: p.Call,
    given: tuple[tuple[str, Flow], ...],
    span: Span,
) -> Flow:
    """Return the flow into a tool's result: the labels of its type, and the marks of its
    arguments.
    """
    name = tool.name
    own = source(step.name, tool.returns, span, f", as `{name}` answers it")
    origins = [mark.origin for mark in marks_of(own, PRIVATE)]
    owned_by(place.values, origins, [value for _, value in action.arguments])
    asked = joined(*(under(parameter, flow) for parameter, flow in given))
    marks = []
    for mark in marks_of(asked, *ALL):
        if tool.effect == "pure":
            marks.append(mark.through(f"`{name}` works on it", span))
        elif mark.kind == PRIVATE:
            marks.append(mark.through(f"`{name}` is asked about it", span))
        elif mark.kind in (UNTRUSTED, INFLUENCED):
            marks.append(mark.through(f"`{name}` is asked with it", span, INFLUENCED))
    return joined(own, spread(tool.returns, marks))


def _effect(
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
        open_to = [way for way, labelled, _ in labels(types[name]) if UNTRUSTED in labelled]
        reaching = Reaching(tool.name, name, flow, link, place, value)
        for mark in _not_allowed(flow, open_to):
            if not tracker.looked_at(reaching, mark):
                tracker.found.append(sinks.untrusted(mark, tool.name, name, value, link.span))
                break
    for control in situation.open_controls():
        if not tracker.vouched(control, link.span, action.tool):
            mark = control.marks[0]
            tracker.found.append(sinks.steered(mark, control, tool.name, link.span))
            break
    _trifecta(tracker, link, action, given, types, situation)
    made = any(
        hop.by_model
        for _, flow in given
        for mark in marks_of(flow, UNTRUSTED, INFLUENCED)
        for hop in mark.hops
    )
    unchecked = made and not situation.tested and len(tracker.found) == told
    if tool.effect == "irreversible" and unchecked:
        tracker.found.append(sinks.ungated(tool.name, step, link.span))


def _not_allowed(flow: Flow, open_to: list[Way]) -> Iterator[Mark]:
    """Report untrusted text that reaches a parameter which does not accept it."""
    for way, marks in flow.items():
        if any(_covers(allowed, way) for allowed in open_to):
            continue
        yield from (mark for mark in marks if mark.kind == UNTRUSTED)


def _covers(allowed: Way, way: Way) -> bool:
    return len(allowed) <= len(way) and all(
        one in (other, ELEMENT) or other == ELEMENT
        for one, other in zip(allowed, way, strict=False)
    )


def _trifecta(
    tracker: Tracker,
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
    loose: Mark | None = None
    outside: Mark | None = None
    for name, flow in given:
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
    if not tracker.approved(pair, link.span, action.tool):
        tracker.found.append(sinks.trifecta(*pair, action.tool, link.span))


def _run(
    tracker: Tracker, place: TrackedRun, action: p.RunPipeline, span: Span, situation: Situation
) -> tuple[Flow, Situation]:
    given = {
        name: _hopped(place.values.of(value), f"`{action.pipeline}` gets it as `{name}`", span)
        for name, value in action.arguments
    }
    return tracker.pipeline(action.pipeline, given, situation)


def _hopped(flow: Flow, words: str, span: Span) -> Flow:
    """Append a step to the trail of a flow; the values stay intact."""
    return {
        way: {
            replace(mark, hops=(*mark.hops, Hop(words, span)) if mark.hops else ()): None
            for mark in marks
        }
        for way, marks in flow.items()
    }


def _each(
    tracker: Tracker, place: TrackedRun, step: p.Step, action: p.Each, situation: Situation
) -> Flow:
    values = place.values
    before, cleared = values.flows.get(action.variable), values.cleared
    values.flows[action.variable] = inside(values.of(action.elements), ELEMENT)
    element = replace(step, type=action.element)
    found, _ = chain(tracker, place, element, action.body, situation)
    values.cleared = cleared
    if before is None:
        values.flows.pop(action.variable, None)
    else:
        values.flows[action.variable] = before
    return under(ELEMENT, found)


def _agent(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    agent: p.Agent,
    content: Flow,
    link: p.Link,
) -> Flow:
    """Return the flow into an agent's answer: its prompt, and the results of its tools and
    pipelines.
    """
    span = link.span
    for name in agent.tools:
        tool = tracker.program.tools[name]
        own = source(name, tool.returns, span, f", as `{name}` answers it")
        content = joined(content, under(f"{name}()", own))
    kinds: set[tuple[str, Origin]] = set()
    while True:
        marks = list(marks_of(content, UNTRUSTED, INFLUENCED, PRIVATE))
        now = {(mark.kind, mark.origin) for mark in marks}
        if now <= kinds:
            break
        kinds = now
        steering = tuple(mark for mark in marks if mark.kind != PRIVATE)
        decides = f"the agent `{step.name}` decides by it"
        steered_by = tuple(mark.through(decides, span, by_model=True) for mark in steering)
        control = Control(f"agent {step.name}", step.span, steered_by)
        # Whatever was tested before the loop, the loop decides by itself.
        inner = Situation((control,))
        for name in agent.pipelines:
            words = f"the agent `{step.name}` calls `{name}` with it"
            called = [mark.through(words, span, by_model=True) for mark in marks]
            parameters = tracker.program.pipelines[name].parameters
            given = {parameter.name: spread(parameter.type, called) for parameter in parameters}
            answer, _ = tracker.pipeline(name, given, inner)
            content = joined(content, under(f"{name}()", answer))
        for name in agent.tools:
            tool = tracker.program.tools[name]
            for parameter in tool.parameters:
                told = spread(parameter.type, marks)
                tracker.calls.append(Reaching(name, parameter.name, told, link))
    for mark in marks_of(content, SECRET):
        tracker.found.append(sinks.secret(mark, f"what the agent `{step.name}` sees", None, span))
    return only(content, (UNTRUSTED, INFLUENCED, PRIVATE))


def _recall(
    tracker: Tracker, place: TrackedRun, step: p.Step, action: p.Recall, span: Span
) -> Flow:
    memory = tracker.program.memories[action.memory]
    own = source(action.memory, memory.returns, memory.span, ", as the memory is declared")
    kept = tracker.memories.get(action.memory, NOTHING)
    if isinstance(memory.returns, ListType):
        kept = under(ELEMENT, kept)
    words = f"`{step.name}` recalls it"
    found: dict[Way, dict[Mark, None]] = {}
    for way, marks in joined(own, kept).items():
        found[way] = {mark.through(words, span): None for mark in marks if mark.kind != OWNER}
    origins = [mark.origin for mark in marks_of(found, PRIVATE)]
    owned_by(place.values, origins, [action.key])
    return found


def _cached(tracker: Tracker, place: TrackedRun, step: p.Step, link: p.Link, content: Flow) -> None:
    """Check a cached answer: its key must identify the owner of the private data that it was made
    from.
    """
    assert link.cache is not None
    owners = told_apart(place.values, link.cache.keys)
    told: set[Origin] = set()
    for mark in marks_of(content, PRIVATE):
        if mark.origin not in owners and mark.origin not in told:
            told.add(mark.origin)
            tracker.found.append(sinks.cache(mark, step, link.span))
