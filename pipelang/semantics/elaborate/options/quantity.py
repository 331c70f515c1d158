"""Quantities in options: constants of one unit, in the range that makes sense there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.constants import folded
from pipelang.semantics.elaborate.expressions.expressions import LITERAL_TYPES, elaborate
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import (
    DURATION,
    INT,
    MONEY,
    NUMBER,
    PROBABILITY,
    RATE,
    TOKENS,
    ErrorType,
    Type,
    fits,
    quoted,
)
from pipelang.syntax import ast

TAKES: Mapping[Type, str] = {
    DURATION: "a duration like 30s",
    INT: "a whole number",
    MONEY: "an amount of money like $0.08",
    NUMBER: "a number",
    PROBABILITY: "a share like 70%",
    RATE: "a rate like 100/min",
    TOKENS: "an amount like 4k tokens",
}

MOST_ATTEMPTS = 100
"""The most that `retry`, `redo`, `vote` and their like may say."""


def quantity(
    context: Context,
    scope: Scope,
    node: ast.Expr,
    type: Type,
    option: str,
    *,
    positive: bool = False,
    most: int | None = None,
) -> Any:
    """A constant quantity of a type, not negative (and not zero if `positive`), at most `most`.

    None if there was something to report. A share lies between 0 and 1, tokens are whole.
    """
    value: Any
    if isinstance(node, ast.Literal) and LITERAL_TYPES[node.kind] is type:
        value = node.value
    else:
        typed = elaborate(context, scope, node)
        if isinstance(typed.type, ErrorType):
            return None
        if not fits(typed.type, type):
            wrong_unit(context, option, TAKES[type], typed, node.span)
            return None
        value = folded(context, typed, type, node.span)
    if value is None:
        return None
    if isinstance(value, tuple):  # a rate: so many in so many seconds
        if positive and not value[0]:
            found = show_value(value, type)
            _tell_range(context, option, "more than 0", found, node.span)
            return None
        return value
    least = 1 if positive and type == INT else 0
    most = 1 if type == PROBABILITY else most
    if value < least or (positive and value == 0) or (most is not None and value > most):
        _out_of_range(context, option, value, type, (positive, most), node.span)
        return None
    if type == TOKENS:
        return _whole(context, option, value, node.span)
    return value


def wrong_unit(context: Context, option: str, takes: str, typed: expr.Expr, span: Span) -> None:
    """Report a quantity of another unit than the option takes."""
    found = f"`{expr.show(typed)}`"
    if not isinstance(typed, expr.Const) or typed.setting is not None:
        found += f", which is of type {quoted(typed.type)}"
    help = (_grouped(context, span) if takes == BUDGET else None) or _with_unit(takes, typed)
    context.tell(codes.UNIT_MISMATCH, span, help=help, option=option, expected=takes, found=found)


_GROUPS = re.compile(r"\$?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?:[kM]?[ \t]+(?:tokens|steps))?", re.ASCII)


def _grouped(context: Context, span: Span) -> str | None:
    """The help for `$1,000` and `60,000 tokens`, which were read as two amounts."""
    source = context.sources.get(span.file)
    if source is None:
        return None
    line = source.text.rfind("\n", 0, span.start) + 1
    for found in _GROUPS.finditer(source.text, line, span.end + 40):
        if found.start() <= span.start < found.end():
            return f"digits are not grouped: write `{found.group().replace(',', '')}`"
    return None


BUDGET = "money, a duration, tokens or steps"
_WRITTEN = {TAKES[DURATION]: "{}s", TAKES[MONEY]: "${}", TAKES[PROBABILITY]: "{}%",
            TAKES[RATE]: "{}/min", TAKES[TOKENS]: "{} tokens"}  # fmt: skip


def _with_unit(takes: str, typed: expr.Expr) -> str | None:
    """A bare number, as it would be written with its unit."""
    if takes == BUDGET:
        return "each amount has its unit: `budget $0.25, 5m, 60k tokens, 50 steps`"
    form = _WRITTEN.get(takes)
    if form is None or not isinstance(typed, expr.Const) or typed.setting is not None:
        return None
    if typed.type not in (INT, NUMBER) or not isinstance(typed.value, (int, Decimal)):
        return None
    number = Decimal(typed.value)
    if takes == TAKES[PROBABILITY] and 0 < number < 1:
        number = (number * 100).normalize()
    if takes in (TAKES[RATE], TAKES[TOKENS]) and number != int(number):
        return None
    return f"a quantity has its unit: `{form.format(format(number, 'f'))}`"


def _out_of_range(
    context: Context,
    option: str,
    value: Any,
    type: Type,
    limits: tuple[bool, int | None],
    span: Span,
) -> None:
    positive, most = limits
    low = "more than 0" if positive else "at least 0"
    wanted = low if most is None else f"{low} and at most {most}"
    if type == PROBABILITY:
        wanted = "more than 0% and at most 100%" if positive else "between 0% and 100%"
    elif type == INT and most is not None:
        wanted = f"a whole number from {1 if positive else 0} to {most}"
    found = show_value(value, type)
    _tell_range(context, option, wanted, found, span)


def _tell_range(context: Context, option: str, range: str, found: str, span: Span) -> None:
    context.tell(codes.OUT_OF_RANGE, span, what=f"`{option}`", range=range, found=found)


def _whole(context: Context, option: str, value: int | Decimal, span: Span) -> int | None:
    if value != int(value):
        _tell_range(context, option, "whole tokens", f"{value} tokens", span)
        return None
    return int(value)
