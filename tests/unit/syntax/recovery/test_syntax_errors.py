"""What people get to read when a file does not parse: the place, what was expected, the mend."""

from __future__ import annotations

import pytest

from pipelang.diagnostics import Diagnostic, Source
from pipelang.syntax import ast
from pipelang.syntax.parse import MAX_DEPTH, parse
from tests.work import grows_no_faster_than


def complaints(text: str) -> list[tuple[str, str, str]]:
    """Code, the letters pointed at, and message with help."""
    return [
        (found.rule.code, pointed(text, found), f"{found.message}; {found.help}")
        for found in parse(Source("e.pipe", text)).diagnostics
    ]


def pointed(text: str, found: Diagnostic) -> str:
    assert found.span is not None
    return text[found.span.start : found.span.end]


def inside(text: str) -> str:
    return f"pipeline p(a: int) -> int {{\n  {text}\n  return a\n}}\n"


@pytest.mark.parametrize(
    ("text", "code", "place", "said"),
    [
        ("type T { a = int }", "P101", "=", "expected `:`, found `=`; write `:` here"),
        (inside("let x: = 5"), "P101", "=", "expected a type, found `=`"),
        (inside("gate g = a else reject"), "P101", "=", "expected `:`, found `=`"),
        (inside("step x ask f() by h"), "P101", "ask", "expected `:` or `=`, found `ask`"),
        (inside("gate g: a > 3"), "P101", "return", "expected `{` or `else`, found `return`"),
        ("fn f(x: int) = x", "P101", "=", "expected `->`, found `=`"),
        ("type if { a: int }", "P101", "if", "`if` is a word of the language"),
        (
            "type T { max: int }",
            "P101",
            "max",
            "a field that is called so outside has a name for this file before it",
        ),
        ("enum E { a, b }", "P101", ",", "leave out the comma"),
        ("type T { a: int, b: int }", "P101", ",", "leave out the comma"),
        ("fn f() -> int = [1, 2,]", "P101", "]", "leave out the last comma"),
        ("role r { people: 5 }", "P101", ":", "leave out the `:` after `people`"),
        (inside("if a { return 1 }"), "P101", "if", "write `when` for a branch of items"),
        (inside("when a { } else if b { }"), "P101", "if", "there is no `else if`"),
        (inside("for x in y { }"), "P101", "for", "pipelang writes `step NAME = each"),
        ("def f(x: int) -> int = x", "P101", "def", "pipelang writes `fn` or `pipeline`"),
        ("pipelin p() -> int { }", "P101", "pipelin", "did you mean `pipeline`?"),
        (inside("step x = a { acuracy 9% }"), "P101", "acuracy", "did you mean `accuracy`?"),
        ("tool t() { effect writes }", "P101", "writes", "did you mean `write`?"),
        (inside("let x = a == b == c"), "P101", "==", "join two of them with `and`"),
        (inside("traffic { a: 5 }"), "P101", "5", "a percent sign: 5%"),
        (inside("match a { b => return 1 }"), "P101", "=>", "stands in braces"),
        (inside("match a { b -> return 1 }"), "P101", "->", "an arm of items stands in braces"),
        (inside("match a { b: reject }"), "P101", ":", "an arm of items stands in braces"),
        (inside("slo { cost = 3 }"), "P101", "=", "expected a comparison like `<=`"),
        (inside("call t(a)"), "P101", "call", "an action stands in a step: `step NAME = call"),
        (inside("step x = ask f(ask g() by h) by h"), "P106", "ask", "is an action"),
        (inside("let x = call t(a)"), "P106", "call", "give it a step of its own"),
        (inside("let x = 'abc'"), "P102", "'abc'", 'straight double quotes: "text"'),
        (inside("let x = “abc”"), "P102", "“abc”", 'straight double quotes: "text"'),
        (inside("let x = a && b"), "P102", "&&", "write `and`"),
        (inside("let x = a || b"), "P102", "||", "write `or`"),
        (inside("let x = !a"), "P102", "!", "write `not`"),
        (inside("let x = a;"), "P102", ";", "nothing is needed between items"),
        ("use a\x00", "P102", "\x00", "the character U+0000"),
        ("use\xa0a", "P102", "\xa0", "the character U+00A0"),
        (inside("let x = 1_000"), "P103", "1_000", "is not a number or a quantity"),
        (inside("step x = a { timeout 30sec }"), "P103", "30sec", "write `30s`"),
        (inside("let x = 40k token"), "P103", "40k", "40k tokens"),
        (inside(f"let x = 1{'0' * 30}"), "P103", f"1{'0' * 30}", "is not a number"),
        (inside("let x = ٣"), "P103", "٣", "is not a number"),
        (inside("let x = 1.5 tokens"), "P103", "1.5 tokens", "is not a number"),
        (inside('let x = "abc'), "P104", '"abc', "this text is never closed"),
        ('prompt p() """ abc', "P104", '"""', "this template is never closed"),
        ("pipeline p() -> int {\n  return 1\n", "P104", "{", "this block is never closed"),
        ("fn f() -> int = (1 + 2\n\nfn g() -> int = 1", "P104", "(", "close it with `)`"),
        ("type T {\n  a: int\n\ntype U { b: int }", "P104", "{", "close it with `}`"),
        ('fn f() -> text = "a\\qb"', "P105", "\\q", "is no escape of a text"),
        ('fn f() -> text = "\\u{D800}"', "P105", "\\u{D800}", "is no escape of a text"),
        ('fn f() -> text = "\\u{110000}"', "P105", "\\u{110000}", "is no escape of a text"),
        ("fn f() -> int = 1 +  ", "P101", "", "expected an expression, found the end of the file"),
        ("fn f() -> int =\nenum E { a }", "P101", "enum", "the rest of the declaration above"),
        ("language two", "P101", "two", "expected a whole number"),
    ],
)
def test_typical_slips(text: str, code: str, place: str, said: str) -> None:
    (found,) = complaints(text)
    assert found[0] == code
    assert found[1] == place
    assert said in found[2]


