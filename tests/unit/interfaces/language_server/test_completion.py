"""Completion against what people wrote: where a word stood, it must be offered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features.names import names_of
from pipelang.interfaces.language_server.features.words import (
    KEYWORD_WORDS,
    METRIC_WORDS,
    OPTION_WORDS,
    missing_words,
    plain,
)
from pipelang.interfaces.language_server.features.writing import texts
from pipelang.interfaces.language_server.features.writing.completion import complete
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import Root, look
from pipelang.semantics.metrics import METRICS
from pipelang.syntax.option_table import OPTIONS
from pipelang.syntax.parse import SHIFT, parse
from pipelang.syntax.tables import tables
from tests.suite.chunks import all_chunks

from .editor import Editor

REPO = Path(__file__).parents[4]
EXAMPLES = sorted(REPO.glob("examples/*/*.pipe"))
EVERY = 47
"""One word of so many is tried."""


def offered(root: Root, text: str, start: int, end: int) -> set[str]:
    """What is offered where a word has been taken out of a text."""
    without = TextLines(text[:start] + text[end:])
    return {one.label.rstrip(": ") for one in complete(root, Documents(), without, start)}


def test_names_that_people_wrote_are_offered_where_they_stand():
    tried, missed = 0, []
    for file in EXAMPLES:
        path, text = str(file), file.read_text(encoding="utf-8")
        survey, _ = look(path, {path: text})
        root = Root(path, survey=survey, sound=survey)
        uses = sorted(span for span, at in names_of(survey).uses.items() if span != at)
        for span in [one for one in uses if one.file == path][::EVERY]:
            tried += 1
            word = text[span.start : span.end]
            if word not in offered(root, text, span.start, span.end):
                missed.append((file.name, word, text[span.start - 30 : span.end]))
    assert tried > 100
    assert len(missed) <= 0.03 * tried, missed


def test_every_keyword_that_people_wrote_is_offered_where_it_stands():
    keywords = tables().keyword_of
    for file in EXAMPLES:
        path, text = str(file), file.read_text(encoding="utf-8")
        parsed = parse(Source(path, text))
        shifts = [one for one in parsed.derivation if one < 0]
        survey, _ = look(path, {path: text})
        root = Root(path, survey=survey, sound=survey)
        for token, shift in list(zip(parsed.tokens.tokens, shifts, strict=True))[::EVERY]:
            if token.type in keywords and shift == SHIFT:
                assert token.text in offered(root, text, token.start, token.end), token


RARE = """\
tier t {
  provider lab
  model "m"
  price $1 in, $5 out, $2 cache_write, $0.1 cache_read
  latency 1s median
}
pipeline p(a: text) -> text {
  step b = ask q(a) by t { effort high }
  return b
}
"""
"""Words that neither examples nor the suite have in a file without an error."""


def test_every_keyword_of_the_grammar_is_offered_where_it_stands():
    """Each where it was first seen, in examples, the suite's cases and a text of its own."""
    grammar = tables()
    texts = [file.read_text(encoding="utf-8") for file in EXAMPLES]
    texts += [text for chunk in all_chunks() for text in chunk.files.values()] + [RARE]
    missing = set(grammar.keywords)
    for text in texts:
        parsed = parse(Source("a.pipe", text))
        shifts = [one for one in parsed.derivation if one < 0]
        words = [
            token
            for token, shift in zip(parsed.tokens.tokens, shifts, strict=False)
            if token.type in grammar.keyword_of and shift == SHIFT and token.text in missing
        ]
        if words:
            survey, _ = look("a.pipe", {"a.pipe": text})
            root = Root("a.pipe", survey=survey, sound=survey)
        for token in words:
            if token.text in missing:
                assert token.text in offered(root, text, token.start, token.end), token
                missing.discard(token.text)
    assert not missing


SMALL = """\
use std.tiers

enum Size { small large }
type Order { id: text max 20 tokens  size: Size }
role staff { people 1 }
tool lookup(id: text) -> Order { effect read  timeout 1s  succeeds 99% }
prompt q(order: Order) \"\"\"{{ order.id }}\"\"\"

pipeline p(order: Order) -> Order {
  step found: Order = call lookup(order.id)
  step answer: Order = ask q(found) by haiku { accuracy 90% } else escalate to staff
  gate right_size: answer.size == small else reject
  return answer
}
"""


