"""Calls: arguments to parameters, declared functions, and the few built-in ones."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.program import Parameter
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS, suggestion
from pipelang.semantics.types import (
    DURATION,
    ERROR,
    INT,
    MONEY,
    NUMBER,
    PROBABILITY,
    TEXT,
    TOKENS,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    Type,
    join,
    show,
)
from pipelang.syntax import ast

Bound = tuple[tuple[str, ir.Expr], ...]


def bind(
    context: Context,
    scope: Scope,
    what: str,
    parameters: Sequence[Parameter],
    arguments: tuple[ast.Argument, ...],
    span: Span,
) -> Bound:
    """Arguments by parameter name, in the parameters' order, defaults filled in."""
    from pipelang.semantics.elaborate.expressions import elaborate

    given: dict[str, ir.Expr] = {}
    by_name = {parameter.name: parameter for parameter in parameters}
    for position, argument in enumerate(arguments):
        if argument.name is None:
            if position >= len(parameters):
                context.tell(
                    codes.ARGUMENTS,
                    argument.span,
                    what=f"`{what}` takes {len(parameters)} arguments, this is one more",
                )
                elaborate(context, scope, argument.value, ERROR)
                continue
            parameter = parameters[position]
        else:
            found = by_name.get(argument.name.text)
            if found is None:
                context.tell(
                    codes.UNKNOWN_NAME,
                    argument.name.span,
                    what=f"parameter of {what}",
                    name=argument.name.text,
                    help=suggestion(argument.name.text, by_name)
                    or "parameters: " + ", ".join(by_name),
                )
                elaborate(context, scope, argument.value, ERROR)
                continue
            parameter = found
        if parameter.name in given:
            context.tell(codes.ARGUMENTS, argument.span, what=f"`{parameter.name}` is given twice")
        given[parameter.name] = elaborate(context, scope, argument.value, parameter.type)
    result = []
    missing = []
    for parameter in parameters:
        if parameter.name in given:
            result.append((parameter.name, given[parameter.name]))
        elif parameter.has_default:
            constant = ir.Const(parameter.default, parameter.type, span=span)
            result.append((parameter.name, constant))
        elif isinstance(parameter.type, OptionalType):
            result.append((parameter.name, ir.Const(None, parameter.type, span=span)))
        else:
            missing.append(f"`{parameter.name}`")
    if missing:
        context.tell(codes.ARGUMENTS, span, what=f"`{what}` lacks {', '.join(missing)}")
    return tuple(result)


def elaborate_call(
    context: Context, scope: Scope, expr: ast.CallFn, expected: Type | None
) -> ir.Expr:
    from pipelang.semantics.elaborate.signatures import function_signature

    name = expr.function.text
    if name in BUILTIN_FUNCTIONS:
        return _builtin(context, scope, expr)
    symbol = context.symbols.find(scope.file, name)
    if symbol is None or symbol.kind != "fn":
        if symbol is not None and symbol.kind in ("tool", "prompt", "pipeline"):
            verb = {"tool": "call", "prompt": "ask", "pipeline": "run"}[symbol.kind]
            help = f"a {symbol.kind} needs a step: `step x = {verb} {name}(...)`"
            context.tell(
                codes.WRONG_KIND,
                expr.function.span,
                name=name,
                found=symbol.kind,
                expected="fn",
                help=help,
            )
        else:
            functions = [n for n, s in context.symbols.scopes[scope.file].items() if s.kind == "fn"]
            help = suggestion(name, [*functions, *BUILTIN_FUNCTIONS])
            context.tell(codes.UNKNOWN_NAME, expr.function.span, what="fn", name=name, help=help)
        return ir.Const(None, ERROR, span=expr.span)
    context.symbols.used.add(symbol.key)
    parameters, returns = function_signature(context, symbol.key)
    bound = bind(context, scope, name, parameters, expr.arguments, expr.span)
    return ir.Apply(symbol.key, tuple(value for _, value in bound), returns, expr.span)


def _builtin(context: Context, scope: Scope, expr: ast.CallFn) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    name = expr.function.text
    named = [argument for argument in expr.arguments if argument.name is not None]
    if named:
        context.tell(
            codes.ARGUMENTS, named[0].span, what=f"`{name}` takes its arguments by position"
        )
        return ir.Const(None, ERROR, span=expr.span)
    values = tuple(elaborate(context, scope, argument.value) for argument in expr.arguments)
    if any(isinstance(value.type, ErrorType) for value in values):
        return ir.Const(None, ERROR, span=expr.span)
    type = _builtin_type(name, [value.type for value in values])
    if type is None:
        wanted = {
            "len": "a text, a list or a map",
            "sum": "a list of numbers, money or durations",
            "min": "a list, or two and more quantities of one kind",
            "max": "a list, or two and more quantities of one kind",
            "round": "a number, and the digits to keep if any",
            "first": "a text and an amount like 4k tokens, or a list and a whole number",
        }[name]
        found = ", ".join(f"`{show(value.type)}`" for value in values) or "nothing"
        context.tell(codes.TYPE_MISMATCH, expr.span, expected=f"{wanted} for `{name}`", found=found)
        return ir.Const(None, ERROR, span=expr.span)
    return ir.Builtin(name, values, type, expr.span)


_SUMMABLE = (INT, NUMBER, MONEY, DURATION)
_ORDERED = (*_SUMMABLE, PROBABILITY)


def _builtin_type(name: str, types: list[Type]) -> Type | None:
    match name, types:
        case "len", [ListType() | MapType()]:
            return INT
        case "len", [type] if type == TEXT:
            return INT
        case "sum", [ListType() as type] if type.element in _SUMMABLE:
            return type.element
        case "min" | "max", [ListType() as type] if type.element in _ORDERED:
            return OptionalType(type.element)
        case "min" | "max", [first, *rest] if rest and first in _ORDERED:
            result: Type | None = first
            for type in rest:
                result = None if result is None else join(result, type)
            return result
        case "round", [type] if type in (INT, NUMBER):
            return INT
        case "round", [type, digits] if type in (INT, NUMBER) and digits == INT:
            return NUMBER
        case "first", [type, limit] if type == TEXT and limit == TOKENS:
            return type
        case "first", [ListType() as type, limit] if limit == INT:
            return type
        case _:
            return None
