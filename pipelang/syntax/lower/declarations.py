"""Builders of declarations, claims and tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import (
    Lowering,
    constant,
    gather,
    gather_optional,
    gather_whole,
    only,
)
from pipelang.syntax.lower.expressions import raw_literal, text_literal
from pipelang.syntax.lower.options import of
from pipelang.syntax.tokens import Token


def start(
    lowering: Lowering, span: Span, language: int | None, declarations: tuple[Any, ...]
) -> tuple[int | None, tuple[Any, ...]]:
    return language, declarations


def language(lowering: Lowering, span: Span, number: Token) -> int:
    return int(number.text)


UsePath = tuple[tuple[ast.Name, ...] | None, ast.Literal | None]


def use(
    lowering: Lowering, span: Span, path: UsePath, names: tuple[ast.Name, ...] | None
) -> ast.Use:
    return ast.Use(path[0], path[1], names, lowering.doc(span), span)


def use_library(lowering: Lowering, span: Span, *names: Token) -> UsePath:
    return lowering.names(names), None


def use_file(lowering: Lowering, span: Span, path: Token) -> UsePath:
    return None, text_literal(lowering, span, path)


def use_name(lowering: Lowering, span: Span, name: Token, comma: Token | None = None) -> ast.Name:
    return lowering.name(name)


def outer_name(lowering: Lowering, span: Span, name: Token, outer: Token | None) -> ast.EnumMember:
    return ast.EnumMember(lowering.name(name), _outer(lowering, outer), span)


def _outer(lowering: Lowering, token: Token | None) -> ast.Literal | None:
    """The name that something has outside of the program."""
    if token is None:
        return None
    return text_literal(lowering, Span(lowering.file, token.start, token.end), token)


def enum(
    lowering: Lowering, span: Span, name: Token, members: tuple[ast.EnumMember, ...]
) -> ast.EnumDecl:
    docs = ((member.name.text, lowering.doc(member.span)) for member in members)
    member_docs = tuple((member, doc) for member, doc in docs if doc is not None)
    return ast.EnumDecl(lowering.name(name), members, lowering.doc(span), span, member_docs)


def _named(node: Callable[..., Any]) -> Callable[..., Any]:
    """A declaration that is its name, one list, and its doc comment."""

    def build(lowering: Lowering, span: Span, name: Token, content: tuple[Any, ...]) -> Any:
        return node(lowering.name(name), content, lowering.doc(span), span)

    return build


def field(
    lowering: Lowering,
    span: Span,
    name: Token,
    outer: Token | None,
    type: ast.TypeExpr,
    default: ast.Expr | None,
) -> ast.FieldDecl:
    called, said = _outer(lowering, outer), lowering.doc(span)
    return ast.FieldDecl(lowering.name(name), type, default, said, called, span)


def param(
    lowering: Lowering,
    span: Span,
    name: Token,
    outer: Token | None,
    type: ast.TypeExpr,
    default: ast.Expr | None,
) -> ast.Param:
    called, said = _outer(lowering, outer), lowering.doc(span)
    return ast.Param(lowering.name(name), type, default, called, span, said)


def tool(
    lowering: Lowering,
    span: Span,
    name: Token,
    params: tuple[ast.Param, ...],
    returns: ast.TypeExpr | None,
    options: tuple[ast.Option, ...],
) -> ast.ToolDecl:
    return ast.ToolDecl(lowering.name(name), params, returns, options, lowering.doc(span), span)


def fn(
    lowering: Lowering,
    span: Span,
    name: Token,
    params: tuple[ast.Param, ...],
    public: bool | None,
    returns: ast.TypeExpr,
    body: ast.Expr | ast.PythonBinding,
) -> ast.FnDecl:
    doc = lowering.doc(span)
    return ast.FnDecl(lowering.name(name), params, bool(public), returns, body, doc, span)


def patterns(
    lowering: Lowering, span: Span, name: Token, strings: tuple[ast.Literal, ...]
) -> ast.PatternsDecl:
    return ast.PatternsDecl(lowering.name(name), strings, lowering.doc(span), span)


def strings(lowering: Lowering, span: Span, *tokens: Token) -> tuple[ast.Literal, ...]:
    return tuple(raw_literal(lowering, token) for token in tokens)


PromptBody = tuple[ast.Template | None, ast.Template]


def prompt(
    lowering: Lowering,
    span: Span,
    name: Token,
    params: tuple[ast.Param, ...],
    body: PromptBody,
) -> ast.PromptDecl:
    doc = lowering.doc(span)
    return ast.PromptDecl(lowering.name(name), params, body[0], body[1], doc, span)


def prompt_user(lowering: Lowering, span: Span, user: ast.Template) -> PromptBody:
    return None, user


def prompt_parts(
    lowering: Lowering, span: Span, system: ast.Template | None, user: ast.Template
) -> PromptBody:
    return system, user


def template_inline(lowering: Lowering, span: Span, token: Token) -> ast.Template:
    return ast.Template(dedent(token.text[3:-3]), None, span)


def dedent(text: str) -> str:
    """The text of a template: common indentation, the first and the last line break are layout."""
    text = text.replace("\r\n", "\n")
    if text.startswith("\n"):
        return _without_margin(text[1:]).rstrip()
    return text.strip()


def _without_margin(text: str) -> str:
    """Lines without the spaces and tabs that all of them begin with; those of nothing else, empty.

    As `textwrap.dedent`, whose import takes longer than most files have templates to dedent.
    """
    lines = [line if line.strip(" \t") else "" for line in text.split("\n")]
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line]
    # What the first and the last in the alphabet have in common, all between them have.
    ends = zip(min(indents, default=""), max(indents, default=""), strict=False)
    margin = next(
        (at for at, (one, other) in enumerate(ends) if one != other), len(min(indents, default=""))
    )
    return "\n".join(line[margin:] for line in lines)


def template_file(lowering: Lowering, span: Span, path: Token) -> ast.Template:
    where = Span(lowering.file, path.start, path.end)
    return ast.Template(None, text_literal(lowering, where, path), span)


def setting(
    lowering: Lowering, span: Span, name: Token, type: ast.TypeExpr, value: ast.Expr
) -> ast.SettingDecl:
    return ast.SettingDecl(lowering.name(name), type, value, lowering.doc(span), span)


def memory(
    lowering: Lowering,
    span: Span,
    name: Token,
    params: tuple[ast.Param, ...],
    returns: ast.TypeExpr,
    options: tuple[ast.Option, ...],
) -> ast.MemoryDecl:
    return ast.MemoryDecl(lowering.name(name), params, returns, options, lowering.doc(span), span)


def pipeline(
    lowering: Lowering,
    span: Span,
    name: Token,
    params: tuple[ast.Param, ...],
    returns: ast.TypeExpr,
    items: tuple[ast.Item, ...],
) -> ast.PipelineDecl:
    return ast.PipelineDecl(lowering.name(name), params, returns, items, lowering.doc(span), span)


def prove(lowering: Lowering, span: Span, pipeline: Token, claim: ast.Claim) -> ast.ProveDecl:
    return ast.ProveDecl(lowering.name(pipeline), claim, lowering.doc(span), span)


def claim_only_after(
    lowering: Lowering,
    span: Span,
    tool: Token,
    gate: tuple[ast.Name, ...],
    when: ast.Expr | None,
) -> ast.OnlyAfter:
    return ast.OnlyAfter(lowering.name(tool), gate, when, span)


def claim_once(lowering: Lowering, span: Span, tool: Token) -> ast.AtMost:
    return ast.AtMost(lowering.name(tool), 1, span)


def claim_times(lowering: Lowering, span: Span, tool: Token, count: Token) -> ast.AtMost:
    return ast.AtMost(lowering.name(tool), int(count.text), span)


def claim_never(lowering: Lowering, span: Span, tool: Token, when: ast.Expr | None) -> ast.Never:
    return ast.Never(lowering.name(tool), when, span)


def claim_never_reaches(label: str) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, target: Token) -> ast.NeverReaches:
        return ast.NeverReaches(label, lowering.name(target), span)

    return build


BUILDERS: dict[str, Callable[..., Any]] = {
    "start": start,
    "language": language,
    "declarations": gather,
    "use": use,
    "use_library": use_library,
    "use_file": use_file,
    "use_names": gather,
    "use_name": use_name,
    "enum": enum,
    "names": gather_whole,
    "outer_name": outer_name,
    "type_decl": _named(ast.TypeDecl),
    "fields": gather_whole,
    "field": field,
    "provider": _named(ast.ProviderDecl),
    "tier": _named(ast.TierDecl),
    "role": _named(ast.RoleDecl),
    "tool": tool,
    "fn": fn,
    "public": constant(True),
    "fn_expr": only,
    "fn_python": only,
    "patterns": patterns,
    "strings": strings,
    "prompt": prompt,
    "prompt_user": prompt_user,
    "prompt_parts": prompt_parts,
    "prompt_system": only,
    "template_inline": template_inline,
    "template_file": template_file,
    "setting": setting,
    "memory": memory,
    "params": gather_optional,
    "param": param,
    "pipeline": pipeline,
    "prove": prove,
    "claim_only_after": claim_only_after,
    "claim_once": claim_once,
    "claim_times": claim_times,
    "claim_never": claim_never,
    "claim_escalates": of(ast.Escalates),
    "claim_untrusted": claim_never_reaches("untrusted"),
    "claim_private": claim_never_reaches("private"),
    "claim_secret": claim_never_reaches("secret"),
}