@pytest.mark.parametrize(
    ("written", "expected", "not_expected"),
    [
        ("  step a = ask q(order) by ", {"haiku", "sonnet", "staff", "cascade"}, {"lookup", "q"}),
        ("  step a = call ", {"lookup"}, {"q", "haiku", "order"}),
        ("  step a = call lookup(order.", {"id", "size"}, {"found"}),
        ("  gate g: order.size == ", {"small", "large"}, set()),
        ("  gate g: order.size in [small, ", {"large"}, set()),
        ("  match order.size { ", {"small", "large"}, set()),
        ("  step a = call lookup(order.id) { ", {"timeout", "retry", "accuracy"}, {"effort"}),
        ('  return {id: "a", ', {"size"}, {"id"}),
        ('  return {id: "a", size: ', {"small", "large"}, set()),
        ("  escalate to ", {"staff"}, {"haiku"}),
        ("  step a: decision ", {"Size"}, {"Order", "text", "haiku"}),
        ("  let x: ", {"text", "Order", "Size", "untrusted"}, {"found"}),
        ("  slo { ", {"success", "cost.mean", "latency.p95"}, set()),
        ("  slo { cost.", {"mean", "p95", "worst"}, set()),
        ("  sample 5% of ", {"found", "answer"}, {"right_size", "order"}),
        ("  sample 5% of found, ", {"answer"}, {"right_size", "haiku", "order"}),
        ("  sample 5% of found by ", {"staff"}, {"haiku", "cascade"}),
        ("  step a = call lookup(order.id) { cache 1h by ", {"order"}, {"haiku", "staff"}),
        ("  step a = call lookup(order.id) { cache 1h by order.", {"id", "size"}, {"haiku"}),
        ("  approve ok by ", {"staff"}, {"haiku", "cascade"}),
        ("  hold ok for 5m by ", {"staff"}, {"haiku"}),
        ("  # order.", set(), {"id", "size"}),
        ("  step a = call lookup(", {"id", "order"}, {"haiku"}),
    ],
)
def test_a_place_is_known(written, expected, not_expected):
    text = SMALL.replace("  step found", f"{written}\n  step found")
    editor = Editor(small=SMALL)
    root = editor.root("small.pipe")
    root.sound = root.survey
    path = editor.path("small.pipe")
    root.survey, _ = look(path, {path: text})
    got = {
        one.label.rstrip(": ")
        for one in complete(root, Documents(), TextLines(text), text.index(written) + len(written))
    }
    assert expected <= got
    assert not not_expected & got


def test_a_default_is_of_the_type_of_its_own_field():
    text = SMALL.replace("size: Size }", 'size: Size  other "o": Size = small  n: int = 3 }')
    editor = Editor(small=text)
    root = editor.root("small.pipe")
    assert root.sound is not None
    start = text.index("= small") + 2
    assert {"small", "large"} <= offered(root, text, start, start + len("small"))
    start = text.index("= 3") + 2
    assert not {"small", "large"} & offered(root, text, start, start + 1)


def test_a_field_between_two_dots_is_no_range():
    """Without the field the dots are a range; another one is to be written between them."""
    text = SMALL.replace("order: Order) -> Order", "big: Big) -> Order").replace(
        "call lookup(order.id)", "call lookup(big.order.id)"
    )
    text = text.replace("role staff", "type Big { order: Order }\nrole staff")
    editor = Editor(small=text)
    root = editor.root("small.pipe")
    assert root.sound is not None
    start = text.index("big.order.id") + len("big.")
    assert offered(root, text, start, start + len("order")) == {"order"}


