"""Information flow through the actions of a chain, with the checks where an action has an
effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from pipelang.analysis.flow import sinks
from pipelang.analysis.flow.acting import effect, not_allowed
from pipelang.analysis.flow.halting import halting
from pipelang.analysis.flow.looking import NO_LOOKS, Looks
from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    LENGTH,
    NOTHING,
    PRESENCE,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Hop,
    Mark,
    Origin,
    inside,
    joined,
    labelled_ways,
    limited,
    marks_of,
    only,
    source,
    spread,
    under,
)
from pipelang.analysis.flow.owners import owned_by, owned_outside, told_apart
from pipelang.analysis.flow.passing import elements_seen, in_common, seen_outside
from pipelang.analysis.flow.remembering import recalled
from pipelang.analysis.flow.situation import (
    Control,
    Done,
    Prompted,
    Reaching,
    Situation,
    together,
)
from pipelang.analysis.flow.telling import ALL, picked, steered
from pipelang.diagnostics import Span
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, Type
from pipelang.semantics.walk import agent_of

if TYPE_CHECKING:
    from pipelang.analysis.flow.tracked_run import TrackedRun
    from pipelang.analysis.flow.tracking import Tracker


def chain(
    tracker: Tracker, place: TrackedRun, step: p.Step, chain: p.Chain, situation: Situation
) -> Done:
    """Follow the links of a chain: each stands under the tests that let those before it fail."""
    ends: list[Situation] = []
    flows: list[Flow] = []
    fails: tuple[Control, ...] = ()
    last, inner, values = situation, situation, place.values
    before, met = values.looks, list[tuple[Looks, ...]]()
    for link in chain.links:
        values.looks = before
        done = _link(tracker, place, step, link, inner)
        values.add_looks(done.looks)
        met.append(values.looks)
        flows.append(done.flow)
        ends.append(done.situation)
        fails = tuple(dict.fromkeys((*fails, *done.fails)))
        last, inner = inner, situation
        for control in fails:
            inner = inner.under(control)
    if len(chain.links) > 1 and fails:
        # Which of the links has answered tells of what the others failed by.
        flows.append(picked(step.type, [m for c in fails for m in (*c.marks, *c.reveals)]))
    values.looks = before
    if chain.end is not None:
        tracker.end(place, chain.end, inner)
    values.looks = in_common(met)
    behind = together(ends)
    if len(ends) > 1 and not ends[-1].since(last):
        behind = behind.without(*behind.since(situation))  # whatever happens, the last answers
    return Done(joined(*flows), behind, fails)


def _link(
    tracker: Tracker, place: TrackedRun, step: p.Step, link: p.Link, situation: Situation
) -> Done:
    action, values = link.action, place.values
    content, behind, fails = NOTHING, situation, tuple[Control, ...]()
    looks: tuple[Looks, ...] = NO_LOOKS
    _spends(tracker, action, situation)
    match action:
        case p.Value():
            return Done(values.of(action.value), situation)
        case p.Choose():
            return _choose(tracker, place, step, link, action, situation)
        case p.AskTier() | p.Cascade() | p.Agent():
            content = _prompted(tracker, place, step, action, link.span, situation)
            tracker.betrayed(situation, f"whether `{step.name}` asks a model", link.span)
            loop = agent_of(action)
            if loop is not None:
                content, left = _agent(tracker, situation, step, loop, content, link)
                behind = situation.told(*left)
            found = _answered(tracker, step, content, action.answers, link.span)
            if isinstance(action, p.Cascade):
                test = _dissatisfied(place, action, found, link.span)
                fails = (test,) if test.marks or test.reveals else ()
                chosen: Flow = {(): dict.fromkeys((*test.marks, *test.reveals))}
            else:
                chosen = values.of(action.who)
            tracker.spending.ask(marks_of(chosen, *ALL))
            tracker.prompted.append(Prompted(action.prompt, None, chosen, link.span, decides=True))
            found = joined(found, _routed(tracker, step, chosen, link.span))
        case p.AskRole():
            content = _prompted(tracker, place, step, action, link.span, situation)
            tracker.betrayed(situation, f"whether `{step.name}` asks a person", link.span)
            # A person has read it: what they write is theirs. What they were told stays private.
            kept = only(content, (PRIVATE,))
            found = _answered(tracker, step, kept, action.answers, link.span)
        case p.Call():
            content = joined(*(under(n, values.of(v)) for n, v in action.arguments))
            found = _call(tracker, place, step, link, action, situation)
        case p.RunPipeline():
            content = joined(*(under(n, values.of(v)) for n, v in action.arguments))
            done = _run(tracker, place, action, link.span, situation)
            found, behind, fails, looks = done.flow, done.situation, done.fails, done.looks
            # That there is an answer to keep tells of every test that might have ended it.
            tests = (*fails, *behind.since(situation))
            content = joined(content, {(): {mark: None for c in tests for mark in c.reveals}})
        case p.Each():
            done = _each(tracker, place, step, action, situation)
            content, found, fails, looks = done.flow, done.flow, done.fails, done.looks
            behind = done.situation
        case p.Recall():
            return Done(_recall(tracker, place, step, action, link.span), situation)
        case p.Broken():
            return Done(NOTHING, situation)
        case _:
            assert_never(action)
    if link.cache is not None:
        _cached(tracker, place, step, link, joined(content, found))
        for mark in marks_of(found, SECRET):
            where = f"the cache of `{step.name}`"
            tracker.found.append(sinks.secret(mark, where, None, link.span))
        for key in link.cache.keys:
            tracker.keyed(place, key, f"a key of the cache of `{step.name}`", link.span)
        # An answer out of the cache has passed none of the tests, which decide nevertheless.
        behind, looks = replace(situation, controls=behind.controls), NO_LOOKS
    return Done(found, behind, fails, looks)


def _spends(tracker: Tracker, action: p.Action, situation: Situation) -> None:
    """Note the tests that led to an action, which tell what it costs if it costs anything."""
    spending = tracker.spending
    spending.here = frozenset(map(id, situation.controls))
    if isinstance(action, (p.AskTier, p.Cascade, p.Agent, p.AskRole, p.Call)):
        for control, known in zip(situation.controls, situation.unvouched(), strict=True):
            spending.lead(control, (*known.marks, *known.reveals))


def _choose(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    link: p.Link,
    action: p.Choose,
    situation: Situation,
) -> Done:
    control = tracker.control(
        place, expr.show(action.subject), link.span, action.subject, branch=True
    )
    inner = situation.under(control)
    arms = [_link(tracker, place, step, arm, inner) for _, arm in action.arms]
    chosen = joined(*(done.flow for done in arms))
    ends = [done.situation for done in arms]
    halts = halting(tracker.program, (p.Chain((arm,), None) for _, arm in action.arms))
    left = halts.left_of(control)
    behind = inner.behind(ends, only_way=False, left=left) if ends else situation
    fails = tuple(dict.fromkeys(one for done in arms for one in done.fails))
    if fails:
        fails = (*fails, replace(control, branch=False))
    flow = joined(chosen, steered(step.type, place.values.told(action.subject)))
    looks = in_common([done.looks for done in arms]) if arms else NO_LOOKS
    return Done(flow, behind, fails, looks)


def _routed(tracker: Tracker, step: p.Step, chosen: Flow, span: Span) -> Flow:
    """Return what an answer tells of what has picked the model that gave it."""
    for mark in marks_of(chosen, SECRET):
        where = f"which model `{step.name}` asks"
        tracker.found.append(sinks.secret(mark, where, None, span))
    return picked(step.type, marks_of(chosen, UNTRUSTED, INFLUENCED, PRIVATE))


def _dissatisfied(place: TrackedRun, action: p.Cascade, found: Flow, span: Span) -> Control:
    """Return the test that picks among the tiers of a cascade, and by which the last may fail."""
    values = place.values
    values.put("it", found)
    told = values.told(action.until)
    values.put("it", NOTHING)
    steers, reveals = marks_of(told, UNTRUSTED, INFLUENCED), marks_of(told, PRIVATE, SECRET)
    return Control(expr.show(action.until), span, tuple(steers), tuple(reveals))


def _answered(tracker: Tracker, step: p.Step, content: Flow, answers: Type, span: Span) -> Flow:
    """Return the marks of a model's answer: those of everything in its prompt."""
    words = f"`{step.name}` answers a prompt that holds it"
    maker = (*tracker.run, span)
    marks = [
        mark.through(words, span, by_model=True, maker=maker) for mark in marks_of(content, *ALL)
    ]
    return spread(answers, marks, chosen=True)


