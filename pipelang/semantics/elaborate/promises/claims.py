"""Elaboration of claims: what they name must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from pipelang.diagnostics import Label, codes
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.calls import name_place
from pipelang.semantics.elaborate.expressions.expressions import condition
from pipelang.semantics.elaborate.names.calls_in_scope import calls_of
from pipelang.semantics.elaborate.names.named_items import Contents, contents_of
from pipelang.semantics.elaborate.reach.effects import doings, reached
from pipelang.semantics.symbols import Symbol, suggestion
from pipelang.semantics.walk import answered_by_a_role
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
    values = {q.name: Local(q.type, decl.span, name_place(q)) for q in pipeline.parameters}
    contents = contents_of(pipeline.block, values, flawed=symbol.key in context.flawed)
    claimed = _Claimed(context, pipeline, pipelines, Scope(file, contents.values), contents)
    return p.Claim(symbol.key, text, decl.span, claimed.of(claim))


@dataclass(frozen=True, slots=True)
class _Claimed:
    """The elaboration of what is claimed of a pipeline; `scope` has all of its values."""

    context: Context
    pipeline: p.Pipeline
    pipelines: Mapping[str, p.Pipeline]
    scope: Scope
    contents: Contents

    def of(self, claim: ast.Claim) -> p.Claimed | None:
        """Claimed property; None if something in it is missing or of the wrong kind (reported)."""
        context, file = self.context, self.scope.file
        match claim:
            case ast.OnlyAfter():
                tool = context.find(file, claim.tool, "tool")
                gate = _gate(context, file, self.pipeline.name, claim.gate, self)
                when = None if claim.when is None else self._at_calls(claim, claim.when, tool)
                return None if tool is None or gate is None else p.OnlyAfter(tool.key, *gate, when)
            case ast.AtMost():
                tool = context.find(file, claim.tool, "tool")
                if claim.count == 0:
                    help = f"write `never {claim.tool.text}`"
                    context.tell(
                        codes.OUT_OF_RANGE,
                        claim.span,
                        what="the most calls of a claim",
                        range="1 or more",
                        found=0,
                        help=help,
                    )
                    return None
                return None if tool is None else p.AtMost(tool.key, claim.count)
            case ast.Never():
                tool = context.find(file, claim.tool, "tool")
                when = None if claim.when is None else condition(context, self.scope, claim.when)
                return None if tool is None else p.Never(tool.key, when)
            case ast.Escalates():
                return p.Escalates(condition(context, self.scope, claim.when))
            case ast.NeverReaches():
                target = context.find(file, claim.target, "tool", "prompt")
                if target is None:
                    return None
                return p.NeverReaches(claim.label, target.key, target.kind == "prompt")
            case _:
                assert_never(claim)

    def _at_calls(self, claim: ast.OnlyAfter, written: ast.Expr, tool: Symbol | None) -> expr.Expr:
        """A condition that is read at every call of a tool, where all that it mentions must be."""
        elements = {n: e for n, e in self.contents.elements.items() if n not in self.scope.names}
        known = replace(self.scope, names={**self.scope.names, **elements})
        when = condition(self.context, known, written)
        if tool is None:
            return when
        told: set[str] = set()
        for call in calls_of(self.context, self.pipeline, tool.key):
            for part in expr.walk(when):
                if isinstance(part, expr.Read) and part.name not in call.names | told:
                    told.add(part.name)
                    rule = codes.OUT_OF_BLOCK if part.name in call.gone else codes.NOT_YET
                    label = Label(call.span, f"`{claim.tool.text}` is called here")
                    help = "a `when` behind `only after` is read at the call"
                    self.context.tell(rule, part.span, name=part.name, labels=(label,), help=help)
        return when


def _gate(
    context: Context,
    file: str,
    pipeline: str,
    names: tuple[ast.Name, ...],
    claimed: _Claimed,
) -> tuple[str, str] | None:
    """The gate, approval, hold or answer of a role of a claim, of the pipeline itself or of
    `PIPELINE.GATE`, with its pipeline.
    """
    name, contents = names[-1], claimed.contents
    if len(names) == 1:
        known = [*contents.gates, *contents.people, *_answered(contents)]
        wrong = name.text in contents.values or name.text in contents.branches
        if wrong and name.text not in known:
            found = "a branch" if name.text in contents.branches else "a value"
            by_role = "a step can stand here if a role answers it: `ask ... by ROLE`"
            context.tell(
                codes.WRONG_KIND,
                name.span,
                name=name.text,
                found=found,
                expected="a gate, approval or hold",
                help=by_role if name.text in contents.steps else None,
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
        if pipeline in claimed.pipelines:
            known += _answered(contents_of(claimed.pipelines[pipeline].block, {}))
    if name.text in known:
        return pipeline, name.text
    if not contents.flawed:
        help = suggestion(name.text, known)
        what = "gate, approval or hold"
        context.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=help)
    return None


def _answered(contents: Contents) -> list[str]:
    return [name for name, step in contents.steps.items() if answered_by_a_role(step)]


def _gates(items: tuple[ast.Item, ...]) -> Iterator[str]:
    for part in doings(items):
        if isinstance(part, (ast.Gate, ast.Approve, ast.Hold)):
            yield part.name.text
