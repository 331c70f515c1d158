"""Syntax nodes of items, the parts of a pipeline."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.action_options import Rate
from pipelang.syntax.ast.actions import Chain, Escalate, Fail, Outcome, Reject, Return
from pipelang.syntax.ast.expressions import Broken, Expr, Literal, Name, Pattern, span_field
from pipelang.syntax.ast.options import Option
from pipelang.syntax.ast.types import TypeExpr

__all__ = [
    "Alert",
    "Approve",
    "Baseline",
    "Breaker",
    "Budget",
    "Cached",
    "Gate",
    "Hold",
    "Item",
    "Let",
    "MatchItem",
    "MatchItemArm",
    "Mean",
    "Member",
    "Members",
    "Metric",
    "OpensMetric",
    "OpensRejects",
    "Permits",
    "Quota",
    "QuotaAmount",
    "Redo",
    "Remember",
    "Sample",
    "ShareByRight",
    "ShareOf",
    "Slo",
    "SloLine",
    "Step",
    "StepsAmount",
    "Traffic",
    "TrafficLine",
    "Watch",
    "WatchLine",
    "When",
]


@dataclass(frozen=True, slots=True)
class StepsAmount:
    """`50 steps` in a budget."""

    count: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Budget:
    amounts: tuple[Expr | StepsAmount, ...]
    otherwise: Outcome | None
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class QuotaAmount:
    """`$50/day`, `500 runs/hour`; `runs` says that the word stands there."""

    amount: Expr
    runs: bool
    period: str
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Quota:
    amounts: tuple[QuotaAmount | Broken, ...]
    otherwise: Outcome | None
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Permits:
    names: tuple[Literal, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Metric:
    """`cost.mean`, `accuracy(kind)`, `accuracy(child.kind)`, `cost.baseline["opus"]`."""

    path: tuple[Name, ...]
    of: tuple[Name, ...] | None
    key: str | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Cached:
    """`when STEP cached` of an slo line."""

    step: Name
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class SloLine:
    metric: Metric
    op: str
    target: Expr
    when: Expr | Cached | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Slo:
    lines: tuple[SloLine | Broken, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ShareByRight:
    """`85% if right, 30% if wrong`."""

    right: Rate
    wrong: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ShareOf:
    """`90%`: holds so often, whatever the rightness."""

    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Mean:
    """`5 mean`, `300 tokens mean`."""

    value: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Member:
    name: Name
    rate: Rate
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Members:
    """`simple 60%, medium 30%, complex 10%`."""

    members: tuple[Member, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class TrafficLine:
    subject: Expr
    share: ShareOf | ShareByRight | Mean | Members
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Traffic:
    """`rate` is a RATE literal or None."""

    rate: Literal | None
    lines: tuple[TrafficLine | Broken, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Baseline:
    """`baseline`, `baseline + 20%` of a watch line; `sign` is +1 or -1."""

    sign: int
    offset: Expr | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Alert:
    role: Name
    text: str | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class WatchLine:
    metric: Metric
    op: str
    target: Expr | Baseline
    over: Expr
    alert: Alert | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Watch:
    lines: tuple[WatchLine | Broken, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Sample:
    """`sample 5% of STEP, ... by ROLE`."""

    share: Expr
    steps: tuple[tuple[Name, ...], ...]
    role: Name
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Let:
    name: Name
    type: TypeExpr | None
    value: Expr
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Step:
    name: Name
    type: TypeExpr | None
    chain: Chain
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Redo:
    """`redo STEP up to N [because EXPR] else OUTCOME`."""

    step: Name
    times: Expr
    because: Expr | None
    otherwise: Outcome
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Gate:
    name: Name
    condition: Expr
    evidence: tuple[Option, ...]
    otherwise: Outcome | Redo
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Approve:
    name: Name
    role: Name
    when: Expr | None
    within: Expr | None
    showing: Expr | None
    otherwise: Outcome | Redo
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Hold:
    name: Name
    duration: Expr
    role: Name
    when: Expr | None
    showing: Expr | None
    otherwise: Outcome
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class When:
    name: Name | None
    condition: Expr
    then: tuple[Item, ...]
    otherwise: tuple[Item, ...] | None
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MatchItemArm:
    pattern: Pattern
    items: tuple[Item, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MatchItem:
    subject: Expr
    arms: tuple[MatchItemArm | Broken, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Remember:
    memory: Name
    key: Expr
    value: Expr
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class OpensRejects:
    """`opens when GATE rejects N in a row`."""

    gate: tuple[Name, ...]
    count: int
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class OpensMetric:
    """`opens when METRIC op VALUE over N runs`."""

    metric: Metric
    op: str
    target: Expr
    runs: int
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Breaker:
    """`otherwise` is a chain, which has no links where the `else` is a bare outcome."""

    opens: tuple[OpensRejects | OpensMetric | Broken, ...]
    probes: Expr | None
    otherwise: Chain
    doc: str | None = None
    span: Span = span_field()


Item = (
    Budget
    | Quota
    | Permits
    | Slo
    | Traffic
    | Watch
    | Sample
    | Let
    | Step
    | Gate
    | Approve
    | Hold
    | When
    | MatchItem
    | Remember
    | Breaker
    | Return
    | Escalate
    | Reject
    | Fail
    | Broken
)
