"""How gates, branches, routes and matches come out."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.export.prism.draws import HOLDS, Draws, Test
from pipelang.interfaces.export.prism.expressions import Arm, Compiler
from pipelang.interfaces.export.prism.formulas import TRUE, Formula, is_, rest
from pipelang.interfaces.export.prism.scopes import Scope, confidence_cut
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.walk import inner_links


def gate_test(draws: Draws, scope: Scope, gate: p.Gate) -> Test:
    """By its own rates, by the share of its name, or by its expression."""
    if isinstance(gate.evidence, p.ByRates):
        alarms = draws.constants.share(gate.evidence.false_alarms)
        catches = draws.constants.share(gate.evidence.catches)
        return _judged(draws, scope, gate.condition, rest(alarms), rest(catches))
    own = gate.evidence.file if isinstance(gate.evidence, p.ByFile) else None
    return named_test(draws, scope, gate.condition, gate.name, own)


def named_test(
    draws: Draws, scope: Scope, condition: ir.Expr, name: str | None, own: str | None = None
) -> Test:
    """By the share of its name if traffic gives one, else by its expression."""
    for line in scope.pipeline.traffic.names:
        if line.name == name:
            right, wrong = draws.constants.share(line.right), draws.constants.share(line.wrong)
            return _judged(draws, scope, condition, right, wrong)
    return expression_test(draws, scope, condition, own)


def expression_test(draws: Draws, scope: Scope, expr: ir.Expr, own: str | None = None) -> Test:
    """Taken apart into what is drawn."""
    test = Test(TRUE, {})
    test.value = Compiler(draws, scope, own, test.draws).value(scope.expand(expr))
    return test


def match_test(
    draws: Draws, scope: Scope, subject: ir.Expr, taken: Sequence[Arm]
) -> tuple[Test, list[tuple[int, Formula]]]:
    """What to draw, and for each arm that can be reached the condition under which it is taken."""
    test = Test(TRUE, {})
    compiler = Compiler(draws, scope, None, test.draws)
    return test, compiler.match(scope.expand(subject), taken)


def route_test(draws: Draws, scope: Scope, who: ir.Expr) -> tuple[Test, list[tuple[str, Formula]]]:
    """What to draw, and for each tier that may be asked the condition that it is."""
    test = Test(TRUE, {})
    return test, Compiler(draws, scope, None, test.draws).tiers(scope.expand(who))


def _judged(draws: Draws, scope: Scope, condition: ir.Expr, right: str, wrong: str) -> Test:
    expr = scope.expand(condition)
    made = draws.verdict(scope, expr, right, wrong)
    return Test(is_(made.name, HOLDS), {made.name: made})


def gather_cuts(draws: Draws, scope: Scope, block: p.Block) -> None:
    """Every threshold that anything in a block compares a step's confidence with."""
    for item in block.items:
        tests: list[ir.Expr] = []
        inner: tuple[p.Block, ...] = ()
        match item:
            case p.Step():
                for link in inner_links(item.chain):
                    if isinstance(link.action, (p.AskTier, p.Agent)):
                        tests.append(link.action.who)
                    elif isinstance(link.action, p.Choose):
                        tests.append(link.action.subject)
            case p.Gate():
                tests.append(item.condition)
            case p.Person() if item.when is not None:
                tests.append(item.when)
            case p.When():
                tests.append(item.condition)
                inner = (item.then, item.otherwise)
            case p.MatchBranch():
                tests.append(item.subject)
                inner = tuple(arm for _, arm in item.arms)
            case _:
                pass
        for test in tests:
            for part in ir.walk(scope.expand(test)):
                cut = confidence_cut(part) if isinstance(part, ir.Compare) else None
                if cut is not None and cut[0] in scope.written:
                    draws.cuts.setdefault(cut[0], set()).add(cut[1])
        for one in inner:
            gather_cuts(draws, scope.inside(), one)
        scope.add(item)
