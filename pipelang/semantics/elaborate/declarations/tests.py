"""Elaboration of tests: what they name must exist, and their values must fit."""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.broken_parts import flawed
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.declarations.expectations import expectation_of
from pipelang.semantics.elaborate.declarations.mocks import mock_of
from pipelang.semantics.elaborate.declarations.tested import Tested
from pipelang.semantics.elaborate.expressions.calls import bind, name_place
from pipelang.semantics.elaborate.names.named_items import contents_of
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
        Scope(file, tested=True),
        given[0].pipeline.text,
        pipeline.parameters,
        given[0].arguments,
        given[0].span,
    )
    values = {q.name: Local(q.type, pipeline.span, name_place(q)) for q in pipeline.parameters}
    contents = contents_of(pipeline.block, values, flawed=symbol.key in context.flawed)
    tested = Tested(context, file, pipeline, contents, pipelines)
    mocks, expectations = [], []
    for line in decl.lines:
        match line:
            case ast.Given() | ast.Broken():
                pass
            case (
                ast.MockValues()
                | ast.MockFails()
                | ast.MockVerdicts()
                | ast.MockBreaker()
                | ast.MockQuota()
            ):
                mock = mock_of(tested, line)
                if mock is not None:
                    mocks.append(mock)
            case _:
                expectation = expectation_of(tested, line)
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
