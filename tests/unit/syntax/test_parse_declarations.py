"""Declarations and the lines of tests parse to the nodes that are meant for them."""

from __future__ import annotations

import pytest

from pipelang.syntax import ast
from pipelang.syntax.ast import LiteralKind

from .nodes import (
    A,
    B,
    amount,
    declaration,
    literal,
    members,
    money,
    name,
    names,
    number,
    plain,
    seconds,
    share,
    text,
)

# --- declarations ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("use std.tiers", ast.Use(names("std tiers"), None, None)),
        ("use std.checks { a b }", ast.Use(names("std checks"), None, names("a b"))),
        ("use std.checks { a, b }", ast.Use(names("std checks"), None, names("a b"))),
        ('use "types.pipe"', ast.Use(None, text("types.pipe"), None)),
        ("enum E { a b low }", ast.EnumDecl(name("E"), members("a b low"))),
        (
            'enum E { very_high "very high" b }',
            ast.EnumDecl(
                name("E"),
                (ast.EnumMember(name("very_high"), text("very high")), *members("b")),
            ),
        ),
        (
            'type T { in_ "in": int }',
            ast.TypeDecl(
                name("T"),
                (ast.FieldDecl(name("in_"), plain("int"), None, outer=text("in")),),
            ),
        ),
        (
            "type T { a: int = 5 }",
            ast.TypeDecl(name("T"), (ast.FieldDecl(name("a"), plain("int"), number(5)),)),
        ),
        (
            'provider p { kind anthropic key "k" base_url "u" available 99% }',
            ast.ProviderDecl(
                name("p"),
                (
                    ast.Kind(name("anthropic")),
                    ast.Key(text("k")),
                    ast.BaseUrl(text("u")),
                    ast.Available(share("0.99")),
                ),
            ),
        ),
        (
            'tier t { provider p model "m" price $1 in, $5 out, $2 cache_write, $3 cache_read '
            'latency 1s median, 2s p95 transient 1% context 9 tokens as_of "d" }',
            ast.TierDecl(
                name("t"),
                (
                    ast.Provider(name("p")),
                    ast.Model(text("m")),
                    ast.Price(
                        (
                            ast.PriceItem("in", money("1")),
                            ast.PriceItem("out", money("5")),
                            ast.PriceItem("cache_write", money("2")),
                            ast.PriceItem("cache_read", money("3")),
                        )
                    ),
                    ast.Latency(ast.Spread(seconds("1"), seconds("2"))),
                    ast.Transient(share("0.01")),
                    ast.Context(amount(9)),
                    ast.AsOf(text("d")),
                ),
            ),
        ),
        (
            "role r { people 12 handles 4m responds 15m median hours 8 must_differ_from q }",
            ast.RoleDecl(
                name("r"),
                (
                    ast.PeopleOption(number(12)),
                    ast.Handles(seconds("240")),
                    ast.Responds(ast.Spread(seconds("900"), None)),
                    ast.Hours(number(8)),
                    ast.MustDifferFrom(name("q")),
                ),
            ),
        ),
        (
            'tool t(a: int = 5) -> int { mcp "s" "t" permit "p" rate 5/s succeeds 9 of 10 '
            "cost $1 idempotent }",
            ast.ToolDecl(
                name("t"),
                (ast.Param(name("a"), plain("int"), number(5)),),
                plain("int"),
                (
                    ast.McpBinding(text("s"), text("t")),
                    ast.Permit(text("p")),
                    ast.RateLimit(literal(LiteralKind.RATE, (5, 1))),
                    ast.Succeeds(ast.Counted(9, 10)),
                    ast.Cost(money("1")),
                    ast.Idempotent(),
                ),
            ),
        ),
        *(
            (
                f'tool t() {{ python "m:f" effect {kind} }}',
                ast.ToolDecl(
                    name("t"), (), None, (ast.PythonBinding(text("m:f")), ast.Effect(kind))
                ),
            )
            for kind in ("pure", "read", "write", "irreversible")
        ),
        ("fn f() -> int = a", ast.FnDecl(name("f"), (), False, plain("int"), A)),
        (
            'fn f() -> public int python "m:f"',
            ast.FnDecl(name("f"), (), True, plain("int"), ast.PythonBinding(text("m:f"))),
        ),
        (
            'patterns p { "\\d+" "a\\"b" }',
            ast.PatternsDecl(name("p"), (text("\\d+"), text('a"b'))),
        ),
        (
            'prompt p(a: int) """\n    two\n      lines\n  """',
            ast.PromptDecl(
                name("p"),
                (ast.Param(name("a"), plain("int"), None),),
                None,
                ast.Template("two\n  lines", None),
            ),
        ),
        (
            'prompt p() from "f.j2"',
            ast.PromptDecl(name("p"), (), None, ast.Template(None, text("f.j2"))),
        ),
        (
            'prompt p() { system """ s """ user from "u.j2" }',
            ast.PromptDecl(
                name("p"), (), ast.Template("s", None), ast.Template(None, text("u.j2"))
            ),
        ),
        (
            "setting s: probability in 5%..9% = 7%",
            ast.SettingDecl(
                name("s"),
                ast.TypeExpr(
                    (),
                    ast.NamedType(name("probability")),
                    False,
                    (ast.InRange(share("0.05"), share("0.09")),),
                ),
                share("0.07"),
            ),
        ),
        (
            "memory m(a: int) -> int { keeps 24h }",
            ast.MemoryDecl(
                name("m"),
                (ast.Param(name("a"), plain("int"), None),),
                plain("int"),
                (ast.Keeps(seconds("86400")),),
            ),
        ),
        (
            "pipeline p() -> int { return a }",
            ast.PipelineDecl(name("p"), (), plain("int"), (ast.Return(A),)),
        ),
        (
            "prove p: t only after q.g",
            ast.ProveDecl(name("p"), ast.OnlyAfter(name("t"), names("q g"), None)),
        ),
        (
            "prove p: t only after g when a",
            ast.ProveDecl(name("p"), ast.OnlyAfter(name("t"), names("g"), A)),
        ),
        ("prove p: t at most once", ast.ProveDecl(name("p"), ast.AtMost(name("t"), 1))),
        ("prove p: t at most 3 times", ast.ProveDecl(name("p"), ast.AtMost(name("t"), 3))),
        ("prove p: never t", ast.ProveDecl(name("p"), ast.Never(name("t"), None))),
        ("prove p: never t when a", ast.ProveDecl(name("p"), ast.Never(name("t"), A))),
        ("prove p: escalates when a", ast.ProveDecl(name("p"), ast.Escalates(A))),
        *(
            (
                f"prove p: {label} never reaches t",
                ast.ProveDecl(name("p"), ast.NeverReaches(label, name("t"))),
            )
            for label in ("untrusted", "private", "secret")
        ),
    ],
)
def test_declarations(written: str, expected: ast.Declaration) -> None:
    assert declaration(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("given p(a: b)", ast.Given(name("p"), (ast.Argument(name("a"), B),))),
        ("mock s = a, b", ast.MockValues(names("s"), (A, B))),
        ("mock q.s = a", ast.MockValues(names("q s"), (A,))),
        ("mock s fails", ast.MockFails(names("s"))),
        *(
            (f"mock s {word}", ast.MockVerdicts(names("s"), (ast.MockVerdict(word, None),)))
            for word in ("yes", "no", "veto")
        ),
        (
            'mock s no "too long", yes',
            ast.MockVerdicts(
                names("s"), (ast.MockVerdict("no", "too long"), ast.MockVerdict("yes", None))
            ),
        ),
        (
            "mock s = calls t(a: b), a",
            ast.MockValues(names("s"), (ast.MockCall(name("t"), (ast.Argument(name("a"), B),)), A)),
        ),
        ("mock breaker open", ast.MockBreaker()),
        ("expect answered", ast.ExpectAnswered(None)),
        ("expect answered a == b", ast.ExpectAnswered(ast.Binary("==", A, B))),
        ("expect escalated", ast.ExpectEscalated(None)),
        ("expect escalated g", ast.ExpectEscalated(names("g"))),
        ("expect rejected q.g", ast.ExpectRejected(names("q g"))),
        ("expect rejected", ast.ExpectRejected(None)),
        ("expect failed", ast.ExpectFailed(None)),
        ("expect failed timeout", ast.ExpectFailed("timeout")),
        ('expect failed "own code"', ast.ExpectFailed("own code")),
        ("expect called t", ast.ExpectCalled(name("t"), True, None, None)),
        ("expect not called t", ast.ExpectCalled(name("t"), False, None, None)),
        ("expect called t once", ast.ExpectCalled(name("t"), True, None, 1)),
        ("expect called t() 3 times", ast.ExpectCalled(name("t"), True, (), 3)),
        (
            "expect called t(a: b) 2 times",
            ast.ExpectCalled(name("t"), True, (ast.Argument(name("a"), B),), 2),
        ),
        ("expect a == b", ast.ExpectExpr(ast.Binary("==", A, B))),
        ("expect not a", ast.ExpectExpr(ast.Unary("not", A))),
        ("expect cost <= $0.01", ast.ExpectCost("<=", money("0.01"))),
    ],
)
def test_lines_of_a_test(written: str, expected: ast.TestLine) -> None:
    assert declaration(f'test "t" {{ {written} }}') == ast.TestDecl("t", (expected,))
