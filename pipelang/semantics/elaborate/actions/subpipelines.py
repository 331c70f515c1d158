"""Elaboration of `run`, `each` and `recall`."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.answer_types import (
    Made,
    broken_action,
    called,
    fits_place,
)
from pipelang.semantics.elaborate.actions.links import chain
from pipelang.semantics.elaborate.actions.outcomes import ActionSite
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.optionals import absent
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.names.local_names import inner_name
from pipelang.semantics.elaborate.options.options import pick
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.types import (
    ERROR,
    INT,
    PROBABILITY,
    ErrorType,
    ListType,
    OptionalType,
    Type,
    optional,
    quoted,
)
from pipelang.syntax import ast


def run(
    context: Context,
    scope: Scope,
    action: ast.RunPipeline,
    expected: Type | None,
) -> Made:
    found = called(
        context, scope, action.pipeline, "pipeline", action.arguments, action.span, expected
    )
    if found is None:
        return broken_action(context, scope, action.arguments)
    key, arguments, returns = found
    return p.RunPipeline(key, arguments), returns


def recall(context: Context, scope: Scope, action: ast.Recall, expected: Type | None) -> Made:
    symbol = context.find(scope.file, action.memory, "memory")
    if symbol is None:
        elaborate(context, scope, action.key, ERROR)
        return p.Broken(frozenset()), ERROR
    parameters, returns = signature(context, symbol.key)
    key = elaborate(context, scope, action.key, parameters[0].type if parameters else None)
    answer = returns if isinstance(returns, ListType) else optional(returns)
    fits_place(context, answer, expected, action.span)
    return p.Recall(symbol.key, key), answer


def each(
    context: Context,
    scope: Scope,
    place: ActionSite,
    link: ast.Link,
    action: ast.Each,
    expected: Type | None,
) -> Made:
    elements = elaborate(context, scope, action.elements)
    element: Type = ERROR
    length = None
    match elements.type:
        case ListType() as type:
            element, length = type.element, type.max_length
            if length is None:
                context.tell(
                    codes.NOT_BOUNDED,
                    action.elements.span,
                    what="a list that `each` goes through",
                    bound="`max`",
                    help="give its type a `max`: `[T] max 50`",
                )
        case ErrorType():
            pass
        case OptionalType(inner=ListType() as type):
            element, length = type.element, type.max_length
            absent(context, elements, action.elements.span)
        case type:
            context.tell(
                codes.TYPE_MISMATCH, action.elements.span, expected="a list", found=quoted(type)
            )
    need = _need(context, scope, link)
    parallel = pick(link.options, ast.Parallel)
    at_once: int | None = None
    if parallel is not None:
        at_once = quantity(context, scope, parallel.count, INT, "parallel", positive=True)
        if action.ordered:
            help = "leave it out, or leave out `ordered`"
            what = "`ordered` goes one by one, `parallel` side by side"
            context.tell(codes.CONTRADICTION, parallel.span, what=what, help=help)
    wanted = expected.element if isinstance(expected, ListType) else None
    if need.partial and isinstance(wanted, OptionalType):
        wanted = wanted.inner
    inner_name(context, scope, action.variable)
    inner = scope.inside().with_name(action.variable.text, Local(element, action.variable.span))
    body, answered = chain(context, inner, place, action.body, wanted)
    answer = ListType(optional(answered) if need.partial else answered, length)
    fits_place(context, answer, expected, action.span)
    each = p.Each(
        variable=action.variable.text,
        elements=elements,
        element=element,
        most=length or 0,
        ordered=action.ordered,
        need=need,
        parallel=at_once,
        body=body,
    )
    return each, answer


def _need(context: Context, scope: Scope, link: ast.Link) -> p.Need:
    """The elements that must answer; all where nothing is written."""
    written = pick(link.options, ast.Need)
    if written is None:
        return p.Need("all")
    if written.share is None:
        return p.Need(written.kind)
    if isinstance(written.share, (ast.Counted, ast.FromFile, ast.RateByCase)):
        expected = "a percentage, `all` or `any`"
        context.tell(codes.TYPE_MISMATCH, written.span, expected=expected, found="evidence")
        return p.Need("all")
    share: Decimal | None = quantity(context, scope, written.share, PROBABILITY, "need")
    return p.Need("all") if share is None else p.Need("share", share)
