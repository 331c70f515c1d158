"""Builders of expressions and literals."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span, codes, report
from pipelang.records import replace
from pipelang.syntax import ast
from pipelang.syntax.ast import LiteralKind
from pipelang.syntax.lower.context import Lowering, constant, gather, gather_optional
from pipelang.syntax.tokens import Token

SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600),
           "d": Decimal(86400)}  # fmt: skip
PERIODS = {"s": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86400, "week": 604800,
           "month": 2592000}  # fmt: skip
"""Seconds of the periods of a rate. A month is 30 days."""

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u\{[0-9A-Fa-f]{1,6}\}|.)", re.DOTALL)


def text_of(lowering: Lowering, token: Token) -> str:
    """The text between the quotes, escapes resolved."""
    if "\\" not in token.text:
        return token.text[1:-1]

    def resolve(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape in _ESCAPES:
            return _ESCAPES[escape]
        if escape.startswith("u{"):
            code = int(escape[2:-1], 16)
            if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:  # half a pair is no character
                return chr(code)
        start = token.start + 1 + match.start()
        span = Span(lowering.file, start, start + len(match.group(0)))
        lowering.diagnostics.append(report(codes.BAD_ESCAPE, span, escape=match.group(0)))
        return match.group(0)

    return _ESCAPE.sub(resolve, token.text[1:-1])


def text_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    return ast.Literal(LiteralKind.TEXT, text_of(lowering, token), token.text, span)


def raw_literal(lowering: Lowering, token: Token) -> ast.Literal:
    """A text taken letter by letter, but for an escaped quote: RE2 has escapes of its own."""
    span = Span(lowering.file, token.start, token.end)
    return ast.Literal(LiteralKind.TEXT, token.text[1:-1].replace('\\"', '"'), token.text, span)


def int_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    return ast.Literal(LiteralKind.INT, int(token.text), token.text, span)


def number_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    return ast.Literal(LiteralKind.NUMBER, Decimal(token.text), token.text, span)


def percent_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    share = Decimal(token.text[:-1]).scaleb(-2)
    return ast.Literal(LiteralKind.PROBABILITY, share, token.text, span)


def money_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    return ast.Literal(LiteralKind.MONEY, Decimal(token.text[1:]), token.text, span)


def duration_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    unit = token.text.lstrip("0123456789.")
    seconds = Decimal(token.text[: -len(unit)]) * SECONDS[unit]
    return ast.Literal(LiteralKind.DURATION, seconds, token.text, span)


def tokens_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    number = token.text.split()[0]
    scale = {"k": 1000, "M": 1_000_000}.get(number[-1], 1)
    amount = Decimal(number.rstrip("kM")) * scale
    if amount != amount.to_integral_value():
        found = token.text
        lowering.diagnostics.append(report(codes.BAD_NUMBER, span, found=found))
    return ast.Literal(LiteralKind.TOKENS, int(amount), token.text, span)


def pages_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    number = token.text.split()[0]
    pages = Decimal(number) if "." in number else int(number)
    return ast.Literal(LiteralKind.PAGES, pages, token.text, span)


def rate_literal(lowering: Lowering, span: Span, token: Token) -> ast.Literal:
    count, period = token.text.split("/")
    return ast.Literal(LiteralKind.RATE, (int(count), PERIODS[period]), token.text, span)


def true_literal(lowering: Lowering, span: Span) -> ast.Literal:
    return ast.Literal(LiteralKind.BOOL, True, "true", span)


def false_literal(lowering: Lowering, span: Span) -> ast.Literal:
    return ast.Literal(LiteralKind.BOOL, False, "false", span)


def none_literal(lowering: Lowering, span: Span) -> ast.Literal:
    return ast.Literal(LiteralKind.NONE, None, "none", span)


def negative_bound(lowering: Lowering, span: Span, literal: ast.Literal) -> ast.Literal:
    value = literal.value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return ast.Literal(literal.kind, -value, "-" + literal.raw, span)
    lowering.diagnostics.append(report(codes.BAD_NUMBER, span, found="-" + literal.raw))
    return literal


def name_ref(lowering: Lowering, span: Span, token: Token) -> ast.NameRef:
    return ast.NameRef(token.text, span)


def parens(lowering: Lowering, span: Span, inner: ast.Expr) -> ast.Expr:
    """Parentheses leave no node: the tree already says what belongs together."""
    return inner


def if_expr(lowering: Lowering, span: Span, *parts: ast.Expr) -> ast.If:
    condition, then, otherwise = parts
    return ast.If(condition, then, otherwise, span)


def binary(op: str) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, left: ast.Expr, right: ast.Expr) -> ast.Binary:
        return ast.Binary(op, left, right, span)

    return build


def compare(lowering: Lowering, span: Span, left: ast.Expr, op: str, right: ast.Expr) -> ast.Binary:
    return ast.Binary(op, left, right, span)


def matches(lowering: Lowering, span: Span, left: ast.Expr, patterns: Token) -> ast.Binary:
    name = lowering.name(patterns)
    return ast.Binary("matches", left, ast.NameRef(name.text, name.span), span)


def unary(op: str) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, operand: ast.Expr) -> ast.Unary:
        return ast.Unary(op, operand, span)

    return build


def field_ref(lowering: Lowering, span: Span, target: ast.Expr, name: Token) -> ast.FieldRef:
    return ast.FieldRef(target, lowering.name(name), span)


def index(lowering: Lowering, span: Span, target: ast.Expr, at: ast.Expr) -> ast.Index:
    return ast.Index(target, at, span)


def present(lowering: Lowering, span: Span, target: ast.Expr) -> ast.Present:
    return ast.Present(target, span)


def function_name(lowering: Lowering, span: Span, token: Token) -> ast.Name:
    return lowering.name(token)


def function_max(lowering: Lowering, span: Span) -> ast.Name:
    return ast.Name("max", span)


def call_fn(
    lowering: Lowering, span: Span, function: ast.Name, arguments: tuple[ast.Argument, ...]
) -> ast.CallFn:
    return ast.CallFn(function, arguments, span)


def arg_positional(lowering: Lowering, span: Span, value: ast.Expr) -> ast.Argument:
    return ast.Argument(None, value, span)


def arg_named(lowering: Lowering, span: Span, name: Token, value: ast.Expr) -> ast.Argument:
    return ast.Argument(lowering.name(name), value, span)


def list_expr(lowering: Lowering, span: Span, items: tuple[ast.Expr, ...] | None) -> ast.ListOf:
    return ast.ListOf(items or (), span)


def comprehension(
    lowering: Lowering,
    span: Span,
    item: ast.Expr,
    name: Token,
    collection: ast.Expr,
    condition: ast.Expr | None,
) -> ast.ListFor:
    return ast.ListFor(item, lowering.name(name), collection, condition, span=span)


def list_for(lowering: Lowering, span: Span, inside: ast.ListFor) -> ast.ListFor:
    return replace(inside, span=span)


def call_for(lowering: Lowering, span: Span, function: ast.Name, inside: ast.ListFor) -> ast.CallFn:
    argument = ast.Argument(None, replace(inside, bare=True), inside.span)
    return ast.CallFn(function, (argument,), span)


def record_expr(lowering: Lowering, span: Span, fields: tuple[ast.FieldInit, ...]) -> ast.RecordOf:
    return ast.RecordOf(fields, span)


def record_field(lowering: Lowering, span: Span, key: Token, value: ast.Expr) -> ast.FieldInit:
    if key.type == "STRING":
        name = ast.Name(text_of(lowering, key), Span(lowering.file, key.start, key.end))
        return ast.FieldInit(name, True, value, span)
    return ast.FieldInit(lowering.name(key), False, value, span)


def match_expr(
    lowering: Lowering, span: Span, subject: ast.Expr, arms: tuple[ast.Arm, ...]
) -> ast.Match:
    return ast.Match(subject, arms, span)


def arm(lowering: Lowering, span: Span, pattern: ast.Pattern, link: ast.Link) -> ast.Arm:
    return ast.Arm(pattern, link, span)


def pattern_else(lowering: Lowering, span: Span) -> ast.Else:
    return ast.Else(span)


def pattern_name(lowering: Lowering, span: Span, token: Token) -> ast.Name:
    return lowering.name(token)


BUILDERS: dict[str, Callable[..., Any]] = {
    "text_literal": text_literal,
    "int_literal": int_literal,
    "number_literal": number_literal,
    "percent_literal": percent_literal,
    "money_literal": money_literal,
    "duration_literal": duration_literal,
    "tokens_literal": tokens_literal,
    "pages_literal": pages_literal,
    "rate_literal": rate_literal,
    "true_literal": true_literal,
    "false_literal": false_literal,
    "none_literal": none_literal,
    "negative_bound": negative_bound,
    "name_ref": name_ref,
    "parens": parens,
    "if_expr": if_expr,
    "or_": binary("or"),
    "and_": binary("and"),
    "not_": unary("not"),
    "compare": compare,
    "in_": binary("in"),
    "not_in": binary("not in"),
    "matches": matches,
    "eq": constant("=="),
    "ne": constant("!="),
    "le": constant("<="),
    "ge": constant(">="),
    "lt": constant("<"),
    "gt": constant(">"),
    "add": binary("+"),
    "subtract": binary("-"),
    "multiply": binary("*"),
    "divide": binary("/"),
    "negate": unary("-"),
    "field_ref": field_ref,
    "index": index,
    "present": present,
    "function_name": function_name,
    "function_max": function_max,
    "call_fn": call_fn,
    "args": gather_optional,
    "arg_positional": arg_positional,
    "arg_named": arg_named,
    "exprs": gather,
    "list_expr": list_expr,
    "comprehension": comprehension,
    "list_for": list_for,
    "call_for": call_for,
    "record_expr": record_expr,
    "record_fields": gather_optional,
    "record_field": record_field,
    "match_expr": match_expr,
    "arms": gather,
    "arm": arm,
    "pattern": gather,
    "pattern_else": pattern_else,
    "pattern_name": pattern_name,
    "pattern_text": text_literal,
    "pattern_true": true_literal,
    "pattern_false": false_literal,
}
