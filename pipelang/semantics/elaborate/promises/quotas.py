"""Quotas: what all runs of a tenant together may take, and whether one run fits into it."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.outcomes import ActionSite, outcome
from pipelang.semantics.elaborate.broken_parts import whole as readable
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import INT, MONEY, NUMBER, TOKENS, ErrorType, Type, quoted
from pipelang.syntax import ast

MONEY_AMOUNT, TOKEN_AMOUNT, RUNS = "money", "tokens", "runs"


def quota(context: Context, scope: Scope, place: ActionSite, item: ast.Quota) -> p.Quota:
    """A quota, without the amounts that were reported."""
    limits: dict[tuple[str, str], p.QuotaLimit] = {}
    written: list[ast.QuotaAmount] = readable(item.amounts)
    for amount in written:
        limit = _limit(context, Scope(scope.file), amount)
        if limit is None:
            continue
        key = limit.what, limit.period
        if key in limits:
            label = Label(limits[key].span, "the first stands here")
            option = f"quota of {limit.what} {limit.how_often}"
            context.tell(codes.DUPLICATE_OPTION, amount.span, option=option, labels=(label,))
        limits.setdefault(key, limit)
    otherwise = None
    if item.otherwise is not None:
        otherwise = outcome(context, scope, place, item.otherwise)
    return p.Quota(tuple(limits.values()), otherwise, item.span)


def _limit(context: Context, scope: Scope, written: ast.QuotaAmount) -> p.QuotaLimit | None:
    what, type = RUNS, INT
    if not written.runs:
        typed = elaborate(context, scope, written.amount)
        if isinstance(typed.type, ErrorType):
            return None
        if typed.type not in (MONEY, TOKENS):
            _no_unit(context, written, typed.type)
            return None
        type = typed.type
        what = MONEY_AMOUNT if type == MONEY else TOKEN_AMOUNT
    value = quantity(context, scope, written.amount, type, "quota", positive=True)
    if value is None:
        return None
    shown = show_value(value, type)
    if isinstance(written.amount, ast.Literal):
        shown = written.amount.raw
    if what == RUNS:
        shown += " runs"
    return p.QuotaLimit(
        what, Decimal(value), written.period, f"{shown}/{written.period}", written.span
    )


def _no_unit(context: Context, written: ast.QuotaAmount, type: Type) -> None:
    """Report an amount that is neither money nor tokens, and does not say that it counts runs."""
    source = context.sources.get(written.span.file)
    span: Span = written.amount.span
    text = "" if source is None else source.text[span.start : span.end]
    help = "a quota is of money, tokens or runs: `quota $50/day per tenant`"
    if type in (INT, NUMBER) and text:
        help = f"to count runs say so: `{text} runs/{written.period}`"
    found = f"`{text}`, which is of type {quoted(type)}"
    expected = "money, tokens or runs"
    context.tell(
        codes.UNIT_MISMATCH, span, help=help, option="quota", expected=expected, found=found
    )


def fits_budget(
    context: Context, name: str, made: p.Quota, budget: p.Budget | None, unread: bool
) -> None:
    """A run reserves the whole of its budget when it starts: there must be one, in the unit of each
    limit, and it must fit into the limit. Of an `unread` one some amounts were reported.
    """
    for limit in made.limits:
        if limit.what == RUNS:
            continue
        most: Decimal | int | None = None
        if budget is not None:
            most = budget.money if limit.what == MONEY_AMOUNT else budget.tokens
        if most is None and unread:
            continue
        if most is None:
            example = "$0.25" if limit.what == MONEY_AMOUNT else "60k tokens"
            context.tell(
                codes.QUOTA_WITHOUT_BUDGET,
                limit.span,
                name=name,
                what=limit.what,
                limit=limit.text,
                help=f"say what a run may take at most: `budget {example}`",
            )
        elif most > limit.amount:
            type = MONEY if limit.what == MONEY_AMOUNT else TOKENS
            assert budget is not None
            label = Label(budget.span, "which a run reserves when it starts")
            context.tell(
                codes.QUOTA_BELOW_BUDGET,
                limit.span,
                name=name,
                limit=limit.text,
                most=show_value(most, type),
                labels=(label,),
            )
