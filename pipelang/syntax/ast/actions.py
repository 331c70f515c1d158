"""Syntax nodes of actions, of the chains that hold them, and of outcomes."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.expressions import Argument, Arm, Broken, Expr, Name, span_field
from pipelang.syntax.ast.options import Option

__all__ = [
    "Action",
    "Agent",
    "Ask",
    "CallTool",
    "Cascade",
    "Chain",
    "Each",
    "Escalate",
    "Fail",
    "Link",
    "MatchAction",
    "Outcome",
    "Pure",
    "Recall",
    "Reject",
    "Return",
    "RunPipeline",
]


@dataclass(frozen=True, slots=True)
class Cascade:
    """`cascade(a, b, c) until EXPR`: the cheapest first, the next while EXPR does not hold."""

    tiers: tuple[Name, ...]
    until: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Ask:
    prompt: Name
    arguments: tuple[Argument, ...]
    who: Expr | Cascade
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Agent:
    prompt: Name
    arguments: tuple[Argument, ...]
    who: Expr | Cascade
    tools: tuple[Name, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class CallTool:
    tool: Name
    arguments: tuple[Argument, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class RunPipeline:
    pipeline: Name
    arguments: tuple[Argument, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Recall:
    memory: Name
    key: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Each:
    variable: Name
    elements: Expr
    ordered: bool
    body: Chain
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MatchAction:
    """A match whose arms are actions. (One whose arms are all values is a `Pure` match.)"""

    subject: Expr
    arms: tuple[Arm | Broken, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Pure:
    """A value: in fallbacks and arms."""

    value: Expr
    span: Span = span_field()


Action = Ask | Agent | CallTool | RunPipeline | Recall | Each | MatchAction | Pure


@dataclass(frozen=True, slots=True)
class Link:
    """An action and the options that govern it."""

    action: Action
    options: tuple[Option, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Chain:
    """`link else link ... [else outcome]`."""

    links: tuple[Link, ...]
    end: Outcome | None
    span: Span = span_field()


# ------------------------------------------------------------------------------- outcomes


@dataclass(frozen=True, slots=True)
class Return:
    value: Expr
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Escalate:
    role: Name
    text: str | None
    value: Expr | None
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Reject:
    text: str | None
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    doc: str | None = None
    span: Span = span_field()


Outcome = Return | Escalate | Reject | Fail