def _prompted(
    tracker: Tracker,
    place: TrackedRun,
    step: p.Step,
    action: p.AskTier | p.Cascade | p.Agent | p.AskRole,
    span: Span,
    situation: Situation,
) -> Flow:
    """Return the flow into a prompt: the paths that its templates read."""
    prompt, values = tracker.program.prompts[action.prompt], place.values
    decided = situation.revealed()
    tracker.prompted.append(Prompted(prompt.name, None, decided, span, decides=True))
    given = {name: values.of(value) for name, value in action.arguments}
    given["feedback"] = place.feedback.get(step.name, NOTHING)
    parts = []
    for way in (*prompt.shows, *((*way, LENGTH) for way in prompt.counts)):
        flow = given.get(way[0], NOTHING)
        for part in way[1:]:
            flow = inside(flow, part)
        shown = ".".join(part for part in way if part != LENGTH)
        tracker.prompted.append(Prompted(prompt.name, shown, flow, span))
        parts.append(under(shown, flow))
    content = joined(*parts)
    for mark in marks_of(content, SECRET):
        where = f"the prompt `{prompt.name}`"
        tracker.found.append(sinks.secret(mark, where, None, span))
    content = only(content, (UNTRUSTED, INFLUENCED, PRIVATE))
    tracker.spending.ask(marks_of(content, *ALL))
    return content


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
        reaching = Reaching(tool.name, name, flow, link, place.pipeline.name, values, value)
        tracker.calls.append(reaching)
    tracker.calls.append(Reaching(tool.name, None, situation.revealed(tool.name), link))
    outside = tool.binding is not None and tool.binding[0] == "mcp"
    types = {parameter.name: parameter.type for parameter in tool.parameters}
    for (name, flow), (_, value) in zip(given, action.arguments, strict=True):
        open_to = [] if outside else labelled_ways(types[name], SECRET)
        where = f"`{tool.name}`, whose `{name}` is not labelled `secret`"
        if outside:
            where = f"`{tool.name}`, which runs in another process"
        for mark in not_allowed(flow, open_to, SECRET):
            tracker.found.append(sinks.secret(mark, where, value, link.span))
    if tool.effect != "pure":
        tracker.spending.wait(joined(*(flow for _, flow in given)))
        where = f"whether `{tool.name}` is called"
        tracker.betrayed(situation, where, link.span, tool.name)
    if tool.acts:
        effect(tracker, place, step, link, action, given, situation)
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
    own = source(step.name, tool.returns, span, f", as `{name}` answers it", tracker.run)
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
            # What is found with a number of any size is what there is to be found.
            marks.append(limited(mark.through(f"`{name}` is asked with it", span, INFLUENCED)))
    pure = tool.effect == "pure"
    return joined(own, spread(tool.returns, marks, chosen=pure, shaped=True))


