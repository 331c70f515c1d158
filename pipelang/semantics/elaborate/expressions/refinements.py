"""Refinements of types (lengths, ranges, labels), and whether a value satisfies them.

Ranges matter before a program runs: a divisor must not be 0, so nothing may stand under a range
that could lie outside it. Values from outside are checked when they come in; what an expression
makes is never checked again, so it has to be seen here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, broken
from pipelang.semantics.fold import NotConstant, TooLong, fold
from pipelang.semantics.quantities import show_value, text_tokens
from pipelang.semantics.types import Scalar, ScalarKind, Type, keeps_range, present, show


def keep_promises(
    context: Context, typed: expr.Expr, expected: Type, span: Span, checked: bool
) -> expr.Expr:
    """The expression; reports it where it does not satisfy the expected refinements."""
    limit, found = present(expected), present(typed.type)
    if not isinstance(limit, Scalar) or not isinstance(found, Scalar):
        return typed
    bounded = not (limit.low is None and limit.high is None and limit.max_tokens is None)
    share = limit.kind is ScalarKind.PROBABILITY and isinstance(typed, expr.Const)
    if not bounded and not share:
        return typed
    if isinstance(typed, expr.Const) and typed.setting is not None:
        value = None
    else:
        try:
            value = fold(typed)
        except TooLong as problem:
            context.tell(codes.TYPE_MISMATCH, span, expected=_with_range(limit), found=str(problem))
            return broken(span)
        except NotConstant:
            value = None
    if value is not None:
        return typed if _holds(context, value, limit, span) else broken(span)
    if checked or keeps_range(found, limit):
        return typed
    context.tell(
        codes.TYPE_MISMATCH,
        span,
        expected=_with_range(limit),
        found=_with_range(found),
        help="give the value's own type a range that lies inside",
    )
    return broken(span)


def _holds(context: Context, value: Any, limit: Scalar, span: Span) -> bool:
    if isinstance(value, str):
        size = text_tokens(value)
        if limit.max_tokens is None or size <= limit.max_tokens:
            return True
        context.tell(
            codes.OUT_OF_RANGE,
            span,
            what="this text",
            range=f"at most {limit.max_tokens} tokens long",
            found=f"{size} tokens (a third of its bytes in JSON)",
        )
        return False
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return True
    low, high = limit.low, limit.high
    if limit.kind is ScalarKind.PROBABILITY:
        low = Decimal(0) if low is None else low
        high = Decimal(1) if high is None else high
    if (low is None or low <= value) and (high is None or value <= high):
        return True
    context.tell(
        codes.OUT_OF_RANGE,
        span,
        what="this value",
        range=f"in {_bound(low, limit)}..{_bound(high, limit)}",
        found=show_value(value, limit),
    )
    return False


def _bound(bound: Decimal | None, type: Scalar) -> str:
    return "" if bound is None else show_value(bound, type)


def _with_range(type: Scalar) -> str:
    if type.low is None and type.high is None:
        return f"`{show(type)}` of any size"
    return f"`{show(type)} in {_bound(type.low, type)}..{_bound(type.high, type)}`"
