"""What stands on every way to an item: tests that were passed, and what decided to go there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelang.analysis.flow.marks import Flow, Hop, Key, Mark, Origin, Way
from pipelang.diagnostics import Span
from pipelang.diagnostics.codes import Rule
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.flow.tracking import TrackedRun


@dataclass(frozen=True, slots=True)
class Control:
    """A test that decides whether what stands behind it happens; `marks` are what steers it."""

    name: str
    span: Span
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """`vouched` is what a gate with evidence, an approval or a hold has spoken of on every way to
    here, `approved` what an approval has shown; `tested`: any test at all was passed.
    """

    controls: tuple[Control, ...] = ()
    vouched: frozenset[Key] = frozenset()
    approved: frozenset[Key] = frozenset()
    tested: bool = False

    def under(self, control: Control) -> Situation:
        """Inside a branch."""
        return replace(self, controls=(*self.controls, control), tested=True)

    def passed(self, control: Control, evidence: bool) -> Situation:
        """Behind a gate."""
        controls = (*self.controls, control) if control.marks else self.controls
        vouched = self.vouched | (keys_of(control.marks) if evidence else frozenset())
        return replace(self, controls=controls, vouched=vouched, tested=True)

    def asked(self, so_far: frozenset[Key], shown: frozenset[Key]) -> Situation:
        """Behind a person who is always asked, with what there was, and what they approved of."""
        steered = (keys_of(control.marks) for control in self.controls)
        vouched = self.vouched.union(so_far, *steered)
        return replace(self, vouched=vouched, approved=self.approved | shown, tested=True)

    def behind(self, ends: list[Situation], *, only_way: bool) -> Situation:
        """Behind a branch, in which `self` is the situation: where one of its ways ends the run,
        what follows hangs on its test too.
        """
        after = together(ends)
        if only_way:
            return replace(after, tested=True)
        own = self.controls[-1]
        return replace(after, controls=tuple(one for one in after.controls if one is not own))

    def open_controls(self) -> list[Control]:
        """What decided to go here and nobody vouches for."""
        return [one for one in self.controls if not keys_of(one.marks) <= self.vouched]


def keys_of(marks: Iterable[Mark]) -> frozenset[Key]:
    return frozenset(mark.key for mark in marks)


def together(ends: list[Situation]) -> Situation:
    """What is known where any of some ways leads; every one of them must have shown it."""
    first, *others = ends
    return Situation(
        tuple(dict.fromkeys(control for end in ends for control in end.controls)),
        first.vouched.intersection(*(end.vouched for end in others)),
        first.approved.intersection(*(end.approved for end in others)),
        all(end.tested for end in ends),
    )


@dataclass(frozen=True, slots=True)
class Looked:
    """A test of a pipeline: the paths that it looks at, what is in them from outside, and what it
    vouches for.
    """

    pipeline: str
    name: str
    ways: frozenset[Way]
    texts: frozenset[Origin]
    vouches: frozenset[Key]
    approves: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Reaching:
    """What reaches a parameter of a tool; without a `place` where an agent calls it."""

    tool: str
    parameter: str
    flow: Flow
    link: p.Link
    place: TrackedRun | None = None
    value: expr.Expr | None = None


@dataclass(frozen=True, slots=True)
class FlowFinding:
    """A finding: the flow step by step, from where it comes in to where it must not get."""

    rule: Rule
    span: Span
    words: tuple[tuple[str, str], ...]
    hops: tuple[Hop, ...]
    help: str | None = field(default=None)
