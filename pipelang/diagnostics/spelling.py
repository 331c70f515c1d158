"""Spelling suggestions: the known word closest to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The candidate that was most likely meant: one that differs in case and underscores only, or
    else the most alike by difflib. None if nothing is close.
    """
    from difflib import get_close_matches

    offered = list(candidates)
    plain = _plain(word)
    same = [other for other in offered if plain and _plain(other) == plain]
    close = get_close_matches(word, same or offered, n=1, cutoff=0.0 if same else cutoff)
    return close[0] if close else None


def _plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def only_slip(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate within a typo: a change of case, one letter for three written, two
    at most. None if there is none or more than one, because then only a person knows.
    """
    allowed = min(2, len(word) // 3)
    near = [other for other in candidates if other != word and _is_near(word, other, allowed)]
    return near[0] if len(near) == 1 else None


def _is_near(first: str, second: str, allowed: int) -> bool:
    return first.casefold() == second.casefold() or distance(first, second, allowed) <= allowed


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