def _run(
    tracker: Tracker, place: TrackedRun, action: p.RunPipeline, span: Span, situation: Situation
) -> Done:
    given = {
        name: _hopped(place.values.of(value), f"`{action.pipeline}` gets it as `{name}`", span)
        for name, value in action.arguments
    }
    done = _called(tracker, action.pipeline, given, situation, span)
    looks = seen_outside(place.values, action.arguments, done.looks)
    owned_outside(place.values, action.arguments, done.owners)
    return replace(done, looks=looks)


def _called(
    tracker: Tracker, name: str, given: dict[str, Flow], situation: Situation, span: Span
) -> Done:
    """Follow a sub-pipeline as a run of its own, called at a place."""
    before, tracker.run = tracker.run, (*tracker.run, span)
    done = tracker.pipeline(name, given, situation)
    tracker.run = before
    return done


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
) -> Done:
    values = place.values
    before, looks = values.flows.get(action.variable), values.looks
    length = values.length(action.elements)
    values.put(action.variable, inside(values.of(action.elements), ELEMENT))
    element = replace(step, type=action.element)
    steers, reveals = (
        tuple(marks_of(length, UNTRUSTED, INFLUENCED)),
        tuple(marks_of(length, PRIVATE, SECRET)),
    )
    words = f"the length of {expr.show(action.elements)}"
    many = Control(words, step.span, steers, reveals)
    inner = situation.under(many) if steers or reveals else situation
    with tracker.spending.side_by_side((*tracker.run, step.span)):
        done = chain(tracker, place, element, action.body, inner)
    seen = NO_LOOKS if action.need.partial else elements_seen(values, action, looks)
    values.looks = looks
    values.put(action.variable, before or NOTHING)
    flow = joined(under(ELEMENT, done.flow), under(LENGTH, length))
    if action.need.partial:
        told = picked(BOOL, [m for c in done.fails for m in (*c.marks, *c.reveals)])
        flow = joined(flow, under(ELEMENT, under(PRESENCE, told)))
    # No element may have passed a test, and any may have ended the run by it.
    tests = done.situation.since(inner)
    left = halting(tracker.program, [action.body]).left_of(many)
    behind = situation.told(*tests, *([left] if left is not None else ()))
    return Done(flow, behind, done.fails, seen)


