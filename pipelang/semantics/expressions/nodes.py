"""The nodes of typed expressions."""

from __future__ import annotations

from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass, field
from pipelang.semantics.types import Type

__all__ = [
    "Apply",
    "Arithmetic",
    "At",
    "BudgetLeft",
    "Builtin",
    "Choice",
    "Compare",
    "Comprehension",
    "Concatenation",
    "Const",
    "ElementRead",
    "Expr",
    "Field",
    "IsPresent",
    "Logic",
    "MakeList",
    "MakeRecord",
    "Matches",
    "Member",
    "Negate",
    "Not",
    "Read",
    "Select",
]

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
    """len, sum, min, max, any, all, round, first."""

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
class ElementRead:
    """The element that a comprehension is at. It is no value of the pipeline, so no `Read`."""

    name: str
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`[item for name in collection if condition]`; `condition` None takes every element."""

    item: Expr
    name: str
    collection: Expr
    condition: Expr | None
    type: Type = _type()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Concatenation:
    """`xs + ys` of lists."""

    left: Expr
    right: Expr
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
    | ElementRead
    | Comprehension
    | Concatenation
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
