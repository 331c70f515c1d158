"""Expressions in the language's own words, for messages, reports and the names of parameters.

What is shown reads back as the same expression: two different ones never look alike.
"""

from __future__ import annotations

from typing import Any, assert_never

from pipelang.digests import sha256_hex
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
from pipelang.semantics.expressions.traverse import mentions, parts
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import EnumType

# How tightly an expression holds together; a part that holds less tightly gets parentheses.
_IF, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _UNARY, _PRIMARY = range(9)
_OPERATORS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "and": _AND, "or": _OR}


MOST_SHOWN = 300
"""Parts of an expression that is written out in a name (`brief`)."""


def brief(expr: Expr) -> str:
    """An expression as people would write it; a long one by the names that it mentions and a digest
    of its structure, so that two different ones still have different names.

    Expressions share their parts where a `let` is mentioned twice, so one of a few lines can be
    gigabytes when it is written out.
    """
    sizes: dict[int, int] = {}
    if _size(expr, sizes) <= MOST_SHOWN:
        return show(expr)
    names = ", ".join(sorted(mentions(expr)))
    return f"expression {_digest(expr, {})[:8]} over {names}"


def _size(expr: Expr, known: dict[int, int]) -> int:
    """Number of parts of an expression, written out."""
    size = known.get(id(expr))
    if size is None:
        size = known[id(expr)] = 1 + sum(_size(part, known) for part in parts(expr))
    return size


def _digest(value: Any, known: dict[int, str]) -> str:
    """A digest of an expression, or of what one consists of."""
    if isinstance(value, tuple):
        text = " ".join(_digest(part, known) for part in value)
        return f"({text})"
    if not isinstance(value, Expr):
        return repr(value)
    found = known.get(id(value))
    if found is None:
        fields = (
            _digest(getattr(value, name), known)
            for name in value.__match_args__
            if name not in ("type", "span", "setting")
        )
        text = f"{type(value).__name__} {' '.join(fields)}"
        found = known[id(value)] = sha256_hex(text.encode("utf-8", "surrogatepass"))
    return found


def show(expr: Expr) -> str:
    """An expression as people would write it."""
    match expr:
        case Const():
            return expr.setting or _constant(expr)
        case Read() | ElementRead():
            return expr.name
        case Field():
            return f"{_part(expr.target, _PRIMARY)}.{expr.name}"
        case At():
            return f"{_part(expr.target, _PRIMARY)}[{show(expr.index)}]"
        case IsPresent():
            return f"{_part(expr.target, _PRIMARY)}?"
        case Builtin(arguments=(Comprehension() as inner,)) if expr.function in OVER_ELEMENTS:
            return f"{expr.function}({_comprehension(inner)})"
        case Comprehension():
            return f"[{_comprehension(expr)}]"
        case Apply() | Builtin():
            return f"{expr.function}({', '.join(map(show, expr.arguments))})"
        case MakeList():
            return f"[{', '.join(map(show, expr.items))}]"
        case MakeRecord():
            return "{" + ", ".join(f"{name}: {show(value)}" for name, value in expr.fields) + "}"
        case Not(operand=Compare(op="==") as equal):
            return f"{_part(equal.left, _SUM)} != {_part(equal.right, _SUM)}"
        case Not(operand=Member() as member):
            return f"{_part(member.item, _SUM)} not in {_part(member.collection, _SUM)}"
        case Not():
            return f"not {_part(expr.operand, _NOT)}"
        case Negate():
            return f"-{_part(expr.operand, _UNARY)}"
        case Concatenation():
            return f"{_part(expr.left, _SUM)} + {_part(expr.right, _PRODUCT)}"
        case Logic() | Arithmetic():
            level = _OPERATORS[expr.op]
            left, right = _part(expr.left, level), _part(expr.right, level + 1)
            return f"{left} {expr.op} {right}"
        case Compare(left=Const()) if expr.op != "==" and not isinstance(expr.right, Const):
            op = {"<": ">", "<=": ">="}[expr.op]
            return f"{_part(expr.right, _SUM)} {op} {_part(expr.left, _SUM)}"
        case Compare():
            return f"{_part(expr.left, _SUM)} {expr.op} {_part(expr.right, _SUM)}"
        case Member():
            return f"{_part(expr.item, _SUM)} in {_part(expr.collection, _SUM)}"
        case Matches():
            return f"{_part(expr.text, _SUM)} matches {expr.patterns}"
        case Choice():
            then, otherwise = show(expr.then), show(expr.otherwise)
            return f"if {show(expr.condition)} then {then} else {otherwise}"
        case Select():
            subject = expr.subject
            arms = " ".join(
                f"{_pattern(taken, subject)} => {show(arm)}" for taken, arm in expr.arms
            )
            return f"match {show(subject)} {{ {arms} }}"
        case BudgetLeft():
            return "budget.remaining" + ("" if expr.what == "money" else f".{expr.what}")
        case _:
            assert_never(expr)


OVER_ELEMENTS = frozenset({"any", "all", "sum", "min", "max"})
"""Functions that take a comprehension without its brackets."""


def _comprehension(expr: Comprehension) -> str:
    head = f"{show(expr.item)} for {expr.name} in {show(expr.collection)}"
    return head if expr.condition is None else f"{head} if {show(expr.condition)}"


def _part(expr: Expr, level: int) -> str:
    text = show(expr)
    return f"({text})" if _level(expr) < level else text


def _level(expr: Expr) -> int:
    match expr:
        case Choice():
            return _IF
        case Logic() | Arithmetic():
            return _OPERATORS[expr.op]
        case Concatenation():
            return _SUM
        case Not(operand=Compare(op="==") | Member()):
            return _COMPARISON
        case Not():
            return _NOT
        case Compare() | Member() | Matches():
            return _COMPARISON
        case Negate():
            return _UNARY
        case _:
            return _PRIMARY


def _pattern(taken: tuple[object, ...] | None, subject: Expr) -> str:
    if taken is None:
        return "else"
    return ", ".join(_constant(Const(value, subject.type)) for value in taken)


def _constant(expr: Const) -> str:
    if isinstance(expr.type, EnumType):
        return expr.type.name_of(str(expr.value))
    return show_value(expr.value, expr.type)
