"""Domination: whether one of some tests is on every path to a call, decided by the walk
over paths; and whether a number in the call is bounded on those where none is.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.analysis.claims import beside
from pipelang.analysis.claims.deciding import Work, decide
from pipelang.analysis.claims.formulas import TRUE, Formula
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.paths import Path, extend
from pipelang.analysis.claims.states import State, SymbolicFrame
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.analysis.claims.walk import ClaimWalk
from pipelang.analysis.flow.marks import Way
from pipelang.diagnostics import Span
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, INT, Scalar, ScalarKind, present

HUGE = 10**15
"""A number that a bound in a file keeps below, whatever it is of."""

Test = tuple[str, str]
"""A pipeline, and the name of its gate, approval or hold."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The monitor of this property: a call at a place is made only after one of some tests. A test
    of a pipeline counts for that run of it; when it is run again, it has yet to be passed.
    """

    tool: str
    site: Span
    tests: frozenset[Test]

    @property
    def when(self) -> expr.Expr | None:
        return None

    @property
    def counts(self) -> bool:
        return False

    def resets(self, pipeline: str) -> bool:
        return any(of == pipeline for of, _ in self.tests)

    def entered(self, pipeline: str, state: int) -> int:
        return beside.begun(state) if self.resets(pipeline) else state

    def passed(self, pipeline: str, gate: str, state: int) -> int:
        return state | beside.PASSED if (pipeline, gate.split(" ")[0]) in self.tests else state

    def called(self, tool: str, state: int) -> int:
        return state

    def broken_by_call(self, tool: str, state: int, span: Span) -> bool:
        return tool == self.tool and span == self.site and not state & beside.PASSED

    def broken_by_end(self, kind: str, state: int) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Site:
    """A call of a tool at a place, and a number in its arguments that should be bounded there."""

    tool: str
    span: Span
    number: expr.Expr | None = None


class _CoverageWalk(ClaimWalk):
    """The walk to a site. With a number, only those paths count on which it may be huge."""

    def __init__(self, program: p.Program, site: Site, tests: frozenset[Test]) -> None:
        monitor = Covered(site.tool, site.span, tests)
        super().__init__(program, SymbolicExpressions(program), monitor)
        self.site = site
        self._frame: SymbolicFrame | None = None
        self._huge: Formula = TRUE

    def step(self, frame: SymbolicFrame, step: p.Step, state: State) -> State:
        before, self._frame = self._frame, frame
        found = super().step(frame, step, state)
        self._frame = before
        return found

    def call(self, step: p.Step, tool: str, state: State, span: Span) -> State:
        if span == self.site.span and self.site.number is not None and self._frame is not None:
            self._huge = self.symbols.truth(_is_huge(self.site.number), self._frame.values)
        found = super().call(step, tool, state, span)
        self._huge = TRUE
        return found

    def _break(self, path: Path | None) -> None:
        super()._break(extend(path, self._huge))


def _is_huge(number: expr.Expr) -> expr.Expr:
    type = present(number.type)
    whole = isinstance(type, Scalar) and type.kind is ScalarKind.INT
    most = expr.Const(HUGE, INT) if whole else expr.Const(Decimal(HUGE), type)
    return expr.Compare("<", most, number, BOOL, number.span)


def part_at(node: expr.Expr, way: Way) -> expr.Expr:
    """Return the part of an argument at a path as far as it is written down."""
    for name in way:
        fields = dict(node.fields) if isinstance(node, expr.MakeRecord) else {}
        if name not in fields:
            return node
        node = fields[name]
    return node


def covered(program: p.Program, root: p.Pipeline, site: Site, tests: frozenset[Test]) -> bool:
    """Whether every path to the call passes one of the tests, or keeps its number bounded; False
    where that is not decided.
    """
    if site.number is not None and not isinstance(present(site.number.type), Scalar):
        site = replace(site, number=None)
    if site.number is None and not tests:
        return False
    walk, work = _CoverageWalk(program, site, tests), Work()
    try:
        walk.go(root)
        facts = walk.symbols.facts
        return all(decide(facts, path.parts(), work) is None for path in walk.broken)
    except (TooHard, RecursionError):
        return False
