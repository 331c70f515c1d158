"""Syntax nodes of expressions, which are pure, loop-free and total."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass, field

if TYPE_CHECKING:
    from pipelang.syntax.ast.actions import Link

__all__ = [
    "Argument",
    "Arm",
    "Binary",
    "Broken",
    "CallFn",
    "Else",
    "Expr",
    "FieldInit",
    "FieldRef",
    "If",
    "Index",
    "ListFor",
    "ListOf",
    "Literal",
    "LiteralKind",
    "Match",
    "Name",
    "NameRef",
    "Pattern",
    "Present",
    "RecordOf",
    "Unary",
    "span_field",
]


def span_field() -> Span:
    """The span of a node: kept for messages, left out of comparisons."""
    span: Span = field(compare=False, repr=False, default=Span("", 0, 0))
    return span


class LiteralKind(Enum):
    """The type of a literal, its unit included."""

    __hash__ = object.__hash__  # a member is itself only; that of Enum is a function of Python

    INT = "int"
    NUMBER = "number"
    PROBABILITY = "probability"
    MONEY = "money"
    DURATION = "duration"
    TOKENS = "tokens"
    PAGES = "pages"
    RATE = "rate"
    TEXT = "text"
    BOOL = "bool"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier where it is declared or used as a bare word."""

    text: str
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Broken:
    """A part that could not be read and was reported; the rest of the tree stays usable.

    `kind` says what it should have been (`item`, `option`, `expression`, ...), `name` what it would
    have declared, where that could be seen, and `inside` what items that were lost with it would
    have.
    """

    kind: str
    name: Name | None = None
    inside: tuple[Name, ...] = ()
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal. `value` is exact: a probability as a share (70% is 0.7), money in dollars,
    a duration in seconds, a rate in events per second as `(count, seconds)`.
    """

    kind: LiteralKind
    value: int | Decimal | str | bool | tuple[int, int] | None
    raw: str = field(compare=False)
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class NameRef:
    name: str
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class FieldRef:
    target: Expr
    name: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Index:
    target: Expr
    index: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Present:
    """`x?`: whether an optional value is there."""

    target: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument; `name` is None for a positional one."""

    name: Name | None
    value: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class CallFn:
    function: Name
    arguments: tuple[Argument, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Expr, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ListFor:
    """`[item for name in collection if condition]`; without its brackets as the only argument of a
    function (`bare`).
    """

    item: Expr
    name: Name
    collection: Expr
    condition: Expr | None
    bare: bool = False
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class FieldInit:
    """`key: value` of a record or map literal; `quoted` keys belong to maps."""

    key: Name
    quoted: bool
    value: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class RecordOf:
    fields: tuple[FieldInit, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Unary:
    """`op` is `not` or `-`."""

    op: str
    operand: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Binary:
    """`op` is one of and or == != < <= > >= in, not in, matches, + - * /."""

    op: str
    left: Expr
    right: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class If:
    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Else:
    """The pattern that takes what is left."""

    span: Span = span_field()


Pattern = tuple[Literal | Name, ...] | Else
"""Members, texts and truth values, any of which fits; or `else`."""


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of a match. In an expression its link is a bare `Pure` action without options."""

    pattern: Pattern
    link: Link
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Match:
    subject: Expr
    arms: tuple[Arm | Broken, ...]
    span: Span = span_field()


Expr = (
    Literal
    | NameRef
    | FieldRef
    | Index
    | Present
    | CallFn
    | ListOf
    | ListFor
    | RecordOf
    | Unary
    | Binary
    | If
    | Match
    | Broken
)
