"""The type of an answer against the type that its place expects."""

from __future__ import annotations

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.outcomes import ActionSite
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.calls import Bound, bind
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.types import ERROR, NothingType, OptionalType, Type, fits, quoted
from pipelang.syntax import ast

Made = tuple[p.Action, Type]
"""An action and the type of its answer."""


def broken_action(context: Context, scope: Scope, arguments: tuple[ast.Argument, ...]) -> Made:
    """An action that was already reported; its arguments are still checked."""
    values = [elaborate(context, scope, argument.value, ERROR) for argument in arguments]
    reads = frozenset[str]().union(*map(expr.mentions, values))
    return p.Broken(reads), ERROR


def called(
    context: Context,
    scope: Scope,
    name: ast.Name,
    kind: str,
    arguments: tuple[ast.Argument, ...],
    span: Span,
    expected: Type | None,
) -> tuple[str, Bound, Type] | None:
    """The tool or pipeline that is called by its key, its arguments, and what it answers; None
    (reported) if there is none of the name.
    """
    symbol = context.find(scope.file, name, kind)
    if symbol is None:
        return None
    parameters, returns = signature(context, symbol.key)
    bound = bind(context, scope, name.text, parameters, arguments, span, checked=True)
    fits_place(context, returns, expected, span)
    return symbol.key, bound, returns


def fits_place(context: Context, found: Type, expected: Type | None, span: Span) -> None:
    """Report an answer whose type its place does not expect."""
    if expected is None or fits(found, expected):
        return
    help = None
    if isinstance(found, OptionalType) and fits(found.inner, expected):
        help = f"it may answer nothing: give the step the type {quoted(found)}"
    context.tell(
        codes.TYPE_MISMATCH, span, help=help, expected=quoted(expected), found=quoted(found)
    )


def needs_type(context: Context, place: ActionSite, expected: Type | None, span: Span) -> Type:
    """The type that a model's answer is asked for; `ERROR` (reported) if nothing says it."""
    if expected is None or isinstance(expected, NothingType):
        help = f"write it down: `step {place.step}: TYPE = ...`"
        context.tell(codes.NEEDS_TYPE, span, name=place.step, help=help)
        return ERROR
    return expected
