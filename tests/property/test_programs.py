"""`check` accepts whole programs that are right, and refuses each with one mistake, on its line.

`PIPELANG_PROGRAMS=1000` makes the run longer, `PIPELANG_SEED` starts it elsewhere;
`python -m tests.property.programs` tries every mistake of many programs.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from random import Random

import pytest

from pipelang.diagnostics import Source
from pipelang.syntax.format import format_source
from pipelang.syntax.parse import parse
from pipelang.syntax.tables import tables

from .corpus import read, spread
from .programs.breaking import mistakes
from .programs.generate import program
from .programs.judging import MAIN, errors, meaning, missed
from .programs.writing import Mistake, Program

PARTS = 8
COUNT = max(PARTS, int(os.environ.get("PIPELANG_PROGRAMS", "16")))
LONGER = "PIPELANG_PROGRAMS" in os.environ
FIRST = int(os.environ.get("PIPELANG_SEED", "0"))
MISTAKES = 32
"""So many of each program's mistakes are made."""
ANALYSED = {"retried effect"}
"""Kinds of mistakes that only the analysis sees."""

made = cache(program)


def seeds(part: int) -> range:
    return range(FIRST + part, FIRST + COUNT, PARTS)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_right_program_is_accepted(part: int) -> None:
    for seed in seeds(part):
        told = errors(made(seed), made(seed).text, analysed=False)
        assert not told, f"program {seed}\n" + "\n".join(map(str, told))


@pytest.mark.parametrize("part", range(PARTS))
def test_formatting_keeps_the_meaning(part: int) -> None:
    """Also of a program whose layout somebody has spoilt."""
    for seed in seeds(part):
        text = made(seed).text
        formatted, found = format_source(Source(MAIN, text))
        assert not found
        assert format_source(Source(MAIN, formatted))[0] == formatted
        spoilt = spread([token.text for token in read(text).tokens.tokens], Random(seed))
        meant = meaning(made(seed), text)
        assert meaning(made(seed), formatted) == meant
        without_docs = meaning(made(seed), spoilt)
        again = format_source(Source(MAIN, spoilt))[0]
        assert meaning(made(seed), again) == without_docs
        assert format_source(Source(MAIN, again))[0] == again


@pytest.mark.parametrize("seed", range(FIRST + 3, FIRST + COUNT, 1 if LONGER else 5))
def test_a_right_program_is_analysed(seed: int) -> None:
    assert not errors(made(seed), made(seed).text)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mistake_is_told_on_its_line(part: int) -> None:
    for seed in seeds(part):
        for mistake in chosen(made(seed), seed):
            problem = missed(made(seed), mistake, analysed=mistake.kind in ANALYSED)
            assert problem is None, f"program {seed}: {problem}"


def chosen(whole: Program, seed: int) -> list[Mistake]:
    """Some of a program's mistakes: mostly of different kinds, so that the rare ones come."""
    pick = Random(seed)
    everything = list(mistakes(whole))
    pick.shuffle(everything)
    seen: Counter[str] = Counter()
    ranked = []
    for mistake in everything:
        seen[mistake.kind] += 1
        ranked.append((seen[mistake.kind], mistake))
    ranked.sort(key=lambda one: one[0])
    kinds = [mistake for rank, mistake in ranked if rank == 1]
    pick.shuffle(kinds)
    rest = [mistake for rank, mistake in ranked if 1 < rank <= MISTAKES // 4]
    return (kinds[: MISTAKES * 3 // 4] + rest)[:MISTAKES]


def test_the_mistakes_are_of_every_kind() -> None:
    """What the brief of the language promises to find is among what is tried."""
    tried = {one.kind for seed in range(FIRST, FIRST + COUNT) for one in mistakes(made(seed))}
    expected = {
        "renamed use", "deleted declaration", "double declaration", "wrong unit", "wrong type",
        "wrong type of an argument", "missing argument", "extra argument", "missing arm",
        "unknown field", "option out of place", "absent", "missing outcome", "share over 100%",
        "text of a picture", "picture in a cache", "picture as an answer", "compared pictures",
        "cycle", "missing permit", "agent with an effect", "divisor", "used before it is made",
    }  # fmt: skip
    assert not expected - tried


# Rules that these programs do not use.
REFUSED = (
    "type_decision", "hard", "tier_rates_hard",
)  # fmt: skip


def test_the_programs_use_the_whole_language() -> None:
    """Every rule of the grammar that makes something is read in one of them."""
    used = {
        tables().rules[number].builder
        for seed in range(FIRST, FIRST + 4 * COUNT)
        for number in parse(Source("program.pipe", made(seed).text)).derivation
        if number >= 0
    }
    builders = {rule.builder for rule in tables().rules}
    missing = {builder for builder in builders - used if not builder.startswith(REFUSED)}
    assert not missing, sorted(missing)


def test_the_programs_have_the_size_of_real_ones() -> None:
    sizes = sorted(made(seed).text.count("\n") for seed in range(FIRST, FIRST + COUNT))
    assert sizes[0] >= 100
    assert sizes[len(sizes) // 2] <= 340
