"""What stands on every way to an item: tests that were passed, and what decided to go there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.analysis.flow.marks import Flow, Hop, Mark, Origin, Way
from pipelang.diagnostics import Span
from pipelang.diagnostics.codes import Rule
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.flow.tracking import Place


@dataclass(frozen=True, slots=True)
class Control:
    """A test that decides whether what stands behind it happens; `marks` are what steers it."""

    name: str
    span: Span
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """`vouched`: a gate with evidence, an approval or a hold was passed; `approved`: an approval;
    `tested`: any test at all.
    """

    controls: tuple[Control, ...] = ()
    vouched: bool = False
    approved: bool = False
    tested: bool = False

    def under(self, control: Control) -> Situation:
        """Inside a branch."""
        return replace(self, controls=(*self.controls, control), tested=True)

    def passed(self, name: str, control: Control, evidence: bool) -> Situation:
        """Behind a gate."""
        controls = (*self.controls, control) if control.marks else self.controls
        vouched = self.vouched or evidence
        return replace(self, controls=controls, vouched=vouched, tested=True)

    def asked(self, name: str, approves: bool) -> Situation:
        """Behind a person who is always asked."""
        return replace(self, vouched=True, approved=self.approved or approves, tested=True)

    def behind(self, ends: list[Situation], *, only_way: bool) -> Situation:
        """Behind a branch, in which `self` is the situation: where one of its ways ends the run,
        what follows hangs on its test too.
        """
        own = self.controls[-1]
        controls = dict.fromkeys(control for end in ends for control in end.controls)
        if not only_way:
            controls.pop(own, None)
        return Situation(
            tuple(controls),
            all(end.vouched for end in ends),
            all(end.approved for end in ends),
            only_way or all(end.tested for end in ends),
        )


def together(ends: list[Situation]) -> Situation:
    """What is known where any of some ways leads; every one of them must have shown it."""
    return Situation(
        tuple(dict.fromkeys(control for end in ends for control in end.controls)),
        all(end.vouched for end in ends),
        all(end.approved for end in ends),
        all(end.tested for end in ends),
    )


@dataclass(frozen=True, slots=True)
class Looked:
    """A test of a pipeline: the paths that it looks at, and what is in them from outside."""

    pipeline: str
    name: str
    ways: frozenset[Way]
    texts: frozenset[Origin]
    evidence: bool
    approves: bool


@dataclass(frozen=True, slots=True)
class Reaching:
    """What reaches a parameter of a tool; without a `place` where an agent calls it."""

    tool: str
    parameter: str
    flow: Flow
    link: p.Link
    place: Place | None = None
    value: ir.Expr | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding: the flow step by step, from where it comes in to where it must not get."""

    rule: Rule
    span: Span
    words: tuple[tuple[str, str], ...]
    hops: tuple[Hop, ...]
    help: str | None = field(default=None)
