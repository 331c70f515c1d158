"""Information flow over a whole program: each pipeline on its own, and memories across runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.paths import PathEvent
from pipelang.analysis.flow.marks import PRIVATE, SECRET, UNTRUSTED, Flow, Hop, joined, marks_of
from pipelang.analysis.flow.situation import FlowFinding
from pipelang.analysis.flow.tracking import Tracker
from pipelang.diagnostics import Diagnostic, Label, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import prompts_behind, sub_pipelines, tools_behind

if TYPE_CHECKING:
    from pipelang.analysis.claims.verdicts import Proof

KINDS = {"untrusted": UNTRUSTED, "private": PRIVATE, "secret": SECRET}

MOST_SHOWN = 8
"""The most steps of a flow that a finding shows, in the JSON report and with `--verbose` too."""

MOST_ROUNDS = 10_000
"""The most times that a pipeline is followed for the memories; beyond it, nothing is decided."""

MOST_DEEP = 12
"""The depth of the paths into what a memory keeps; what is inside of that is taken as one."""


class Flows:
    """The information flow of a program, computed once."""

    def __init__(self, program: p.Program) -> None:
        self.program = program
        self._memories: dict[str, Flow] | TooHard | None = None
        self._trackers: dict[str, Tracker | TooHard] = {}

    def tracker(self, name: str) -> Tracker:
        """Return the tracker of a pipeline, followed as a run of its own. Raises `TooHard`."""
        found = self._trackers.get(name)
        if found is None:
            try:
                found = self._followed(self.program.pipelines[name], self.memories())
            except TooHard as hard:
                found = hard
            self._trackers[name] = found
        if isinstance(found, TooHard):
            raise found
        return found

    def _followed(self, pipeline: p.Pipeline, memories: Mapping[str, Flow]) -> Tracker:
        tracker = Tracker(self.program, pipeline, memories)
        try:
            tracker.go()
            if tracker.spending.read:
                tracker = Tracker(self.program, pipeline, memories, tracker.spending.found)
                tracker.go()
        except RecursionError:
            raise TooHard("it is nested too deep") from None
        return tracker

    def memories(self) -> dict[str, Flow]:
        """Return the flow that any run may have left in each memory: the least fixed point over
        all pipelines. Raises `TooHard`.
        """
        if self._memories is None:
            try:
                self._memories = self._fixed_point() if self.program.memories else {}
            except TooHard as hard:
                self._memories = hard
        if isinstance(self._memories, TooHard):
            raise self._memories
        return self._memories

    def _fixed_point(self) -> dict[str, Flow]:
        memories: dict[str, Flow] = {}
        kinds: dict[str, set[tuple[object, ...]]] = {}
        readers: dict[str, set[str]] = {}
        left = dict.fromkeys(self.program.pipelines)
        for _ in range(MOST_ROUNDS):
            if not left:
                return memories
            name = next(iter(left))
            del left[name]
            tracker = self._followed(self.program.pipelines[name], memories)
            for memory in tracker.recalled:
                readers.setdefault(memory, set()).add(name)
            for memory, flow in tracker.remembered.items():
                found = _shallow(joined(memories.get(memory, {}), flow))
                now = _kinds(found)
                if now != kinds.get(memory, set()):
                    kinds[memory], memories[memory] = now, found
                    left.update(dict.fromkeys(sorted(readers.get(memory, ()))))
        raise TooHard("what its memories keep comes from too many others")

    def findings(self) -> Iterator[Diagnostic]:
        """Return a finding for every forbidden flow. Sub-pipelines are followed at their calls."""
        inner = {
            name
            for pipeline in self.program.pipelines.values()
            for name in sub_pipelines(pipeline.block)
        }
        told: set[tuple[str, object, tuple[tuple[str, str], ...]]] = set()
        for name, pipeline in self.program.pipelines.items():
            if name in inner:
                continue
            try:
                tracker = self.tracker(name)
            except TooHard as hard:
                yield report(codes.FLOW_UNDECIDED, pipeline.span, name=name, why=str(hard))
                continue
            for found in tracker.found:
                place, words = found.span, found.words
                if found.test is not None:
                    place, words = found.test, found.words[:1]
                key = (found.rule.code, place, words)
                if key not in told:
                    told.add(key)
                    yield _diagnostic(found)

    def proof(self, claim: p.Claim, claimed: p.NeverReaches) -> Proof:
        """Return the verdict on `LABEL never reaches` a tool or a prompt."""
        pipeline = self.program.pipelines[claim.pipeline]
        try:
            tracker = self.tracker(claim.pipeline)
        except TooHard as hard:
            return _proof(claim, "undecided", why=str(hard))
        kind = KINDS[claimed.label]
        if claimed.prompt:
            return self._of_prompt(claim, claimed, tracker, kind)
        for call in tracker.calls:
            if call.tool != claimed.target:
                continue
            for mark in marks_of(call.flow, kind):
                if kind == UNTRUSTED and tracker.tests.looked_at(call, mark):
                    continue
                words = f"`{call.tool}` gets it as `{call.parameter}`"
                if call.parameter is None:
                    words = f"it decides whether `{call.tool}` is called"
                hops = (*mark.hops, Hop(words, call.link.span))
                return _refuted(claim, hops)
        vacuous = claimed.target not in tools_behind(self.program, pipeline)
        return _proved(claim, tracker, kind, vacuous)

    def _of_prompt(
        self, claim: p.Claim, claimed: p.NeverReaches, tracker: Tracker, kind: str
    ) -> Proof:
        """Return the verdict on what never reaches a prompt: neither what its template reads, nor
        what an agent sees that was asked by it, nor what decides whether it is asked.
        """
        for asked in tracker.prompted:
            if asked.prompt != claimed.target:
                continue
            words = f"the prompt `{asked.prompt}` reads it as `{asked.shows}`"
            if asked.decides:
                words = f"it decides whether, or of whom, `{asked.prompt}` is asked"
            elif asked.shows is None:
                words = f"an agent that is asked by `{asked.prompt}` sees it"
            # What outsiders write reaches it as text; who picks a question puts none in it.
            for mark in () if asked.decides and kind == UNTRUSTED else marks_of(asked.flow, kind):
                hops = (*mark.hops, Hop(words, asked.span))
                return _refuted(claim, hops)
        asked_at_all = prompts_behind(self.program, self.program.pipelines[claim.pipeline])
        return _proved(claim, tracker, kind, claimed.target not in asked_at_all)


def _proof(claim: p.Claim, verdict: str, *about: Any, **more: Any) -> Proof:
    """A verdict. What decides claims is imported once there is one: most programs have none."""
    from pipelang.analysis.claims.verdicts import Proof

    return Proof(claim, verdict, *about, **more)


def _refuted(claim: p.Claim, hops: Iterable[Hop]) -> Proof:
    return _proof(claim, "refuted", path=tuple(PathEvent(hop.text, hop.span) for hop in hops))


def _proved(claim: p.Claim, tracker: Tracker, kind: str, vacuous: bool) -> Proof:
    by: dict[str, None] = {}
    if kind == UNTRUSTED and not vacuous:
        by = dict.fromkeys(one.name for one in tracker.tests.looked if one.looks and one.texts)
    elif kind == PRIVATE and not vacuous:
        by = dict(tracker.declassified)
    return _proof(claim, "proved", tuple(by), vacuous=vacuous)


def _kinds(flow: Flow) -> set[tuple[object, ...]]:
    return {(way, mark) for way, marks in flow.items() for mark in marks}


def _shallow(flow: Flow) -> Flow:
    """Return a flow with paths of a limited length; marks apply to all that is inside."""
    if all(len(way) <= MOST_DEEP for way in flow):
        return flow
    return joined(*({way[:MOST_DEEP]: marks} for way, marks in flow.items()))


def _diagnostic(found: FlowFinding) -> Diagnostic:
    labels = hop_labels(found.hops)
    words: dict[str, Any] = dict(found.words)
    return report(found.rule, found.span, help=found.help, labels=labels, **words)


def hop_labels(hops: Sequence[Hop | PathEvent]) -> tuple[Label, ...]:
    """Return the steps of a flow or a path with their numbers; of a long one, only both ends."""
    numbered = list(enumerate(hops, 1))
    if len(numbered) > MOST_SHOWN:
        half = MOST_SHOWN // 2
        numbered = [*numbered[:half], *numbered[-half:]]
    return tuple(Label(hop.span, f"{at}. {hop.text}") for at, hop in numbered)
