"""Files as a whole: their parts, doc comments, spans, and words that are names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.diagnostics import Source, Span
from pipelang.syntax import ast
from pipelang.syntax.parse import parse
from pipelang.syntax.tables import tables

from .nodes import (
    declaration,
    expression,
    members,
    names,
    read,
)

EXAMPLE = Path(__file__).parent / "format" / "support.pipe"


def test_the_whole_file() -> None:
    module = read(EXAMPLE.read_text(encoding="utf-8")).module
    kinds = [type(found).__name__ for found in module.declarations]
    assert len(kinds) == 16
    pipeline = next(d for d in module.declarations if isinstance(d, ast.PipelineDecl))
    assert [type(found).__name__ for found in pipeline.items] == (
        "Budget Permits Slo Traffic Step Gate Gate Step Step Gate Hold Step Return".split()
    )


def test_language_line() -> None:
    assert read("language 1\nuse a").module.language == 1
    assert read("use a").module.language is None
    assert parse(Source("e", "language 2\nnews { }")).module.language == 2


def test_doc_comments_belong_to_what_follows() -> None:
    module = read(
        "## Of the type.\n##   Two lines.\ntype T {\n  ## of the field\n  a: int ## of nothing\n"
        "  b: int\n}\n# plain\nenum E { x }\n## lost\n# by this\nuse a\n"
    ).module
    first, second, third = module.declarations
    assert isinstance(first, ast.TypeDecl)
    assert isinstance(second, ast.EnumDecl)
    assert isinstance(third, ast.Use)
    assert first.doc == "Of the type.\nTwo lines."
    assert [found.doc for found in first.fields] == ["of the field", None]
    assert second.doc is None
    assert third.doc is None


def test_spans_are_what_was_written() -> None:
    written = "pipeline p() -> int {\n  gate g: a.b >= 70% else reject\n}\n"
    pipeline = declaration(written)
    gate = pipeline.items[0]
    for node, letters in [
        (pipeline, written.strip()),
        (pipeline.returns, "int"),
        (gate, "gate g: a.b >= 70% else reject"),
        (gate.condition, "a.b >= 70%"),
        (gate.condition.left, "a.b"),
        (gate.otherwise, "reject"),
    ]:
        span: Span = node.span
        assert written[span.start : span.end] == letters


def test_empty_files() -> None:
    for written in ("", "\n\n", "# only a comment", "\ufeff", "\ufeff# c\r\n"):
        assert read(written).module.declarations == ()


# --- words that are names -------------------------------------------------------------------

SOFT = [*sorted(set(tables().keywords) - tables().reserved), "tokens", "min", "it", "feedback"]


@pytest.mark.parametrize("word", SOFT)
def test_every_soft_word_may_name_a_field(word: str) -> None:
    """Declared, as a parameter and an argument, in a record, and after a dot: alone and in rows."""
    read(
        f"type T {{ a: int {word}: text max 5 tokens b: int = 5 {word}: int? }}\n"
        f"fn f({word}: int, b: {{text: int}}) -> int = f({word}: a.{word}, b: {{{word}: 1}})\n"
        f"pipeline p({word}: int) -> int {{\n"
        f"  slo {{ cost.{word} <= 5 latency.{word} <= 3s when x.{word} }}\n"
        f"  traffic {{ x.{word}: 5% y.{word} in [a.{word}]: 8% z.{word}: 5 mean }}\n"
        f"  gate g: x.{word} >= 5% and y.{word}? {{ catches 9% }} else reject\n"
        f"  step s = call t({word}: x.{word}) {{ timeout 5s }} else {{{word}: 1}}\n"
        f"    else escalate to r with x.{word}\n"
        f"  when x.{word} {{ return {{{word}: x.{word}}} }}\n"
        f"  match x.{word} {{ {word}, b {{ return x.{word} }} }}\n"
        f"  return {{a: 1, {word}: 2}}\n"
        f"}}\n"
        f"prove p: never t when x.{word}\n"
        f'test "t" {{ given p({word}: 1) mock s = {{{word}: 1}} expect s == x.{word} }}'
    )


@pytest.mark.parametrize("word", SOFT)
def test_every_soft_word_may_be_a_member(word: str) -> None:
    declared = declaration(f"enum E {{ {word} a {word} }}")
    assert declared.members == members(f"{word} a {word}")
    used = expression(f"match a {{ {word} => 1 b, {word} => 2 }}")
    assert [arm.pattern for arm in used.arms] == [names(word), names(f"b {word}")]


@pytest.mark.parametrize("word", sorted(tables().reserved))
def test_reserved_words_name_nothing(word: str) -> None:
    for written in (
        f"type T {{ {word}: int }}",
        f"enum E {{ {word} }}",
        f"fn f() -> int = a.{word}",
        f"pipeline {word}() -> int {{ return 1 }}",
        f"fn f({word}: int) -> int = 1",
    ):
        (found,) = parse(Source("e", written)).diagnostics
        assert f"the reserved word `{word}`" in found.message
        assert written[found.span.start : found.span.end] == word if found.span else False
