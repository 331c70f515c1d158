"""Optional values, and the finding where one is used as if it were present."""

from __future__ import annotations

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.types import ErrorType, NoneType, OptionalType, RecordType, Type, present


def absent(context: Context, node: expr.Expr, span: Span) -> expr.Expr:
    """Report a value that may be absent here."""
    path = expr.path_of(node)
    if path is None:
        help = "give it a name with `let`, and ask first whether it is there: `if x? then ...`"
        context.tell(codes.MAYBE_ABSENT, span, name=expr.show(node), help=help)
    else:
        context.tell(codes.MAYBE_ABSENT, span, name=".".join(path))
    return broken(span)


def may_be_absent(scope: Scope, node: expr.Expr) -> bool:
    """Whether asking for a value makes sense, also where the answer is known already."""
    return isinstance(_declared(scope, node), (OptionalType, NoneType, ErrorType))


def _declared(scope: Scope, node: expr.Expr) -> Type:
    """The type as declared, before anything was known to be there."""
    match node:
        case expr.Read() | expr.ElementRead() if node.name in scope.names:
            return scope.names[node.name].type
        case expr.Field():
            target = present(node.target.type)
            if isinstance(target, RecordType):
                field = target.field(node.name)
                if field is not None:
                    return field.type
        case expr.At():
            return OptionalType(node.type)
        case _:
            pass
    return node.type
