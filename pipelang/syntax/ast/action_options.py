"""Syntax nodes of rates, and of options in braces after an action and in the blocks of tools."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.expressions import Expr, Literal, Name, span_field

__all__ = [
    "Accuracy",
    "AccuracyByTier",
    "ActionOption",
    "Batch",
    "Cache",
    "Catches",
    "Correlation",
    "Cost",
    "Counted",
    "Effect",
    "Effort",
    "Evidence",
    "FalseAlarms",
    "FromFile",
    "Hits",
    "Idempotent",
    "Latency",
    "McpBinding",
    "Need",
    "Output",
    "Parallel",
    "Permit",
    "PythonBinding",
    "Rate",
    "RateByCase",
    "RateLimit",
    "Recovers",
    "Retry",
    "Spread",
    "Steps",
    "Succeeds",
    "Thinking",
    "TierRate",
    "Timeout",
    "Turns",
    "Vote",
    "VoteLead",
]


@dataclass(frozen=True, slots=True)
class Counted:
    """`1128 of 1200`: counted evidence."""

    good: int
    total: int
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class FromFile:
    """`from "file.jsonl" shift 3%`: measured evidence, and by how much it may have drifted."""

    path: Literal
    shift: Expr | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class RateByCase:
    """`97.5%, 60% if hard`: a share where the case is not hard, and where it is."""

    easy: Expr | Counted | FromFile
    hard: Expr | Counted | FromFile
    span: Span = span_field()


Rate = Expr | Counted | FromFile | RateByCase
"""A share: declared, counted or measured, or one for each of the two classes of cases."""


@dataclass(frozen=True, slots=True)
class TierRate:
    """`haiku from "file.jsonl" shift 3%`: the share of one tier; a drift is that of its file."""

    tier: Name
    rate: Rate
    shift: Expr | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Spread:
    """`600ms median, 2s p95`."""

    median: Expr
    p95: Expr | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Retry:
    """`retry N backoff LOW..HIGH`: N more attempts."""

    count: Expr
    backoff: tuple[Expr, Expr] | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Timeout:
    after: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Output:
    mean: Expr | None
    maximum: Expr | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Effort:
    level: str
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Thinking:
    most: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Cache:
    keeps: Expr
    keys: tuple[Expr, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Hits:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Batch:
    within: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Vote:
    """`vote N`: the majority of N calls."""

    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class VoteLead:
    """`vote lead K of N`: calls until one answer leads by K, at most N."""

    lead: Expr
    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Steps:
    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Turns:
    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Parallel:
    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Need:
    """`need all|any|90%`; `share` is set for the last form."""

    kind: str
    share: Rate | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Accuracy:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class AccuracyByTier:
    rates: tuple[TierRate, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Recovers:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Correlation:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Catches:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Evidence:
    """`evidence from "file.jsonl" shift 3%` of a gate."""

    path: Literal
    shift: Expr | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class PythonBinding:
    """`python "module:function"`."""

    target: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class McpBinding:
    server: Literal
    tool: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Effect:
    """`kind` is pure, read, write or irreversible."""

    kind: str
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Permit:
    name: Literal
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class RateLimit:
    rate: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Succeeds:
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Latency:
    spread: Spread
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Cost:
    amount: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Idempotent:
    span: Span = span_field()


ActionOption = (
    Accuracy
    | AccuracyByTier
    | Batch
    | Cache
    | Catches
    | Correlation
    | Cost
    | Effect
    | Effort
    | Evidence
    | FalseAlarms
    | Hits
    | Idempotent
    | Latency
    | McpBinding
    | Need
    | Output
    | Parallel
    | Permit
    | PythonBinding
    | RateLimit
    | Recovers
    | Retry
    | Steps
    | Succeeds
    | Thinking
    | Timeout
    | Turns
    | Vote
    | VoteLead
)
