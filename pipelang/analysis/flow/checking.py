"""Information flow over a whole program: each pipeline on its own, and memories across runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.paths import PathEvent
from pipelang.analysis.claims.verdicts import Proof
from pipelang.analysis.flow.marks import PRIVATE, UNTRUSTED, Flow, Hop, joined, marks_of
from pipelang.analysis.flow.situation import FlowFinding
from pipelang.analysis.flow.tracking import Tracker
from pipelang.diagnostics import Diagnostic, Label, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import sub_pipelines, tools_behind

MOST_SHOWN = 8
"""The most steps of a flow that a finding shows, in the JSON report and with `--verbose` too."""

MOST_ROUNDS = 6
"""The most rounds to the fixed point of the memories; each round adds a label somewhere."""


class Flows:
    """The information flow of a program, computed once."""

    def __init__(self, program: p.Program) -> None:
        self.program = program
        self._memories: dict[str, Flow] | None = None
        self._trackers: dict[str, Tracker] = {}

    def tracker(self, name: str) -> Tracker:
        """Return the tracker of a pipeline, followed as a run of its own. Raises `TooHard`."""
        found = self._trackers.get(name)
        if found is None:
            found = Tracker(self.program, self.program.pipelines[name], self.memories())
            found.go()
            self._trackers[name] = found
        return found

    def memories(self) -> dict[str, Flow]:
        """Return the flow that any run may have left in each memory: a fixed point over all
        pipelines.
        """
        if self._memories is None:
            memories: dict[str, Flow] = {}
            for _ in range(MOST_ROUNDS if self.program.memories else 0):
                now: dict[str, Flow] = {}
                for pipeline in self.program.pipelines.values():
                    tracker = Tracker(self.program, pipeline, memories)
                    tracker.go()
                    for name, flow in tracker.remembered.items():
                        now[name] = joined(now.get(name, {}), flow)
                if _kinds(now) == _kinds(memories):
                    break
                memories = now
            self._memories = memories
        return self._memories

    def findings(self) -> Iterator[Diagnostic]:
        """Return a finding for every forbidden flow. Sub-pipelines are followed at their calls."""
        inner = {
            name
            for pipeline in self.program.pipelines.values()
            for name in sub_pipelines(pipeline.block)
        }
        told: set[tuple[str, object, tuple[tuple[str, str], ...]]] = set()
        for name in self.program.pipelines:
            if name in inner:
                continue
            try:
                tracker = self.tracker(name)
            except (TooHard, RecursionError):
                continue
            for found in tracker.found:
                key = (found.rule.code, found.span, found.words)
                if key not in told:
                    told.add(key)
                    yield _diagnostic(found)

    def proof(self, claim: p.Claim, claimed: p.NeverReaches) -> Proof:
        """Return the verdict on `untrusted` or `private never reaches TOOL`."""
        pipeline = self.program.pipelines[claim.pipeline]
        try:
            tracker = self.tracker(claim.pipeline)
        except (TooHard, RecursionError) as hard:
            why = str(hard) if isinstance(hard, TooHard) else "it is nested too deep"
            return Proof(claim, "undecided", why=why)
        kind = UNTRUSTED if claimed.label == "untrusted" else PRIVATE
        for call in tracker.calls:
            if call.tool != claimed.tool:
                continue
            for mark in marks_of(call.flow, kind):
                if kind == UNTRUSTED and tracker.looked_at(call, mark):
                    continue
                words = f"`{call.tool}` gets it as `{call.parameter}`"
                hops = (*mark.hops, Hop(words, call.link.span))
                return Proof(claim, "refuted", path=tuple(PathEvent(h.text, h.span) for h in hops))
        vacuous = claimed.tool not in tools_behind(self.program, pipeline)
        by: dict[str, None] = {}
        if kind == UNTRUSTED and not vacuous:
            by = dict.fromkeys(one.name for one in tracker.looked if one.ways and one.texts)
        elif not vacuous:
            by = dict(tracker.declassified)
        return Proof(claim, "proved", tuple(by), vacuous=vacuous)


def _kinds(memories: dict[str, Flow]) -> set[tuple[object, ...]]:
    return {
        (name, way, mark.kind, mark.origin)
        for name, flow in memories.items()
        for way, marks in flow.items()
        for mark in marks
    }


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
