"""Settings: numbers that operators turn without touching the logic.

A setting is a constant of the program that it is built into. Its range says how far it may be
turned; `tune` searches it, and a value that a host hands in must lie in it.
"""

from __future__ import annotations

import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.constants import constant
from pipelang.semantics.elaborate.expressions.types import elaborate_type
from pipelang.semantics.elaborate.names.nesting_depth import BeingComputed, hangs_on
from pipelang.semantics.quantities import show_value
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import ERROR, ErrorType, Scalar, ScalarKind, Type, quoted, show
from pipelang.syntax import ast

_KINDS = (
    ScalarKind.INT,
    ScalarKind.NUMBER,
    ScalarKind.PROBABILITY,
    ScalarKind.MONEY,
    ScalarKind.DURATION,
)
LONGEST = 24
"""Digits of a value that a host hands in."""


def setting(context: Context, key: str, span: Span) -> expr.Const:
    """A setting as the constant that it is in this program."""
    if key not in context.settings:
        symbol = context.symbols.by_key[key]
        declaration = symbol.declaration
        assert isinstance(declaration, ast.SettingDecl)
        if key in context.pending:
            cycle = " -> ".join([*context.pending[context.pending.index(key) :], key])
            context.tell(codes.RECURSION, declaration.name.span, name=key, cycle=cycle)
            return expr.Const(None, ERROR, span=span)
        with BeingComputed(context, key, declaration.name.span) as may:
            if not may:
                return expr.Const(None, ERROR, span=span)
            type = elaborate_type(context, symbol.file, declaration.type)
            value = constant(context, Scope(symbol.file), declaration.value, type)
            type = _number(context, declaration, type)
            if key in context.overrides and not isinstance(type, ErrorType):
                declared = value
                value = _handed_in(context, declaration, type, context.overrides[key])
                if value is not None and value != declared:
                    context.turned[key] = value
        context.settings[key] = expr.Const(value, ERROR if value is None else type, setting=key)
    else:
        hangs_on(context, key)
    known = context.settings[key]
    return expr.Const(known.value, known.type, setting=key, span=span)


def _number(context: Context, declaration: ast.SettingDecl, type: Type) -> Type:
    """The type of a setting, `ERROR` (reported) if it is none that can be turned."""
    name, span = declaration.name.text, declaration.type.span
    if isinstance(type, ErrorType):
        return ERROR
    if not isinstance(type, Scalar) or type.kind not in _KINDS:
        context.tell(
            codes.TYPE_MISMATCH,
            span,
            expected="an int, number, probability, money or duration for a setting",
            found=quoted(type),
            help="use a `fn` without parameters for a constant of another type",
        )
        return ERROR
    if type.low is None or type.high is None:
        context.tell(
            codes.NOT_BOUNDED,
            span,
            what=f"setting `{name}`",
            bound="range",
            help=f"say how far it may be turned: `setting {name}: {show(type)} in LOW..HIGH = ...`",
        )
        return ERROR
    return type


def _handed_in(
    context: Context, declaration: ast.SettingDecl, type: Type, given: Any
) -> int | Decimal | None:
    """A value from outside as the setting's type, None (reported) if it is none or out of range."""
    assert isinstance(type, Scalar)
    name, span = declaration.name.text, declaration.value.span
    value = _exact(given)
    if value is None or (type.kind is ScalarKind.INT and value != value.to_integral_value()):
        context.tell(
            codes.SETTING,
            span,
            name=name,
            why=f"expected {quoted(type)}, found `{given!r:.60}`",
        )
        return None
    assert type.low is not None
    assert type.high is not None
    if not type.low <= value <= type.high:
        low, high = show_value(type.low, type), show_value(type.high, type)
        found = show_value(value, type)
        why = f"it must be in {low}..{high}, found {found}"
        context.tell(codes.SETTING, span, name=name, why=why)
        return None
    return int(value) if type.kind is ScalarKind.INT else value


def _exact(given: Any) -> Decimal | None:
    """A number from outside, exactly as its digits say; None if it is no number."""
    if isinstance(given, datetime.timedelta):
        given = Decimal(given.days * 86400 + given.seconds) + Decimal(given.microseconds) / 10**6
    if isinstance(given, bool) or not isinstance(given, (int, float, Decimal)):
        return None
    try:
        value = Decimal(repr(given)) if isinstance(given, float) else Decimal(given)
    except (InvalidOperation, ValueError):
        return None
    if (
        not value.is_finite()
        or value.adjusted() >= LONGEST
        or len(value.as_tuple().digits) > LONGEST
    ):
        return None
    return value


def unknown_overrides(context: Context, file: str) -> None:
    """Report the settings that a host hands in and that no file declares."""
    known = [key for key, symbol in context.symbols.by_key.items() if symbol.kind == "setting"]
    for name in context.overrides:
        if name not in known:
            help = suggestion(str(name), known)
            if help is None and known:
                help = "there are: " + ", ".join(known)
            place = Span(file, 0, 0)
            context.tell(codes.UNKNOWN_NAME, place, what="setting", name=name, help=help)
