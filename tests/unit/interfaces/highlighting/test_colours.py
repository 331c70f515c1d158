"""Colours by regular expressions against the parser, over the conformance suite and all examples.

The parser knows which words of a file are keywords and which are names. Pygments and VS Code see
only the regular expressions that are made from its tables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pygments import lex, token
from pygments.formatters import HtmlFormatter

from pipelang.diagnostics import Source
from pipelang.interfaces.highlighting.neighbours import neighbours
from pipelang.interfaces.highlighting.pygments_lexer import TOKENS, PipelangLexer
from pipelang.interfaces.highlighting.rules import Colour
from pipelang.interfaces.highlighting.textmate import PLACE, grammar_text
from pipelang.syntax.parse import SHIFT, SHIFT_AS_NAME, parse
from pipelang.syntax.tables import tables
from tests.suite.chunks import all_chunks

REPO = Path(__file__).parents[4]
KEYWORDS = {
    Colour.DECLARATION,
    Colour.ITEM,
    Colour.WORD,
    Colour.OPERATOR_WORD,
    Colour.CONSTANT,
    Colour.LABEL,
}
NAMES = {
    Colour.TYPE,
    Colour.SCALAR,
    Colour.DECLARED,
    Colour.FUNCTION,
    Colour.CALL,
    Colour.NAME,
    Colour.MEMBER,
}
KINDS = {
    **dict.fromkeys(KEYWORDS, "keyword"),
    **dict.fromkeys(NAMES, "name"),
    **dict.fromkeys((Colour.TEXT, Colour.ESCAPE, Colour.TEMPLATE, Colour.INSERT_MARK), "text"),
    Colour.NUMBER: "number",
    Colour.OPERATOR: "sign",
    Colour.PUNCTUATION: "sign",
    Colour.COMMENT: "comment",
    Colour.DOC: "comment",
}
MOST_WRONG = 1 / 4_000
"""Of all tokens. What is left are words at the end of a line that the next line decides about, as
`escalated kind` before `}`.
"""


@cache
def texts() -> list[str]:
    """Every text of the suite, the examples and the library that can be read without a mistake."""
    files = [*REPO.glob("examples/**/*.pipe"), *REPO.glob("stdlib/*.pipe")]
    every = [file.read_text(encoding="utf-8") for file in sorted(files)]
    for chunk in all_chunks():
        every += [text for name, text in chunk.files.items() if name.endswith(".pipe")]
    return [text.removeprefix("\ufeff") for text in every if _is_sound(text)]


def _is_sound(text: str) -> bool:
    parsed = parse(Source("a.pipe", text))
    return bool(parsed.derivation) and not parsed.tokens.diagnostics


def expected(text: str) -> Iterator[tuple[int, str, str]]:
    """Of each token and comment: where it stands, its text, and what it is."""
    parsed = parse(Source("a.pipe", text))
    shifts = [one for one in parsed.derivation if one in (SHIFT, SHIFT_AS_NAME)]
    keywords = tables().keyword_of
    for one, shift in zip(parsed.tokens.tokens, shifts, strict=True):
        if one.type in keywords and shift == SHIFT:
            is_function = one.text == "max" and text.startswith("(", one.end)
            yield one.start, one.text, "name" if is_function else "keyword"
        elif one.type in keywords or one.type == "NAME":
            yield one.start, one.text, "name"
        elif one.type in ("STRING", "TEMPLATE"):
            yield one.start, one.text, "text"
        else:
            yield one.start, one.text, "number" if one.text[0] in "$0123456789" else "sign"
    for comment in parsed.tokens.comments:
        yield comment.start, comment.text, "comment"


Pieces = tuple[list[int], list[str]]
"""The starts of pieces of a text, and what each is."""


def by_pygments(text: str) -> Pieces:
    kind_of = {TOKENS[colour]: kind for colour, kind in KINDS.items()}
    starts, kinds = [], []
    for start, kind, _ in PipelangLexer().get_tokens_unprocessed(text):
        starts.append(start)
        kinds.append(kind_of.get(kind, str(kind)))
    return starts, kinds


def assert_agree(texts: list[str], seen: list[Pieces]) -> None:
    total, wrong = 0, []
    for text, (starts, kinds) in zip(texts, seen, strict=True):
        for start, word, kind in expected(text):
            total += 1
            found = kinds[bisect_right(starts, start) - 1]
            if found != kind:
                around = text[max(0, start - 30) : start + len(word) + 20]
                wrong.append(f"`{word}` is a {kind}, not {found}, in {around!r}")
    assert total > 50_000
    assert len(wrong) <= total * MOST_WRONG, "\n".join(wrong)
    # Never wrong: what is text, number or comment.
    assert not [
        line for line in wrong if "` is a keyword" not in line and "` is a name" not in line
    ]


def test_pygments_sees_what_the_parser_sees():
    assert_agree(texts(), [by_pygments(text) for text in texts()])


def _modules() -> str | None:
    """Where VS Code's reader of grammars is installed, `npm install` in editors/vscode."""
    named = os.environ.get("PIPELANG_NODE_MODULES")
    for place in (named, REPO / "editors/vscode/node_modules"):
        if place and (Path(place) / "vscode-textmate").is_dir():
            return str(Path(place).resolve())
    return None


@pytest.mark.skipif(
    shutil.which("node") is None or _modules() is None,
    reason="needs node, and `npm install` in editors/vscode",
)
def test_vs_code_sees_what_the_parser_sees():
    run = subprocess.run(
        ["node", str(Path(__file__).with_name("scopes.js")), str(_modules()), str(REPO / PLACE)],
        input=json.dumps({"texts": texts()}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    kind_of = {f"{colour.value}.pipelang": kind for colour, kind in KINDS.items()}
    seen = []
    for found in json.loads(run.stdout):
        starts = [start for start, _, _ in found]
        seen.append((starts, [kind_of.get(scope, scope) for _, _, scope in found]))
    assert_agree(texts(), seen)


def test_the_grammar_of_the_extension_is_the_one_that_the_tables_make():
    written = (REPO / PLACE).read_text(encoding="utf-8")
    assert written == grammar_text(), "run `make editors`"


def test_neighbours_are_read_off_the_grammar():
    keywords = tables().keywords
    assert neighbours()[keywords["low"]].before == {keywords["effort"]}
    assert "NAME" in neighbours()[keywords["step"]].behind
    assert "COLON" not in neighbours()[keywords["cost"]].behind


def test_a_text_that_is_broken_is_coloured_to_its_end():
    """Half a file, half a word: nothing is lost, nothing is doubled."""
    text = (REPO / "examples/support/support.pipe").read_text(encoding="utf-8")
    for end in range(0, len(text), 997):
        piece = text[:end] + "§ \n{{ '"
        assert (
            "".join(part for _, part in lex(piece, PipelangLexer(stripnl=False, ensurenl=False)))
            == piece
        )


def test_soft_words_are_names_where_only_a_name_can_stand():
    seen = {
        word: kind
        for kind, word in lex("enum Level { low high }\ntype T { cost: money }\n", PipelangLexer())
    }
    assert seen["low"] in token.Name
    assert seen["cost"] in token.Name
    assert seen["money"] is token.Keyword.Type
    assert HtmlFormatter().get_style_defs()  # every token has a standard class
