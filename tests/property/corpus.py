"""What the properties are tried on: programs from the grammar, and the repository's own."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from pathlib import Path

from pipelang.diagnostics import Source
from pipelang.syntax.parse import Parsed, parse

from .derivations import Program, derive

REPO = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for folder in ("examples", "stdlib", "tests/unit/syntax/format")
    for path in (REPO / folder).rglob("*.pipe")
)


@cache
def programs(count: int) -> tuple[tuple[Program, ...], Counter[int]]:
    """So many derived programs, the same ones every time, and how often each rule was used."""
    used: Counter[int] = Counter()
    return tuple(derive(random.Random(seed), used) for seed in range(count)), used


def read(text: str) -> Parsed:
    return parse(Source("random.pipe", text))


def words(parsed: Parsed) -> list[tuple[str, str]]:
    """Types and letters of the tokens; what stands between them, and between `4k` and `tokens`,
    does not count.
    """
    return [
        (
            token.type,
            " ".join(token.text.split())
            if token.type in ("TOKENS", "PAGES")
            else lines(token.text),
        )
        for token in parsed.tokens.tokens
    ]


def lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def comments(parsed: Parsed) -> list[tuple[str, bool]]:
    """The comments in order, and whether each has a line of its own; `fmt` writes a space for a
    carriage return inside of one.
    """
    found = ((comment.text.rstrip("\r"), comment.own_line) for comment in parsed.tokens.comments)
    return [(text.replace("\r", " "), own_line) for text, own_line in found]


def mutated(tokens: list[str], pick: random.Random) -> list[str]:
    """Some tokens deleted, doubled, swapped or taken from elsewhere."""
    changed = list(tokens)
    for _ in range(pick.choice([1, 1, 2, 5])):
        if len(changed) < 2:
            break
        at, other = pick.randrange(len(changed)), pick.randrange(len(changed))
        match pick.choice(["delete", "double", "swap", "copy", "next"]):
            case "delete":
                del changed[at]
            case "double":
                changed.insert(at, changed[at])
            case "swap":
                changed[at], changed[other] = changed[other], changed[at]
            case "next":
                beside = min(at + 1, len(changed) - 1)
                changed[at], changed[beside] = changed[beside], changed[at]
            case _:
                changed[at] = changed[other]
    return changed


def spread(tokens: list[str], pick: random.Random) -> str:
    """Tokens as a text, most of them on lines with others."""
    return "".join(token + pick.choice([" ", " ", " ", " ", "\n"]) for token in tokens)
