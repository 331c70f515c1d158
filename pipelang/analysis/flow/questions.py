"""Questions to the walk over paths: whether a test that stands on some ways, or the conditions of
the branches, cover an effect on every way to it nevertheless.
"""

from __future__ import annotations

from pipelang.analysis.flow.covering import Site, Test, covered, part_at
from pipelang.analysis.flow.looking import Looks, covers, path
from pipelang.analysis.flow.marks import Mark, Way
from pipelang.analysis.flow.situation import Control, Looked, Reaching, keys_of
from pipelang.diagnostics import Span
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

MOST_ASKED = 12
"""The most questions to the walk over paths about one pipeline; after them, a conditional test
counts as not made.
"""


class PathQuestions:
    """The tests of a pipeline and of all that it runs, and what they cover."""

    def __init__(self, program: p.Program, root: p.Pipeline) -> None:
        self.program = program
        self.root = root
        self.looked: list[Looked] = []
        self._asked = 0
        self._answers: dict[tuple[frozenset[Test], Span, expr.Expr | None], bool] = {}

    def looked_at(self, call: Reaching, mark: Mark) -> bool:
        """Whether a conditional test has looked at this value on every way nevertheless."""
        values, value, site, tool = call.values, call.value, call.link.span, call.tool
        if values is None or value is None:
            return False
        plain = values.plain(value)
        tests = {
            (one.pipeline, one.name)
            for one in self.looked
            if one.pipeline == call.pipeline and one.looks and covers(one.looks, plain)
        }
        return self._covered(tests, site, tool)

    def limited(self, call: Reaching, way: Way) -> bool:
        """Whether a number in an argument has a bound on every way nevertheless."""
        values, value, site, tool = call.values, call.value, call.link.span, call.tool
        if values is None or value is None:
            return False
        number = part_at(value, way)
        plain = values.plain(number)
        tests = {
            (one.pipeline, one.name)
            for one in self.looked
            if one.pipeline == call.pipeline and _bounds(one.bounds, plain)
        }
        return self._covered(tests, site, tool, number)

    def vouched(self, control: Control, site: Span, tool: str) -> bool:
        """Whether a test that vouches for a control is on every way to a call nevertheless."""
        keys = keys_of(control.marks)
        tests = {(one.pipeline, one.name) for one in self.looked if keys <= one.vouches}
        return self._covered(tests, site, tool)

    def approved(self, marks: tuple[Mark, Mark], site: Span, tool: str) -> bool:
        keys = keys_of(marks)
        tests = {(one.pipeline, one.name) for one in self.looked if keys <= one.approves}
        return self._covered(tests, site, tool)

    def _covered(
        self, tests: set[Test], site: Span, tool: str, number: expr.Expr | None = None
    ) -> bool:
        if (not tests and number is None) or self._asked >= MOST_ASKED:
            return False
        key = (frozenset(tests), site, number)
        if key not in self._answers:
            self._asked += 1
            call = Site(tool, site, number)
            self._answers[key] = covered(self.program, self.root, call, key[0])
        return self._answers[key]


def _bounds(seen: Looks, node: expr.Expr) -> bool:
    """Whether a number itself is bounded. What was computed from it may be of any size."""
    return node in seen or (path(node) is not None and covers(seen, node))
