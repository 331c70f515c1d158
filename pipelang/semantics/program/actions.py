"""Actions, the chains that they stand in, and the outcomes that end a run."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics.chance import ByRates, Chance
from pipelang.semantics.expressions import Expr
from pipelang.semantics.program.world import Retry
from pipelang.semantics.types import Type

__all__ = [
    "Action",
    "AskRole",
    "AskTier",
    "Call",
    "Cascade",
    "Chain",
    "Choose",
    "Escalate",
    "Fail",
    "Lead",
    "Link",
    "Majority",
    "Outcome",
    "Reject",
    "Return",
    "Unsupported",
    "Value",
    "Vote",
]


@dataclass(frozen=True, slots=True)
class AskTier:
    """`who` is an expression over tier names, evaluated before every attempt."""

    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    who: Expr
    answers: Type


@dataclass(frozen=True, slots=True)
class AskRole:
    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    role: str
    answers: Type


@dataclass(frozen=True, slots=True)
class Cascade:
    """Tiers, cheapest first: the next answers when the last one failed or `until` did not hold.

    `until` reads the answer as `it`; `rates` say how often it is wrong about it.
    """

    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    tiers: tuple[str, ...]
    until: Expr
    rates: ByRates
    answers: Type


@dataclass(frozen=True, slots=True)
class Majority:
    """`vote N`: N calls, and the answer that more than half of N agree on."""

    calls: int


@dataclass(frozen=True, slots=True)
class Lead:
    """`vote lead K of N`: calls until one answer leads by K, at most N."""

    lead: int
    calls: int


Vote = Majority | Lead


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    arguments: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A pure value."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Choose:
    """A match over actions: the first arm that holds the subject's value."""

    subject: Expr
    arms: tuple[tuple[tuple[Any, ...] | None, Link], ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """An action that parses and type-checks, which upper layers cannot take yet.

    `what` names it for people, `reads` are the values it mentions, `acts` whether it is a barrier.
    """

    what: str
    reads: frozenset[str]
    acts: bool


Action = AskTier | AskRole | Cascade | Call | Value | Choose | Unsupported


@dataclass(frozen=True, slots=True)
class Link:
    """An action with its options. `accuracy` is per tier where the file says so."""

    action: Action
    retry: Retry
    timeout: Decimal | None
    accuracy: Chance
    accuracy_by_tier: Mapping[str, Chance]
    recovers: Chance
    correlation: Chance
    output_mean: int | None
    output_max: int | None
    effort: str | None
    reads: frozenset[str]
    span: Span
    vote: Vote | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Links in the order in which they are tried; `end` None means `failed`."""

    links: tuple[Link, ...]
    end: Outcome | None


# --------------------------------------------------------------------------------- outcomes


@dataclass(frozen=True, slots=True)
class Return:
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Escalate:
    """`reason` is the name of the gate or step (or branch, or pipeline) that takes it."""

    role: str
    reason: str
    text: str | None
    value: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str
    text: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Fail:
    """`code` is one of the closed codes or the pipeline's own; `reason` names who failed."""

    code: str
    reason: str
    span: Span


Outcome = Return | Escalate | Reject | Fail
