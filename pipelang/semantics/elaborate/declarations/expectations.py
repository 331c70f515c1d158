"""Elaboration of expectations: how a run ends, what it calls, and what is true of its values."""

from __future__ import annotations

from typing import assert_never

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.outcomes import CODES
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.declarations.tested import Tested
from pipelang.semantics.elaborate.expressions.calls import bind
from pipelang.semantics.elaborate.expressions.expressions import condition, elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    JSON,
    MONEY,
    TEXT,
    RecordField,
    RecordType,
    optional,
)
from pipelang.semantics.walk import outcomes
from pipelang.syntax import ast

RESULT = "result"
HANDOFF = "handoff"
"""The names of what a run answered and of what it handed over, unless a value of it has them."""


def expectation_of(tested: Tested, line: ast.Expect) -> p.Expectation | None:
    """An expectation; None where it speaks of what is not there (reported)."""
    context, pipeline, contents = tested.context, tested.pipeline, tested.contents
    match line:
        case ast.ExpectAnswered():
            value = None
            if line.value is not None:
                value = elaborate(context, Scope(tested.file), line.value, pipeline.returns)
            return p.Expectation("answered", None, value, None, line.span)
        case ast.ExpectEscalated():
            return p.Expectation("escalated", _reason(tested, line.reason), None, None, line.span)
        case ast.ExpectRejected():
            return p.Expectation("rejected", _reason(tested, line.reason), None, None, line.span)
        case ast.ExpectFailed():
            if not contents.flawed:
                _code(context, line, pipeline)
            return p.Expectation("failed", line.code, None, None, line.span)
        case ast.ExpectCalled():
            return _called(tested, line)
        case ast.ExpectExpr():
            return _holds(tested, line)
        case ast.ExpectCost():
            amount = quantity(context, Scope(tested.file), line.amount, MONEY, "cost")
            made = expr.Const(amount, MONEY, span=line.amount.span)
            return p.Expectation("cost", None, made, line.op, line.span)
        case _:
            assert_never(line)


def _reason(tested: Tested, names: tuple[ast.Name, ...] | None) -> str | None:
    """The reason of an expectation: a name by which a run of the pipeline can end."""
    if names is None:
        return None
    reason, contents = ".".join(part.text for part in names), tested.contents
    known = [tested.pipeline.name, "budget", "quota", "breaker", *contents.exits]
    nested: list[str] = []
    unsure = contents.flawed
    for inner, its in tested.inner():
        unsure = unsure or its.flawed
        own = (*its.exits, inner.name, "budget", "quota", "breaker")
        nested += [f"{inner.name}.{name}" for name in own]
    if reason in known or reason in nested or unsure:
        return reason
    name = names[-1]
    if len(names) == 1:
        help = tested.closest(reason, known, nested)
    else:
        help = suggestion(reason, [*known, *nested])
    tested.context.tell(
        codes.UNKNOWN_NAME, names[0].span.to(name.span), what="gate or step", name=reason, help=help
    )
    return reason


def _code(context: Context, line: ast.ExpectFailed, pipeline: p.Pipeline) -> None:
    """A code of `failed` must be pipelang's own or one that the pipeline fails with."""
    if line.code is None:
        return
    own = [end.code for end in outcomes(pipeline.block) if isinstance(end, p.Fail)]
    for limits in (pipeline.budget, pipeline.quota):
        if limits is not None and isinstance(limits.otherwise, p.Fail):
            own.append(limits.otherwise.code)
    inner = any(True for _ in sub_pipelines(pipeline.block))
    if line.code not in CODES and line.code not in own and not inner:
        known = [*own, *sorted(CODES)]
        help = suggestion(line.code, known) or "there are: " + ", ".join(dict.fromkeys(known))
        context.tell(codes.UNKNOWN_NAME, line.span, what="code", name=line.code, help=help)


def _called(tested: Tested, line: ast.ExpectCalled) -> p.Expectation | None:
    context = tested.context
    symbol = context.find(tested.file, line.tool, "tool")
    if symbol is None:
        return None
    what = "called" if line.called else "not called"
    if line.times == 0:
        some = "" if line.arguments is None else "(...)"
        help = f"write `expect not called {line.tool.text}{some}`"
        context.tell(codes.ARGUMENTS, line.span, what="a call that is made 0 times", help=help)
    arguments: tuple[tuple[str, expr.Expr], ...] = ()
    if line.arguments is not None:
        parameters, _ = signature(context, symbol.key)
        arguments = bind(
            context,
            _scope(tested),
            line.tool.text,
            parameters,
            line.arguments,
            line.span,
            checked=True,
            some=True,
        )
    return p.Expectation(what, symbol.key, None, None, line.span, arguments, line.times)


def _holds(tested: Tested, line: ast.ExpectExpr) -> p.Expectation | None:
    """`expect EXPR` over the values that the run made, its `result` and its `handoff`."""
    context, scope = tested.context, _scope(tested)
    if tested.contents.flawed:
        quiet = Context(context.symbols, context.loader)
        condition(quiet, scope, line.condition)
        if quiet.diagnostics:
            return None  # it may speak of an item that could not be read
    typed = condition(context, scope, line.condition)
    return p.Expectation("holds", None, typed, None, line.span)


def _scope(tested: Tested) -> Scope:
    """All values of the run, taken as there: an expectation fails where they are not."""
    pipeline, values = tested.pipeline, tested.contents.values
    of_run = {
        RESULT: Local(pipeline.returns, pipeline.span),
        HANDOFF: Local(_handoff(tested), pipeline.span),
    }
    return Scope(tested.file, {**of_run, **values}, reached=True)


def _handoff(tested: Tested) -> RecordType:
    """Type of what a run hands over: its inputs, its text, and each value by its name."""
    inputs = tuple(RecordField(one.name, one.type) for one in tested.pipeline.parameters)
    known = {
        "input": RecordType("input", inputs),
        "text": optional(TEXT),
        "inside": optional(JSON),
        "with": optional(JSON),
        **{name: step.type for name, step in tested.contents.steps.items()},
    }
    return RecordType(HANDOFF, tuple(RecordField(name, type) for name, type in known.items()))
