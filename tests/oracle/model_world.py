"""What stands around a pipeline: providers, tiers, people, tools, types, memories and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    available: Fraction


@dataclass(frozen=True, slots=True)
class Tier:
    """`price` is in dollars a million tokens of output; input is free."""

    name: str
    provider: str
    transient: Fraction
    price: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Role:
    """People: `median` and `p95` seconds of their answers, and how often they judge well."""

    name: str
    median: int
    p95: int
    accuracy: Fraction


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """`type` is the source text of the field's type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """`params` and `result` are source texts of types; `cost` is in dollars a call."""

    name: str
    params: tuple[str, ...]
    result: str
    effect: Literal["read", "write", "irreversible"]
    succeeds: Fraction
    accuracy: Fraction
    cost: Fraction

    @property
    def writes(self) -> bool:
        return self.effect != "read"


@dataclass(frozen=True, slots=True)
class Memory:
    """A key of one text; `result` is the source text of a type."""

    name: str
    result: str


@dataclass(frozen=True, slots=True)
class Row:
    confidence: Fraction
    correct: bool


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    path: str
    rows: tuple[Row, ...]
