"""A text with edits, of which only what is behind the first edit is read: its tree is that of the
whole text, places and all.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.advice.trying import Bench, edited, reparsed
from pipelang.diagnostics import Edit, Source, Span
from pipelang.interfaces.check.advice import bench_of
from pipelang.interfaces.check.check import check_file
from pipelang.records import replace
from pipelang.semantics.build import build
from pipelang.syntax.parse import parse, parse_after

REPO = Path(__file__).parents[4]
FILES = [*sorted((REPO / "examples").rglob("*.pipe")), REPO / "benchmarks/data/desk.pipe"]
TEXTS = [
    "90%",
    "0",
    "",
    " ## a note\n ",
    "# a comment\n",
    "\n\nfn more(x: int) -> int = x + 1\n\n",
    "{",
    '"',
    "\u20ac",
    ", retry 2",
]


def everything(node: Any) -> Any:
    """A tree with all fields of its nodes, also those that equality leaves out."""
    if hasattr(node, "_record_names"):
        names = node._record_names
        return type(node).__name__, [(name, everything(getattr(node, name))) for name in names]
    if isinstance(node, dict):
        return {key: everything(value) for key, value in node.items()}
    if isinstance(node, (tuple, list)):
        return [everything(one) for one in node]
    return node


def an_edit(source: Source, tokens: list[Any], draw: random.Random) -> Edit:
    """An edit of a token, or between two."""
    token = draw.choice(tokens)
    kind = draw.randrange(3)
    if kind == 0 and token.text.rstrip("%").isdigit():
        return Edit(Span(source.name, token.start, token.end), draw.choice(["1", "97.25%", "12"]))
    at = token.start if kind == 1 else token.end
    return Edit(Span(source.name, at, at), draw.choice(TEXTS))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_the_tree_of_the_whole_text(path):
    source = Source(str(path), path.read_text("utf-8"))
    tokens = parse(source).tokens.tokens
    draw = random.Random(path.stem)
    for _ in range(30):
        edits = [an_edit(source, tokens, draw)]
        other = an_edit(source, tokens, draw)
        if other.span.start > edits[0].span.end:
            edits.append(other)
        text = edited(source.text, edits)
        found, whole = reparsed(source, text, edits), parse(Source(source.name, text))
        if found is None:
            continue
        assert everything(found.module) == everything(whole.module)
        assert everything(found.tokens) == everything(whole.tokens)
        assert whole.diagnostics == found.diagnostics == ()


def test_what_is_read_is_what_is_behind_the_first_edit(monkeypatch):
    """In a file of 200 lines with its pipeline at the end, that pipeline."""
    from pipelang.syntax import parse as parsing

    checked = check_file(str(REPO / "benchmarks/data/desk.pipe"))
    (source,) = [one for name, one in checked.sources.items() if name.endswith("desk.pipe")]
    at = source.text.index("accuracy 93%") + len("accuracy ")
    edits = [Edit(Span(source.name, at, at + 3), "96%")]
    seen = []
    before = parsing.tokenize

    def tokenize(source: Source, start: int = 0):
        seen.append(start)
        return before(source, start)

    monkeypatch.setattr(parsing, "tokenize", tokenize)
    found = reparsed(source, edited(source.text, edits), edits)
    assert found is not None
    (start,) = seen
    assert source.text[start:].lstrip().startswith("pipeline handle_ticket")


def test_a_program_is_the_one_of_the_whole_text():
    checked = check_file(str(REPO / "examples/support/support.pipe"))
    bench = bench_of(checked)
    source = bench.sources[bench.program.file]
    for old, new in (("70%", "71.5%"), ("retry    2", "retry    1"), ("85%", "9%")):
        at = source.text.index(old, source.text.index("pipeline handle_ticket"))
        edits = [Edit(Span(source.name, at, at + len(old)), new)]
        made = bench.rebuilt(edits)
        text = edited(source.text, edits)
        whole = build(bench.path, trying_loader(bench, source.name, text))
        assert made.program is not None
        assert whole.program is not None
        assert whole.program.tests
        assert not made.program.tests
        left = {"hash": "", "tests": ()}
        assert everything(replace(made.program, **left)) == everything(
            replace(whole.program, **left)
        )


RUN_BY_A_TEST = """
use "other.pipe"

pipeline p(x: int) -> int {
  step a = 1
  gate big: x > 1 else reject
  return a
}

test "another file's" {
  given  other(x: 1)
  expect answered 1
}
"""
OTHER = """
pipeline other(x: int) -> int {
  step a = 1
  return a
}
"""


def test_a_pipeline_that_tests_alone_run_is_still_there(tmp_path):
    path = tmp_path / "p.pipe"
    path.write_text(RUN_BY_A_TEST, encoding="utf-8")
    (tmp_path / "other.pipe").write_text(OTHER, encoding="utf-8")
    checked = check_file(str(path))
    assert checked.program is not None, checked.diagnostics
    bench = bench_of(checked)
    source = bench.sources[bench.program.file]
    at = source.text.index("x > 1") + len("x > ")
    made = bench.rebuilt([Edit(Span(source.name, at, at + 1), "2")]).program
    assert made is not None
    assert set(made.pipelines) == set(bench.program.pipelines) == {"p", "other"}


def test_an_edit_in_a_test_is_built():
    checked = check_file(str(REPO / "examples/support/support.pipe"))
    bench = bench_of(checked)
    source = bench.sources[bench.program.file]
    at = source.text.index('test "a small question is answered"') + len('test "')
    made = bench.rebuilt([Edit(Span(source.name, at, at + 1), "one")]).program
    assert made is not None
    assert len(made.tests) == len(bench.program.tests)
    assert any(test.title.startswith("one small") for test in made.tests)


def trying_loader(bench: Bench, name: str, text: str):
    from pipelang.analysis.advice.trying import Redrafted

    return Redrafted(bench.loader, {name: text})


def test_a_text_that_had_findings_is_read_as_a_whole():
    broken = Source("a.pipe", "enum A { x }\nenum B {\nenum C { z }\n")
    before = parse(broken)
    assert before.diagnostics
    assert parse_after(Source("a.pipe", broken.text + "\n"), before, 1) is None
