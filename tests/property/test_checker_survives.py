"""The checker never raises and never hangs, whatever a file says.

Real programs are broken in small ways (a token deleted, doubled, swapped with another, a name or a
literal replaced), because those get past the parser and into names, types and the analysis, where
a random text never comes.

`PIPELANG_MUTATIONS=100000` makes the run longer; `PIPELANG_SEED` starts it elsewhere.
"""

from __future__ import annotations

import os
import random
import time
from functools import cache
from pathlib import Path

import pytest

from pipelang.diagnostics import Source
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.syntax.tokens import tokenize

from ..memory import MemoryLoader, libraries

REPO = Path(__file__).resolve().parents[2]
FOLDERS = {"examples/support/support.pipe", "tests/data/language_example.pipe"}
PROGRAMS = sorted({*FOLDERS, *libraries()})
COUNT = int(os.environ.get("PIPELANG_MUTATIONS", "600"))
SEED = int(os.environ.get("PIPELANG_SEED", "0"))
SECONDS = 60.0
"""Of the processor, for what takes some hundredths: a hang is meant, not a slow machine."""

LITERALS = [
    *(
        '1 0 -1 2.5 70% 0% 100% 140% $5 $0 30s 0s 250ms 7d 100/min "text" "" true false none '
        "999999999999999999999999 [] {}"
    ).split(),
    "40k tokens",
    "0 tokens",
    '"evals/kind.jsonl"',
    '"prompts/answer.j2"',
]
KINDS = frozenset(
    "INT NUMBER PERCENT MONEY DURATION RATE TOKENS PAGES STRING TRUE FALSE NONE".split()
)


@cache
def program(path: str) -> tuple[str, dict[str, str]]:
    """A program's text and the files beside it, as a loader wants them."""
    if path in libraries():
        return libraries()[path], {}
    file = REPO / path
    beside = {
        other.relative_to(REPO).as_posix(): other.read_text("utf-8")
        for folder in ("evals", "prompts")
        for other in (file.parent / folder).iterdir()
        if other.suffix in (".jsonl", ".j2")
    }
    return file.read_text("utf-8"), beside


@cache
def pieces(path: str) -> tuple[tuple[str, str, str], ...]:
    """Tokens as (type, text, what stands before it)."""
    text, _ = program(path)
    found, at = [], 0
    for token in tokenize(Source(path, text)).tokens:
        found.append((token.type, token.text, text[at : token.start]))
        at = token.end
    return tuple(found)


def mutate(path: str, seed: int) -> str:
    """A program with one to three small changes."""
    chance = random.Random(f"{path} {seed}")
    tokens = list(pieces(path))
    names = sorted({text for type, text, _ in tokens if type == "NAME"})
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(tokens))
        before = tokens[at][2]
        match chance.randrange(7):
            case 0:
                del tokens[at]
            case 1:
                tokens.insert(at, tokens[at])
            case 2:
                other = min(len(tokens) - 1, at + chance.randrange(1, 4))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 3 | 4:
                at = chance.choice([i for i, token in enumerate(tokens) if token[0] == "NAME"])
                _, _, before = tokens[at]
                tokens[at] = ("NAME", chance.choice(names), before)
            case 5:
                at = chance.choice([i for i, t in enumerate(tokens) if t[0] in KINDS] or [at])
                _, _, before = tokens[at]
                tokens[at] = ("NAME", chance.choice(LITERALS), before)
            case _:
                start = chance.randrange(len(tokens))
                piece = tokens[start : start + chance.randrange(2, 12)]
                tokens[at:at] = piece
    return "".join(before + " " * (not before) + text for _, text, before in tokens)


def check(path: str, text: str) -> None:
    loader = MemoryLoader({**program(path)[1], path: text})
    started = time.process_time()
    checked = check_file(path, loader)
    report_json([checked])
    for found in checked.diagnostics:
        as_text(found, checked.sources)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("part", range(10))
def test_a_broken_program_is_answered(part: int) -> None:
    chance = random.Random(part)
    for number in range(COUNT // 10):
        path = chance.choice(PROGRAMS)
        text = mutate(path, SEED + part * 1_000_000 + number)
        try:
            check(path, text)
        except BaseException as error:
            error.add_note(f"{path}, seed {SEED + part * 1_000_000 + number}:\n{text}")
            raise
