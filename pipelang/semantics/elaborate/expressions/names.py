"""Names and fields in expressions: values, enum members by expectation, settings, tiers, roles."""

from __future__ import annotations

from itertools import chain

from pipelang.diagnostics import Help, SafeFix, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.elaborate.expressions.optionals import absent
from pipelang.semantics.symbols import Symbol, listed, suggestion
from pipelang.semantics.types import (
    ANSWERER,
    DURATION,
    INT,
    JSON,
    MONEY,
    TEXT,
    TOKENS,
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NothingType,
    OptionalType,
    RecordType,
    Type,
    optional,
    present,
    quoted,
)
from pipelang.syntax import ast

BUDGET_PARTS = {"time": DURATION, "tokens": TOKENS, "steps": INT}


def elaborate_name(
    context: Context, scope: Scope, node: ast.NameRef, expected: Type | None
) -> expr.Expr:
    """A bare name: a value in scope first, then a member of the enum that is expected."""
    name = node.name
    local = scope.names.get(name)
    if local is not None:
        context.read.add(local.span)
        context.refer(node.span, local.declared or local.span)
        if isinstance(local.type, NothingType):
            help = "its tool has no `->`, so it answers nothing"
            context.tell(
                codes.TYPE_MISMATCH,
                node.span,
                help=help,
                expected="a value",
                found=f"`{name}`, which has none",
            )
            return broken(node.span)
        made = expr.ElementRead if name in scope.elements else expr.Read
        read = made(name, local.type, node.span)
        return made(name, present(local.type), node.span) if scope.is_present(read) else read
    symbol = context.symbols.find(scope.file, name)
    if symbol is not None and symbol.kind == "setting":
        from pipelang.semantics.elaborate.expressions.settings import setting

        context.symbols.use(scope.file, symbol)
        context.refer(node.span, symbol.declaration.name.span)
        return setting(context, symbol.key, node.span)
    wanted = None if expected is None else present(expected)
    member = wanted.value_of(name) if isinstance(wanted, EnumType) else None
    if isinstance(wanted, EnumType) and member is not None:
        context.refer_to_part(node.span, wanted.name, name)
        return expr.Const(member, wanted, span=node.span)
    if symbol is None:
        _unknown(context, scope, node, wanted)
        return broken(node.span)
    context.symbols.use(scope.file, symbol)
    context.refer(node.span, symbol.declaration.name.span)
    if isinstance(wanted, AnswererType):
        if symbol.kind in ("tier", "role"):
            return expr.Const(symbol.key, ANSWERER, span=node.span)
        context.wrong_kind(ast.Name(name, node.span), symbol, "a tier or a role")
    elif not isinstance(wanted, ErrorType):
        context.wrong_kind(ast.Name(name, node.span), symbol, "a value", _instead(symbol))
    return broken(node.span)


def _instead(symbol: Symbol) -> str | None:
    name = symbol.declaration.name.text
    verb = {"tool": "call", "prompt": "ask", "pipeline": "run", "memory": "recall"}.get(symbol.kind)
    if verb is not None:
        return f"give it a step, and use the step's name here: `step x = {verb} {name}(...)`"
    return f"call it: `{name}(...)`" if symbol.kind == "fn" else None


_CONSTANTS = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
    **dict.fromkeys(("None", "null", "nil", "undefined"), "none"),
}
_ELSEWHERE: dict[str, Help] = {
    **{word: SafeFix(f"write `{meant}`", word, meant) for word, meant in _CONSTANTS.items()},
    "budget": "`budget.remaining` can be read in a step and in `traffic` only",
    "it": "`it` is the answer in the `until` of a cascade",
}


def _unknown(context: Context, scope: Scope, node: ast.NameRef, wanted: Type | None) -> None:
    name = node.name
    help: Help | None
    if scope.is_later(name):
        help = "values are made before they are used: move its step up"
        context.tell(codes.NOT_YET, node.span, name=name, help=help)
    elif scope.is_gone(name):
        context.tell(codes.OUT_OF_BLOCK, node.span, name=name)
    elif isinstance(wanted, AnswererType):
        context.unknown(scope.file, ast.Name(name, node.span), ("tier", "role"))
    elif "" in scope.names or context.symbols.is_lost(scope.file, name):
        pass  # it may be the value of the step whose name was left out
    elif isinstance(wanted, EnumType):
        help = suggestion(name, chain(wanted.written, scope.names))
        help = help or "members: " + listed(wanted.written)
        what = f"member of {wanted.name}"
        context.tell(codes.UNKNOWN_NAME, node.span, what=what, name=name, help=help)
    else:
        settings = context.symbols.names(scope.file, "setting")
        help = _ELSEWHERE.get(name) or suggestion(name, chain(settings, scope.names))
        help = help or _member_elsewhere(context, scope, name)
        help = help or context.elsewhere(scope.file, name, ("setting",))
        help = help or context.offer(name, ("setting",))
        context.tell(codes.UNKNOWN_NAME, node.span, what="name", name=name, help=help)


def _member_elsewhere(context: Context, scope: Scope, name: str) -> str | None:
    """Place of the member of this name in an enum."""
    for symbol in context.symbols.scopes[scope.file].values():
        declaration = symbol.declaration
        if isinstance(declaration, ast.EnumDecl) and any(
            m.name.text == name for m in declaration.members
        ):
            enum = declaration.name.text
            return f"`{name}` is a member of `{enum}`, and stands only where a `{enum}` is expected"
    return None


def elaborate_field(context: Context, scope: Scope, node: ast.FieldRef) -> expr.Expr:
    """`target.name`: a field of a record, a part of a json, or what is left of the budget."""
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    left = _budget_left(scope, node)
    if left is not None:
        return left
    target = elaborate(context, scope, node.target)
    type, name = target.type, node.name.text
    match type:
        case ErrorType():
            pass
        case OptionalType():
            return absent(context, target, node.target.span)
        case RecordType():
            field = type.field(name)
            if field is not None:
                context.refer_to_part(node.name.span, type.name, name)
                typed = expr.Field(target, name, field.type, node.span)
                if scope.is_present(typed):
                    return expr.Field(target, name, present(field.type), node.span)
                return typed
            close = suggestion(name, [f.name for f in type.fields])
            help: Help | None = close or "fields: " + listed(f.name for f in type.fields)
            context.tell(
                codes.UNKNOWN_FIELD, node.name.span, help=help, type=quoted(type), name=name
            )
        case _ if type == JSON:
            return expr.Field(target, name, optional(JSON), node.span)
        case _:
            help = None
            counted = type == TEXT or isinstance(type, (ListType, MapType))
            if counted and name in ("length", "size", "count", "len"):
                help = f"write `len({expr.show(target)})`"
            context.tell(
                codes.UNKNOWN_FIELD, node.name.span, help=help, type=quoted(type), name=name
            )
    return broken(node.span)


def _budget_left(scope: Scope, node: ast.FieldRef) -> expr.Expr | None:
    """`budget.remaining` and `budget.remaining.time`, where a budget can be asked."""

    def is_remaining(part: ast.Expr) -> bool:
        return (
            isinstance(part, ast.FieldRef)
            and part.name.text == "remaining"
            and isinstance(part.target, ast.NameRef)
            and part.target.name == "budget"
        )

    if not scope.budget:
        return None
    if is_remaining(node):
        return expr.BudgetLeft("money", MONEY, node.span)
    if is_remaining(node.target) and node.name.text in BUDGET_PARTS:
        return expr.BudgetLeft(node.name.text, BUDGET_PARTS[node.name.text], node.span)
    return None
