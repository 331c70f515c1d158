"""Constants: defaults, settings, and the quantities of options, worked out while elaborating."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import ERROR, Kind, Scalar, Type, show
from pipelang.syntax import ast


def constant(context: Context, file: str, expr: ast.Expr, expected: Type) -> Any:
    """The value of an expression over literals and settings; None (told) if it has none."""
    from pipelang.semantics.elaborate.expressions import elaborate

    typed = elaborate(context, Scope(file), expr, expected)
    if typed.type == ERROR:
        return None
    try:
        return fold(typed)
    except NotConstant as problem:
        context.tell(codes.TYPE_MISMATCH, expr.span, expected="a constant", found=f"{problem}")
        return None


def setting(context: Context, key: str, span: Span) -> ir.Const:
    """A setting as the constant that it is in this program."""
    if key not in context.settings:
        from pipelang.semantics.elaborate.types import elaborate_type

        symbol = context.symbols.by_key[key]
        declaration = symbol.declaration
        assert isinstance(declaration, ast.SettingDecl)
        if key in context.pending:
            context.tell(codes.RECURSION, declaration.name.span, name=key, cycle=key)
            return ir.Const(None, ERROR, span=span)
        context.pending.append(key)
        type = elaborate_type(context, symbol.file, declaration.type)
        value = constant(context, symbol.file, declaration.value, type)
        if key in context.overrides:
            value = context.overrides[key]
        context.pending.pop()
        _check_range(context, declaration, type, value)
        context.settings[key] = ir.Const(value, type, setting=key)
    known = context.settings[key]
    return ir.Const(known.value, known.type, setting=key, span=span)


def _check_range(context: Context, declaration: ast.SettingDecl, type: Type, value: Any) -> None:
    if not isinstance(type, Scalar) or value is None:
        return
    if type.low is None or type.high is None:
        if type.kind in (Kind.INT, Kind.NUMBER, Kind.PROBABILITY, Kind.MONEY, Kind.DURATION):
            name = declaration.name.text
            context.tell(
                codes.NOT_BOUNDED,
                declaration.type.span,
                what=f"setting `{name}`",
                help=f"say its range: `setting {name}: {show(type)} in LOW..HIGH = ...`",
            )
        return
    if not type.low <= Decimal(str(value)) <= type.high:
        context.tell(
            codes.OUT_OF_RANGE,
            declaration.value.span,
            what=f"`{declaration.name.text}`",
            range="in its range",
            found=value,
        )
