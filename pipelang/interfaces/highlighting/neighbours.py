"""Neighbours of words: which terminals the grammar lets stand before and behind each keyword.

A keyword of pipelang is a name wherever only a name can stand. Who has no parser, only regular
expressions, still sees the neighbours, and the automaton knows which of them fit.
"""

from __future__ import annotations

from functools import cache

from pipelang.records import dataclass
from pipelang.syntax.tables import tables


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The terminals that may stand right before and right behind a terminal."""

    before: frozenset[str]
    behind: frozenset[str]


@cache
def neighbours() -> dict[str, Neighbours]:
    """Those of every terminal, read off the automaton: what a state that is entered by a terminal
    takes next may stand behind it.
    """
    grammar = tables()
    kinds = {kind for row in grammar.states for kind in row if _is_terminal(kind)}
    behind: dict[str, set[str]] = {kind: set() for kind in kinds}
    for row in grammar.states:
        for kind, target in row.items():
            if target >= 0 and kind in kinds:
                behind[kind] |= {other for other in grammar.states[target] if other in kinds}
    before: dict[str, set[str]] = {kind: set() for kind in kinds}
    for kind, others in behind.items():
        for other in others:
            before[other].add(kind)
    return {kind: Neighbours(frozenset(before[kind]), frozenset(behind[kind])) for kind in kinds}


def _is_terminal(kind: str) -> bool:
    """Whether a symbol is a terminal and not a rule, by lark's custom of writing them."""
    return kind == kind.upper() and kind != "$END"
