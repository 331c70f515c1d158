"""Syntax nodes of `test` declarations: given, mocks and expectations."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.expressions import Argument, Broken, Expr, Name, span_field

__all__ = [
    "Expect",
    "ExpectAnswered",
    "ExpectCalled",
    "ExpectCost",
    "ExpectEscalated",
    "ExpectExpr",
    "ExpectFailed",
    "ExpectRejected",
    "Given",
    "Mock",
    "MockBreaker",
    "MockCall",
    "MockFails",
    "MockQuota",
    "MockValues",
    "MockVerdict",
    "MockVerdicts",
    "TestDecl",
    "TestLine",
]


@dataclass(frozen=True, slots=True)
class Given:
    pipeline: Name
    arguments: tuple[Argument, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockCall:
    """`calls TOOL(args)`: what an agent's model asks for in one turn of its attempt."""

    tool: Name
    arguments: tuple[Argument, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockValues:
    """`mock STEP = V1, V2`: successive attempts; of an agent, its turns."""

    target: tuple[Name, ...]
    values: tuple[Expr | MockCall, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockFails:
    target: tuple[Name, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockVerdict:
    """A decision of a person in a test: `answer` is yes, no, veto, or `no answer` in time; `reason`
    are their words.
    """

    answer: str
    reason: str | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockVerdicts:
    """`mock GATE no "too long", yes`: what a person says each time that they are asked."""

    target: tuple[Name, ...]
    verdicts: tuple[MockVerdict, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockBreaker:
    """`mock breaker open`."""

    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockQuota:
    """`mock quota spent`."""

    span: Span = span_field()


Mock = MockValues | MockFails | MockVerdicts | MockBreaker | MockQuota


@dataclass(frozen=True, slots=True)
class ExpectAnswered:
    value: Expr | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectEscalated:
    reason: tuple[Name, ...] | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectRejected:
    reason: tuple[Name, ...] | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectFailed:
    code: str | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectCalled:
    """`expect called TOOL[(args)] [once | N times]`, `expect not called TOOL[(args)]`: arguments
    left out are open.
    """

    tool: Name
    called: bool
    arguments: tuple[Argument, ...] | None
    times: int | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectExpr:
    """`expect EXPR` over what the run made, its `result` and its `handoff`."""

    condition: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectCost:
    op: str
    amount: Expr
    span: Span = span_field()


Expect = (
    ExpectAnswered
    | ExpectEscalated
    | ExpectRejected
    | ExpectFailed
    | ExpectCalled
    | ExpectExpr
    | ExpectCost
)

TestLine = Given | Mock | Expect | Broken


@dataclass(frozen=True, slots=True)
class TestDecl:
    __test__ = False  # pytest would take it for a test class

    title: str
    lines: tuple[TestLine, ...]
    doc: str | None = None
    span: Span = span_field()
