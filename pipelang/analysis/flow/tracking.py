"""Taint tracking: labelled data is followed through every item of a pipeline, to every sink.

Soundness. Values are made once (a redo makes them again of the same parts), and each has the marks
of all that any of its links could have put into it. A template adds what it reads and nothing else;
a model passes marks on from text to text, and into closed types only its influence. A tool's result
has the labels of its type; besides, a result for an untrusted question is influenced, and a result
about a person is private. Memories are iterated to a fixed point, since what one run stores another
one recalls.

Data that a gate or an approval has checked is cleared for the items behind it: in the rest of its
block, and behind a branch where every way through it has cleared the same. Whether a conditional
test is on every way to a call nevertheless is decided by the walk over paths (`analysis.claims`),
with the conditions of the branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.flow import sinks
from pipelang.analysis.flow.covering import covered
from pipelang.analysis.flow.marks import (
    INFLUENCED,
    NOTHING,
    OWNER,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Key,
    Mark,
    Way,
    joined,
    labels,
    marks_of,
    only,
    source,
    spread,
)
from pipelang.analysis.flow.owners import owners_beside, told_apart
from pipelang.analysis.flow.reading import Values
from pipelang.analysis.flow.situation import (
    Control,
    FlowFinding,
    Looked,
    Reaching,
    Situation,
    keys_of,
    together,
)
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.kernels.people import silence_passes
from pipelang.semantics.types import TEXT, Type
from pipelang.semantics.unique import with_unique_names
from pipelang.semantics.walk import all_items

FEEDBACK = "feedback"
SPOKEN_OF = (UNTRUSTED, INFLUENCED, PRIVATE)
MOST_ITEMS = 20_000
MOST_ASKED = 12
"""The most questions to the walk over paths about one pipeline; after them, a conditional test
counts as not made.
"""


@dataclass(slots=True)
class TrackedRun:
    """One run of a pipeline within the tracking."""

    pipeline: p.Pipeline
    values: Values
    measured: frozenset[str]
    returns: Flow = field(default_factory=dict)
    answered: list[Situation] = field(default_factory=list)
    feedback: dict[str, Flow] = field(default_factory=dict)


class Tracker:
    """Follows one pipeline as a run of its own. `memories` are the flows known to be in them."""

    def __init__(self, program: p.Program, root: p.Pipeline, memories: dict[str, Flow]) -> None:
        self.program = program
        self.root = root
        self.memories = memories
        self.remembered: dict[str, Flow] = {}
        self.found: list[FlowFinding] = []
        self.calls: list[Reaching] = []
        self.looked: list[Looked] = []
        self.declassified: dict[str, None] = {}
        self._unique: dict[str, p.Pipeline] = {}
        self._items = 0
        self._asked = 0
        self._answers: dict[tuple[frozenset[tuple[str, str]], Span], bool] = {}

    def go(self) -> None:
        """Follow the whole pipeline. Raises `TooHard`."""
        self.pipeline(self.root.name, {}, Situation())

    def pipeline(
        self, name: str, given: Mapping[str, Flow], situation: Situation
    ) -> tuple[Flow, Situation]:
        """Return the flow into a pipeline's answer, from the flows into its parameters, and the
        situation where it answered.
        """
        pipeline = self._unique.get(name)
        if pipeline is None:
            pipeline = self._unique[name] = with_unique_names(self.program.pipelines[name])
        values = Values(self.program, declassified=self.declassified)
        for parameter in pipeline.parameters:
            own = source(parameter.name, parameter.type, pipeline.span, f", as `{name}` gets it")
            passed = given.get(parameter.name)
            if passed is not None:  # a caller has said what it is; what may be told stays as it is
                own = joined(passed, only(own, (PRIVATE, SECRET, OWNER)))
            values.flows[parameter.name] = own
        owners_beside(values, [q.name for q in pipeline.parameters])
        place = TrackedRun(pipeline, values, _measured(pipeline))
        if pipeline.breaker is not None:
            self.step(place, pipeline.breaker.otherwise, situation)
            place.returns = values.flows.pop(pipeline.breaker.otherwise.name, NOTHING)
            place.answered.append(situation)
        self.block(place, pipeline.block, situation)
        if pipeline.budget is not None and pipeline.budget.otherwise is not None:
            self.end(place, pipeline.budget.otherwise, situation)
        return place.returns, together(place.answered) if place.answered else situation

    # ---------------------------------------------------------------------------------- items

    def block(self, place: TrackedRun, block: p.Block, situation: Situation) -> Situation | None:
        """Follow a block; return the situation after it, None if no run gets there."""
        for index, item in enumerate(block.items):
            after = self.item(place, block, index, item, situation)
            if after is None:
                return None
            situation = after
        return situation

    def item(
        self, place: TrackedRun, block: p.Block, index: int, item: p.Item, situation: Situation
    ) -> Situation | None:
        self._items += 1
        if self._items > MOST_ITEMS:
            raise TooHard("its paths, with those of all that it runs, are too many")
        values = place.values
        match item:
            case p.Step():
                return self.step(place, item, situation)
            case p.Let():
                if values.path(item.value) is not None:
                    values.aliases[item.name] = item.value
                values.flows[item.name] = values.of(item.value)
                return situation
            case p.Gate():
                return self._gate(place, block, item, situation)
            case p.Person():
                return self._person(place, item, situation)
            case p.When():
                words = item.name or expr.show(item.condition)
                control = Control(words, item.span, tuple(self._steering(place, item.condition)))
                return self._ways(place, [item.then, item.otherwise], situation.under(control))
            case p.MatchBranch():
                words = expr.show(item.subject)
                control = Control(words, item.span, tuple(self._steering(place, item.subject)))
                return self._ways(place, [arm for _, arm in item.arms], situation.under(control))
            case p.Remember():
                self._remember(place, item)
                return situation
            case p.End():
                self.end(place, item.outcome, situation)
                return None
            case _:
                assert_never(item)

    def _steering(self, place: TrackedRun, node: expr.Expr) -> Iterator[Mark]:
        """Return the outside data that steers a test and was not checked."""
        seen: dict[Mark, None] = {}
        for way in place.values.reads(node, content=False):
            seen.update(dict.fromkeys(marks_of(place.values.at(way), UNTRUSTED, INFLUENCED)))
        seen.update(dict.fromkeys(marks_of(place.values.of(node), UNTRUSTED, INFLUENCED)))
        yield from seen

    def _ways(
        self, place: TrackedRun, ways: list[p.Block], situation: Situation
    ) -> Situation | None:
        """Follow branches; the situation after them is what all of their ways have in common."""
        values, before = place.values, place.values.cleared
        ends: list[tuple[Situation, frozenset[Way]]] = []
        for way in ways:
            values.cleared = before
            after = self.block(place, way, situation)
            if after is not None:
                ends.append((after, values.cleared))
        if not ends:
            values.cleared = before
            return None
        values.cleared = frozenset.intersection(*(cleared for _, cleared in ends))
        return situation.behind([after for after, _ in ends], only_way=len(ends) < len(ways))

    def _gate(
        self, place: TrackedRun, block: p.Block, gate: p.Gate, situation: Situation
    ) -> Situation:
        values, redo = place.values, gate.otherwise
        if isinstance(redo, p.Redo):
            self._feed_back(place, block, gate, redo, situation)
            self.end(place, redo.otherwise, situation)
        else:
            self.end(place, redo, situation)
        evidence = self._has_evidence(place, gate)
        steering = tuple(self._steering(place, gate.condition))
        ways = frozenset(values.reads(gate.condition, content=gate.evidence is None))
        name = gate.name.split(" ")[0]
        vouches = keys_of(steering) if evidence else frozenset[Key]()
        self._look(place, ways, name, vouches, frozenset())
        values.cleared |= ways
        return situation.passed(Control(name, gate.span, steering), evidence)

    def _has_evidence(self, place: TrackedRun, gate: p.Gate) -> bool:
        """Whether a gate has evidence or rates, so that its verdict counts."""
        traffic = place.pipeline.traffic
        if gate.evidence is not None or gate.name in {share.name for share in traffic.names}:
            return True
        shares = {share.condition for share in traffic.conditions}
        for part in expr.walk(gate.condition):
            if part in shares:
                return True
            path = expr.path_of(part) or ()
            if path[1:] == ("confidence",) and path[0] in place.measured:
                return True
        return False

    def _feed_back(
        self, place: TrackedRun, block: p.Block, gate: p.Gate, redo: p.Redo, situation: Situation
    ) -> None:
        """Follow the second round of a redo, whose prompt contains feedback on the first."""
        if redo.because is None:
            return
        flow = place.values.of(redo.because)
        secrets = marks_of(flow, SECRET)
        for mark in secrets:
            words = f"the feedback of `{gate.name}`"
            self.found.append(sinks.secret(mark, words, redo.because, gate.span))
        told = spread(TEXT, marks_of(flow, UNTRUSTED, INFLUENCED, PRIVATE, SECRET))
        if not told:
            return
        hop = f"`redo {redo.step}` gives it as feedback"
        place.feedback[redo.step] = {
            way: {mark.through(hop, gate.span): None for mark in marks}
            for way, marks in told.items()
        }
        items = [block.items[index] for index in redo.reruns]
        names = {item.name for item in items if isinstance(item, (p.Step, p.Let))}
        cleared = place.values.cleared
        place.values.cleared = frozenset(way for way in cleared if way[0] not in names)
        for again in items:
            if isinstance(again, (p.Step, p.Let)):
                self.item(place, block, 0, again, situation)
        place.values.cleared = cleared

    def _person(self, place: TrackedRun, person: p.Person, situation: Situation) -> Situation:
        values = place.values
        if person.showing is not None:
            for mark in marks_of(values.of(person.showing), SECRET):
                self.found.append(
                    sinks.secret(mark, f"what `{person.name}` shows", person.showing, person.span)
                )
            ways = frozenset(values.reads(person.showing))
        else:
            ways = frozenset((name,) for name in person.judges)
        self.end(place, person.otherwise, situation)
        shown = frozenset[Key]()
        if not silence_passes(person):
            flows = (values.at(way) for way in ways)
            shown = keys_of(m for flow in flows for m in marks_of(flow, *SPOKEN_OF))
        else:
            ways = frozenset()  # silence is a yes: nobody need have looked
        everything = values.flows.values()
        so_far = keys_of(mark for flow in everything for mark in marks_of(flow, *SPOKEN_OF))
        self._look(place, ways, person.name, so_far, shown)
        if person.when is not None:
            return situation
        values.cleared |= ways
        return situation.asked(so_far, shown)

    def _look(
        self,
        place: TrackedRun,
        ways: frozenset[Way],
        name: str,
        vouches: frozenset[Key],
        approves: frozenset[Key],
    ) -> None:
        texts = {
            mark.origin
            for way in ways
            for mark in marks_of(place.values.at(way), UNTRUSTED, INFLUENCED)
        }
        pipeline = place.pipeline.name
        self.looked.append(Looked(pipeline, name, ways, frozenset(texts), vouches, approves))

    def _remember(self, place: TrackedRun, item: p.Remember) -> None:
        values = place.values
        flow = values.of(item.value)
        shown = expr.show(item.value)
        hop = f"`{item.memory}` keeps " + ("it" if "`" in shown else f"`{shown}`")
        kept: dict[Way, dict[Mark, None]] = {}
        for way, marks in flow.items():
            kept[way] = {m.through(hop, item.span): None for m in marks if m.kind != OWNER}
        self.remembered[item.memory] = joined(self.remembered.get(item.memory, NOTHING), kept)
        for mark in marks_of(flow, SECRET):
            self.found.append(sinks.secret(mark, f"memory `{item.memory}`", item.value, item.span))
        owners = told_apart(values, (item.key,))
        for mark in marks_of(flow, PRIVATE):
            if mark.origin not in owners:
                self.found.append(sinks.memory(mark, item))

    def end(self, place: TrackedRun, outcome: p.Outcome, situation: Situation) -> None:
        match outcome:
            case p.Return():
                place.returns = joined(place.returns, place.values.of(outcome.value))
                place.answered.append(situation)
            case p.Escalate():
                if outcome.value is not None:
                    for mark in marks_of(place.values.of(outcome.value), SECRET):
                        self.found.append(
                            sinks.secret(mark, "a handoff", outcome.value, outcome.span)
                        )
            case p.Reject() | p.Fail():
                pass
            case _:
                assert_never(outcome)

    # ---------------------------------------------------------------------------------- tests

    def looked_at(self, call: Reaching, mark: Mark) -> bool:
        """Whether a conditional test has looked at this value on every way nevertheless."""
        place, value, site, tool = call.place, call.value, call.link.span, call.tool
        if place is None or value is None:
            return False
        ways = list(place.values.reads(value, content=False))
        name = place.pipeline.name
        tests = {
            (one.pipeline, one.name)
            for one in self.looked
            if one.pipeline == name
            and one.ways
            and all(any(way[: len(own)] == own for own in one.ways) for way in ways)
        }
        return self._covered(tests, site, tool)

    def vouched(self, control: Control, site: Span, tool: str) -> bool:
        """Whether a test that vouches for a control is on every way to a call nevertheless."""
        keys = keys_of(control.marks)
        tests = {(one.pipeline, one.name) for one in self.looked if keys <= one.vouches}
        return self._covered(tests, site, tool)

    def approved(self, marks: tuple[Mark, Mark], site: Span, tool: str) -> bool:
        keys = keys_of(marks)
        tests = {(one.pipeline, one.name) for one in self.looked if keys <= one.approves}
        return self._covered(tests, site, tool)

    def _covered(self, tests: set[tuple[str, str]], site: Span, tool: str) -> bool:
        if not tests or self._asked >= MOST_ASKED:
            return False
        key = (frozenset(tests), site)
        if key not in self._answers:
            self._asked += 1
            self._answers[key] = covered(self.program, self.root, tool, site, key[0])
        return self._answers[key]

    # ---------------------------------------------------------------------------------- steps

    def step(self, place: TrackedRun, step: p.Step, situation: Situation) -> Situation:
        from pipelang.analysis.flow.actions import chain

        flow, situation = chain(self, place, step, step.chain, situation)
        place.values.flows[step.name] = flow
        known = {way for way, _ in _secret_ways(step.type)}
        for way, marks in flow.items():
            for mark in marks:
                if mark.kind == SECRET and not any(way[: len(k)] == k for k in known):
                    self.found.append(sinks.traced(mark, step))
        return situation


def _secret_ways(type: Type) -> Iterator[tuple[Way, Type]]:
    for way, labelled, leaf in labels(type):
        if SECRET in labelled:
            yield way, leaf


def _measured(pipeline: p.Pipeline) -> frozenset[str]:
    """Return the steps whose confidence has evidence."""
    return frozenset(
        item.name
        for item in all_items(pipeline.block)
        if isinstance(item, p.Step)
        and any(isinstance(link.accuracy, MeasuredShare) for link in item.chain.links)
    )
