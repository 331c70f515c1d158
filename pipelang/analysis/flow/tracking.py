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

A choice tells of what was chosen by: a value that is returned on one of several ways, or because a
sub-pipeline has failed, has the marks of the tests that decided about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.flow import sinks
from pipelang.analysis.flow.always import always_called
from pipelang.analysis.flow.expenses import Beside, Expenses
from pipelang.analysis.flow.halting import halting
from pipelang.analysis.flow.looking import (
    NO_LOOKS,
    NONE,
    Looks,
    covers,
    outside_elements,
    with_element,
)
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
    labelled_ways,
    marks_of,
    only,
    source,
)
from pipelang.analysis.flow.measuring import measured_steps, reads_measured
from pipelang.analysis.flow.owners import owners_beside, owners_inside, told_apart
from pipelang.analysis.flow.passing import in_common
from pipelang.analysis.flow.questions import PathQuestions
from pipelang.analysis.flow.reading import Values
from pipelang.analysis.flow.redoing import SPOKEN_OF, redone, sent_back
from pipelang.analysis.flow.remembering import remembered, stored
from pipelang.analysis.flow.situation import (
    Control,
    Done,
    FlowFinding,
    Looked,
    Prompted,
    Reaching,
    Situation,
    keys_of,
    together,
)
from pipelang.analysis.flow.telling import picked
from pipelang.analysis.flow.tracked_run import TrackedRun
from pipelang.diagnostics import Span
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.people import silence_passes
from pipelang.semantics.kernels.redo import last_outcome, redo_of
from pipelang.semantics.types import TEXT
from pipelang.semantics.unique import with_unique_names

FEEDBACK = "feedback"
MOST_ITEMS = 20_000


