"""Syntax nodes of types: labels, a core, `?` and constraints."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.expressions import Broken, Literal, Name, span_field

__all__ = [
    "Constraint",
    "DecisionType",
    "InRange",
    "ListType",
    "MapType",
    "MatchesPatterns",
    "Max",
    "NamedType",
    "TypeCore",
    "TypeExpr",
]


@dataclass(frozen=True, slots=True)
class NamedType:
    name: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class DecisionType:
    """`decision E`: one of the values of an enum or `bool`, and how sure it is."""

    name: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ListType:
    element: TypeExpr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MapType:
    """`{text: T}`."""

    key: Name
    value: TypeExpr
    span: Span = span_field()


TypeCore = NamedType | DecisionType | ListType | MapType | Broken


@dataclass(frozen=True, slots=True)
class Max:
    limit: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class InRange:
    """`in LOW..HIGH`, both ends included."""

    low: Literal
    high: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MatchesPatterns:
    patterns: Name
    span: Span = span_field()


Constraint = Max | InRange | MatchesPatterns


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """`labels` are among `untrusted`, `private`, `secret`, in the order written."""

    labels: tuple[str, ...]
    core: TypeCore
    optional: bool
    constraints: tuple[Constraint, ...]
    span: Span = span_field()
