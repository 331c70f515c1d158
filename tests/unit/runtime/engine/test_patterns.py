"""Patterns: RE2 alone, so that no pattern and no text can hang a run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipelang import Answered, Failed
from pipelang.diagnostics import codes
from pipelang.interfaces.loading import CheckFailed
from pipelang.semantics.patterns import Patterns

from ..stage import Models, load, play

SLOW = ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "(x+x+)+y"]
"""Each takes a backtracking engine longer than the universe has been there."""

HANGS = 60
"""Seconds. What takes milliseconds on any machine has hung by then; no speed is asserted."""


@pytest.mark.parametrize("pattern", SLOW)
def test_no_pattern_is_catastrophic(pattern: str) -> None:
    patterns = Patterns({"p": (pattern,)})
    began = time.monotonic()
    for text in ("a" * 200_000 + "!", "x" * 200_000, "aA" * 100_000):
        patterns.matches("p", text)
    assert time.monotonic() - began < HANGS


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)b", "(?!a)b", "(?<=a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(?>a)", "a{99999}", "("],
)
def test_what_re2_cannot_do_is_told_by_the_check(pattern: str, tmp_path: Path) -> None:
    text = f'patterns odd {{ "{pattern}" }}\n' + MAIN
    began = time.monotonic()
    with pytest.raises(CheckFailed) as told:
        load(tmp_path, text)
    assert time.monotonic() - began < HANGS
    (problem,) = told.value.diagnostics
    assert problem.rule is codes.BAD_PATTERN


MAIN = """
pipeline main(x: text) -> text {
  step s: text = ask say(x) by small { retry 1 output 90 tokens max }
  gate fine: not (s matches odd) else fail "odd"
  return s
}
"""


def test_answers_of_strangers_are_matched_in_no_time(tmp_path: Path) -> None:
    loaded = load(tmp_path, 'patterns odd { "(a+)+$" "([a-z]+)*!" }\n' + MAIN)
    began = time.monotonic()
    result = play(loaded, Models(s="a" * 250 + "?"), x="q")
    assert time.monotonic() - began < HANGS
    assert isinstance(result, Answered)
    result = play(loaded, Models(s="a" * 250), x="q")
    assert isinstance(result, Failed)
    assert result.code == "odd"
