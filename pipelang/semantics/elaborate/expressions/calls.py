"""Calls: arguments to parameters, declared functions, and the few built-in ones."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.diagnostics import Help, Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.broken_parts import flawed
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.elaborate.expressions.constants import literal
from pipelang.semantics.elaborate.expressions.optionals import absent
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.program import Parameter
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS, listed, suggestion
from pipelang.semantics.types import (
    BOOL,
    DURATION,
    ERROR,
    INT,
    MONEY,
    NUMBER,
    PROBABILITY,
    TEXT,
    TIME,
    TOKENS,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    Scalar,
    Type,
    join,
    optional,
    quoted,
    unbounded,
)
from pipelang.syntax import ast

Bound = tuple[tuple[str, expr.Expr], ...]


def bind(
    context: Context,
    scope: Scope,
    what: str,
    parameters: Sequence[Parameter],
    arguments: tuple[ast.Argument, ...],
    span: Span,
    *,
    checked: bool = False,
    some: bool = False,
) -> Bound:
    """Arguments by parameter name, in the parameters' order, defaults filled in.

    `checked` says that the callee looks at its arguments again while running. `some` leaves out
    the parameters that are not given.
    """
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    given: dict[str, expr.Expr] = {}
    by_name: dict[str, Parameter] = {}
    late = after_a_name = False
    for position, argument in enumerate(arguments):
        if argument.name is None:
            if position >= len(parameters):
                if isinstance(argument.value, ast.Broken):
                    continue
                context.tell(
                    codes.ARGUMENTS,
                    argument.span,
                    what=f"`{what}` takes {_count(len(parameters))}, this is one more",
                )
                elaborate(context, scope, argument.value, ERROR)
                continue
            parameter = parameters[position]
            if after_a_name and not late:
                late = True
                if parameter.name not in given:
                    context.tell(
                        codes.ARGUMENTS,
                        argument.span,
                        what="this argument has no name, and one before it has",
                        help=f"name it too: `{parameter.name}: ...`",
                    )
        else:
            after_a_name = True
            by_name = by_name or {parameter.name: parameter for parameter in parameters}
            found = by_name.get(argument.name.text)
            if found is None:
                name = argument.name.text
                inner = next((one.name for one in parameters if one.key == name), None)
                help = suggestion(name, by_name)
                if inner is not None:
                    help = f"that is its name outside of the file; here it is `{inner}`"
                elif help is None and by_name:
                    help = "parameters: " + listed(by_name)
                where = f"parameter of {what}"
                context.tell(codes.UNKNOWN_NAME, argument.span, what=where, name=name, help=help)
                elaborate(context, scope, argument.value, ERROR)
                continue
            parameter = found
            context.refer(argument.name.span, name_place(parameter))
        if parameter.name in given:
            context.tell(codes.ARGUMENTS, argument.span, what=f"`{parameter.name}` is given twice")
        given[parameter.name] = elaborate(
            context, scope, argument.value, parameter.type, checked=checked
        )
    result = []
    missing = []
    for parameter in parameters:
        if parameter.name in given:
            result.append((parameter.name, given[parameter.name]))
        elif some:
            pass
        elif parameter.has_default:
            result.append((parameter.name, literal(parameter.default, parameter.type, span)))
        elif isinstance(parameter.type, OptionalType):
            result.append((parameter.name, expr.Const(None, parameter.type, span=span)))
        else:
            missing.append(f"`{parameter.name}`")
    if missing and not flawed(argument.value for argument in arguments):
        context.tell(codes.ARGUMENTS, span, what=f"`{what}` lacks {', '.join(missing)}")
    return tuple(result)


def name_place(parameter: Parameter) -> Span | None:
    """The place of a parameter's name, with which it begins; None where it stands in no file."""
    if parameter.span is None:
        return None
    file, start, _ = parameter.span
    return Span(file, start, start + len(parameter.name))


def _count(number: int) -> str:
    return {0: "no arguments", 1: "one argument"}.get(number, f"{number} arguments")


def elaborate_call(context: Context, scope: Scope, node: ast.CallFn) -> expr.Expr:
    """A call of a declared or built-in function."""
    from pipelang.semantics.elaborate.expressions.expressions import elaborate
    from pipelang.semantics.elaborate.expressions.signatures import signature

    name = node.function.text
    for argument in node.arguments:
        bare = isinstance(argument.value, ast.ListFor) and argument.value.bare
        if bare and name not in expr.OVER_ELEMENTS:
            help = "a list is written in brackets: `[E for x in xs]`"
            what = f"`{name}` takes no elements one by one"
            context.tell(codes.ARGUMENTS, argument.span, what=what, help=help)
    if name in BUILTIN_FUNCTIONS:
        return _builtin(context, scope, node)
    symbol = context.symbols.find(scope.file, name)
    if symbol is None or symbol.kind != "fn":
        _no_function(context, scope, node.function)
        for argument in node.arguments:
            elaborate(context, scope, argument.value, ERROR)
        return broken(node.span)
    context.symbols.use(scope.file, symbol)
    context.refer(node.function.span, symbol.declaration.name.span)
    pending = symbol.key in context.pending
    parameters, returns = signature(context, symbol.key)
    if pending:
        return broken(node.span)
    bound = bind(context, scope, name, parameters, node.arguments, node.span)
    if len(bound) < len(parameters) or isinstance(returns, ErrorType):
        return broken(node.span)
    return expr.Apply(symbol.key, tuple(value for _, value in bound), returns, node.span)


