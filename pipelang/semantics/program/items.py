"""Program nodes of items (steps, gates, people, branches) and of blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics.chance import ByRates
from pipelang.semantics.expressions import Expr
from pipelang.semantics.program.actions import Chain, Outcome
from pipelang.semantics.types import Type

__all__ = [
    "Barrier",
    "Block",
    "ByFile",
    "ByRates",
    "End",
    "Gate",
    "Item",
    "Let",
    "MatchBranch",
    "Person",
    "Redo",
    "Region",
    "Remember",
    "Step",
    "TestEvidence",
    "When",
]


@dataclass(frozen=True, slots=True)
class Step:
    """`reads` is every name that anything in the step mentions: it waits for all of them."""

    name: str
    type: Type
    chain: Chain
    reads: frozenset[str]
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    type: Type
    value: Expr
    reads: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class ByFile:
    """Rates of the one confidence comparison of a test, from an evidence file; either may be off by
    the `shift`.
    """

    file: str
    shift: Decimal = Decimal(0)


TestEvidence = ByRates | ByFile


@dataclass(frozen=True, slots=True)
class Redo:
    """`redo STEP up to times`; `reruns` are the items of the block to run again, by index."""

    step: str
    times: int
    because: Expr | None
    reruns: tuple[int, ...]
    otherwise: Outcome


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    condition: Expr
    evidence: TestEvidence | None
    otherwise: Outcome | Redo
    reads: frozenset[str]
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Person:
    """`approve` (no answer is a no) or `hold` (no answer is a yes).

    `judges` are the values that the person is asked about; `seconds` how long they have, None for
    ever; `when` None always asks. Only an approval may have a `redo`, which a no takes.
    """

    name: str
    kind: str
    role: str
    when: Expr | None
    seconds: Decimal | None
    showing: Expr | None
    judges: frozenset[str]
    otherwise: Outcome | Redo
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class When:
    name: str | None
    condition: Expr
    then: Block
    otherwise: Block
    span: Span


@dataclass(frozen=True, slots=True)
class MatchBranch:
    subject: Expr
    arms: tuple[tuple[tuple[Any, ...] | None, Block], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Remember:
    memory: str
    key: Expr
    value: Expr
    reads: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class End:
    """A bare outcome."""

    outcome: Outcome
    span: Span


Item = Step | Let | Gate | Person | When | MatchBranch | Remember | End


@dataclass(frozen=True, slots=True)
class Region:
    """Steps and lets between two barriers: indices into the block's items, in writing order."""

    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Barrier:
    index: int


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Block:
    items: tuple[Item, ...]
    segments: tuple[Region | Barrier, ...]
