"""Going through expressions: their parts, the names they mention, and putting values in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from pipelang.records import replace
from pipelang.semantics.expressions.nodes import (
    Apply,
    Arithmetic,
    At,
    BudgetLeft,
    Builtin,
    Choice,
    Compare,
    Const,
    Expr,
    Field,
    IsPresent,
    Logic,
    MakeList,
    MakeRecord,
    Matches,
    Member,
    Negate,
    Not,
    Read,
    Select,
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
        case Field():
            target = inside(expr.target)
            if isinstance(target, MakeRecord) and expr.target != target:
                return dict(target.fields).get(expr.name) or replace(expr, target=target)
            return replace(expr, target=target)
        case IsPresent():
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