def _no_function(context: Context, scope: Scope, name: ast.Name) -> None:
    """Report that something that is called is no `fn`."""
    symbol = context.symbols.find(scope.file, name.text)
    help: Help | None
    if symbol is not None:
        verb = {"tool": "call", "prompt": "ask", "pipeline": "run"}.get(symbol.kind)
        help = None
        if verb is not None:
            help = f"a {symbol.kind} needs a step: `step x = {verb} {name.text}(...)`"
        context.symbols.use(scope.file, symbol)
        context.wrong_kind(name, symbol, "a fn", help)
    elif name.text in scope.names:
        context.tell(codes.WRONG_KIND, name.span, name=name.text, found="a value", expected="a fn")
    elif not context.symbols.is_lost(scope.file, name.text):
        functions = [*context.symbols.names(scope.file, "fn"), *BUILTIN_FUNCTIONS]
        help = context.elsewhere(scope.file, name.text, ("fn",))
        help = help or _ELSEWHERE.get(name.text) or suggestion(name.text, functions)
        help = help or context.offer(name.text, ("fn",))
        context.tell(codes.UNKNOWN_NAME, name.span, what="fn", name=name.text, help=help)


_ELSEWHERE = {
    **dict.fromkeys(("length", "size", "count"), "it is called `len`"),
    **dict.fromkeys(("truncate", "head", "take"), "it is called `first`: `first(x, 4k tokens)`"),
    **dict.fromkeys(("floor", "ceil", "int", "abs"), "there is `round`"),
}


def _builtin(context: Context, scope: Scope, node: ast.CallFn) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    name = node.function.text
    named = [argument for argument in node.arguments if argument.name is not None]
    if named:
        context.tell(
            codes.ARGUMENTS, named[0].span, what=f"`{name}` takes its arguments by position"
        )
        return broken(node.span)
    values = tuple(elaborate(context, scope, argument.value) for argument in node.arguments)
    for value in values:
        if isinstance(value.type, OptionalType):
            return absent(context, value, value.span)
    if any(isinstance(value.type, ErrorType) for value in values):
        return broken(node.span)
    type = _builtin_type(name, values)
    if type is None:
        wanted = {
            "len": "a text, a list or a map",
            "sum": "a list of numbers, money or durations",
            "any": "a list of truth values",
            "all": "a list of truth values",
            "min": "a list, or two and more quantities of one kind",
            "max": "a list, or two and more quantities of one kind",
            "round": "a number, and the digits to keep if any",
            "first": "a text and an amount like 4k tokens, or a list and a whole number",
        }[name]
        found = ", ".join(quoted(value.type) for value in values) or "nothing"
        context.tell(codes.TYPE_MISMATCH, node.span, expected=f"{wanted} for `{name}`", found=found)
        return broken(node.span)
    return expr.Builtin(name, values, type, node.span)


_SUMMABLE = (INT, NUMBER, MONEY, DURATION)
_ORDERED = (*_SUMMABLE, PROBABILITY, TIME, TOKENS)


def _builtin_type(name: str, values: Sequence[expr.Expr]) -> Type | None:
    """The type of what a built-in function answers; None if it does not take these values."""
    types = [value.type for value in values]
    match name, types:
        case "len", [ListType() | MapType()]:
            return INT
        case "len", [type] if type == TEXT:
            return INT
        case "any" | "all", [ListType(element=Scalar() as type)] if type == BOOL:
            return BOOL
        case "sum", [ListType(element=Scalar() as type)] if type in _SUMMABLE:
            return unbounded(type)
        case "min" | "max", [ListType() as type] if type.element in _ORDERED:
            return optional(type.element)
        case "min" | "max", [first, *rest] if rest and first in _ORDERED:
            result: Type | None = first
            for type in rest:
                result = None if result is None else join(result, type)
            return result
        case "round", [type] if type in (INT, NUMBER):
            return INT
        case "round", [type, digits] if type in (INT, NUMBER) and digits == INT:
            return NUMBER
        case "first", [Scalar() as type, limit] if type == TEXT and limit == TOKENS:
            return replace(type, max_tokens=_smaller(type.max_tokens, values[1]))
        case "first", [ListType() as type, limit] if limit == INT:
            return replace(type, max_length=_smaller(type.max_length, values[1]))
        case _:
            return None


def _smaller(most: int | None, limit: expr.Expr) -> int | None:
    """Bounds of a length after it was limited."""
    try:
        value = fold(limit)
    except NotConstant:
        return most
    value = max(int(value), 0)
    return value if most is None else min(most, value)
