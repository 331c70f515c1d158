"""A mutated file from a number: the same number always gives the same file.

Letters, tokens and lines are deleted, doubled, swapped, replaced; pieces of other files are spliced
in. Small changes come most often, since they get past the parser and into everything behind it.
"""

from __future__ import annotations

import random
from functools import cache

from pipelang.diagnostics import Source
from pipelang.syntax.tables import tables
from pipelang.syntax.tokens import tokenize

from .seeds import seeds

_LETTERS = (
    "\"#{}()[]$%.:,=?\\'`;\n\r\t\f\v\0\u2028\ufeff\u0663\u00e90k /*-+<>!&|@~^\u201c\u201d\u2019"
    "\ud800\U0001f600_"
)
_PIECES = (
    '"""', '"', "{", "}", "{{", "}}", "((((", "]]]]", "else", "else if", "=>", "->", "..", "//",
    "/*", "${a}", "1_000", "10sec", "4k", "40k tokens", "0%", "1e9", "99999999999999999999999999",
    "true", "none", "match a { b => ", "if a then ", "step x = ", "\n}\n", "\npipeline p", "\x00",
    "## ", "tokens:", "max", "in 1..2", "-", "$", "[]", "\\u{D800}",
)  # fmt: skip


@cache
def _tokens(number: int) -> tuple[str, ...]:
    """A seed as tokens, each with what stands before it."""
    path, text = seeds()[number]
    found, at = [], 0
    for token in tokenize(Source(path, text)).tokens:
        found.append(text[at : token.end])
        at = token.end
    return (*found, text[at:])


@cache
def _words() -> tuple[str, ...]:
    return tuple(sorted(tables().keywords))


def mutated(number: int) -> tuple[str, str]:
    """The path of the seed that was taken, and the mutated text."""
    pick = random.Random(number)
    chosen = pick.randrange(len(seeds()))
    path, text = seeds()[chosen]
    if pick.random() < 0.7:
        parts = list(_tokens(chosen))
        for _ in range(pick.choice((1, 1, 1, 2, 3, 8))):
            _change_tokens(parts, pick)
        text = "".join(parts)
    if pick.random() < 0.4:
        letters = list(text)
        for _ in range(pick.choice((1, 1, 2, 20))):
            _change_letters(letters, pick)
        text = "".join(letters)
    if pick.random() < 0.1:
        text = text[: pick.randrange(len(text) + 1)]
    return path, text


def _change_tokens(parts: list[str], pick: random.Random) -> None:
    if not parts:
        return
    at = pick.randrange(len(parts))
    match pick.randrange(8):
        case 0:
            del parts[at]
        case 1:
            parts.insert(at, parts[at])
        case 2:
            other = min(len(parts) - 1, at + pick.randrange(1, 5))
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts[at] = parts[pick.randrange(len(parts))]
        case 4:
            parts[at] = " " + pick.choice(_words()) + " "
        case 5:
            parts.insert(at, " " + pick.choice(_PIECES) + " ")
        case 6:
            other_seed = _tokens(pick.randrange(len(seeds())))
            start = pick.randrange(len(other_seed))
            parts[at:at] = other_seed[start : start + pick.choice((1, 3, 10, 100))]
        case _:
            del parts[at : at + pick.choice((2, 5, 30))]


def _change_letters(letters: list[str], pick: random.Random) -> None:
    if not letters:
        return
    at = pick.randrange(len(letters))
    match pick.randrange(3):
        case 0:
            del letters[at]
        case 1:
            letters.insert(at, pick.choice(_LETTERS))
        case _:
            letters[at] = pick.choice(_LETTERS)
