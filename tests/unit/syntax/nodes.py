"""Reading snippets, and short names for the nodes that they are expected to be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Source
from pipelang.syntax import ast
from pipelang.syntax.ast import LiteralKind
from pipelang.syntax.parse import Parsed, parse


def read(text: str) -> Parsed:
    parsed = parse(Source("e.pipe", text))
    assert not parsed.diagnostics, [found.message for found in parsed.diagnostics]
    return parsed


def declaration(text: str) -> Any:
    (only,) = read(text).module.declarations
    return only


def items(text: str) -> tuple[Any, ...]:
    pipeline = declaration(f"pipeline p(a: int) -> int {{ {text} }}")
    assert isinstance(pipeline, ast.PipelineDecl)
    return pipeline.items


def item(text: str) -> Any:
    (only,) = items(text)
    return only


def expression(text: str) -> Any:
    function = declaration(f"fn f() -> int = {text}")
    return function.body


def action(text: str) -> Any:
    step = item(f"step s = {text}")
    (link,) = step.chain.links
    return link.action


def option(text: str) -> Any:
    step = item(f"step s = a {{ {text} }}")
    (only,) = step.chain.links[0].options
    return only


def typed(text: str) -> Any:
    return declaration(f"type T {{ a: {text} }}").fields[0].type


# --- small names for nodes ------------------------------------------------------------------


def name(text: str) -> ast.Name:
    return ast.Name(text)


def names(text: str) -> tuple[ast.Name, ...]:
    return tuple(map(name, text.split()))


def members(text: str) -> tuple[ast.EnumMember, ...]:
    """Members of an enum without outer names."""
    return tuple(ast.EnumMember(one, None) for one in names(text))


def ref(text: str) -> ast.NameRef:
    return ast.NameRef(text)


def literal(kind: LiteralKind, value: Any) -> ast.Literal:
    return ast.Literal(kind, value, "")


def number(value: int) -> ast.Literal:
    return literal(LiteralKind.INT, value)


def text(value: str) -> ast.Literal:
    return literal(LiteralKind.TEXT, value)


def share(value: str) -> ast.Literal:
    return literal(LiteralKind.PROBABILITY, Decimal(value))


def money(value: str) -> ast.Literal:
    return literal(LiteralKind.MONEY, Decimal(value))


def seconds(value: str) -> ast.Literal:
    return literal(LiteralKind.DURATION, Decimal(value))


def amount(value: int) -> ast.Literal:
    return literal(LiteralKind.TOKENS, value)


def plain(core: str) -> ast.TypeExpr:
    return ast.TypeExpr((), ast.NamedType(name(core)), False, ())


def positional(*values: ast.Expr) -> tuple[ast.Argument, ...]:
    return tuple(ast.Argument(None, value) for value in values)


def link(value: ast.Expr) -> ast.Link:
    return ast.Link(ast.Pure(value), ())


A, B, C = ref("a"), ref("b"), ref("c")


def metric(written: str, of: str | None = None, key: str | None = None) -> ast.Metric:
    return ast.Metric(names(written), names(of) if of else None, key)
