"""Going through expressions: their parts, the names they mention, and putting values in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    Comprehension,
    Concatenation,
    Const,
    ElementRead,
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
        case Const() | Read() | ElementRead() | BudgetLeft():
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
        case Logic() | Compare() | Arithmetic() | Concatenation():
            return (expr.left, expr.right)
        case Comprehension():
            test = () if expr.condition is None else (expr.condition,)
            return (expr.collection, expr.item, *test)
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
    if isinstance(expr, Read):
        return values.get(expr.name, expr)
    return rebuilt(expr, lambda part: substitute(part, values))


def rebuilt(expr: Expr, inside: Callable[[Expr], Expr]) -> Expr:
    """The expression with each of its parts replaced by what `inside` makes of it."""
    match expr:
        case Const() | BudgetLeft() | ElementRead() | Read():
            return expr
        case Comprehension():
            return replace(
                expr,
                item=inside(expr.item),
                collection=inside(expr.collection),
                condition=None if expr.condition is None else inside(expr.condition),
            )
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
        case Logic() | Compare() | Arithmetic() | Concatenation():
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


def at_element(expr: Expr, name: str, element: Expr) -> Expr:
    """The expression with the element of the comprehension over `name` replaced by another."""
    match expr:
        case ElementRead():
            return element if expr.name == name else expr
        case Comprehension() if expr.name == name:  # an inner one of that name has its own element
            return replace(expr, collection=at_element(expr.collection, name, element))
        case _:
            return rebuilt(expr, lambda part: at_element(part, name, element))


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


def place_of(expr: Expr) -> tuple[str, ...] | None:
    """A dotted path that begins with a value, or with the element of a comprehension."""
    match expr:
        case ElementRead():
            return (expr.name,)
        case Field():
            head = place_of(expr.target)
            return None if head is None else (*head, expr.name)
        case _:
            return path_of(expr)
