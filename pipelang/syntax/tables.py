"""The parser's tables, read once a process from `grammar/pipelang.tables.json`."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any

from pipelang.records import dataclass
from pipelang.resources import resource_folder

TABLES = "pipelang.tables.json"


@dataclass(frozen=True, slots=True)
class ReductionRule:
    """The way a reduction makes a value; see `build_tables._rule`."""

    origin: str
    builder: str
    length: int
    passthrough: bool
    children: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """An LALR(1) automaton with its terminals.

    `lexer` matches a token and the blanks behind it. Its group is named like the terminal; `NAME`
    and `SIGN` are told by their letters, which `by_letters` has.
    `states[s][symbol]` is the state to go to if >= 0, else -1 minus the rule to reduce by.
    `signs` are the letters of terminals that are neither words nor patterns: `{`, `->`, `<=`;
    `letters` is the way back. `soft` are the terminals of keywords that may be names as well.
    """

    lexer: re.Pattern[str]
    by_letters: dict[str, str]
    signs: dict[str, str]
    letters: dict[str, str]
    keywords: dict[str, str]
    keyword_of: dict[str, str]
    reserved: frozenset[str]
    soft: frozenset[str]
    ignored: frozenset[str]
    rules: tuple[ReductionRule, ...]
    states: list[dict[str, int]]
    start: int
    end: int


@cache
def tables() -> Tables:
    """The tables; a few milliseconds the first time."""
    with open(os.path.join(resource_folder("grammar"), TABLES), encoding="utf-8") as file:
        raw = json.load(file)
    terminals, keywords = dict(raw["terminals"]), raw["keywords"]
    signs = {
        name: re.sub(r"\\(.)", r"\1", regex)
        for name, regex in terminals.items()
        if re.fullmatch(r"(\\?[^\w\s])+", regex)
    }
    letters = {letters: name for name, letters in signs.items()}
    return Tables(
        lexer=_lexer(terminals, signs),
        by_letters={**keywords, **letters},
        signs=signs,
        letters=letters,
        keywords=keywords,
        keyword_of={terminal: word for word, terminal in keywords.items()},
        reserved=frozenset(raw["reserved"]),
        soft=frozenset(kind for word, kind in keywords.items() if word not in raw["reserved"]),
        ignored=frozenset(raw["ignore"]),
        rules=tuple(ReductionRule(o, b, n, p, tuple(c)) for o, b, n, p, c in raw["rules"]),
        states=_states(raw["states"], raw["lookaheads"]),
        start=raw["start"],
        end=raw["end"],
    )


def _states(packed: list[Any], lookaheads: list[list[str]]) -> list[dict[str, int]]:
    """The states, each with its symbols in order; see `build_tables._packed`."""
    states: list[dict[str, int]] = []
    for state in packed:
        if state.__class__ is dict:
            states.append(state)
        else:
            place, action, others = state
            states.append(dict.fromkeys(lookaheads[place], action) | others)
    return states


def _lexer(terminals: dict[str, str], signs: dict[str, str]) -> re.Pattern[str]:
    """One expression for all tokens. Names come first and then signs: most tokens are, and nothing
    else starts as they do. A match costs by the groups that there are, so signs share one.
    """
    longest_first = sorted(signs, key=lambda name: -len(signs[name]))
    groups = [
        f"(?P<NAME>{terminals['NAME']})",
        f"(?P<SIGN>{'|'.join(terminals[name] for name in longest_first)})",
    ]
    rest = [name for name in terminals if name != "NAME" and name not in signs]
    groups += [f"(?P<{name}>{terminals[name]})" for name in rest]
    # ASCII: a digit of another script would be a number that no reader expects.
    return re.compile(f"(?:{'|'.join(groups)})(?:{terminals['WHITESPACE']})?", re.ASCII)
