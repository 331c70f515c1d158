"""Spelling suggestions: the known word closest to a misspelt one.

A file whose declarations were renamed asks for as many suggestions as it has names, from as many
names. So only those are compared letter by letter that have enough letters in common (`letters`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice

_BARS = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65)
"""Ratios from which on names are looked at before the others, where many are close."""
_FEW = 32


def closest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The candidate that was most likely meant: one that differs in case and underscores only, or
    else the most alike by difflib. None if nothing is close.
    """
    from pipelang.diagnostics.letters import blocks

    known = blocks(list(candidates), _plain)
    plain = _plain(word)
    same = {block.names[at] for block in known for at in block.plain.get(plain, ())}
    if plain and same:
        return max(same, key=lambda name: (_ratio(word, name), name))
    enough = partial(_needed, len(word), cutoff)
    near = list(islice((hit for block in known for hit in block.having(word, enough)), _FEW + 1))
    if len(near) <= _FEW:
        best = _most_alike(word, near, (0.0, ""))
        return best[1] if best[0] >= cutoff else None
    best = (0.0, "")
    for bar in (*(bar for bar in _BARS if bar > cutoff), cutoff):
        enough = partial(_needed, len(word), bar)
        near = [hit for block in known for hit in block.having(word, enough)]
        best = _most_alike(word, near, best)
        if best[0] >= bar:
            return best[1]
    return None


def _plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def _needed(letters: int, bar: float, other: int) -> int | None:
    """The letters that two words of these lengths must have in common to be so much alike. None if
    they are too unlike in length.
    """
    both = letters + other
    many = int(bar * both / 2)
    while _share(many, both) < bar:
        many += 1
    return many if many <= min(letters, other) else None


def _share(common: int, letters: int) -> float:
    """Ratio as difflib has it, of the letters in common."""
    return 2.0 * common / letters if letters else 1.0


def _ratio(word: str, name: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, name, word).ratio()


def _most_alike(
    word: str, near: list[tuple[str, int]], best: tuple[float, str]
) -> tuple[float, str]:
    """The most alike of what was found and of names with so many letters in common: no name is more
    alike than these allow.
    """
    bounds = sorted({(_share(common, len(word) + len(name)), name) for name, common in near})
    for bound in reversed(bounds):
        if bound <= best:
            break
        best = max(best, (_ratio(word, bound[1]), bound[1]))
    return best


def only_slip(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate within a typo: a change of case, one letter for three written, two
    at most. None if there is none or more than one, because then only a person knows.
    """
    from pipelang.diagnostics.letters import blocks

    allowed = min(2, len(word) // 3)
    folded = word.casefold()
    near: list[str] = []
    for block in blocks(list(candidates), _plain):
        near += [block.names[at] for at in block.folded.get(folded, ()) if block.names[at] != word]
        if allowed and len(near) < 2:
            for name, _ in block.having(word, partial(_but_for, len(word), allowed)):
                if name.casefold() != folded and distance(word, name, allowed) <= allowed:
                    near.append(name)
                    if len(near) > 1:
                        break
        if len(near) > 1:
            return None
    return near[0] if near else None


def _but_for(letters: int, allowed: int, other: int) -> int | None:
    """The letters that words of these lengths have in common with so few slips between them."""
    return max(letters, other) - allowed if abs(letters - other) <= allowed else None


def distance(first: str, second: str, most: int) -> int:
    """Letters to add, drop, change or swap with a neighbour to make one of the other; any number
    above `most` if it takes more than that.

    Optimal string alignment: Boytsov, Indexing methods for approximate dictionary searching (2011).
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return row[-1]