def test_messages_are_short() -> None:
    for text in (inside("5"), "5", inside("step x = 5 {"), "fn f() -> int = a b", "tool t() { 5 }"):
        for _, _, said in complaints(text):
            assert len(said) < 160, said
            assert "something" not in said


def test_each_broken_declaration_is_reported_and_the_whole_ones_are_kept() -> None:
    text = (
        "use std.tiers\n"
        "enum A { x, y }\n"
        "type B { a: int }\n"
        "tool c(a: int) {\n  effect read\n"  # never closed
        "enum D { x }\n"
        "fn e() -> int = 1 2\n"
        "type F { a: text }\n"
        "pipeline g() -> int {\n  gate h: a > 1 else\n}\n"
        "enum I { x }\n"
        ")\n"
        "prove p: never t when a\n"
    )
    parsed = parse(Source("e.pipe", text))
    lines = [text[: found.span.start].count("\n") + 1 for found in parsed.diagnostics if found.span]
    assert lines == [2, 4, 7, 11, 13]
    kept = [type(found).__name__ for found in parsed.module.declarations]
    whole = ["Use", "EnumDecl", "TypeDecl", "ToolDecl", "EnumDecl", "FnDecl", "TypeDecl"]
    assert kept == [*whole, "PipelineDecl", "EnumDecl", "ProveDecl"]


def test_a_text_that_is_never_closed_is_one_mistake() -> None:
    text = 'prompt p() {\n  system "abc\n  user """x"""\n}\nfn f() -> int = $x + 5'
    assert [code for code, _, _ in complaints(text)] == ["P104", "P103"]


@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("[{a: ", "1", "}]"),
        ("not ", "a", ""),
        ("-", "a", ""),
        ("1 + ", "1", ""),
        ("if a then b else ", "b", ""),
        ("match a { b => ", "1", "}"),
        ("", "a", ".b"),
        ("", "a", "?"),
    ],
)
def test_depth_has_a_limit(opening: str, middle: str, closing: str) -> None:
    """Below it, passes may recurse; above it there is an error and no crash."""
    few = f"fn f() -> int = {opening * 12}{middle}{closing * 12}\n"
    parsed = parse(Source("e.pipe", few))
    assert not parsed.diagnostics
    assert parsed.module == parse(Source("e.pipe", few)).module
    many = f"fn f() -> int = {opening * 5000}{middle}{closing * 5000}\ntype T {{}}\n"
    parsed = parse(Source("e.pipe", f"use a\n{many}"))
    (found,) = parsed.diagnostics
    assert found.rule.code == "P109"
    assert str(MAX_DEPTH) in found.message
    kinds = [type(declaration) for declaration in parsed.module.declarations]
    assert kinds == [ast.Use, ast.Broken, ast.TypeDecl]


def test_many_mistakes_take_no_longer_than_their_number() -> None:
    def work(count: int) -> None:
        # A hundred, and how many more there are.
        assert len(complaints("fn f() -> int =\nenum E { a, b }\n" * count)) == 101

    grows_no_faster_than(1, work, 150, 4)
