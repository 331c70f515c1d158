"""Random programs straight from the grammar: a derivation, then words, then a random layout.

The grammar has no conflict, so what was derived is what a parser must read, rule by rule. Rules
that were used least are preferred, so that a few hundred programs use every one of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from lark import Lark
from lark.grammar import Rule

from pipelang.resources import resource
from pipelang.syntax.build_tables import GRAMMAR
from pipelang.syntax.tables import tables

SHIFT = -1
"""A token in a derivation; what is not negative is the number of a rule that was reduced by."""

DEPTH = 32
TOKENS = 80
"""After so many tokens a declaration, and after a quarter of them an item, comes to its end."""


@cache
def grammar() -> Lark:
    text = (resource("grammar") / GRAMMAR).read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", maybe_placeholders=True)


class Numbered(NamedTuple):
    """A rule with what is asked of it at each choice; lark hashes a rule by all that is in it."""

    rule: Rule
    number: int
    height: int


@cache
def by_origin() -> dict[str, list[Numbered]]:
    rules: dict[str, list[Numbered]] = {}
    known = heights()
    for number, rule in enumerate(grammar().rules):
        one = Numbered(rule, number, height(rule, known) or 0)
        rules.setdefault(rule.origin.name, []).append(one)
    return rules


@cache
def heights() -> dict[str, int]:
    """How deep the shallowest derivation of a nonterminal is."""
    found: dict[str, int] = {}
    origins = {rule.origin.name for rule in grammar().rules}
    while len(found) < len(origins):
        for rule in grammar().rules:
            needed = height(rule, found)
            if needed is not None and needed < found.get(rule.origin.name, 1 << 30):
                found[rule.origin.name] = needed
    return found


def height(rule: Rule, known: dict[str, int]) -> int | None:
    inner = [known.get(symbol.name) for symbol in rule.expansion if not symbol.is_term]
    if None in inner:
        return None
    return 1 + max((level for level in inner if level is not None), default=0)


@dataclass
class Program:
    """Tokens with the type that the grammar gives them, and the derivation in reductions."""

    tokens: list[tuple[str, str]] = field(default_factory=list)
    derivation: list[int] = field(default_factory=list)
    limit: int = 0


LONGER = {"__declarations": 0.7, "declarations": 0.95, "__items": 0.8, "items": 0.95}
OPERATORS = frozenset(
    "expr or_expr and_expr not_expr comparison_expr sum product unary postfix".split()
)
NAMES = "a b haiku ticket customer_id Kind x1 _y tokens kb min read_only Z stepper nothing".split()
LITERALS: dict[str, list[str]] = {
    "INT": ["0", "5", "12", "400"],
    "NUMBER": ["0.5", "12.75"],
    "PERCENT": ["5%", "99.9%"],
    "MONEY": ["$5", "$0.08"],
    "DURATION": ["30s", "5m", "100ms", "1.5h", "2d"],
    "TOKENS": ["40 tokens", "4k tokens", "1.5M  tokens", "2k\ttokens"],
    "PAGES": ["20 pages", "1  pages", "300\tpages"],
    "RATE": ["100/min", "500/day", "2/h", "1/month"],
    "STRING": ['""', '"a"', '"# no comment"', '"say \\"hi\\" \\u{1F600}"', '"évident …"', '"{"'],
    "TEMPLATE": [
        '"""hi"""',
        '"""\n  Sort {{ a }}.\n    # kept\n\n  """',
        '"""\r\n  a\r\n  b"""',
        '""" "quoted" """',
        '"""\n\n  last line  \n"""',
    ],
}


def derive(pick: random.Random, used: Counter[int]) -> Program:
    """A program; `used` counts the rules over all programs of a run."""
    program = Program()
    _derive("start", DEPTH, "", program, pick, used)
    return program


