"""Values that may be absent: which may, and what is said where one is used as if it were there."""

from __future__ import annotations

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.types import ErrorType, NoneType, OptionalType, RecordType, Type, present


def absent(context: Context, expr: ir.Expr, span: Span) -> ir.Expr:
    """Tell that a value may be absent here."""
    path = ir.path_of(expr)
    if path is None:
        help = "give it a name with `let`, and ask first whether it is there: `if x? then ...`"
        context.tell(codes.MAYBE_ABSENT, span, name=ir.show(expr), help=help)
    else:
        context.tell(codes.MAYBE_ABSENT, span, name=".".join(path))
    return broken(span)


def may_be_absent(scope: Scope, expr: ir.Expr) -> bool:
    """Whether asking for a value makes sense, also where the answer is known already."""
    return isinstance(_declared(scope, expr), (OptionalType, NoneType, ErrorType))


def _declared(scope: Scope, expr: ir.Expr) -> Type:
    """The type as declared, before anything was known to be there."""
    match expr:
        case ir.Read() if expr.name in scope.names:
            return scope.names[expr.name].type
        case ir.Field():
            target = present(expr.target.type)
            if isinstance(target, RecordType):
                field = target.field(expr.name)
                if field is not None:
                    return field.type
        case _:
            pass
    return expr.type