class Tracker:
    """Follows one pipeline as a run of its own. `memories` are the flows known to be in them,
    `beside` what a round before has found to be spent side by side.
    """

    def __init__(
        self,
        program: p.Program,
        root: p.Pipeline,
        memories: Mapping[str, Flow],
        beside: Beside | None = None,
    ) -> None:
        self.program = program
        self.root = root
        self.memories = memories
        self.recalled: set[str] = set()
        self.remembered: dict[str, Flow] = {}
        self.found: list[FlowFinding] = []
        self.calls: list[Reaching] = []
        self.prompted: list[Prompted] = []
        self.tests = PathQuestions(program, root)
        self.declassified: dict[str, None] = {}
        self.run: tuple[Span, ...] = ()
        self.spending = Expenses(beside or {})
        self._unique: dict[str, p.Pipeline] = {}
        self._items = 0

    def go(self) -> None:
        """Follow the whole pipeline. Raises `TooHard`."""
        self.pipeline(self.root.name, {}, Situation())

    def pipeline(self, name: str, given: Mapping[str, Flow], situation: Situation) -> Done:
        """Follow a pipeline from the flows into its parameters, in the situation of its call."""
        pipeline = self._unique.get(name)
        if pipeline is None:
            pipeline = self._unique[name] = with_unique_names(self.program.pipelines[name])
        values = Values(self.program, spending=self.spending, declassified=self.declassified)
        for parameter in pipeline.parameters:
            how = f", as `{name}` gets it"
            own = source(parameter.name, parameter.type, pipeline.span, how, self.run)
            passed = given.get(parameter.name)
            if passed is not None:  # a caller has said what it is; what may be told stays as it is
                own = joined(passed, only(own, (PRIVATE, SECRET, OWNER)))
            values.put(parameter.name, own)
        owners_beside(values, [q.name for q in pipeline.parameters])
        place = TrackedRun(pipeline, values, measured_steps(pipeline), situation)
        if pipeline.breaker is not None and not pipeline.breaker.otherwise.chain.links:
            ends = pipeline.breaker.otherwise.chain.end
            assert ends is not None
            values.looks = NO_LOOKS
            self.end(place, ends, situation)
        elif pipeline.breaker is not None:
            self.step(place, pipeline.breaker.otherwise, situation)
            place.returns = values.flows.get(pipeline.breaker.otherwise.name, NOTHING)
            values.put(pipeline.breaker.otherwise.name, NOTHING)
            place.answered.append(situation)
            place.seen.append(NO_LOOKS)
            values.looks = NO_LOOKS
        self.block(place, pipeline.block, situation)
        if pipeline.budget is not None and pipeline.budget.otherwise is not None:
            values.looks = NO_LOOKS  # a budget may be spent before anything was looked at
            self.end(place, pipeline.budget.otherwise, situation)
        if pipeline.quota is not None and pipeline.quota.otherwise is not None:
            values.looks = NO_LOOKS
            self.end(place, pipeline.quota.otherwise, situation)
        after = together(place.answered) if place.answered else situation
        # A branch that answers on each of its ways decides nothing about what follows the answer.
        added = after.since(situation)
        idle = [one for one in added if one.branch and id(one) not in place.stops]
        looks = in_common(place.seen)
        owners = owners_inside(values, pipeline)
        return Done(place.returns, after.without(*idle), tuple(place.fails), looks, owners)

    # ---------------------------------------------------------------------------------- items

    def block(self, place: TrackedRun, block: p.Block, situation: Situation) -> Situation | None:
        """Follow a block; return the situation after it, None if no run gets there."""
        for segment in block.segments:
            members = (segment.index,) if isinstance(segment, p.Barrier) else segment.members
            with self.spending.side_by_side((*self.run, block.items[members[0]].span, "region")):
                found = self._in_order(place, block, members, situation)
            if found is None:
                return None
            situation = found
        return situation

    def _in_order(
        self, place: TrackedRun, block: p.Block, indices: tuple[int, ...], situation: Situation
    ) -> Situation | None:
        for index in indices:
            after = self.item(place, block, index, block.items[index], situation)
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
                values.define(item)
                return situation
            case p.Gate():
                return self._gate(place, block, index, item, situation)
            case p.Person():
                return self._person(place, block, index, item, situation)
            case p.When():
                words = item.name or expr.show(item.condition)
                return self._ways(
                    place, words, item, item.condition, [item.then, item.otherwise], situation
                )
            case p.MatchBranch():
                words, arms = expr.show(item.subject), [arm for _, arm in item.arms]
                return self._ways(place, words, item, item.subject, arms, situation)
            case p.Remember():
                self._remember(place, item, situation)
                return situation
            case p.End():
                self.end(place, item.outcome, situation)
                return None
            case _:
                assert_never(item)

    def control(
        self, place: TrackedRun, name: str, span: Span, test: expr.Expr, *, branch: bool
    ) -> Control:
        """Return a test as what decides about the items behind it: with the outside data that
        steers it and that nothing vouches for.
        """
        values = place.values
        flow = values.told(test)
        marks = tuple(marks_of(flow, UNTRUSTED, INFLUENCED))
        if marks and values.vouched and covers(values.vouched, values.plain(test)):
            marks = ()
        return Control(name, span, marks, tuple(marks_of(flow, PRIVATE, SECRET)), branch)

    def _ways(
        self,
        place: TrackedRun,
        words: str,
        item: p.When | p.MatchBranch,
        test: expr.Expr,
        ways: list[p.Block],
        situation: Situation,
    ) -> Situation | None:
        """Follow branches; the situation after them is what all of their ways have in common."""
        control = self.control(place, words, item.span, test, branch=True)
        if control.marks or control.reveals:
            control = replace(control, always=always_called(self.program, ways))
        situation = situation.under(control)
        values = place.values
        before = values.looks
        ends: list[Situation] = []
        met = list[tuple[Looks, ...]]()
        for way in ways:
            values.looks = before
            after = self.block(place, way, situation)
            if after is not None:
                ends.append(after)
                met.append(values.looks)
        values.looks = before
        if not ends:
            return None
        values.looks = in_common(met)
        left = halting(self.program, ways).left_of(control)
        return situation.behind(ends, only_way=len(ends) < len(ways), left=left)

    def _gate(
        self, place: TrackedRun, block: p.Block, index: int, gate: p.Gate, situation: Situation
    ) -> Situation:
        values, redo = place.values, redo_of(gate)
        outcome = last_outcome(gate)
        name = gate.name.split(" ")[0]
        answers = isinstance(outcome, p.Return)
        control = self.control(place, name, gate.span, gate.condition, branch=answers)
        while redo is not None:
            self.spending.ask((*control.marks, *control.reveals))
            told_of = (control.reveals, ())
            again = redone(self, place, block, index, redo, situation, told_of)
            if again is None:
                break
            situation = again  # it is judged again, by what the second round has made
            control = self.control(place, name, gate.span, gate.condition, branch=answers)
        self.end(place, outcome, situation.under(control))
        looks, vouches = values.judged(gate.condition), frozenset[Key]()
        limits = values.limits(gate.condition)
        if self._has_evidence(place, gate):
            parts = values.judged(gate.condition, partly=True)
            # What is said of one element is not said of the others.
            wholes = outside_elements(parts)
            vouches = keys_of(values.marks_at(wholes, UNTRUSTED, INFLUENCED))
            values.vouched |= looks.union(map(with_element, looks))
            control = replace(control, marks=())  # its verdict counts
        self._look(place, name, (looks, limits.above), (vouches, frozenset()))
        values.add_looks((looks, NONE, NONE, limits.above, limits.below))
        return situation.passed(control, vouches)

    def _has_evidence(self, place: TrackedRun, gate: p.Gate) -> bool:
        """Whether a gate has evidence or rates, so that its verdict counts."""
        traffic = place.pipeline.traffic
        if gate.evidence is not None or gate.name in {share.name for share in traffic.names}:
            return True
        shares = {share.condition for share in traffic.conditions}
        for part in expr.walk(gate.condition):
            if part in shares:
                return True
            if reads_measured(part, place.measured):
                return True
        return False

    def _person(
        self, place: TrackedRun, block: p.Block, index: int, person: p.Person, situation: Situation
    ) -> Situation:
        values, redo = place.values, redo_of(person)
        if redo is not None:
            situation = sent_back(self, place, block, index, redo, situation)
        if person.when is not None:
            words = f"{person.name} when {expr.show(person.when)}"
            asked = self.control(place, words, person.span, person.when, branch=False)
            # Who is asked decides, and no outsider. But that somebody was asked tells of the test.
            situation = situation.told(replace(asked, marks=()))
        self.betrayed(situation, f"whether `{person.name}` is asked", person.span)
        if person.showing is not None:
            for mark in marks_of(values.of(person.showing), SECRET):
                self.found.append(
                    sinks.secret(mark, f"what `{person.name}` shows", person.showing, person.span)
                )
            looks = values.shown(person.showing)
        else:
            everything = (expr.Read(name, TEXT) for name in person.judges)
            looks = NONE.union(*map(values.shown, everything))
        self.end(place, last_outcome(person), situation)
        shown = frozenset[Key]()
        if not silence_passes(person):
            paths = frozenset(one for one in looks if isinstance(one, tuple))
            shown = keys_of(values.marks_at(paths, *SPOKEN_OF))
        else:
            looks = NONE  # silence is a yes: nobody need have looked
        flows = [*values.flows.values(), *map(values.whole, values.lets)]
        so_far = keys_of(mark for flow in flows for mark in marks_of(flow, *SPOKEN_OF))
        self._look(place, person.name, (looks, looks), (so_far, shown))
        if person.when is not None:
            return situation
        values.add_looks((looks, looks, NONE, looks, looks))
        return situation.asked(so_far, shown)

    def _look(
        self,
        place: TrackedRun,
        name: str,
        seen: tuple[Looks, Looks],
        checks: tuple[frozenset[Key], frozenset[Key]],
    ) -> None:
        """Record a test: what it looks at and bounds, and what it vouches for and approves."""
        looks, bounds = seen
        texts = {mark.origin for mark in place.values.marks_at(looks, UNTRUSTED, INFLUENCED)}
        pipeline = place.pipeline.name
        self.tests.looked.append(Looked(pipeline, name, looks, bounds, frozenset(texts), *checks))

    def _remember(self, place: TrackedRun, item: p.Remember, situation: Situation) -> None:
        values, where = place.values, f"memory `{item.memory}`"
        flow, there = remembered(values, item, situation)
        before = self.remembered.get(item.memory, NOTHING)
        self.remembered[item.memory] = joined(before, stored(item, flow), stored(item, there))
        for mark in marks_of(flow, SECRET):
            self.found.append(sinks.secret(mark, where, item.value, item.span))
        self.keyed(place, item.key, f"a key of {where}", item.span)
        owners = told_apart(values, (item.key,))
        for mark in marks_of(flow, PRIVATE):
            if mark.origin not in owners:
                self.found.append(sinks.memory(mark, item))

    def betrayed(self, situation: Situation, where: str, span: Span, tool: str = "") -> None:
        """Report the secrets that what happens here tells of."""
        for control in situation.controls:
            for mark in control.reveals if tool not in control.always else ():
                if mark.kind == SECRET:
                    found = sinks.secret(mark, where, None, span)
                    self.found.append(replace(found, test=control.span))

    def keyed(self, place: TrackedRun, key: expr.Expr, where: str, span: Span) -> None:
        """Check a key, which is stored as it is."""
        for mark in marks_of(place.values.of(key), SECRET):
            self.found.append(sinks.secret(mark, where, key, span))

    def end(self, place: TrackedRun, outcome: p.Outcome, situation: Situation) -> None:
        """End a run of a pipeline with an outcome."""
        since = situation.since(place.entered)
        if not isinstance(outcome, p.Return):
            place.stops.update(map(id, since))
            if not isinstance(outcome, p.Fail) or not self.run:
                self.betrayed(situation, f"how `{place.pipeline.name}` ends", outcome.span)
        match outcome:
            case p.Return():
                chosen = [m for c in since if c.branch for m in (*c.marks, *c.reveals)]
                self._return(place, outcome, chosen)
                place.answered.append(situation)
                place.seen.append(place.values.looks)
            case p.Escalate():
                if outcome.value is not None:
                    for mark in marks_of(place.values.of(outcome.value), SECRET):
                        self.found.append(
                            sinks.secret(mark, "a handoff", outcome.value, outcome.span)
                        )
            case p.Fail():
                place.fail((), situation, fails=True)
            case p.Reject():
                pass
            case _:
                assert_never(outcome)

    def _return(self, place: TrackedRun, outcome: p.Return, chosen: list[Mark]) -> None:
        returns = place.pipeline.returns
        flow = joined(place.values.of(outcome.value), picked(returns, chosen))
        open_to = labelled_ways(returns, SECRET)
        kept: dict[Way, dict[Mark, None]] = {}
        for way, marks in flow.items():
            loose = not any(way[: len(known)] == known for known in open_to)
            kept[way] = {m: None for m in marks if m.kind != SECRET or not loose}
            for mark in marks if loose else ():
                if mark.kind == SECRET:
                    where = f"the answer of `{place.pipeline.name}`"
                    self.found.append(sinks.secret(mark, where, outcome.value, outcome.span))
        place.returns = joined(place.returns, {way: marks for way, marks in kept.items() if marks})

    # ---------------------------------------------------------------------------------- steps

    def step(self, place: TrackedRun, step: p.Step, situation: Situation) -> Situation:
        from pipelang.analysis.flow.actions import chain

        done = chain(self, place, step, step.chain, situation)
        place.values.put(step.name, done.flow)
        if step.chain.end is None:
            place.fail(done.fails, situation)
            if not self.run:
                ends = Situation(done.fails)
                self.betrayed(ends, f"whether `{step.name}` fails", step.span)
        known = labelled_ways(step.type, SECRET)
        for way, marks in done.flow.items():
            for mark in marks:
                if mark.kind == SECRET and not any(way[: len(k)] == k for k in known):
                    self.found.append(sinks.traced(mark, step))
        return done.situation
