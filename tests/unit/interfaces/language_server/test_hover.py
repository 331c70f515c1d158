"""Hovers over words: every word of the grammar says something, and what it says is of its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.features.hover import hover
from pipelang.interfaces.language_server.features.names import names_of
from pipelang.interfaces.language_server.session import Root, look
from pipelang.syntax.parse import SHIFT, SHIFT_AS_NAME, parse
from pipelang.syntax.tables import tables

from .editor import Editor, wait

REPO = Path(__file__).parents[4]
EXAMPLES = sorted(REPO.glob("examples/*/*.pipe"))
EVERY = 23
"""One word of so many is tried."""


def said(text: str, word: str, nth: int = 0) -> str:
    """What the hover over a word of a text says."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(word, at + 1)
    editor = Editor(a=text)
    found = wait(editor.requests.hover(lsp.HoverParams(**editor.at("a.pipe", at))))
    if found is None:
        return ""
    assert isinstance(found.contents, lsp.MarkupContent)
    return found.contents.value


PROGRAM = """\
language 1
use std.tiers
role staff { people 1 }
type Page { scan: image  body: document max 3 pages  to: text max 9 tokens }
tool send(to: text max 9 tokens) { effect write  timeout 1s  latency 1s median  cost $0.01 }
prompt q(page: Page) \"\"\"{{ page.to }}\"\"\"

pipeline p(page: Page) -> text max 20 tokens {
  quota 5 runs/day per tenant else reject
  step a: text max 20 tokens = ask q(page) by haiku {
    accuracy 92 of 100
    timeout  5s
    output   9 tokens mean, 20 tokens max
  } else escalate to staff
  gate g: len(a) > 0 and page.to != "" else reject
  sample 5% of a by staff
  watch {
    cost.mean     <= baseline + 20% over 1d
    accuracy(a) >= 90% over 7d else alert staff
  }
  return a
}
"""


@pytest.mark.parametrize(
    ("word", "nth", "expected"),
    [
        ("baseline", 0, "what this figure was in the runs of a release"),
        ("accuracy", 0, "how often an answer to right arguments is right"),
        ("accuracy", 1, "in production"),
        ("cost", 0, "dollars a call"),
        ("cost", 1, "dollars of a mean run"),
        ("latency", 0, "how long a call takes"),
        ("len", 0, "`len(x)`"),
        ("image", 0, "a picture"),
        ("document", 0, "a PDF"),
        ("of", 0, "counted"),
        ("per", 0, "each of them has its own"),
        ("tenant", 0, "who a run is for"),
        ("and", 0, "both sides"),
        ("alert", 0, "the role that is told"),
        ("language", 0, "version of the language"),
        ("sample", 0, "people label"),
    ],
)
def test_a_word_says_what_it_means_at_its_place(word, nth, expected):
    assert expected in said(PROGRAM, word, nth)


@pytest.mark.parametrize("word", ["to: text", "to != "])
def test_a_keyword_that_is_a_name_says_what_it_is(word):
    assert "escalate" not in said(PROGRAM, word, 0)
    assert "to: text" in said(PROGRAM, word, 0)


def test_a_field_that_nobody_declared_is_no_keyword():
    text = PROGRAM.replace("page.to != ", "page.from != ")
    assert said(text, "from != ") == ""


def test_every_keyword_that_people_wrote_says_something_and_no_name_says_a_keywords():
    grammar = tables()
    heard = silent = 0
    for file in EXAMPLES:
        path, text = str(file), file.read_text(encoding="utf-8")
        parsed = parse(Source(path, text))
        shifts = [one for one in parsed.derivation if one < 0]
        survey, _ = look(path, {path: text})
        root, names = Root(path, survey=survey, sound=survey), names_of(survey)
        words = [
            (token, shift)
            for token, shift in zip(parsed.tokens.tokens, shifts, strict=True)
            if token.type in grammar.keyword_of
        ]
        for token, shift in words[::EVERY]:
            found = hover(root, names, path, token.start)
            if shift == SHIFT:
                heard += 1
                assert found is not None, (file.name, token)
                assert (found.start, found.end) == (token.start, token.end), (file.name, token)
            elif shift == SHIFT_AS_NAME and names.at(path, token.start) is not None:
                silent += 1
                assert found is None or not found.text.startswith("**"), (file.name, token)
    assert heard > 200
    assert silent > 10


def test_a_declaration_is_shown_from_the_margin():
    """The lines after the first are no further in than they are from it."""
    shown = said(PROGRAM, "a: text")
    (code,) = re.findall(r"```pipelang\n(.*?)\n```", shown, re.DOTALL)
    lines = code.splitlines()
    assert lines[0].startswith("step a: text")
    assert lines[1:4] == [
        "  accuracy 92 of 100",
        "  timeout  5s",
        "  output   9 tokens mean, 20 tokens max",
    ]
    assert lines[4] == "} else escalate to staff"


def test_a_member_of_an_enum_shows_its_doc_comment() -> None:
    text = (
        "enum Size {\n  ## Fits into a letter.\n  small\n  large\n}\n"
        "pipeline p(size: Size) -> bool { return size == small }\n"
    )
    for nth in range(2):
        assert said(text, "small", nth) == "```pipelang\nsmall\n```\n\nFits into a letter."
    assert said(text, "large") == "```pipelang\nlarge\n```"
