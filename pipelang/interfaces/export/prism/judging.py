"""Translates gates, branches, routes and matches: draws, and conditions over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import HOLDS, Draws, PrismDraw, PrismTest, either
from pipelang.interfaces.export.prism.expressions import Arm, Compiler
from pipelang.interfaces.export.prism.formulas import TRUE, Formula, is_, rest
from pipelang.interfaces.export.prism.machine import Machine
from pipelang.interfaces.export.prism.scopes import PrismScope, called, confidence_cut
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import inner_blocks, inner_links


def gate_test(draws: Draws, scope: PrismScope, gate: p.Gate) -> PrismTest:
    """By its own rates, by the share of its name, or by its expression."""
    if isinstance(gate.evidence, p.ByRates):
        alarms = draws.constants.share(gate.evidence.false_alarms)
        catches = draws.constants.share(gate.evidence.catches)
        return _judged(draws, scope, gate.condition, rest(alarms), rest(catches))
    own = gate.evidence.file if isinstance(gate.evidence, p.ByFile) else None
    return named_test(draws, scope, gate.condition, gate.name, own)


def named_test(
    draws: Draws, scope: PrismScope, condition: expr.Expr, name: str | None, own: str | None = None
) -> PrismTest:
    """By the share of its name if traffic gives one, else by its expression."""
    for line in scope.pipeline.traffic.names:
        if line.name == name:
            right, wrong = draws.constants.share(line.right), draws.constants.share(line.wrong)
            return _judged(draws, scope, condition, right, wrong)
    return expression_test(draws, scope, condition, own)


def expression_test(
    draws: Draws, scope: PrismScope, node: expr.Expr, own: str | None = None
) -> PrismTest:
    """Taken apart into what is drawn."""
    test = PrismTest(TRUE, {})
    test.value = Compiler(draws, scope, own, test.draws, node.span.start).value(scope.expand(node))
    return test


def match_test(
    draws: Draws, scope: PrismScope, subject: expr.Expr, taken: Sequence[Arm]
) -> tuple[PrismTest, list[tuple[int, Formula]]]:
    """The draws, and for each arm that can be reached the condition under which it is taken."""
    test = PrismTest(TRUE, {})
    compiler = Compiler(draws, scope, None, test.draws, subject.span.start)
    return test, compiler.match(scope.expand(subject), taken)


def route_test(
    draws: Draws, scope: PrismScope, who: expr.Expr
) -> tuple[PrismTest, list[tuple[str, Formula]]]:
    """The draws, and for each tier that may be asked the condition that it is."""
    test = PrismTest(TRUE, {})
    compiler = Compiler(draws, scope, None, test.draws, who.span.start)
    return test, compiler.tiers(scope.expand(who))


def _judged(
    draws: Draws, scope: PrismScope, condition: expr.Expr, right: str, wrong: str
) -> PrismTest:
    """A condition that is judged as a whole."""
    node = scope.expand(condition)
    shown, given = scope.show(node), scope.given(node)
    note = f"{shown}: 1 holds, 2 does not"
    like, about = f"t_{identifier(shown)}", scope.about(node)
    name = draws.variable(scope.frame, ("test", node), like, 2, note, about)
    return PrismTest(is_(name, HOLDS), {name: PrismDraw(name, given, either(right), either(wrong))})


def gather_cuts(draws: Draws, scope: PrismScope) -> None:
    """Every threshold that anything compares a step's confidence with, in the steps' own names."""
    for test in _tests(scope.inside(), scope.pipeline.block):
        for part in expr.walk(test):
            cut = confidence_cut(part) if isinstance(part, expr.Compare) else None
            if cut is not None and cut[0] in scope.written:
                draws.cuts.setdefault(cut[0], set()).add(cut[1])


def _tests(scope: PrismScope, block: p.Block) -> Iterator[expr.Expr]:
    """Expressions that decide something in a block, or in the pipelines that it runs."""
    for item in block.items:
        match item:
            case p.Step():
                for link in inner_links(item.chain):
                    yield from _tests_of(scope, link.action)
            case p.Gate() | p.When():
                yield scope.expand(item.condition)
            case p.Person() if item.when is not None:
                yield scope.expand(item.when)
            case p.MatchBranch():
                yield scope.expand(item.subject)
            case _:
                pass
        for inner in inner_blocks(item):
            yield from _tests(scope.inside(), inner)
        scope.add(item)


def _tests_of(scope: PrismScope, action: p.Action) -> Iterator[expr.Expr]:
    match action:
        case p.AskTier() | p.Agent():
            yield scope.expand(action.who)
        case p.Choose():
            yield scope.expand(action.subject)
        case p.RunPipeline():
            # Only the words matter here, so the names are those of a machine of their own.
            pipeline = scope.frame.program.pipelines[action.pipeline]
            frame = replace(scope.frame, pipeline=pipeline, machine=Machine(), variables=[])
            child = called(frame, scope, action, frozenset())
            for test in _tests(child, pipeline.block):
                for part in expr.walk(test):
                    here = child.in_callers_words(part)
                    if here is not None and isinstance(part, expr.Compare):
                        yield here
        case _:
            pass