def _derive(
    origin: str, depth: int, above: str, program: Program, pick: random.Random, used: Counter[int]
) -> None:
    if origin == "declaration":
        program.limit = len(program.tokens) + TOKENS
    elif origin == "item":
        program.limit = max(program.limit, len(program.tokens) + TOKENS // 4)
    rule, number, _ = _choose(origin, depth, above, program, pick, used)
    used[number] += 1
    inside = rule.alias or origin
    for index, symbol in enumerate(rule.expansion):
        if symbol.is_term:
            following = [other.name for other in rule.expansion[index + 1 : index + 2]]
            program.tokens.append(
                (symbol.name, _text(symbol.name, inside, following, program, pick))
            )
            program.derivation.append(SHIFT)
        else:
            again = symbol.name == origin and origin.startswith("__")  # one more of a list
            _derive(symbol.name, depth - (not again), inside, program, pick, used)
    program.derivation.append(number)


def _choose(
    origin: str, depth: int, above: str, program: Program, pick: random.Random, used: Counter[int]
) -> Numbered:
    rules = by_origin()[origin]
    if above == "negative_bound":  # a rate has no sign
        rules = [one for one in rules if one.rule.alias != "rate_literal"]
    allowed = [one for one in rules if one.height <= depth]
    unused = [one for one in allowed if not used[one.number]]
    if unused and pick.random() < 0.7:
        return pick.choice(unused)
    over = len(program.tokens) > program.limit > 0 and pick.random() < 0.9
    if over or not allowed:
        return min(rules, key=lambda one: (one.height, pick.random()))
    if origin == "declaration" and pick.random() < 0.3:
        return next(one for one in allowed if one.rule.expansion[0].name == "pipeline")
    if origin in OPERATORS and pick.random() < 0.7:
        return next(one for one in allowed if len(one.rule.expansion) == 1)
    longer = [one for one in allowed if one.rule.expansion]
    if origin.startswith("__"):
        longer = [one for one in allowed if one.rule.expansion[0].name == origin]
    if longer and pick.random() < LONGER.get(origin.partition("_star")[0], 0.6):
        allowed = longer
    if pick.random() < 0.4:
        least = min(used[one.number] for one in allowed)
        allowed = [one for one in allowed if used[one.number] == least]
    return pick.choice(allowed)


def _text(
    terminal: str, rule: str, following: list[str], program: Program, pick: random.Random
) -> str:
    if terminal in LITERALS:
        chosen = pick.choice(LITERALS[terminal])
        # Of a file in another language nothing else is told.
        return "1" if rule == "language" else chosen
    if terminal == "NAME":
        after_dot = bool(program.tokens) and program.tokens[-1][0] == "DOT"
        field_name = rule in ("field", "param", "record_field", "arg_named")
        if (after_dot or (field_name and following == ["COLON"])) and pick.random() < 0.3:
            return pick.choice(soft_words())
        return pick.choice(NAMES)
    return fixed()[terminal]


@cache
def soft_words() -> list[str]:
    return sorted(set(tables().keywords) - tables().reserved)


@cache
def fixed() -> dict[str, str]:
    return {t.name: t.pattern.value for t in grammar().terminals if t.pattern.type == "str"}


SPACES = [" ", " ", " ", "  ", "\n", "\n  ", "\n\n\n", "\t", "\r\n", "\n \n"]


def write(program: Program, pick: random.Random, comments: bool = True) -> str:
    """The program in some layout. Comments, if any, are numbered, so that none is like another."""
    parts: list[str] = [pick.choice(["", "\n", "\ufeff", "\ufeff\n\n"])]
    number = iter(range(1_000_000))
    tokens = program.tokens
    density = pick.choice([0, 0.02, 0.1, 0.4]) if comments else 0
    for index, (terminal, text) in enumerate(tokens):
        before = tokens[index - 1] if index else ("", "")
        parts += _between(before, (terminal, text), density, number, pick)
        parts.append(text)
    parts.append(pick.choice(["", "\n", "\n\n", " # end", "\n# end\n\n# of file"]))
    return "".join(parts)


def _between(
    before: tuple[str, str],
    after: tuple[str, str],
    density: float,
    number: Iterator[int],
    pick: random.Random,
) -> Iterator[str]:
    if (
        before[0] in ("TOKENS", "PAGES") and after[0] == "COLON"
    ):  # else it would be a number and a name
        yield " # amount\n"
    if before[0] in ("INT", "NUMBER") and after[1] in (
        "tokens",
        "pages",
    ):  # else it would be an amount
        yield "\n"
    while pick.random() < density:
        sign = pick.choice(["#", "##", "# ", "## ", "###"])
        yield pick.choice([" ", "\n", "\n\n", "\n    ", "\t"])
        yield f"{sign}{next(number)}{pick.choice(['', ' ', '  said', ' ##'])}\n"
    snug = {"(", ")", "[", "]", "{", "}", ","}
    if not ({before[1], after[1]} & snug and pick.random() < 0.3):
        yield pick.choice(SPACES)
