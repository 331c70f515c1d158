"""Literals, types and expressions parse to the nodes that are meant for them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelang.syntax import ast
from pipelang.syntax.ast import LiteralKind

from .nodes import (
    A,
    B,
    C,
    amount,
    declaration,
    expression,
    item,
    link,
    literal,
    money,
    name,
    number,
    plain,
    positional,
    ref,
    seconds,
    share,
    text,
    typed,
)

# --- literals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0", number(0)),
        ("42", number(42)),
        ("1.5", literal(LiteralKind.NUMBER, Decimal("1.5"))),
        ("70%", share("0.7")),
        ("99.95%", share("0.9995")),
        ("$0.08", money("0.08")),
        ("$5", money("5")),
        ("250ms", seconds("0.25")),
        ("30s", seconds("30")),
        ("5m", seconds("300")),
        ("1.5h", seconds("5400")),
        ("2d", seconds("172800")),
        ("40 tokens", amount(40)),
        ("4k tokens", amount(4_000)),
        ("1.5M  tokens", amount(1_500_000)),
        ("2k\ttokens", amount(2_000)),
        ("100/min", literal(LiteralKind.RATE, (100, 60))),
        ("5/s", literal(LiteralKind.RATE, (5, 1))),
        ("3/h", literal(LiteralKind.RATE, (3, 3600))),
        ("3/hour", literal(LiteralKind.RATE, (3, 3600))),
        ("500/day", literal(LiteralKind.RATE, (500, 86_400))),
        ("2/week", literal(LiteralKind.RATE, (2, 604_800))),
        ("1/month", literal(LiteralKind.RATE, (1, 2_592_000))),
        ('"a\\n\\t\\r\\"\\\\b"', text('a\n\t\r"\\b')),
        ('"\\u{1F600} é"', text("\U0001f600 é")),
        ('"# no comment"', text("# no comment")),
        ('""', text("")),
        ("true", literal(LiteralKind.BOOL, True)),
        ("false", literal(LiteralKind.BOOL, False)),
        ("none", literal(LiteralKind.NONE, None)),
    ],
)
def test_literals(written: str, expected: ast.Literal) -> None:
    found = expression(written)
    assert found == expected
    if expected.kind is not LiteralKind.NONE:
        assert found.raw == written


def test_a_number_and_a_name_are_no_amount() -> None:
    """`tokens` is a unit on the number's line, and a name before `:` and on the next one."""
    fields = declaration("type T { a: int = 5 tokens: int }").fields
    assert [found.name.text for found in fields] == ["a", "tokens"]
    lines = item("slo { cost.mean <= 5\n tokens.mean <= 3 }").lines
    assert [found.metric.path[0].text for found in lines] == ["cost", "tokens"]


# --- types ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", plain("text")),
        ("Ticket", plain("Ticket")),
        ("int?", ast.TypeExpr((), ast.NamedType(name("int")), True, ())),
        (
            "untrusted private text max 4k tokens",
            ast.TypeExpr(
                ("untrusted", "private"),
                ast.NamedType(name("text")),
                False,
                (ast.Max(amount(4_000)),),
            ),
        ),
        (
            "[secret text] max 5",
            ast.TypeExpr(
                (),
                ast.ListType(ast.TypeExpr(("secret",), ast.NamedType(name("text")), False, ())),
                False,
                (ast.Max(number(5)),),
            ),
        ),
        (
            "{text: number}",
            ast.TypeExpr((), ast.MapType(name("text"), plain("number")), False, ()),
        ),
        (
            "int in -5..10",
            ast.TypeExpr(
                (), ast.NamedType(name("int")), False, (ast.InRange(number(-5), number(10)),)
            ),
        ),
        (
            "text matches order_id",
            ast.TypeExpr(
                (),
                ast.NamedType(name("text")),
                False,
                (ast.MatchesPatterns(name("order_id")),),
            ),
        ),
    ],
)
def test_types(written: str, expected: ast.TypeExpr) -> None:
    assert typed(written) == expected


# --- expressions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a or b and c", ast.Binary("or", A, ast.Binary("and", B, C))),
        ("(a or b) and c", ast.Binary("and", ast.Binary("or", A, B), C)),
        ("not a and b", ast.Binary("and", ast.Unary("not", A), B)),
        ("not a == b", ast.Unary("not", ast.Binary("==", A, B))),
        ("a - b - c", ast.Binary("-", ast.Binary("-", A, B), C)),
        ("a + b * c", ast.Binary("+", A, ast.Binary("*", B, C))),
        ("a / b * -c", ast.Binary("*", ast.Binary("/", A, B), ast.Unary("-", C))),
        ("a + b <= c", ast.Binary("<=", ast.Binary("+", A, B), C)),
        *((f"a {op} b", ast.Binary(op, A, B)) for op in "== != < <= > >=".split()),
        ("a in b", ast.Binary("in", A, B)),
        ("a not in b", ast.Binary("not in", A, B)),
        ("a matches p", ast.Binary("matches", A, ref("p"))),
        ("a.b.c", ast.FieldRef(ast.FieldRef(A, name("b")), name("c"))),
        ("a[0]?", ast.Present(ast.Index(A, number(0)))),
        ("-a.b", ast.Unary("-", ast.FieldRef(A, name("b")))),
        ("if a then b else c", ast.If(A, B, C)),
        ("f(a, x: b)", ast.CallFn(name("f"), (*positional(A), ast.Argument(name("x"), B)))),
        ("max(a, b)", ast.CallFn(name("max"), positional(A, B))),
        ("[]", ast.ListOf(())),
        ("[a, b]", ast.ListOf((A, B))),
        ("{}", ast.RecordOf(())),
        (
            '{a: b, "k": c}',
            ast.RecordOf((ast.FieldInit(name("a"), False, B), ast.FieldInit(name("k"), True, C))),
        ),
        (
            'match a { x, "t" => b true => c else => a }',
            ast.Match(
                A,
                (
                    ast.Arm((name("x"), text("t")), link(B)),
                    ast.Arm((literal(LiteralKind.BOOL, True),), link(C)),
                    ast.Arm(ast.Else(), link(A)),
                ),
            ),
        ),
    ],
)
def test_expressions(written: str, expected: ast.Expr) -> None:
    assert expression(written) == expected
