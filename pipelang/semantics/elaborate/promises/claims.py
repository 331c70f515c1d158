"""Elaboration of claims: what they name must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from pipelang.diagnostics import codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.expressions import condition
from pipelang.semantics.elaborate.names.named_items import Contents, contents_of
from pipelang.semantics.elaborate.reach.effects import doings, reached
from pipelang.semantics.symbols import suggestion
from pipelang.syntax import ast


def elaborate_claim(
    context: Context,
    file: str,
    decl: ast.ProveDecl,
    text: str,
    pipelines: Mapping[str, p.Pipeline],
) -> p.Claim | None:
    """A claim with its names looked up; None if there is no such pipeline (reported)."""
    symbol = context.find(file, decl.pipeline, "pipeline")
    if symbol is None or symbol.key not in pipelines:
        return None
    pipeline, claim = pipelines[symbol.key], decl.claim
    values = {q.name: Local(q.type, decl.span) for q in pipeline.parameters}
    contents = contents_of(pipeline.block, values, flawed=symbol.key in context.flawed)
    scope = Scope(file, contents.values)
    return p.Claim(
        symbol.key, text, decl.span, _claimed(context, symbol.key, claim, scope, contents)
    )


def _claimed(
    context: Context, pipeline: str, claim: ast.Claim, scope: Scope, contents: Contents
) -> p.Claimed | None:
    """Claimed property; None if something in it is not there or of the wrong kind (reported)."""
    file = scope.file
    match claim:
        case ast.OnlyAfter():
            tool = context.find(file, claim.tool, "tool")
            gate = _gate(context, file, pipeline, claim.gate, contents)
            return None if tool is None or gate is None else p.OnlyAfter(tool.key, *gate)
        case ast.Never():
            tool = context.find(file, claim.tool, "tool")
            when = condition(context, scope, claim.when)
            return None if tool is None else p.Never(tool.key, when)
        case ast.Escalates():
            return p.Escalates(condition(context, scope, claim.when))
        case ast.NeverReaches():
            tool = context.find(file, claim.tool, "tool")
            return None if tool is None else p.NeverReaches(claim.label, tool.key)
        case _:
            assert_never(claim)


def _gate(
    context: Context,
    file: str,
    pipeline: str,
    names: tuple[ast.Name, ...],
    contents: Contents,
) -> tuple[str, str] | None:
    """The gate, approval or hold of a claim, of the pipeline itself or of `PIPELINE.GATE`, with its
    pipeline.
    """
    name = names[-1]
    if len(names) == 1:
        known = [*contents.gates, *contents.people]
        if name.text in contents.values or name.text in contents.branches:
            found = "a branch" if name.text in contents.branches else "a value"
            context.tell(
                codes.WRONG_KIND,
                name.span,
                name=name.text,
                found=found,
                expected="a gate, approval or hold",
            )
            return None
    else:
        symbol = context.find(file, names[-2], "pipeline")
        if symbol is None or not isinstance(symbol.declaration, ast.PipelineDecl):
            return None
        if symbol.key not in reached(context, pipeline):
            why = f"a pipeline that `{pipeline}` never runs"
            context.tell(
                codes.WRONG_KIND,
                names[-2].span,
                name=names[-2].text,
                found=why,
                expected="one that it runs",
            )
            return None
        known = list(_gates(symbol.declaration.items))
        pipeline = symbol.key
    if name.text in known:
        return pipeline, name.text
    if not contents.flawed:
        help = suggestion(name.text, known)
        what = "gate, approval or hold"
        context.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=help)
    return None


def _gates(items: tuple[ast.Item, ...]) -> Iterator[str]:
    for part in doings(items):
        if isinstance(part, (ast.Gate, ast.Approve, ast.Hold)):
            yield part.name.text
