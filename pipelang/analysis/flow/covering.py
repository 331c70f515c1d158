"""Domination: whether one of some tests is on every path to a call, decided by the walk
over paths.
"""

from __future__ import annotations

from pipelang.analysis.claims.deciding import Work, decide
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.analysis.claims.walk import ClaimWalk
from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

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

    def entered(self, pipeline: str, state: int) -> int:
        return state and all(of != pipeline for of, _ in self.tests)

    def passed(self, pipeline: str, gate: str, state: int) -> int:
        return state or (pipeline, gate.split(" ")[0]) in self.tests

    def called(self, tool: str, state: int) -> int:
        return state

    def broken_by_call(self, tool: str, state: int, span: Span) -> bool:
        return tool == self.tool and span == self.site and not state

    def broken_by_end(self, kind: str, state: int) -> bool:
        return False


def covered(
    program: p.Program, root: p.Pipeline, tool: str, site: Span, tests: frozenset[Test]
) -> bool:
    """Whether every path to the call passes one of the tests; False where that is not decided."""
    symbols, work = SymbolicExpressions(program), Work()
    walk = ClaimWalk(program, symbols, Covered(tool, site, tests))
    try:
        walk.go(root)
        return all(decide(symbols.facts, path.parts(), work) is None for path in walk.broken)
    except (TooHard, RecursionError):
        return False
