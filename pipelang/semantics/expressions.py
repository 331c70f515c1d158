"""Typed expressions: what is left of an expression once names, types and settings are known.

Pure, loop-free, total. Quantities are exact: probabilities and money are `Decimal`, durations are
seconds in `Decimal`. A setting has become the constant of this program, with its name kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from pipelang.diagnostics import Span
from pipelang.semantics.types import Type

_NOWHERE = Span("", 0, 0)


def _span() -> Any:
    return field(default=_NOWHERE, compare=False, repr=False)


def _type() -> Any:
    return field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Const:
    """A constant; `value` is None, bool, int, Decimal or str (also for enum members)."""

    value: Any
    type: Type = _type()
    setting: str | None = field(default=None, compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a parameter, step, let or element, by name."""

    name: str
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Field:
    target: Expr
    name: str
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class At:
    """`xs[i]`, `m[k]`: absent when out of range."""

    target: Expr
    index: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class IsPresent:
    target: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Apply:
    """A call of a declared `fn`."""

    function: str
    arguments: tuple[Expr, ...]
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Builtin:
    """len, sum, min, max, round, first."""

    function: str
    arguments: tuple[Expr, ...]
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class MakeList:
    items: tuple[Expr, ...]
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class MakeRecord:
    """A record (its type is a RecordType) or a map (a MapType)."""

    fields: tuple[tuple[str, Expr], ...]
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Negate:
    operand: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Logic:
    """`op` is `and` or `or`."""

    op: str
    left: Expr
    right: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Compare:
    """`op` is `==`, `<` or `<=`; the others were turned into these."""

    op: str
    left: Expr
    right: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Member:
    """`x in xs`."""

    item: Expr
    collection: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Matches:
    text: Expr
    patterns: str
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`op` is one of + - * /."""

    op: str
    left: Expr
    right: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Choice:
    """`if condition then a else b`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Select:
    """`match`: the first arm with the subject's value; `values` None takes what is left."""

    subject: Expr
    arms: tuple[tuple[tuple[Any, ...] | None, Expr], ...]
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """`budget.remaining.WHAT`; `what` is money, time, tokens or steps."""

    what: str
    type: Type = _type()
    span: Span = _span()


Expr = (
    Const
    | Read
    | Field
    | At
    | IsPresent
    | Apply
    | Builtin
    | MakeList
    | MakeRecord
    | Not
    | Negate
    | Logic
    | Compare
    | Member
    | Matches
    | Arithmetic
    | Choice
    | Select
    | BudgetLeft
)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expr:
        case Const() | Read() | BudgetLeft():
            return ()
        case Field() | IsPresent():
            return (expr.target,)
        case At():
            return (expr.target, expr.index)
        case Apply() | Builtin():
            return expr.arguments
        case MakeList():
            return expr.items
        case MakeRecord():
            return tuple(value for _, value in expr.fields)
        case Not() | Negate():
            return (expr.operand,)
        case Logic() | Compare() | Arithmetic():
            return (expr.left, expr.right)
        case Member():
            return (expr.item, expr.collection)
        case Matches():
            return (expr.text,)
        case Choice():
            return (expr.condition, expr.then, expr.otherwise)
        case Select():
            return (expr.subject, *(value for _, value in expr.arms))
        case _:
            assert_never(expr)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything inside it, outermost first."""
    yield expr
    for part in parts(expr):
        yield from walk(part)


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced by other expressions."""

    def inside(part: Expr) -> Expr:
        return substitute(part, values)

    match expr:
        case Const() | BudgetLeft():
            return expr
        case Read():
            return values.get(expr.name, expr)
        case Field() | IsPresent():
            return replace(expr, target=inside(expr.target))
        case At():
            return replace(expr, target=inside(expr.target), index=inside(expr.index))
        case Apply() | Builtin():
            return replace(expr, arguments=tuple(map(inside, expr.arguments)))
        case MakeList():
            return replace(expr, items=tuple(map(inside, expr.items)))
        case MakeRecord():
            return replace(expr, fields=tuple((n, inside(v)) for n, v in expr.fields))
        case Not() | Negate():
            return replace(expr, operand=inside(expr.operand))
        case Logic() | Compare() | Arithmetic():
            return replace(expr, left=inside(expr.left), right=inside(expr.right))
        case Member():
            return replace(expr, item=inside(expr.item), collection=inside(expr.collection))
        case Matches():
            return replace(expr, text=inside(expr.text))
        case Choice():
            return replace(
                expr,
                condition=inside(expr.condition),
                then=inside(expr.then),
                otherwise=inside(expr.otherwise),
            )
        case Select():
            arms = tuple((pattern, inside(value)) for pattern, value in expr.arms)
            return replace(expr, subject=inside(expr.subject), arms=arms)
        case _:
            assert_never(expr)


def mentions(expr: Expr) -> frozenset[str]:
    """The names whose values an expression mentions."""
    return frozenset(node.name for node in walk(expr) if isinstance(node, Read))


def path_of(expr: Expr) -> tuple[str, ...] | None:
    """`kind.complexity` as ("kind", "complexity"); None for anything but a dotted path."""
    match expr:
        case Read():
            return (expr.name,)
        case Field():
            head = path_of(expr.target)
            return None if head is None else (*head, expr.name)
        case _:
            return None


def show(expr: Expr) -> str:
    """An expression in the language's own words, for messages and reports."""
    match expr:
        case Const():
            return expr.setting or _show_constant(expr)
        case Read():
            return expr.name
        case Field():
            return f"{show(expr.target)}.{expr.name}"
        case At():
            return f"{show(expr.target)}[{show(expr.index)}]"
        case IsPresent():
            return f"{show(expr.target)}?"
        case Apply() | Builtin():
            return f"{expr.function}({', '.join(map(show, expr.arguments))})"
        case MakeList():
            return f"[{', '.join(map(show, expr.items))}]"
        case MakeRecord():
            return "{" + ", ".join(f"{name}: {show(value)}" for name, value in expr.fields) + "}"
        case Not():
            return f"not {show(expr.operand)}"
        case Negate():
            return f"-{show(expr.operand)}"
        case Logic() | Compare() | Arithmetic():
            return f"{show(expr.left)} {expr.op} {show(expr.right)}"
        case Member():
            return f"{show(expr.item)} in {show(expr.collection)}"
        case Matches():
            return f"{show(expr.text)} matches {expr.patterns}"
        case Choice():
            return f"if {show(expr.condition)} then {show(expr.then)} else {show(expr.otherwise)}"
        case Select():
            return f"match {show(expr.subject)} {{ ... }}"
        case BudgetLeft():
            return f"budget.remaining.{expr.what}"
        case _:
            assert_never(expr)


def _show_constant(expr: Const) -> str:
    from pipelang.semantics.quantities import show_value
    from pipelang.semantics.types import EnumType

    if isinstance(expr.type, EnumType):
        return str(expr.value)
    return show_value(expr.value, expr.type)
