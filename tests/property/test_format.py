"""Formatting keeps the program, its words and its comments, and does nothing the second time."""

from __future__ import annotations

import random
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from pipelang.diagnostics import Source
from pipelang.syntax.format import format_source
from pipelang.syntax.parse import Parsed, parse, parse_kept

from ..work import grows_no_faster_than
from .corpus import FILES, REPO, comments, lines, mutated, programs, spread, words
from .derivations import SHIFT, TOKENS, grammar, write

PROGRAMS = 400
BATCH = 25
LETTERS = 50_000
"""How long all that is made of one file for a test is together, about: of a long one less is made,
since a slip in it is read with all the rest of it each time.
"""
SOON = 60.0
"""Seconds for what takes some hundredths: a hang is meant, not a slow machine."""


def copies(text: str) -> range:
    return range(max(3, min(20, LETTERS // len(text))))


def source(text: str) -> Source:
    return Source("random.pipe", text)


def read(text: str) -> Parsed:
    """A text is read once, however many questions about it; the formatter asks for the same."""
    return parse_kept(source(text))


@lru_cache(maxsize=4)
def laid_out(text: str) -> tuple[str, tuple[Any, ...]]:
    return format_source(source(text))


def mistakes(parsed: Any) -> list[Any]:
    """All that is wrong."""
    return list(parsed.diagnostics)


def keeps(text: str) -> None:
    """All that is promised of a file without errors."""
    parsed = read(text)
    assert not mistakes(parsed), text
    formatted, found = laid_out(text)
    assert not found
    again = read(formatted)
    assert not mistakes(again), formatted
    assert again.module == parsed.module, formatted
    assert words(again) == words(parsed), formatted
    assert comments(again) == comments(parsed), formatted
    assert laid_out(formatted)[0] == formatted
    is_tidy(formatted)


def is_tidy(formatted: str) -> None:
    assert formatted == "" or formatted.endswith("\n")
    assert not formatted.endswith("\n\n")
    assert not formatted.startswith(("\n", "\ufeff"))
    code = list(formatted)
    tokens = read(formatted).tokens
    for token in tokens.tokens:
        if token.type in ("TEMPLATE", "STRING"):  # are kept letter by letter
            code[token.start : token.end] = "x" * (token.end - token.start)
    for comment in tokens.comments:  # so is what a comment says, a lone \r in it too
        end = comment.start + len(comment.text)
        code[comment.start : end] = "x" * len(comment.text)
    bare = "".join(code)
    assert "\r" not in bare
    assert "\n\n\n" not in bare
    for line in bare.split("\n"):
        assert line == line.rstrip()


@pytest.mark.parametrize("batch", range(PROGRAMS // BATCH))
def test_programs_from_the_grammar(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        pick = random.Random(seed)
        program = programs(PROGRAMS)[0][seed]
        text = write(program, pick)
        derivation = [max(entry, SHIFT) for entry in read(text).derivation]
        assert derivation == program.derivation, text
        keeps(text)


def test_the_programs_use_every_rule() -> None:
    used = programs(PROGRAMS)[1]
    missing = [str(rule) for number, rule in enumerate(grammar().rules) if not used[number]]
    assert not missing


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPO)))
def test_files_of_the_repository(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    keeps(text)
    assert parse(source(text)) == read(text), "read alike each time"


def test_line_ends_and_byte_order_mark() -> None:
    text = (REPO / "tests/unit/syntax/format/support.pipe").read_text(encoding="utf-8")
    for other in (text.replace("\n", "\r\n"), "\ufeff" + text, text.rstrip("\n")):
        assert format_source(Source("e.pipe", other))[0] == text


def answers_soon(text: str) -> bool:
    """Never raises and never hangs; an errant file is left alone. Whether it has errors."""
    start = time.perf_counter()
    parsed = read(text)
    formatted, found = laid_out(text)
    assert time.perf_counter() - start < SOON, text
    if not found:
        keeps(text)
        return False
    assert found == parsed.diagnostics
    assert formatted == text
    for diagnostic in found:
        assert diagnostic.span is not None
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
    return True


@pytest.mark.parametrize("batch", range(PROGRAMS // BATCH))
def test_mutated_programs(batch: int) -> None:
    errant = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        pick = random.Random(seed)
        tokens = [text for _, text in programs(PROGRAMS)[0][seed].tokens]
        for _ in range(3):
            errant += answers_soon(spread(mutated(tokens, pick), pick))
    assert errant > BATCH / 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPO)))
def test_mutated_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens = [token.text for token in read(text).tokens.tokens]
    pick = random.Random(len(tokens))
    for _ in copies(text):
        answers_soon(spread(mutated(tokens, pick), pick))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPO)))
def test_mutated_letters(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    letters = list(text)
    pick = random.Random(len(letters))
    strange = "\"#{}()[]$%.:,=?\\'`;\n\r\t\f\v\0\u2028\ufeff\u0663é0k "
    for _ in copies(text):
        changed = list(letters)
        for _ in range(pick.choice([1, 3, 20])):
            at = pick.randrange(len(changed))
            match pick.choice(["delete", "insert", "replace"]):
                case "delete":
                    del changed[at]
                case "insert":
                    changed.insert(at, pick.choice(strange))
                case _:
                    changed[at] = pick.choice(strange)
        answers_soon("".join(changed))


def test_formatting_grows_with_the_number_of_lines() -> None:
    text = (REPO / "tests/unit/syntax/format/support.pipe").read_text(encoding="utf-8")

    def work(copies: int) -> None:
        formatted, _ = format_source(Source("big.pipe", text * copies))
        assert lines(formatted).count("\n") >= copies * text.count("\n")

    grows_no_faster_than(1, work, 2, 4)


def test_the_generator_writes_programs_of_some_size() -> None:
    sizes = [len(program.tokens) for program in programs(PROGRAMS)[0]]
    assert sum(sizes) / len(sizes) > TOKENS / 2
