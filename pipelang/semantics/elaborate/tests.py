"""Tests and claims: what they name must be there, and their values must fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.calls import bind
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions import condition, elaborate
from pipelang.semantics.elaborate.rates import quantity
from pipelang.semantics.elaborate.signatures import signature
from pipelang.semantics.elaborate.traffic import all_locals
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import MONEY, Type
from pipelang.syntax import ast


def people(block: p.Block) -> Iterator[p.Person]:
    """Every approval and hold of a block, branches included."""
    for item in block.items:
        match item:
            case p.Person():
                yield item
            case p.When():
                yield from people(item.then)
                yield from people(item.otherwise)
            case p.MatchBranch():
                for _, arm in item.arms:
                    yield from people(arm)
            case _:
                pass


def elaborate_test(
    context: Context, file: str, decl: ast.TestDecl, pipelines: dict[str, p.Pipeline]
) -> p.Test | None:
    """A test, None if it says nothing that could be run (told)."""
    given = [line for line in decl.lines if isinstance(line, ast.Given)]
    if len(given) != 1:
        what = f"a test has one `given`, this one has {len(given)}"
        context.tell(codes.ARGUMENTS, decl.span, what=what)
        return None
    symbol = context.find(file, given[0].pipeline, "pipeline")
    if symbol is None or symbol.key not in pipelines:
        return None
    pipeline = pipelines[symbol.key]
    scope = Scope(file)
    arguments = bind(
        context, scope, symbol.key, pipeline.parameters, given[0].arguments, given[0].span
    )
    locals: dict[str, Local] = {}
    all_locals(context, locals, pipeline.block)
    mocks, expectations = [], []
    for line in decl.lines:
        match line:
            case ast.Given():
                pass
            case ast.MockValues() | ast.MockFails() | ast.MockAnswer() | ast.MockBreaker():
                mock = _mock(context, file, line, pipeline, locals)
                if mock is not None:
                    mocks.append(mock)
            case _:
                expectation = _expect(context, file, line, pipeline, locals)
                if expectation is not None:
                    expectations.append(expectation)
    if not expectations:
        context.tell(codes.ARGUMENTS, decl.span, what="a test without `expect` shows nothing")
    return p.Test(decl.title, symbol.key, arguments, tuple(mocks), tuple(expectations), decl.span)


def _mock(
    context: Context,
    file: str,
    line: ast.Mock,
    pipeline: p.Pipeline,
    locals: dict[str, Local],
) -> p.Mock | None:
    if isinstance(line, ast.MockBreaker):
        context.tell(codes.NOT_RUN, line.span, what="`mock breaker open`")
        return p.Mock("breaker", None, "open", line.span)
    if len(line.target) > 1:
        context.tell(codes.NOT_RUN, line.span, what="a mock inside a sub-pipeline")
        return None
    name = line.target[0]
    persons = {person.name for person in people(pipeline.block)}
    if isinstance(line, ast.MockAnswer):
        if name.text not in persons:
            help = suggestion(name.text, persons)
            context.tell(
                codes.UNKNOWN_NAME, name.span, what="approval or hold", name=name.text, help=help
            )
            return None
        return p.Mock(name.text, None, line.answer, line.span)
    target: Type
    if name.text in locals:
        target = locals[name.text].type
        key = name.text
    else:
        symbol = context.symbols.find(file, name.text)
        if symbol is None or symbol.kind != "tool":
            tools = [n for n, s in context.symbols.scopes[file].items() if s.kind == "tool"]
            help = suggestion(name.text, [*locals, *tools])
            context.tell(
                codes.UNKNOWN_NAME, name.span, what="step or tool", name=name.text, help=help
            )
            return None
        target, key = signature(context, symbol.key)[1], symbol.key
    if isinstance(line, ast.MockFails):
        return p.Mock(key, None, None, line.span)
    values = tuple(elaborate(context, Scope(file), value, target) for value in line.values)
    return p.Mock(key, values, None, line.span)


def _reason(
    context: Context, names: tuple[ast.Name, ...] | None, pipeline: p.Pipeline
) -> str | None:
    """The reason of an expectation: a name by which a run of the pipeline can end."""
    if names is None:
        return None
    known = {pipeline.name, "budget", "breaker", *_item_names(pipeline.block)}
    name = names[-1]
    if len(names) == 1 and name.text not in known:
        help = suggestion(name.text, known)
        context.tell(codes.UNKNOWN_NAME, name.span, what="gate or step", name=name.text, help=help)
    return ".".join(part.text for part in names)


def _item_names(block: p.Block) -> Iterator[str]:
    for item in block.items:
        match item:
            case p.Step() | p.Gate() | p.Person():
                yield item.name
            case p.When():
                if item.name is not None:
                    yield item.name
                yield from _item_names(item.then)
                yield from _item_names(item.otherwise)
            case p.MatchBranch():
                for _, arm in item.arms:
                    yield from _item_names(arm)
            case _:
                pass


def _expect(
    context: Context,
    file: str,
    line: ast.Expect,
    pipeline: p.Pipeline,
    locals: dict[str, Local],
) -> p.Expectation | None:
    scope = Scope(file)
    match line:
        case ast.ExpectAnswered():
            value = None
            if line.value is not None:
                value = elaborate(context, scope, line.value, pipeline.returns)
            return p.Expectation("answered", None, value, None, line.span)
        case ast.ExpectEscalated():
            reason = _reason(context, line.reason, pipeline)
            return p.Expectation("escalated", reason, None, None, line.span)
        case ast.ExpectRejected():
            reason = _reason(context, line.reason, pipeline)
            return p.Expectation("rejected", reason, None, None, line.span)
        case ast.ExpectFailed():
            return p.Expectation("failed", line.code, None, None, line.span)
        case ast.ExpectCalled():
            symbol = context.find(file, line.tool, "tool")
            if symbol is None:
                return None
            what = "called" if line.called else "not called"
            return p.Expectation(what, symbol.key, None, None, line.span)
        case ast.ExpectEqual():
            name = line.step[0]
            if name.text not in locals:
                help = suggestion(name.text, locals)
                context.tell(codes.UNKNOWN_NAME, name.span, what="step", name=name.text, help=help)
                return None
            target: ast.Expr = ast.NameRef(name.text, name.span)
            for field in line.step[1:]:
                target = ast.FieldRef(target, field, field.span)
            typed = elaborate(context, Scope(file, locals), target)
            value = elaborate(context, scope, line.value, typed.type)
            path = ".".join(ir.path_of(typed) or (name.text,))
            return p.Expectation("equal", path, value, None, line.span)
        case ast.ExpectCost():
            amount = quantity(context, file, line.amount, MONEY, "cost")
            made = ir.Const(amount, MONEY, span=line.amount.span)
            return p.Expectation("cost", None, made, line.op, line.span)
        case _:
            assert_never(line)


def elaborate_claim(
    context: Context,
    file: str,
    decl: ast.ProveDecl,
    text: str,
    pipelines: dict[str, p.Pipeline],
) -> p.Claim | None:
    """A claim, its names looked up."""
    symbol = context.find(file, decl.pipeline, "pipeline")
    if symbol is None or symbol.key not in pipelines:
        return None
    pipeline = pipelines[symbol.key]
    claim = decl.claim
    locals = {q.name: Local(q.type, decl.span) for q in pipeline.parameters}
    all_locals(context, locals, pipeline.block)
    scope = Scope(file, locals)
    match claim:
        case ast.OnlyAfter():
            context.find(file, claim.tool, "tool")
            gate = claim.gate[-1]
            gates = set(_item_names(pipeline.block))
            if len(claim.gate) == 1 and gate.text not in gates:
                help = suggestion(gate.text, gates)
                context.tell(codes.UNKNOWN_NAME, gate.span, what="gate", name=gate.text, help=help)
        case ast.Never():
            context.find(file, claim.tool, "tool")
            condition(context, scope, claim.when)
        case ast.Escalates():
            condition(context, scope, claim.when)
        case ast.NeverReaches():
            context.find(file, claim.tool, "tool")
        case _:
            assert_never(claim)
    return p.Claim(symbol.key, text, decl.span)
