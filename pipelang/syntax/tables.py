"""The parser's tables, read once a process from `grammar/pipelang.tables.json`."""

from __future__ import annotations

import json
import os
import re
from functools import cache

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

    `lexer` matches a token, with a group that is named like its terminal, and the blanks behind it.
    `states[s][symbol]` is the state to go to if >= 0, else -1 minus the rule to reduce by.
    `signs` are the letters of terminals that are neither words nor patterns: `{`, `->`, `<=`;
    `letters` is the way back. `soft` are the terminals of keywords that may be names as well.
    """

    lexer: re.Pattern[str]
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
    # Names first: most tokens are, and nothing else starts with a letter.
    groups = [f"(?P<{name}>{terminals[name]})" for name in sorted(terminals, key="NAME".__ne__)]
    signs = {
        name: re.sub(r"\\(.)", r"\1", regex)
        for name, regex in terminals.items()
        if re.fullmatch(r"(\\?[^\w\s])+", regex)
    }
    return Tables(
        # ASCII: a digit of another script would be a number that no reader expects.
        lexer=re.compile(f"(?:{'|'.join(groups)})(?:{terminals['WHITESPACE']})?", re.ASCII),
        signs=signs,
        letters={letters: name for name, letters in signs.items()},
        keywords=keywords,
        keyword_of={terminal: word for word, terminal in keywords.items()},
        reserved=frozenset(raw["reserved"]),
        soft=frozenset(kind for word, kind in keywords.items() if word not in raw["reserved"]),
        ignored=frozenset(raw["ignore"]),
        rules=tuple(ReductionRule(o, b, n, p, tuple(c)) for o, b, n, p, c in raw["rules"]),
        states=raw["states"],
        start=raw["start"],
        end=raw["end"],
    )
