"""Syntax nodes of options of providers, tiers, roles and memories; and the union of all options."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.action_options import ActionOption, Rate, Spread
from pipelang.syntax.ast.expressions import Broken, Expr, Literal, Name, span_field

__all__ = [
    "AsOf",
    "Available",
    "BaseUrl",
    "Context",
    "CostAnHour",
    "Handles",
    "Hours",
    "Keeps",
    "Key",
    "Kind",
    "Model",
    "MustDifferFrom",
    "Option",
    "PeopleOption",
    "Price",
    "PriceItem",
    "Provider",
    "Responds",
    "Rushed",
    "Transient",
    "Weight",
]


@dataclass(frozen=True, slots=True)
class Kind:
    name: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Key:
    reference: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class BaseUrl:
    url: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Available:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Provider:
    name: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Model:
    id: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class PriceItem:
    """A price in dollars per million tokens; `kind` is in, out, cache_write or cache_read."""

    kind: str
    amount: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Price:
    items: tuple[PriceItem, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Transient:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Context:
    size: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class AsOf:
    date: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class PeopleOption:
    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Handles:
    mean: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Responds:
    spread: Spread
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Hours:
    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Weight:
    weight: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Rushed:
    duration: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class CostAnHour:
    amount: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MustDifferFrom:
    role: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Keeps:
    duration: Expr
    span: Span = span_field()


Option = (
    ActionOption
    | Broken
    | AsOf
    | Available
    | BaseUrl
    | Context
    | CostAnHour
    | Handles
    | Hours
    | Keeps
    | Key
    | Kind
    | Model
    | MustDifferFrom
    | PeopleOption
    | Price
    | Provider
    | Responds
    | Rushed
    | Transient
    | Weight
)
