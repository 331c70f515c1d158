"""Half-written files: every request is answered at prefixes of every example, and after cuts."""

from __future__ import annotations

import os
import random
from datetime import date

import pytest
from lsprotocol import types as lsp

from benchmarks.editor import large
from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.features.semantic_tokens import TYPES
from pipelang.syntax import parse as parsing
from pipelang.syntax.parse import SHIFT, parse
from pipelang.syntax.tables import tables

from .editor import Editor, wait
from .prefixes import EXAMPLES, REPO, Trial, ask_everything


def every_request(editor: Editor, name: str, offset: int) -> None:
    """All requests that an editor sends about a place. None may break down."""
    wait(ask_everything(editor, name, offset))


def test_some_prefixes_of_every_example():
    """Others every day; `prefixes` tries all of them."""
    seed = int(os.environ.get("PREFIX_SEED") or date.today().toordinal())
    chosen = random.Random(seed)
    trial = Trial()
    for file in EXAMPLES:
        text = file.read_text(encoding="utf-8")
        editor = Editor()
        for _ in range(2 + len(text) // 8_000):
            end = chosen.randrange(len(text) + 1)
            trial.at(editor, text[:end], f"{file.name}:{end}")
    assert not trial.broken, f"PREFIX_SEED={seed}: {chr(10).join(trial.broken.values())}"
    assert trial.prefixes > 2 * len(EXAMPLES)


def test_every_prefix_of_a_small_file():
    file = REPO / "examples/gallery/15_wrong_branch.pipe"
    trial = Trial()
    trial.file(file, every=7)
    assert not trial.broken, trial.broken
    assert trial.prefixes == len(file.read_text(encoding="utf-8")) // 7 + 1


def test_a_breakdown_is_told_with_its_place():
    editor = Editor()

    def broken(params: object) -> object:
        raise KeyError("of a test")

    editor.requests.hover = broken  # type: ignore[assignment]
    trial = Trial()
    trial.at(editor, "pipeline", "a.pipe:8")
    (said,) = trial.broken.values()
    assert said.startswith("a.pipe:8\n")
    assert "hover at 8 of half.pipe" in said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\ufeff",
        "{",
        "}}}}",
        '"',
        '"""',
        "pipeline",
        "use ",
        "\0",
        "😀",
        "a\r\nb\rc\n",
        "((((" * 99,
    ],
)
def test_strange_files(text):
    editor = Editor()
    editor.open("strange.pipe", text)
    every_request(editor, "strange.pipe", len(text))


def test_twenty_thousand_lines(monkeypatch):
    """By four requests that read all of it, parsed once; `benchmarks.editor` has the times."""
    parsed, run = [], parsing._run

    def counted(source, *given):
        parsed.append(source.name)
        return run(source, *given)

    monkeypatch.setattr(parsing, "_run", counted)
    text = large()
    assert text.count("\n") > 19_900
    editor = Editor(large=text)
    at = text.rindex("return c") + len("return ")
    assert {"a", "b", "c"} <= set(editor.complete("large.pipe", at))
    document = lsp.TextDocumentIdentifier("file:///nowhere/large.pipe")
    assert len(wait(editor.requests.symbols(lsp.DocumentSymbolParams(document)))) == 1053
    assert len(wait(editor.requests.lenses(lsp.CodeLensParams(document)))) == 1052
    assert len(wait(editor.requests.tokens(lsp.SemanticTokensParams(document))).data) > 300_000
    assert parsed.count(Editor.path("large.pipe")) == 1


def test_semantic_tokens_are_the_parsers():
    file = REPO / "examples/support/support.pipe"
    text = file.read_text(encoding="utf-8")
    editor = Editor(support=text)
    document = lsp.TextDocumentIdentifier("file:///nowhere/support.pipe")
    data = wait(editor.requests.tokens(lsp.SemanticTokensParams(document))).data
    lines = editor.session.documents.open[editor.path("support.pipe")].lines
    line = column = last = 0
    seen = {}
    for at in range(0, len(data), 5):
        down, right, length, kind, _ = data[at : at + 5]
        line, column = line + down, right if down else column + right
        start = lines.offset(lsp.Position(line, column))
        assert start >= last, "tokens do not overlap"
        last = start + length
        seen[start] = (text[start:last], TYPES[kind])
    parsed = parse(Source("a", text))
    shifts = [one for one in parsed.derivation if one < 0]
    for token, shift in zip(parsed.tokens.tokens, shifts, strict=True):
        if token.type in tables().keyword_of:
            assert (seen[token.start][1] == "keyword") is (shift == SHIFT), token


def test_folds_and_symbols_stay_inside_the_file():
    for file in EXAMPLES[::5]:
        text = file.read_text(encoding="utf-8")
        editor = Editor(a=text)
        document = lsp.TextDocumentIdentifier("file:///nowhere/a.pipe")
        last = text.count("\n")
        for fold in wait(editor.requests.folds(lsp.FoldingRangeParams(document))):
            assert 0 <= fold.start_line < fold.end_line <= last

        def inside(symbol: lsp.DocumentSymbol) -> None:
            outer, name = symbol.range, symbol.selection_range
            assert (outer.start.line, outer.start.character) <= (
                name.start.line,
                name.start.character,
            )
            assert (name.end.line, name.end.character) <= (outer.end.line, outer.end.character)
            for child in symbol.children or ():
                inside(child)

        for symbol in wait(editor.requests.symbols(lsp.DocumentSymbolParams(document))):
            inside(symbol)
