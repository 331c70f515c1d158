"""Expressions of the oracle's AST, and the one question that matters about them: what they mention.

There is no evaluation of texts or records here. An expression is either a condition, whose atoms
are drawn (see `enumerate_runs`), or a value, of which only the names in it count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Path:
    """A value in scope (a step, an input or a `let`), or a field of it.

    Two fields are none: `?` is whether the value is there, `length` how long a list is.
    """

    value: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, as it is written: `true`, `simple`, `"x"`, `50%`."""

    text: str


@dataclass(frozen=True, slots=True)
class Is:
    """`PATH == MEMBER`, or `!=`; of a bool path, MEMBER is `true` or `false`."""

    path: Path
    member: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """`PATH in [a, b]`, or `not in`."""

    path: Path
    members: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    of: Expr


@dataclass(frozen=True, slots=True)
class And:
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Or:
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Confidence:
    """`STEP.confidence OP THRESHOLD`, decided by the rows of an evidence file."""

    step: str
    op: Literal[">=", ">", "<", "<="]
    threshold: Fraction


@dataclass(frozen=True, slots=True)
class Choice:
    """`if c then a else b`, as a value: it mentions all three."""

    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """`len(PATH) > 0`: a way to mention a list in a text."""

    path: Path


@dataclass(frozen=True, slots=True)
class ListOf:
    elements: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Quantified:
    """`any` or `all` over conditions in a list: the list itself, or `[not] x for x in LIST`.

    `apart` is where the list is written as a sum of two, None for one list.
    """

    word: Literal["any", "all"]
    elements: tuple[Expr, ...]
    variable: str | None = None
    negated: bool = False
    apart: int | None = None


@dataclass(frozen=True, slots=True)
class RecordOf:
    fields: tuple[tuple[str, Expr], ...]


Expr: TypeAlias = (
    Path
    | Constant
    | Is
    | In
    | Not
    | And
    | Or
    | Confidence
    | Choice
    | NotEmpty
    | ListOf
    | Quantified
    | RecordOf
)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expr:
        case Path() | Constant() | Confidence():
            return ()
        case Is(path=path) | In(path=path) | NotEmpty(path=path):
            return (path,)
        case Not(of=of):
            return (of,)
        case And(left=left, right=right) | Or(left=left, right=right):
            return (left, right)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case ListOf(elements=elements) | Quantified(elements=elements):
            return elements
        case RecordOf(fields=fields):
            return tuple(value for _, value in fields)
        case _:
            assert_never(expr)


def names_in(expr: Expr) -> Iterator[str]:
    """Every value that an expression names, `let`s as they are, in writing order."""
    if isinstance(expr, Path):
        yield expr.value
    elif isinstance(expr, Confidence):
        yield expr.step
    for part in parts(expr):
        yield from names_in(part)


def subexpressions(expr: Expr) -> Iterator[Expr]:
    yield expr
    for part in parts(expr):
        yield from subexpressions(part)
