"""Syntax nodes of declarations (the top level of a file) and of the file itself."""

from __future__ import annotations

from pipelang.diagnostics.source import Span
from pipelang.records import dataclass
from pipelang.syntax.ast.action_options import PythonBinding
from pipelang.syntax.ast.expressions import Broken, Expr, Literal, Name, span_field
from pipelang.syntax.ast.items import Item
from pipelang.syntax.ast.options import Option
from pipelang.syntax.ast.tests import TestDecl
from pipelang.syntax.ast.types import TypeExpr

__all__ = [
    "AtMost",
    "Claim",
    "Declaration",
    "EnumDecl",
    "EnumMember",
    "Escalates",
    "FieldDecl",
    "FnDecl",
    "MemoryDecl",
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
