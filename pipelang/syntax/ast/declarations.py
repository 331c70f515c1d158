"""Syntax nodes of declarations (the top level of a file) and of the file itself."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.expressions import Argument, Broken, Expr, Literal, Name, span_field
from pipelang.syntax.ast.items import Item
from pipelang.syntax.ast.options import Option, PythonBinding
from pipelang.syntax.ast.types import TypeExpr

__all__ = [
    "AtMost",
    "Claim",
    "Declaration",
    "EnumDecl",
    "EnumMember",
    "Escalates",
    "Expect",
    "ExpectAnswered",
    "ExpectCalled",
    "ExpectCost",
    "ExpectEqual",
    "ExpectEscalated",
    "ExpectFailed",
    "ExpectRejected",
    "FieldDecl",
    "FnDecl",
    "Given",
    "MemoryDecl",
    "Mock",
    "MockAnswer",
    "MockBreaker",
    "MockFails",
    "MockValues",
    "Module",
    "Never",
    "NeverReaches",
    "OnlyAfter",
    "Param",
    "PatternsDecl",
    "PipelineDecl",
    "PromptDecl",
    "ProveDecl",
    "ProviderDecl",
    "RoleDecl",
    "SettingDecl",
    "Template",
    "TestDecl",
    "TestLine",
    "TierDecl",
    "ToolDecl",
    "TypeDecl",
    "Use",
]


@dataclass(frozen=True, slots=True)
class Use:
    """`use std.tiers`, `use std.checks { a }`, `use "types.pipe"`.

    `library` is the dotted name or None, `file` the path or None; `names` None means all.
    """

    library: tuple[Name, ...] | None
    file: Literal | None
    names: tuple[Name, ...] | None
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class EnumMember:
    """`very_high "very high"`: `outer` is the member's name outside of the program, None if it is
    the same.
    """

    name: Name
    outer: Literal | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class EnumDecl:
    """`member_docs` are the doc comments of the members by their names."""

    name: Name
    members: tuple[EnumMember, ...]
    doc: str | None = None
    span: Span = span_field()
    member_docs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """`field "outer-name": type`: `outer` is its name in JSON, None if it is the same."""

    name: Name
    type: TypeExpr
    default: Expr | None
    doc: str | None = None
    outer: Literal | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class TypeDecl:
    name: Name
    fields: tuple[FieldDecl, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ProviderDecl:
    name: Name
    options: tuple[Option, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class TierDecl:
    name: Name
    options: tuple[Option, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class RoleDecl:
    name: Name
    options: tuple[Option, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Param:
    """`outer` is the name by which those outside give the argument, None if it is the same."""

    name: Name
    type: TypeExpr
    default: Expr | None
    outer: Literal | None = None
    span: Span = span_field()
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class ToolDecl:
    name: Name
    params: tuple[Param, ...]
    returns: TypeExpr | None
    options: tuple[Option, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class FnDecl:
    """`body` is an expression or a binding; `public` declassifies the result."""

    name: Name
    params: tuple[Param, ...]
    public: bool
    returns: TypeExpr
    body: Expr | PythonBinding
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class PatternsDecl:
    """RE2 patterns, exactly as written between the quotes."""

    name: Name
    patterns: tuple[Literal, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Template:
    """Jinja2 text, inline (dedented) or in a file; exactly one of the two is set.

    `offset` is where the inline text starts in its source, for messages.
    """

    text: str | None
    file: Literal | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class PromptDecl:
    name: Name
    params: tuple[Param, ...]
    system: Template | None
    user: Template
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class SettingDecl:
    name: Name
    type: TypeExpr
    value: Expr
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MemoryDecl:
    name: Name
    params: tuple[Param, ...]
    returns: TypeExpr
    options: tuple[Option, ...]
    doc: str | None = None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class PipelineDecl:
    name: Name
    params: tuple[Param, ...]
    returns: TypeExpr
    items: tuple[Item, ...]
    doc: str | None = None
    span: Span = span_field()


# --------------------------------------------------------------------------------- claims


@dataclass(frozen=True, slots=True)
class OnlyAfter:
    """`TOOL only after GATE [when EXPR]`; the gate may be `PIPELINE.GATE`."""

    tool: Name
    gate: tuple[Name, ...]
    when: Expr | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class AtMost:
    """`TOOL at most once`, `TOOL at most 3 times`."""

    tool: Name
    count: int
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Never:
    tool: Name
    when: Expr | None
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class Escalates:
    when: Expr
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class NeverReaches:
    """`untrusted never reaches TARGET`, and so of `private` and `secret`: a tool or a prompt."""

    label: str
    target: Name
    span: Span = span_field()


Claim = OnlyAfter | AtMost | Never | Escalates | NeverReaches


@dataclass(frozen=True, slots=True)
class ProveDecl:
    pipeline: Name
    claim: Claim
    doc: str | None = None
    span: Span = span_field()


# ---------------------------------------------------------------------------------- tests


@dataclass(frozen=True, slots=True)
class Given:
    pipeline: Name
    arguments: tuple[Argument, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockValues:
    """`mock STEP = V1, V2`: successive attempts."""

    target: tuple[Name, ...]
    values: tuple[Expr, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockFails:
    target: tuple[Name, ...]
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockAnswer:
    """The decision of a person in a test: `answer` is yes, no or veto."""

    target: tuple[Name, ...]
    answer: str
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class MockBreaker:
    """`mock breaker open`."""

    span: Span = span_field()


Mock = MockValues | MockFails | MockAnswer | MockBreaker


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
    tool: Name
    called: bool
    span: Span = span_field()


@dataclass(frozen=True, slots=True)
class ExpectEqual:
    step: tuple[Name, ...]
    value: Expr
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
    | ExpectEqual
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


Declaration = (
    Use
    | EnumDecl
    | TypeDecl
    | ProviderDecl
    | TierDecl
    | RoleDecl
    | ToolDecl
    | FnDecl
    | PatternsDecl
    | PromptDecl
    | SettingDecl
    | MemoryDecl
    | PipelineDecl
    | ProveDecl
    | TestDecl
    | Broken
)


@dataclass(frozen=True, slots=True)
class Module:
    """One file. `language` is the number it was written for, None where it does not say."""

    file: str
    language: int | None
    declarations: tuple[Declaration, ...]
    span: Span = span_field()
