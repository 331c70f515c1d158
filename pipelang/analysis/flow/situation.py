"""The situation at an item: the tests that were passed on every way to it, and the conditions that
led there.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelang.analysis.flow.looking import NO_LOOKS, Looks
from pipelang.analysis.flow.marks import Flow, Hop, Key, Mark, Origin, Way
from pipelang.analysis.flow.reading import Values
from pipelang.diagnostics import Span
from pipelang.diagnostics.codes import Rule
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Control:
    """A test that decides whether the items behind it run.

    `marks` are the data from outside that steers it, `reveals` the private and secret data that can
    be told from its result. `branch`: it picks one of several ways on, rather than end the run;
    `always` are the tools that are called on each of them, equally often.
    """

    name: str
    span: Span
    marks: tuple[Mark, ...]
    reveals: tuple[Mark, ...] = ()
    branch: bool = False
    always: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Situation:
    """The tests on every way to here: `vouched` is the data that a gate with evidence, an approval
    or a hold has checked, `approved` the data that a person has seen and approved; `tested`: there
    was any test at all.
    """

    controls: tuple[Control, ...] = ()
    vouched: frozenset[Key] = frozenset()
    approved: frozenset[Key] = frozenset()
    tested: bool = False

    def under(self, control: Control) -> Situation:
        """Return the situation inside a branch."""
        return replace(self, controls=(*self.controls, control), tested=True)

    def passed(self, control: Control, vouches: frozenset[Key]) -> Situation:
        """Return the situation after a gate."""
        known = self.told(control)
        return replace(known, vouched=self.vouched | vouches, tested=True)

    def revealed(self, tool: str = "") -> Flow:
        """Return the private and secret data that can be told from getting here; `tool`: from
        getting to a call of it.
        """
        led = (one for one in self.controls if not tool or tool not in one.always)
        return {(): {mark: None for control in led for mark in control.reveals}}

    def told(self, *controls: Control) -> Situation:
        """Return the situation where some tests have had their results, if these say anything."""
        saying = tuple(one for one in controls if one.marks or one.reveals)
        return replace(self, controls=(*self.controls, *saying)) if saying else self

    def asked(self, so_far: frozenset[Key], shown: frozenset[Key]) -> Situation:
        """Return the situation after a person who is always asked: `so_far` is the data made
        up to here, `shown` the data that the person approved.
        """
        steered = (keys_of(control.marks) for control in self.controls)
        vouched = self.vouched.union(so_far, *steered)
        return replace(self, vouched=vouched, approved=self.approved | shown, tested=True)

    def behind(
        self, ends: list[Situation], *, only_way: bool, left: Control | None = None
    ) -> Situation:
        """Return the situation after a branch, from `self`, the situation inside: where one of the
        branch's ways ends the run, the items after it depend on its test, too. `left` is what is
        left of the test where something on one of its ways may end the run.
        """
        after = together(ends)
        if only_way:
            return replace(after, tested=True)
        after = after.without(self.controls[-1])
        return after if left is None else after.told(left)

    def without(self, *controls: Control) -> Situation:
        """Return the situation without some controls, which decide nothing here."""
        gone = {id(control) for control in controls}
        return replace(self, controls=tuple(c for c in self.controls if id(c) not in gone))

    def since(self, before: Situation) -> list[Control]:
        """Return the controls that were added after another situation."""
        known = {id(control) for control in before.controls}
        return [control for control in self.controls if id(control) not in known]

    def open_controls(self) -> list[Control]:
        """Return the controls that led here and that no test vouches for."""
        return [one for one in self.controls if not keys_of(one.marks) <= self.vouched]

    def unvouched(self) -> tuple[Control, ...]:
        """Return the controls that led here, without the data that a test vouches for."""
        left = {id(control) for control in self.open_controls()}
        return tuple(c if id(c) in left else replace(c, marks=()) for c in self.controls)


def keys_of(marks: Iterable[Mark]) -> frozenset[Key]:
    return frozenset(mark.key for mark in marks)


def together(ends: list[Situation]) -> Situation:
    """Return the situation where ways meet: a fact must hold on every one of them."""
    first, *others = ends
    return Situation(
        tuple(dict.fromkeys(control for end in ends for control in end.controls)),
        first.vouched.intersection(*(end.vouched for end in others)),
        first.approved.intersection(*(end.approved for end in others)),
        all(end.tested for end in ends),
    )


@dataclass(frozen=True, slots=True)
class Done:
    """Result of an action, a chain or a pipeline: the flow into its answer, the situation after
    it, the tests that decide whether it fails instead, and what was looked at on every way to its
    answer, by kind as `Values.looks`. `owners` are the paths into a pipeline's parameters that say
    whose some private data in it is.
    """

    flow: Flow
    situation: Situation
    fails: tuple[Control, ...] = ()
    looks: tuple[Looks, ...] = NO_LOOKS
    owners: tuple[tuple[Way, Origin], ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """A test of a pipeline: what it looks at, the numbers that it bounds, the untrusted texts in
    what it looks at, and the data that it vouches for.
    """

    pipeline: str
    name: str
    looks: Looks
    bounds: Looks
    texts: frozenset[Origin]
    vouches: frozenset[Key]
    approves: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Reaching:
    """A flow that reaches a parameter of a tool, or decides whether it is called (`parameter` is
    None). `pipeline`, `values` and `value` are None where an agent makes the call.
    """

    tool: str
    parameter: str | None
    flow: Flow
    link: p.Link
    pipeline: str | None = None
    values: Values | None = None
    value: expr.Expr | None = None


@dataclass(frozen=True, slots=True)
class Prompted:
    """A flow into a prompt: through `shows`, a path that its template reads, or None for what an
    agent sees that was asked by it. With `decides`, a flow into whether it is asked at all.
    """

    prompt: str
    shows: str | None
    flow: Flow
    span: Span
    decides: bool = False


@dataclass(frozen=True, slots=True)
class FlowFinding:
    """A forbidden flow, step by step from its origin to its sink, with the rule that it breaks.

    `test` is the place of the test that tells of the data, if one does. All behind it tells of that
    data again, so it is said once.
    """

    rule: Rule
    span: Span
    words: tuple[tuple[str, str], ...]
    hops: tuple[Hop, ...]
    help: str | None = field(default=None)
    test: Span | None = field(default=None)
