"""What comes from a file can act neither on a terminal nor on the machine that keeps a log."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang.diagnostics import Source, Span, codes, report
from pipelang.diagnostics.columns import for_people, one_line, wrap
from pipelang.diagnostics.render import as_github, as_text, dumps
from pipelang.interfaces.text.colours import painter

ACTING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
"""Written down again, so that a sign which somebody takes off the other list is missed here."""

EVIL = "\x1b]0;title\x07 \x1b[31m \x1b[2J \x9b1A \u202e \r ::error::x \n::error::z ##[error]q"

texts = st.text(
    st.sampled_from("a :#[]\n\r\t\x1b[31m0;\x07\x9b\u202e\u2066\u0085é漢%"), max_size=40
) | st.sampled_from([EVIL, "\n \u3000::warning::w", "##vso[task.x]y", "\x1b[8mhidden"])


def commands(text: str) -> list[str]:
    """The lines that a workflow's runner takes for commands."""
    lines = re.split("\r\n|\n|\r", text)
    return [line for line in lines if re.match(r"\s*::[\w-]", line) or re.search(r"##\w*\[", line)]


@given(texts)
def test_what_people_read_acts_on_nothing(text: str) -> None:
    shown = for_people(text, colour=False)
    assert not ACTING.search(shown)
    assert not re.search("\r(?!\n)", shown)
    assert not commands(shown)


@given(texts, st.sampled_from(["good", "bad", "title", "dim", ""]))
def test_only_our_colours_pass(text: str, style: str) -> None:
    painted = painter(True)(text, style)
    bare = re.sub("^\x1b\\[[0-9;]+m|\x1b\\[0m$", "", painted)
    assert not ACTING.search(bare)
    shown = for_people(f"{painted} {text}", colour=True)
    assert not ACTING.search(re.sub("\x1b\\[(?:0|[12]|3[1-6]|1;3[1-6])m", "", shown))
    assert not commands(shown)


@given(texts)
def test_json_means_the_same_and_acts_on_nothing(text: str) -> None:
    made = dumps({"a": text, text: [text]})
    assert json.loads(made) == {"a": text, text: [text]} or text == "a"
    assert not ACTING.search(made)
    assert not commands(made)


@given(texts, texts)
def test_a_finding_about_such_a_text(text: str, name: str) -> None:
    source = Source(name, text or "x")
    found = report(codes.MISSING_FILE, Span(name, 0, 1), path=text, help=text)
    for line in as_github(found, {name: source}).split("\n"):
        assert not ACTING.search(line)
        assert line.startswith("::error file=")
        assert len(line.split("\r")) == 1
    assert not ACTING.search(as_text(found, {name: source}))


@given(texts)
def test_a_name_stays_on_its_line(text: str) -> None:
    assert len(re.split("[\n\x0b\x0c\x85\u2028\u2029]", one_line(text))) == 1


def test_paragraphs_are_harmless_by_themselves() -> None:
    assert not ACTING.search("".join(wrap(EVIL, 20)))


@pytest.mark.parametrize("plain", ["a::b", "std::x at 3", "5 ## 6", "# # [x]", "C++::f", "x ::y"])
def test_what_is_no_command_stays_as_it_is(plain: str) -> None:
    assert for_people(plain, colour=False) == plain