def test_templates_files_and_libraries(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "kind.jsonl").write_text("{}\n")
    (tmp_path / "other.pipe").write_text("role staff { people 1 }\n")
    survey, _ = look("small.pipe", {"small.pipe": SMALL})
    root = Root("small.pipe", survey=survey, sound=survey)

    def at(text: str) -> set[str]:
        offset = text.index("|")
        lines = TextLines(text.replace("|", ""))
        return {one.label for one in complete(root, Documents(), lines, offset)}

    assert {"id", "size"} <= at(SMALL.replace("{{ order.id", "{{ order.|"))
    assert {"order", "feedback"} <= at(SMALL.replace("{{ order.id", "{{ |"))
    assert at('use "|"') == {"other.pipe"}
    assert at('fn f() -> int = 1\ngate g: x { evidence from "|" } ') == {"evals/kind.jsonl"}
    assert {"std.tiers", "std.checks"} <= at("use |")


def test_a_large_folder_does_not_keep_a_key_waiting(tmp_path, monkeypatch):
    """The nearest files come first; those behind the bound are found once their folder is typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(texts, "MOST_LOOKED_AT", 40)
    monkeypatch.setattr(texts, "MOST_FILES", 10)
    for folder, name, count in (("a", "x.txt", 60), ("z/deep", "y.jsonl", 30)):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(count):
            (tmp_path / folder / f"{number:02}{name}").touch()
    (tmp_path / "near.jsonl").touch()
    scanned: list[str] = []

    def scandir(path: str):
        scanned.append(path)
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    survey, _ = look("small.pipe", {"small.pipe": SMALL})
    root = Root("small.pipe", survey=survey, sound=survey)

    def at(written: str) -> list[str]:
        text = f'gate g: x {{ evidence from "{written}" }} '
        offset = text.index(written + '" }') + len(written)
        return [one.label for one in complete(root, Documents(), TextLines(text), offset)]

    assert at("") == ["near.jsonl"]
    assert len(scanned) == 2, "the bound was spent in `a`, and the walk went on"
    assert at("z/") == [f"z/deep/{number:02}y.jsonl" for number in range(10)]
    assert at("nowhere/") == []


def test_every_option_item_declaration_and_metric_has_its_words():
    assert not missing_words()
    assert not METRIC_WORDS.keys() - METRICS.keys()
    assert not OPTION_WORDS.keys() - {row.word for row in OPTIONS}
    assert not KEYWORD_WORDS.keys() - tables().keywords.keys()


FRAMES = {
    "ask": "pipeline p() -> text { step s = ask q() by haiku { OPTION } }",
    "agent": "pipeline p() -> text { step s = agent q() by haiku with t { OPTION } }",
    "each": "pipeline p() -> text { step s = each x in xs { call t() } { OPTION } }",
    "gate": "pipeline p() -> text { gate g: a { OPTION } else reject }",
    **{word: f"{word} x {{ OPTION }}" for word in ("tier", "role", "provider")},
    "tool": "tool t() -> text { OPTION }",
    "memory": "memory m(k: text) -> text { OPTION }",
}


@pytest.mark.parametrize("word", sorted(OPTION_WORDS))
def test_the_example_of_an_option_is_one(word):
    owners = [owner for row in OPTIONS if row.word == word for owner in row.owners]
    text = FRAMES[next(owner for owner in FRAMES if owner in owners)]
    parsed = parse(Source("a.pipe", text.replace("OPTION", plain(OPTION_WORDS[word][0]))))
    assert not [one for one in parsed.diagnostics if one.rule.code != "P906"]


def test_a_member_and_a_field_are_offered_with_their_doc_comments() -> None:
    text = (
        'enum Size {\n  ## Fits into a letter.\n  small "S"\n  large\n}\n'
        "type Box {\n  ## Outer size.\n  size: Size\n}\n"
        "pipeline p(size: Size) -> Box {\n  gate fits: size == small else reject\n"
        "  return {size: small}\n}\n"
    )
    survey, _ = look("a.pipe", {"a.pipe": text})
    root = Root("a.pipe", survey=survey, sound=survey)
    for before, label, doc in (
        ("size == ", "small", "Fits into a letter."),
        ("size == ", "large", None),
        ("return {", "size", "Outer size."),
    ):
        at = text.index(before) + len(before)
        found = complete(root, Documents(), TextLines(text), at)
        (one,) = [one for one in found if one.label.rstrip(": ") == label and one.detail]
        assert one.documentation == doc, label