def _agent(
    tracker: Tracker,
    situation: Situation,
    step: p.Step,
    agent: p.Agent,
    content: Flow,
    link: p.Link,
) -> tuple[Flow, list[Control]]:
    """Return the flow into an agent's answer (its prompt, and the results of its tools and
    pipelines), and the tests in its pipelines that may have ended the run.
    """
    span = link.span
    for name in agent.tools:
        tool = tracker.program.tools[name]
        own = source(name, tool.returns, span, f", as `{name}` answers it", tracker.run)
        content = joined(content, under(f"{name}()", own))
    kinds: set[tuple[str, Origin]] | None = None
    left: list[Control] = []
    told, called = len(tracker.found), len(tracker.calls)
    while True:
        marks = list(marks_of(content, UNTRUSTED, INFLUENCED, PRIVATE))
        now = {(mark.kind, mark.origin) for mark in marks}
        if kinds is not None and now <= kinds:
            break
        kinds = now
        # What the last round has told, this one tells again, and more.
        del tracker.found[told:], tracker.calls[called:]
        more, left = _loop(tracker, situation, step, agent, marks, link)
        content = joined(content, more)
    tracker.prompted.append(Prompted(agent.prompt, None, content, span))
    tracker.spending.ask(marks_of(content, UNTRUSTED, INFLUENCED, PRIVATE))
    for mark in marks_of(content, SECRET):
        tracker.found.append(sinks.secret(mark, f"what the agent `{step.name}` sees", None, span))
    return only(content, (UNTRUSTED, INFLUENCED, PRIVATE)), left


def _loop(
    tracker: Tracker,
    situation: Situation,
    step: p.Step,
    agent: p.Agent,
    marks: list[Mark],
    link: p.Link,
) -> tuple[Flow, list[Control]]:
    """Return the flow out of what an agent calls, once it has seen data with some marks, and the
    tests by which that may end the run.
    """
    span, maker = link.span, (*tracker.run, link.span)
    decides = f"the agent `{step.name}` decides by it"
    through = [mark.through(decides, span, by_model=True, maker=maker) for mark in marks]
    steering = tuple(mark for mark in through if mark.kind != PRIVATE)
    reveals = tuple(mark for mark in through if mark.kind == PRIVATE)
    control = Control(f"agent {step.name}", step.span, steering, reveals)
    # Whatever vouches for the loop, the loop decides by itself.
    inner, content = Situation((*situation.unvouched(), control)), NOTHING
    left: list[Control] = []
    for name in agent.pipelines:
        words = f"the agent `{step.name}` calls `{name}` with it"
        called = [mark.through(words, span, by_model=True, maker=maker) for mark in marks]
        parameters = tracker.program.pipelines[name].parameters
        given = {one.name: spread(one.type, called, chosen=True) for one in parameters}
        done = _called(tracker, name, given, inner, span)
        tests = done.situation.since(inner)
        left += [*tests, control] if tests else []
        failing = [mark for test in done.fails for mark in (*test.marks, *test.reveals)]
        content = joined(content, under(f"{name}()", joined(done.flow, picked(BOOL, failing))))
    for name in agent.tools:
        tracker.calls.append(Reaching(name, None, inner.revealed(), link))
        for parameter in tracker.program.tools[name].parameters:
            told = spread(parameter.type, marks)
            tracker.calls.append(Reaching(name, parameter.name, told, link))
    return content, list(dict.fromkeys(left))


def _recall(
    tracker: Tracker, place: TrackedRun, step: p.Step, action: p.Recall, span: Span
) -> Flow:
    tracker.recalled.add(action.memory)
    tracker.keyed(place, action.key, f"a key of memory `{action.memory}`", span)
    memory, kept = (
        tracker.program.memories[action.memory],
        tracker.memories.get(action.memory, NOTHING),
    )
    words, maker = f"`{step.name}` recalls it", (*tracker.run, span)
    return recalled(place.values, memory, kept, action.key, words, maker)


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
