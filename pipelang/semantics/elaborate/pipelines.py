"""Pipelines: parameters, items, and the promises and limits around them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions import Place, outcome
from pipelang.semantics.elaborate.constants import constant
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions import condition
from pipelang.semantics.elaborate.items import block
from pipelang.semantics.elaborate.metrics import metric_name, metric_unit, units_agree
from pipelang.semantics.elaborate.rates import quantity
from pipelang.semantics.elaborate.signatures import signature
from pipelang.semantics.elaborate.traffic import (
    EMPTY,
    all_locals,
    all_tests,
    elaborate_traffic,
)
from pipelang.semantics.types import INT, ErrorType, Kind, Scalar
from pipelang.semantics.walk import called_tools, outcomes
from pipelang.syntax import ast


def pipeline(context: Context, file: str, key: str, decl: ast.PipelineDecl) -> p.Pipeline:
    """A pipeline as a whole. What is wrong in it is told; the rest is there."""
    parameters, returns = signature(context, key)
    taken: dict[str, Span] = {}
    locals: dict[str, Local] = {}
    for parameter, written in zip(parameters, decl.params, strict=False):
        locals[parameter.name] = Local(parameter.type, written.name.span)
        taken[parameter.name] = written.name.span
    scope = Scope(file, dict(locals))
    place = Place(key, key, returns)
    made, _, ends = block(context, scope, place, decl.items, taken)
    if not ends:
        context.tell(codes.NO_OUTCOME, decl.name.span, name=key)
    if not any(isinstance(end, p.Return) for end in outcomes(made)):
        context.tell(codes.NEVER_ANSWERS, decl.name.span, name=key)
    tests: dict[str, ir.Expr] = {}
    all_tests(tests, made)
    all_locals(context, locals, made)
    found = _Found()
    for item in decl.items:
        _whole(context, file, place, item, found, locals, tests)
    _share_and_evidence(context, made, found.traffic)
    _permits(context, key, decl, made, found)
    return p.Pipeline(
        name=key,
        parameters=parameters,
        returns=returns,
        block=made,
        budget=found.budget,
        permits=tuple(found.permits),
        slo=tuple(found.slo),
        traffic=found.traffic,
        doc=decl.doc,
        span=decl.name.span,
        open_ends=tuple(place.open_ends),
    )


class _Found:
    """The items that are about the pipeline as a whole."""

    def __init__(self) -> None:
        self.budget: p.Budget | None = None
        self.permits: dict[str, Span] = {}
        self.slo: list[p.SloLine] = []
        self.traffic: p.Traffic = EMPTY
        self.seen: dict[str, Span] = {}


def _whole(
    context: Context,
    file: str,
    place: Place,
    item: ast.Item,
    found: _Found,
    locals: dict[str, Local],
    tests: dict[str, ir.Expr],
) -> None:
    word = type(item).__name__.lower()
    single = (ast.Budget, ast.Permits, ast.Slo, ast.Traffic, ast.Watch, ast.Breaker)
    if not isinstance(item, single):
        return
    if word in found.seen:
        label = Label(found.seen[word], "the first stands here")
        context.tell(codes.DUPLICATE_OPTION, item.span, option=word, labels=(label,))
        return
    found.seen[word] = item.span
    match item:
        case ast.Budget():
            found.budget = _budget(context, file, place, item)
        case ast.Permits():
            found.permits = {str(name.value): name.span for name in item.names}
        case ast.Slo():
            for line in item.lines:
                made = _slo_line(context, file, line, locals)
                if made is not None:
                    found.slo.append(made)
        case ast.Traffic():
            found.traffic = elaborate_traffic(context, file, locals, tests, item)
        case ast.Watch():
            for watched in item.lines:
                metric_name(context, watched.metric)
                if watched.alert is not None:
                    context.find(file, watched.alert.role, "role")
            context.tell(codes.NOT_WATCHED, item.span, what="`watch`")
        case ast.Breaker():
            _breaker(context, file, place, item, locals, tests)


def _budget(context: Context, file: str, place: Place, item: ast.Budget) -> p.Budget:
    amounts: dict[str, Any] = {}
    words = {Kind.MONEY: "money", Kind.DURATION: "seconds", Kind.TOKENS: "tokens"}
    for amount in item.amounts:
        if isinstance(amount, ast.StepsAmount):
            kind, value = "steps", quantity(context, file, amount.count, INT, "budget")
        else:
            from pipelang.semantics.elaborate.expressions import elaborate

            typed = elaborate(context, Scope(file), amount)
            known = typed.type.kind if isinstance(typed.type, Scalar) else None
            if known not in words:
                if not isinstance(typed.type, ErrorType):
                    context.tell(
                        codes.UNIT_MISMATCH,
                        amount.span,
                        option="budget",
                        expected="money, a duration, tokens or steps",
                        found=f"`{ir.show(typed)}`",
                    )
                continue
            kind, value = words[known], constant(context, file, amount, typed.type)
        if kind in amounts:
            context.tell(codes.DUPLICATE_OPTION, amount.span, option=kind)
        amounts[kind] = value
    inner = Place(place.pipeline, "budget", place.returns, place.open_ends)
    otherwise = None
    if item.otherwise is not None:
        parameters, _ = signature(context, place.pipeline)
        names = {q.name: Local(q.type, item.span) for q in parameters}
        otherwise = outcome(context, Scope(file, names), inner, item.otherwise)
    return p.Budget(
        amounts.get("money"),
        amounts.get("seconds"),
        amounts.get("tokens"),
        amounts.get("steps"),
        otherwise,
        item.span,
    )


def _slo_line(
    context: Context, file: str, line: ast.SloLine, locals: dict[str, Local]
) -> p.SloLine | None:
    name = metric_name(context, line.metric)
    when = None
    if isinstance(line.when, ast.Cached):
        when = f"{line.when.step.text} cached"
        if line.when.step.text not in locals:
            context.tell(codes.UNKNOWN_NAME, line.when.span, what="step", name=line.when.step.text)
    elif line.when is not None:
        when = ir.show(condition(context, Scope(file, locals), line.when))
    if name is None:
        return None
    from pipelang.semantics.elaborate.expressions import elaborate

    typed = elaborate(context, Scope(file), line.target)
    if isinstance(typed.type, ErrorType):
        return None
    unit = metric_unit(name)
    if not units_agree(unit, typed.type):
        context.tell(
            codes.UNIT_MISMATCH,
            line.target.span,
            option=name,
            expected=unit,
            found=f"`{ir.show(typed)}`",
        )
        return None
    value = constant(context, file, line.target, typed.type)
    if value is None:
        return None
    return p.SloLine(name, line.op, Decimal(value), ir.show(typed), when, line.span)


def _breaker(
    context: Context,
    file: str,
    place: Place,
    item: ast.Breaker,
    locals: dict[str, Local],
    tests: dict[str, ir.Expr],
) -> None:
    from pipelang.semantics.elaborate.actions import chain
    from pipelang.semantics.symbols import suggestion

    for opens in item.opens:
        if isinstance(opens, ast.OpensRejects):
            name = opens.gate[-1].text
            if len(opens.gate) == 1 and name not in tests:
                context.tell(
                    codes.UNKNOWN_NAME,
                    opens.gate[0].span,
                    what="gate",
                    name=name,
                    help=suggestion(name, tests),
                )
        else:
            metric_name(context, opens.metric)
    parameters, returns = signature(context, place.pipeline)
    names = {q.name: Local(q.type, item.span) for q in parameters}
    inner = Place(place.pipeline, "breaker", returns, [])
    chain(context, Scope(file, names), inner, item.otherwise, returns)
    context.tell(codes.NOT_WATCHED, item.span, what="`breaker`")


def _share_and_evidence(context: Context, made: p.Block, traffic: p.Traffic) -> None:
    """A share and evidence for one test contradict each other."""
    named = {share.name: share.span for share in traffic.names}
    conditions = {share.condition: share.span for share in traffic.conditions}
    for item in made.items:
        match item:
            case p.Gate() if item.evidence is not None:
                span = named.get(item.name) or conditions.get(item.condition)
                if span is not None:
                    context.tell(
                        codes.CONTRADICTION,
                        span,
                        what=f"`{item.name}` has a share here and evidence at the gate",
                        help="keep the one that was measured",
                        labels=(Label(item.span, "the evidence stands here"),),
                    )
            case p.When():
                _share_and_evidence(context, item.then, traffic)
                _share_and_evidence(context, item.otherwise, traffic)
            case p.MatchBranch():
                for _, arm in item.arms:
                    _share_and_evidence(context, arm, traffic)
            case _:
                pass


def _permits(
    context: Context, key: str, decl: ast.PipelineDecl, made: p.Block, found: _Found
) -> None:
    listed = any(isinstance(item, ast.Permits) for item in decl.items)
    needed: set[str] = set()
    for tool in dict.fromkeys(called_tools(made)):
        declaration = context.symbols.by_key[tool].declaration
        assert isinstance(declaration, ast.ToolDecl)
        for option in declaration.options:
            if isinstance(option, ast.Permit):
                permit = str(option.name.value)
                needed.add(permit)
                if permit not in found.permits:
                    help = f'add it: `permits "{permit}"`'
                    if listed:
                        help = f'add it to `permits`: , "{permit}"'
                    context.tell(
                        codes.PERMIT, decl.name.span, tool=tool, permit=permit, name=key, help=help
                    )
    if any(what in ("`run`", "`each`", "`agent`") for what, _ in _open_ends(decl)):
        return
    for permit, span in found.permits.items():
        if permit not in needed:
            context.tell(codes.UNUSED_PERMIT, span, name=key, permit=permit)


def _open_ends(decl: ast.PipelineDecl) -> Iterator[tuple[str, Span]]:
    """Actions whose tools this version does not look into."""
    words = {ast.RunPipeline: "`run`", ast.Each: "`each`", ast.Agent: "`agent`"}

    def visit(items: tuple[ast.Item, ...]) -> Iterator[tuple[str, Span]]:
        for item in items:
            match item:
                case ast.Step():
                    for link in item.chain.links:
                        word = words.get(type(link.action))  # type: ignore[call-overload]
                        if word:
                            yield word, link.span
                case ast.When():
                    yield from visit(item.then)
                    yield from visit(item.otherwise or ())
                case ast.MatchItem():
                    for arm in item.arms:
                        yield from visit(arm.items)
                case _:
                    pass

    yield from visit(decl.items)
