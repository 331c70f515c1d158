"""Generates the parser's tables from `grammar/pipelang.lark`.

`python -m pipelang.syntax.build_tables`, or `make grammar`.

lark analyses the grammar (and would take a quarter of a second to do so for every user); what a
user's process needs of it is only the LALR automaton, the terminals and the shape of each rule.
They are written to `grammar/pipelang.tables.json`, which is committed and checked by a test.

This is the only module that imports lark.
"""

from __future__ import annotations

import collections
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from pipelang.resources import resource
from pipelang.syntax.tables import TABLES

GRAMMAR = "pipelang.lark"

RESERVED = (
    "and or not in matches max if then else match true false none".split()
)  # words that can never be names; every other keyword is one only where the grammar expects it


FEW = 3
"""Symbols for which a reduction is written beside each of them."""


class ConflictError(ValueError):
    """The grammar has a shift/reduce conflict, which lark would have resolved silently."""


def build(grammar: str) -> dict[str, Any]:
    """The tables of a grammar. Raises `ConflictError` with lark's log if it has a conflict."""
    import logging

    from lark import Lark
    from lark import logger as lark_logger
    from lark.parsers.lalr_analysis import Shift

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    lark_logger.addHandler(handler)
    level = lark_logger.level
    lark_logger.setLevel(logging.DEBUG)
    try:
        lark = Lark(grammar, parser="lalr", lexer="basic", debug=True, maybe_placeholders=True)
    finally:
        lark_logger.setLevel(level)
        lark_logger.removeHandler(handler)
    conflicts = [line for line in lines if "conflict" in line.lower()]
    if conflicts:
        raise ConflictError("\n".join(lines))

    table = lark.parser.parser.parser.parse_table
    order = _order(table.states, table.start_states["start"], Shift)
    rules = list(lark.rules)
    rule_number = {id(rule): number for number, rule in enumerate(rules)}
    equal = {rule: number for number, rule in enumerate(rules)}
    states = []
    for state in order:
        row: dict[str, int] = {}
        for symbol, (action, target) in sorted(table.states[state].items()):
            if action is Shift:
                row[symbol] = order[target]
            else:
                number = rule_number.get(id(target), equal.get(target))
                assert number is not None
                row[symbol] = -1 - number
        states.append(row)
    lookaheads, packed = _packed(states)
    return {
        "grammar": hashlib.sha256(grammar.encode()).hexdigest(),
        "terminals": _terminals(lark),
        "ignore": sorted(lark.ignore_tokens),
        "keywords": _keywords(lark),
        "reserved": sorted(RESERVED),
        "rules": [_rule(rule) for rule in rules],
        "start": order[table.start_states["start"]],
        "end": order[table.end_states["start"]],
        "lookaheads": lookaheads,
        "states": packed,
    }


def _packed(states: list[dict[str, int]]) -> tuple[list[list[str]], list[Any]]:
    """The states as they are read quickest. Most of what they hold is one reduction for many
    symbols: such a state is `[lookaheads, reduction, others]`, the first by its place in a list.
    """
    known: dict[tuple[str, ...], int] = {}
    packed: list[Any] = []
    for state in states:
        counts = collections.Counter(action for action in state.values() if action < 0)
        action, times = counts.most_common(1)[0] if counts else (0, 0)
        if times < FEW:
            packed.append(state)
            continue
        place = known.setdefault(tuple(state), len(known))
        others = {symbol: other for symbol, other in state.items() if other != action}
        packed.append([place, action, others])
    return [list(symbols) for symbols in known], packed


def _order(states: Any, start: Any, shift: Any) -> dict[Any, int]:
    """Numbers of the states by how they are reached, since lark's own differ from run to run."""
    order = {start: 0}
    queue = [start]
    for state in queue:
        for _, (action, target) in sorted(states[state].items()):
            if action is shift and target not in order:
                order[target] = len(order)
                queue.append(target)
    return order


def _keywords(lark: Any) -> dict[str, str]:
    return {
        terminal.pattern.value: terminal.name
        for terminal in sorted(lark.terminals, key=lambda t: t.name)
        if terminal.pattern.type == "str" and terminal.pattern.value.isidentifier()
    }


def _terminals(lark: Any) -> list[list[str]]:
    """Name and regular expression of every terminal but the keywords, in matching order."""
    others = [
        terminal
        for terminal in lark.terminals
        if not (terminal.pattern.type == "str" and terminal.pattern.value.isidentifier())
    ]
    others.sort(key=lambda t: (-t.priority, -len(t.pattern.value), t.name))
    return [[terminal.name, terminal.pattern.to_regexp()] for terminal in others]


def _rule(rule: Any) -> list[Any]:
    """`[origin, builder, length, passthrough, children]` of a rule.

    `children` says what the builder is given: 2i for the value of symbol i, 2i+1 for the values of
    a helper rule spliced in, -1 for an absent optional. This is lark's own tree shaping
    (lark.parse_tree_builder), computed once.
    """
    origin = rule.origin.name
    blanks = rule.options.empty_indices
    if blanks:
        groups = "".join(str(int(blank)) for blank in blanks).split("0")
        before = [len(group) for group in groups]
    else:
        before = [0] * (len(rule.expansion) + 1)
    children: list[int] = []
    for index, symbol in enumerate(rule.expansion):
        children += [-1] * before[index]
        if symbol.is_term and symbol.filter_out:
            continue
        spliced = not symbol.is_term and symbol.name.startswith("_")
        children.append(2 * index + spliced)
    children += [-1] * before[len(rule.expansion)]
    passthrough = bool(rule.options.expand1) and not rule.alias
    return [origin, rule.alias or origin, len(rule.expansion), passthrough, children]


def dump(tables: dict[str, Any]) -> str:
    """Tables as text: one rule, state or terminal a line, so that changes can be reviewed."""

    def lines(values: list[Any]) -> str:
        return ",\n".join(json.dumps(value, separators=(",", ":")) for value in values)

    parts = []
    for key, value in tables.items():
        if key in ("rules", "lookaheads", "states", "terminals"):
            parts.append(f"{json.dumps(key)}:[\n{lines(value)}\n]")
        else:
            parts.append(f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}")
    return "{" + ",\n".join(parts) + "}\n"


def main() -> int:
    folder: Path = resource("grammar")
    grammar = (folder / GRAMMAR).read_text(encoding="utf-8")
    try:
        tables = build(grammar)
    except ConflictError as error:
        print(error, file=sys.stderr)
        return 1
    (folder / TABLES).write_text(dump(tables), encoding="utf-8", newline="\n")
    print(f"{len(tables['rules'])} rules, {len(tables['states'])} states, no conflict")
    return 0


if __name__ == "__main__":
    sys.exit(main())
