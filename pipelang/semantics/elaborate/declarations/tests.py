"""Elaboration of tests: what they name must exist, and their values must fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from pipelang.diagnostics import Label, Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.outcomes import CODES
from pipelang.semantics.elaborate.broken_parts import flawed
from pipelang.semantics.elaborate.context import Context, Local, Scope, broken
from pipelang.semantics.elaborate.expressions.calls import bind
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.names.named_items import Contents, contents_of
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.elaborate.reach.effects import reached
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import MONEY, NothingType, RecordType, Type, present
from pipelang.semantics.walk import outcomes
from pipelang.syntax import ast


def elaborate_test(
    context: Context, file: str, decl: ast.TestDecl, pipelines: Mapping[str, p.Pipeline]
) -> p.Test | None:
    """A test, None if it says nothing that could be run (reported)."""
    given = [line for line in decl.lines if isinstance(line, ast.Given)]
    if not given and flawed(decl.lines):
        return None
    if len(given) != 1:
        span = given[1].span if given else decl.span
        what = f"a test has one `given`, this one has {len(given) or 'none'}"
        context.tell(codes.ARGUMENTS, span, what=what)
        return None
    symbol = context.find(file, given[0].pipeline, "pipeline")
    if symbol is None or symbol.key not in pipelines:
        return None
    pipeline = pipelines[symbol.key]
    arguments = bind(
        context,
        Scope(file),
        given[0].pipeline.text,
        pipeline.parameters,
        given[0].arguments,
        given[0].span,
    )
    values = {q.name: Local(q.type, pipeline.span) for q in pipeline.parameters}
    contents = contents_of(pipeline.block, values, flawed=symbol.key in context.flawed)
    mocks, expectations = [], []
    for line in decl.lines:
        match line:
            case ast.Given() | ast.Broken():
                pass
            case ast.MockValues() | ast.MockFails() | ast.MockAnswer() | ast.MockBreaker():
                mock = _mock(context, file, line, pipeline, contents, pipelines)
                if mock is not None:
                    mocks.append(mock)
            case _:
                expectation = _expect(context, file, line, pipeline, contents)
                if expectation is not None:
                    expectations.append(expectation)
    _no_doubles(context, mocks, expectations)
    if all(isinstance(line, (ast.Given, ast.Mock)) for line in decl.lines):
        context.tell(codes.ARGUMENTS, decl.span, what="a test without `expect` shows nothing")
    return p.Test(decl.title, symbol.key, arguments, tuple(mocks), tuple(expectations), decl.span)


def _no_doubles(context: Context, mocks: list[p.Mock], expectations: list[p.Expectation]) -> None:
    """Report what is mocked twice, and outcomes that exclude each other."""
    seen: dict[str, Span] = {}
    for mock in mocks:
        if mock.target in seen:
            label = Label(seen[mock.target], "the first stands here")
            help = "successive attempts stand in one line: `mock STEP = FIRST, SECOND`"
            context.tell(
                codes.DUPLICATE_OPTION,
                mock.span,
                labels=(label,),
                help=help,
                option=f"mock {mock.target}",
            )
        seen.setdefault(mock.target, mock.span)
    ends = [
        one for one in expectations if one.what in ("answered", "escalated", "rejected", "failed")
    ]
    for other in ends[1:]:
        label = Label(ends[0].span, f"it is expected to be {ends[0].what} here")
        what = "a run ends once"
        context.tell(codes.CONTRADICTION, other.span, what=what, labels=(label,))


def _mock(
    context: Context,
    file: str,
    line: ast.Mock,
    pipeline: p.Pipeline,
    contents: Contents,
    pipelines: Mapping[str, p.Pipeline],
) -> p.Mock | None:
    if isinstance(line, ast.MockBreaker):
        if pipeline.breaker is None:
            what = f"`{pipeline.name}` has no breaker"
            context.tell(codes.ARGUMENTS, line.span, what=what)
        return p.Mock("breaker", None, "open", line.span)
    name, before = line.target[-1], ""
    if len(line.target) > 1:
        inner = _sub_pipeline(context, file, line, pipeline, pipelines)
        if inner is None:
            return None
        if inner is not pipeline:
            contents = contents_of(inner.block, {}, flawed=inner.name in context.flawed)
            pipeline, before = inner, f"{inner.name}."
    if isinstance(line, ast.MockAnswer):
        said = _answer(context, line, name, contents)
        return None if said is None else replace(said, target=before + said.target)
    target = _target(context, file, name, pipeline.name, contents)
    if target is None:
        return None
    key, type = before + target[0], target[1]
    if isinstance(line, ast.MockFails):
        return p.Mock(key, None, None, line.span)
    values = tuple(_value(context, file, value, type) for value in line.values)
    return p.Mock(key, values, None, line.span)


def _sub_pipeline(
    context: Context,
    file: str,
    line: ast.Mock,
    pipeline: p.Pipeline,
    pipelines: Mapping[str, p.Pipeline],
) -> p.Pipeline | None:
    """The pipeline before the dot of a mock, which a run of the tested one must come to."""
    assert not isinstance(line, ast.MockBreaker)
    first = line.target[0]
    symbol = context.find(file, first, "pipeline")
    if symbol is None or symbol.key not in pipelines:
        return None
    if len(line.target) > 2:
        help = f"name the pipeline that has it: `mock PIPELINE.{line.target[-1].text}`"
        what = "a mock names one pipeline and one step"
        context.tell(codes.ARGUMENTS, line.span, what=what, help=help)
        return None
    if symbol.key not in reached(context, pipeline.name):
        context.tell(codes.UNUSED, first.span, what="mock", name=first.text)
    return pipelines[symbol.key]


def _value(context: Context, file: str, written: ast.Expr, type: Type) -> expr.Expr:
    """A mocked value; `none` stands for the answer of a tool that answers nothing."""
    if isinstance(type, NothingType):
        if isinstance(written, ast.Literal) and written.kind is ast.LiteralKind.NONE:
            return expr.Const(None, type, span=written.span)
        help = "its tool has no `->`: write `none`"
        context.tell(
            codes.TYPE_MISMATCH, written.span, help=help, expected="`none`", found="a value"
        )
        return broken(written.span)
    return elaborate(context, Scope(file), written, type)


def _answer(
    context: Context, line: ast.MockAnswer, name: ast.Name, contents: Contents
) -> p.Mock | None:
    """Answer of a person in a test."""
    person = contents.people.get(name.text)
    if person is None and contents.flawed:
        return None
    if person is None:
        help = suggestion(name.text, contents.people)
        what = "approval or hold"
        context.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=help)
        return None
    fitting = ("yes", "no") if person.kind == "approve" else ("yes", "veto")
    if line.answer not in fitting:
        whose = "an approval" if person.kind == "approve" else "a hold"
        expected = f"`{fitting[0]}` or `{fitting[1]}` for {whose}"
        context.tell(codes.TYPE_MISMATCH, line.span, expected=expected, found=f"`{line.answer}`")
    return p.Mock(name.text, None, line.answer, line.span)


def _target(
    context: Context, file: str, name: ast.Name, pipeline: str, contents: Contents
) -> tuple[str, Type] | None:
    """The step or tool that a mock stands for, and the type of what it answers."""
    if name.text in contents.steps:
        return name.text, contents.steps[name.text].type
    symbol = context.symbols.find(file, name.text)
    if symbol is not None and symbol.kind == "tool":
        context.symbols.use(file, symbol)
        if symbol.key not in reached(context, pipeline):
            context.tell(codes.UNUSED, name.span, what="mock", name=name.text)
        return symbol.key, signature(context, symbol.key)[1]
    found, help = _what_it_is(name.text, contents)
    if found is not None:
        context.tell(
            codes.WRONG_KIND,
            name.span,
            help=help,
            name=name.text,
            found=found,
            expected="a step or a tool",
        )
        return None
    if not contents.flawed and not context.symbols.is_lost(file, name.text):
        close = suggestion(name.text, [*contents.steps, *context.symbols.names(file, "tool")])
        what = "step or tool"
        context.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=close)
    return None


def _what_it_is(name: str, contents: Contents) -> tuple[str | None, str | None]:
    """Kind of a name that cannot be mocked, and what to do instead."""
    if name in contents.lets:
        return "a let", "it is worked out from the values that it reads: mock those"
    if name in contents.gates or name in contents.branches:
        return "a test", "it is judged by the values that it reads: mock those"
    if name in contents.people:
        return "asked of a person", f"say what they answer: `mock {name} yes`"
    if name in contents.values:
        return "a parameter", "it is what `given` gives"
    return None, None


def _expect(
    context: Context, file: str, line: ast.Expect, pipeline: p.Pipeline, contents: Contents
) -> p.Expectation | None:
    scope = Scope(file)
    match line:
        case ast.ExpectAnswered():
            value = None
            if line.value is not None:
                value = elaborate(context, scope, line.value, pipeline.returns)
            return p.Expectation("answered", None, value, None, line.span)
        case ast.ExpectEscalated():
            reason = _reason(context, line.reason, pipeline, contents)
            return p.Expectation("escalated", reason, None, None, line.span)
        case ast.ExpectRejected():
            reason = _reason(context, line.reason, pipeline, contents)
            return p.Expectation("rejected", reason, None, None, line.span)
        case ast.ExpectFailed():
            if not contents.flawed:
                _code(context, line, pipeline)
            return p.Expectation("failed", line.code, None, None, line.span)
        case ast.ExpectCalled():
            symbol = context.find(file, line.tool, "tool")
            if symbol is None:
                return None
            what = "called" if line.called else "not called"
            return p.Expectation(what, symbol.key, None, None, line.span)
        case ast.ExpectEqual():
            return _equal(context, file, line, contents)
        case ast.ExpectCost():
            amount = quantity(context, scope, line.amount, MONEY, "cost")
            made = expr.Const(amount, MONEY, span=line.amount.span)
            return p.Expectation("cost", None, made, line.op, line.span)
        case _:
            assert_never(line)


def _reason(
    context: Context,
    names: tuple[ast.Name, ...] | None,
    pipeline: p.Pipeline,
    contents: Contents,
) -> str | None:
    """The reason of an expectation: a name by which a run of the pipeline can end."""
    if names is None:
        return None
    known = [pipeline.name, "budget", "breaker", *contents.exits]
    name = names[-1]
    if len(names) == 1 and name.text not in known and not contents.flawed:
        help = suggestion(name.text, known)
        context.tell(codes.UNKNOWN_NAME, name.span, what="gate or step", name=name.text, help=help)
    return ".".join(part.text for part in names)


def _code(context: Context, line: ast.ExpectFailed, pipeline: p.Pipeline) -> None:
    """A code of `failed` must be pipelang's own or one that the pipeline fails with."""
    if line.code is None:
        return
    own = [end.code for end in outcomes(pipeline.block) if isinstance(end, p.Fail)]
    if pipeline.budget is not None and isinstance(pipeline.budget.otherwise, p.Fail):
        own.append(pipeline.budget.otherwise.code)
    inner = any(True for _ in sub_pipelines(pipeline.block))
    if line.code not in CODES and line.code not in own and not inner:
        known = [*own, *sorted(CODES)]
        help = suggestion(line.code, known) or "there are: " + ", ".join(dict.fromkeys(known))
        context.tell(codes.UNKNOWN_NAME, line.span, what="code", name=line.code, help=help)


def _equal(
    context: Context, file: str, line: ast.ExpectEqual, contents: Contents
) -> p.Expectation | None:
    name = line.step[0]
    if name.text not in contents.values and contents.flawed:
        return None
    if name.text not in contents.values:
        help = suggestion(name.text, contents.values)
        context.tell(codes.UNKNOWN_NAME, name.span, what="step", name=name.text, help=help)
        return None
    target: ast.Expr = ast.NameRef(name.text, name.span)
    for field in line.step[1:]:
        target = ast.FieldRef(target, field, name.span.to(field.span))
    typed = elaborate(context, Scope(file, contents.values, reached=True), target)
    value = elaborate(context, Scope(file), line.value, _as_declared(typed, contents))
    path = ".".join(expr.path_of(typed) or (name.text,))
    return p.Expectation("equal", path, value, None, line.span)


def _as_declared(value: expr.Expr, contents: Contents) -> Type:
    """The type of a value or field with its `?`: an expectation may be that it is `none`."""
    match value:
        case expr.Read():
            return contents.values[value.name].type
        case expr.Field(target=target, name=name):
            record = present(target.type)
            field = record.field(name) if isinstance(record, RecordType) else None
            return value.type if field is None else field.type
        case _:
            return value.type
