"""The grammar: without conflicts, its tables up to date, and a builder for every rule."""

from __future__ import annotations

import json
import logging
from typing import get_args

import pytest
from lark import Lark
from lark import logger as lark_logger
from lark.exceptions import GrammarError

from pipelang.resources import resource
from pipelang.syntax import ast
from pipelang.syntax.build_tables import (
    GRAMMAR,
    RESERVED,
    TABLES,
    ConflictError,
    _packed,
    build,
    dump,
)
from pipelang.syntax.lexicon import DECLARING, ITEMS
from pipelang.syntax.lower import _BUILDERS, builder
from pipelang.syntax.option_table import ACTIONS, OPTIONS, WORD_OF, words_of
from pipelang.syntax.tables import _states, tables

TEXT = (resource("grammar") / GRAMMAR).read_text(encoding="utf-8")


def test_tables_are_up_to_date() -> None:
    written = (resource("grammar") / TABLES).read_text(encoding="utf-8")
    assert written == dump(build(TEXT)), "run `make grammar`"
    assert json.loads(written)["grammar"] == build(TEXT)["grammar"]


def test_states_are_read_as_they_were_written() -> None:
    """Each with its symbols in order, for errors say what was expected in that order."""
    states = [
        {"A": -1, "B": -1, "C": 4, "D": -1, "E": -7},
        {"A": -2, "B": -2, "C": 9, "D": -2, "E": 1},
        {"A": 1, "B": -3, "C": -3},
        {"A": 5, "b": 6},
        {"A": -4, "B": -4, "C": -4},
        {},
    ]
    lookaheads, packed = _packed(states)
    assert lookaheads == [["A", "B", "C", "D", "E"], ["A", "B", "C"]]
    assert packed[0] == [0, -1, {"C": 4, "E": -7}]
    found = _states(packed, lookaheads)
    assert [[*state.items()] for state in found] == [[*state.items()] for state in states]


def test_lark_reports_no_conflict() -> None:
    """Read here once more, so that a `build` that stopped listening would not go unnoticed."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    level = lark_logger.level
    lark_logger.addHandler(handler)
    lark_logger.setLevel(logging.DEBUG)
    try:
        Lark(TEXT, parser="lalr", lexer="basic", debug=True)
    finally:
        lark_logger.removeHandler(handler)
        lark_logger.setLevel(level)
    assert not [line for line in lines if "onflict" in line or "esolving" in line]


@pytest.mark.parametrize(
    "grammar",
    [
        'start: sum\nsum: sum "+" sum | "1"',
        'start: "if" start | "if" start "else" start | "x"',
        # The same mistake in our own: an option that ends with what may begin the next one.
        TEXT.replace('"idempotent"              -> opt_idempotent', '"idempotent" [timeout]'),
    ],
)
def test_a_conflict_is_refused(grammar: str) -> None:
    assert grammar != TEXT
    with pytest.raises(ConflictError, match=r"(?i)conflict"):
        build(grammar)


def test_two_ways_to_reduce_are_refused() -> None:
    with pytest.raises(GrammarError):
        build('start: a | b\na: "x"\nb: "x"')


def test_the_level_of_larks_log_is_put_back() -> None:
    level = lark_logger.level
    handlers = list(lark_logger.handlers)
    build('start: "x"')
    assert lark_logger.level == level
    assert lark_logger.handlers == handlers


def test_every_rule_has_a_builder_and_every_builder_a_rule() -> None:
    for rule in tables().rules:
        assert callable(builder(rule))
    assert set(_BUILDERS) - {rule.builder for rule in tables().rules} == set()


def test_reserved_words() -> None:
    assert set(RESERVED) == set(
        "and or not in matches max if then else match true false none".split()
    )
    assert tables().reserved <= set(tables().keywords)


OWN_PRODUCTIONS = {
    "provider_option": words_of("provider"),
    "tier_option": words_of("tier"),
    "role_option": words_of("role"),
    "tool_option": words_of("tool"),
    "memory_option": words_of("memory"),
    "evidence_option": words_of("gate"),
    "option": words_of(*ACTIONS),
    "test_line": {"given", "mock", "expect"},
    "item": ITEMS,
    "declaration": DECLARING,
}


@pytest.mark.parametrize("origin", OWN_PRODUCTIONS)
def test_every_option_is_a_production_of_its_own(origin: str) -> None:
    """Each begins with a word of its own; none is a name with a value."""
    assert first_words(origin) == set(OWN_PRODUCTIONS[origin])


def test_every_option_has_a_row_in_the_table() -> None:
    """Nodes, keywords and the aliases of the grammar; two options of one word differ in alias."""
    assert set(WORD_OF) == set(get_args(ast.Option)) - {ast.Broken}
    assert len({row.alias for row in OPTIONS}) == len(OPTIONS) == len(WORD_OF)
    aliases = {rule.builder for rule in tables().rules if rule.builder.startswith("opt_")}
    assert aliases == {row.alias for row in OPTIONS}


@pytest.mark.parametrize(("origin", "count"), [("claim", 8), ("expect", 8), ("mock", 6)])
def test_every_claim_and_expectation_is_a_production_of_its_own(origin: str, count: int) -> None:
    rules = [rule for rule in Lark(TEXT, parser="lalr").rules if rule.origin.name == origin]
    aliases = [rule.alias for rule in rules]
    assert None not in aliases
    assert len(set(aliases)) == count


def first_words(origin: str) -> set[str]:
    """The words that a rule may begin with. Fails if it may begin with anything else."""
    keywords = tables().keyword_of
    rules = Lark(TEXT, parser="lalr").rules
    found: set[str] = set()
    todo, seen = [origin], {origin}
    while todo:
        at = todo.pop()
        for rule in rules:
            if rule.origin.name != at:
                continue
            first = rule.expansion[0]
            if first.is_term:
                found.add(keywords[first.name])
            elif first.name not in seen:
                seen.add(first.name)
                todo.append(first.name)
    return found
