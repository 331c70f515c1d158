"""Programs of the generators with a few words changed: what nobody would write, and may.

A share becomes 0% or 100%, a comparison another one, a name another of the file; an option or an
item goes, two items change places, an option or a step comes. Most are still programs.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from pipelang.diagnostics import Source
from pipelang.syntax.tokens import tokenize

SHARES = ("0%", "100%", "50%", "1%", "99%")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
OPPOSITES = {"and": "or", "or": "and", "right": "wrong", "wrong": "right"}
ITEMS = ("step", "gate", "when", "let", "approve", "hold", "remember", "return")
OPTIONS = ("retry", "accuracy", "timeout", "correlation", "recovers", "catches", "false_alarms")
NEW_OPTIONS = ("retry 1", "vote 3", "vote lead 2 of 3", "correlation 40%", "recovers 30%")
NEW_ITEMS = ("let more = 1", "gate more: 1 == 1 else reject", "when 1 > 2 { reject }")

Tokens = list[tuple[str, str, str]]
"""Type, text, and what stands before it."""


def mutated(text: str, seed: int) -> str:
    """A text with one to three changes."""
    rng = random.Random(seed)
    tokens: Tokens = []
    at = 0
    for token in tokenize(Source("mutant.pipe", text)).tokens:
        tokens.append((token.type, token.text, text[at : token.start]))
        at = token.end
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(CHANGES)(tokens, rng)
    return "".join(before + word for _, word, before in tokens) + text[at:]


def _places(tokens: Tokens, wanted: Callable[[str, str], bool]) -> list[int]:
    return [at for at, (type, word, _) in enumerate(tokens) if wanted(type, word)]


def _put(tokens: Tokens, places: list[int], rng: random.Random, words: tuple[str, ...]) -> None:
    if places:
        at = rng.choice(places)
        tokens[at] = (tokens[at][0], rng.choice(words), tokens[at][2])


def _share(tokens: Tokens, rng: random.Random) -> None:
    _put(tokens, _places(tokens, lambda type, word: type == "PERCENT"), rng, SHARES)


def _count(tokens: Tokens, rng: random.Random) -> None:
    _put(tokens, _places(tokens, lambda type, word: type == "INT"), rng, ("0", "1", "2", "3"))


def _comparison(tokens: Tokens, rng: random.Random) -> None:
    _put(tokens, _places(tokens, lambda type, word: word in COMPARISONS), rng, COMPARISONS)


def _opposite(tokens: Tokens, rng: random.Random) -> None:
    places = _places(tokens, lambda type, word: word in OPPOSITES)
    if places:
        at = rng.choice(places)
        tokens[at] = (tokens[at][0], OPPOSITES[tokens[at][1]], tokens[at][2])


def _name(tokens: Tokens, rng: random.Random) -> None:
    places = _places(tokens, lambda type, word: type == "NAME")
    _put(tokens, places, rng, tuple(sorted({tokens[at][1] for at in places})))


def _leave_out(tokens: Tokens, rng: random.Random) -> None:
    """Leave out an item or an option, with all that belongs to it."""
    words = (*ITEMS, *OPTIONS, "else", "output")
    places = _places(tokens, lambda type, word: word in words)
    if not places:
        return
    at = rng.choice(places)
    end, depth = at + 1, 0
    while end < len(tokens):
        word = tokens[end][1]
        if depth == 0 and (word in words or word in ("}", ")", "]")):
            break
        depth += (word in ("{", "(", "[")) - (word in ("}", ")", "]"))
        end += 1
    del tokens[at:end]


def _swap(tokens: Tokens, rng: random.Random) -> None:
    places = _places(tokens, lambda type, word: word in ITEMS)
    if len(places) > 2:
        at = rng.randrange(len(places) - 2)
        first, second, end = places[at : at + 3]
        tokens[first:end] = tokens[second:end] + tokens[first:second]


def _option(tokens: Tokens, rng: random.Random) -> None:
    places = _places(tokens, lambda type, word: word in OPTIONS)
    if places:
        tokens.insert(rng.choice(places), ("MORE", f" {rng.choice(NEW_OPTIONS)} ", ""))


def _item(tokens: Tokens, rng: random.Random) -> None:
    places = _places(tokens, lambda type, word: word == "return")
    if places:
        tokens.insert(rng.choice(places), ("MORE", f" {rng.choice(NEW_ITEMS)}\n", ""))


CHANGES = (
    _share, _share, _count, _comparison, _opposite, _name, _leave_out, _leave_out, _swap, _option,
    _item,
)  # fmt: skip
