"""Reachability: tests whose outcome is decided before they are made, and branches that no run
takes.

The walk covers more than any run can do (sub-pipelines may answer anything), so what it cannot
reach is unreachable. Settings take any value of their range, since operators change them. A test
that repeats an earlier one on the same path is reported as decided, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.analysis.claims.deciding import Work, possible
from pipelang.analysis.claims.formulas import Formula, Or, names_of, opposite
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.paths import Path
from pipelang.analysis.claims.states import State, SymbolicFrame
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.analysis.claims.values import Cases, one
from pipelang.analysis.claims.walk import ClaimWalk
from pipelang.diagnostics import Diagnostic, Rule, Span, codes, report
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared

MOST_WORK = 120_000
"""The most literals inspected for all tests of one pipeline; the tests after that stay undecided.
"""


MOST_BRANCHES = 12
"""The most branches on the way to a test that are taken into account, the last ones first."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A monitor without events: every path matters."""

    when: expr.Expr | None = None
    tool: str | None = None
    counts: bool = False

    def resets(self, pipeline: str) -> bool:
        return False

    def entered(self, pipeline: str, state: int) -> int:
        return state

    def passed(self, pipeline: str, gate: str, state: int) -> int:
        return state

    def called(self, tool: str, state: int) -> int:
        return state

    def broken_by_call(self, tool: str, state: int, span: Span) -> bool:
        return False

    def broken_by_end(self, kind: str, state: int) -> bool:
        return kind == "answered"


@dataclass(frozen=True, slots=True)
class ReachedTest:
    """A test at a place that some paths reach; `arm` is that of a `match`, else None."""

    item: p.Item
    formula: Formula
    path: Path
    arm: int | None


class ReachedTests(ClaimWalk):
    """Collects the tests of one pipeline with the paths to them."""

    def __init__(self, program: p.Program, symbols: SymbolicExpressions) -> None:
        super().__init__(program, symbols, Unwatched())
        self.asked: list[ReachedTest] = []

    def child(
        self,
        name: str,
        prefix: str,
        given: Mapping[str, Cases],
        state: State,
        span: Span,
        *,
        timed: bool = False,
    ) -> tuple[list[tuple[State, Cases]], State]:
        returns = self.program.pipelines[name].returns
        return [(state, one(self.symbols.free(f"{prefix}{name}", returns)))], state

    def tested(
        self, frame: SymbolicFrame, item: p.Item, condition: expr.Expr, holds: Formula, state: State
    ) -> None:
        if frame.redoing or _is_fixed(condition):
            return
        for path in state.values():
            self.asked.append(ReachedTest(item, holds, path, None))

    def chooses(
        self, frame: SymbolicFrame, match: p.MatchBranch, guards: list[Formula], state: State
    ) -> None:
        if frame.redoing or _is_fixed(match.subject):
            return
        for path in state.values():
            for at, guard in enumerate(guards):
                self.asked.append(ReachedTest(match, guard, path, at))


def _is_fixed(condition: expr.Expr) -> bool:
    """Whether a condition reads nothing; a literal `true` is intended and not reported."""
    return not any(
        isinstance(part, (expr.Read, expr.BudgetLeft))
        or (isinstance(part, expr.Const) and part.setting)
        for part in expr.walk(condition)
    )


def reach(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Return findings for the tests and branches of a pipeline that are decided or unreachable."""
    symbols = SymbolicExpressions(program, turned=True)
    walk = ReachedTests(program, symbols)
    try:
        walk.go(pipeline)
        yield from _tests(walk, symbols, {one.name: one for one in pipeline.traffic.names})
    except (TooHard, RecursionError):
        return
    yield from _answers(walk, symbols, pipeline)


def _tests(
    walk: ReachedTests, symbols: SymbolicExpressions, shares: Mapping[str, p.NamedShare]
) -> Iterator[Diagnostic]:
    facts, work = symbols.facts, Work(MOST_WORK)
    uses: dict[str, int] = {}
    for asked in walk.asked:
        for name in facts.around(names_of(asked.formula)):
            uses[name] = uses.get(name, 0) + 1
    for asked in walk.asked:
        names = facts.around(names_of(asked.formula))
        alone = asked.arm is None and all(uses[name] == 1 for name in names)
        before = [] if alone else _before(asked, names)
        work.add(len(before) + 1)
        if not before or possible(facts, before, work):
            can_hold = possible(facts, [*before, asked.formula], work)
            if asked.arm is not None:
                if not can_hold:
                    yield _arm(asked)
            elif not can_hold:
                yield _decided(codes.NEVER_HOLDS, asked.item, shares, 0)
            elif not possible(facts, [*before, opposite(asked.formula)], work):
                yield _decided(codes.ALWAYS_HOLDS, asked.item, shares, 1)


def _decided(
    rule: Rule, item: p.Item, shares: Mapping[str, p.NamedShare], share: int
) -> Diagnostic:
    """The finding on a test that holds in this share of the runs; what is declared of it goes into
    the figures all the same.
    """
    name = item.name if isinstance(item, (p.Gate, p.Person, p.When)) else None
    declared = None if name is None else shares.get(name)
    help = None
    if declared is not None and not _is_share(declared, share):
        help = f"the figures go by what `traffic` declares of it: `{name}: {share:.0%}` is so"
    return report(rule, _span(item), help=help, what=_what(item))


def _is_share(declared: p.NamedShare, share: int) -> bool:
    told = (declared.right, declared.wrong)
    return all(isinstance(one, Declared) and one.share == share for one in told)


def _before(asked: ReachedTest, names: frozenset[str]) -> list[Formula]:
    """Return the conditions on the way to a test that mention the same values. A subset is sound:
    what contradicts some of the conditions contradicts all of them.
    """
    near = [part for part in asked.path.parts() if not names_of(part).isdisjoint(names)]
    plain = [part for part in near if not isinstance(part, Or)]
    return [*plain, *[part for part in near if isinstance(part, Or)][-MOST_BRANCHES:]]


def _arm(asked: ReachedTest) -> Diagnostic:
    assert isinstance(asked.item, p.MatchBranch) and asked.arm is not None
    block = asked.item.arms[asked.arm][1]
    span = _span(block.items[0]) if block.items else asked.item.span
    help = "what was tested before leaves nothing for this arm"
    return report(codes.UNREACHABLE, span, help=help)


def _span(item: p.Item) -> Span:
    return item.span


def _what(item: p.Item) -> str:
    match item:
        case p.Gate():
            return f"gate `{item.name.split(' ')[0]}`"
        case p.Person():
            return f"the `when` of `{item.name}`"
        case p.When(name=str()):
            return f"`{item.name}`"
        case p.When():
            shown = expr.show(item.condition)
            return "this condition" if "`" in shown or len(shown) > 60 else f"`{shown}`"
        case _:
            return "this"


def _answers(
    walk: ReachedTests, symbols: SymbolicExpressions, pipeline: p.Pipeline
) -> Iterator[Diagnostic]:
    """Whether some path to an answer is left."""
    work = Work(MOST_WORK)
    try:
        for path in walk.broken:
            if possible(symbols.facts, path.parts(), work):
                return
    except TooHard:
        return
    if _has_return(pipeline):
        why = "no run gets to a `return`"
        yield report(codes.NEVER_ANSWERS, pipeline.span, name=pipeline.name, why=why)


def _has_return(pipeline: p.Pipeline) -> bool:
    from pipelang.semantics.walk import outcomes

    return any(isinstance(outcome, p.Return) for outcome in outcomes(pipeline.block))
