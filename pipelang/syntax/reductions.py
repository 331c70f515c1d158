"""Reductions of the driver, prepared once a process instead of at every use.

Half of all reductions only rename: an INT is a literal, so a primary, so a product, and so on up to
an expression. Where a run of them ends hangs on nothing but the two states on top of the stack and
the next token, so the driver takes it in one stride (`renamed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import NamedTuple
from pipelang.syntax.lower import Lowering, builder
from pipelang.syntax.tables import ReductionRule, tables


class Reduction(NamedTuple):
    """A reduction: the number of values taken from the top of the stack, and their builder.

    `renames` if it takes one and hands it on as it is. `only` is the place, from the top, of the
    one value that is handed on among others; else `build(lowering, span, *pick(values))` makes the
    value. `nests` is 1 if that is a construct around others; helpers of `*` and `+` only gather.
    `others` are the values above the first one that it takes.
    """

    length: int
    origin: str
    renames: bool
    only: int | None
    pick: Callable[[list[Any]], Sequence[Any]]
    build: Callable[..., Any]
    nests: int
    others: slice


@cache
def reductions() -> list[Reduction]:
    """One for each rule."""
    return [_reduction(rule) for rule in tables().rules]


def _reduction(rule: ReductionRule) -> Reduction:
    only, others = None, slice(1 - rule.length, None)
    if rule.passthrough and len(rule.children) == 1:
        if rule.children[0] & 1:
            raise ValueError(f"`?{rule.origin}` hands on a list or nothing; give it an alias")
        only = (rule.children[0] >> 1) - rule.length
    renames = only is not None and rule.length == 1
    if rule.builder.startswith("__") and len(rule.children) == 2 and rule.children[0] == 1:
        ends = itemgetter(-rule.length, (rule.children[1] >> 1) - rule.length)
        return Reduction(rule.length, rule.origin, False, None, ends, _grow, 0, others)
    nests = 0 if rule.builder.startswith("__") else 1
    pick = _picker(rule)
    return Reduction(rule.length, rule.origin, renames, only, pick, builder(rule), nests, others)


def _grow(lowering: Lowering, span: Span, gathered: list[Any], more: Any) -> list[Any]:
    """The list of a `*` or `+`, one longer. It is nobody else's: copied, it would cost a square."""
    gathered.append(more)
    return gathered


def _picker(rule: ReductionRule) -> Callable[[list[Any]], Sequence[Any]]:
    """A function that picks a rule's children from the top of the stack."""
    shape, length = rule.children, rule.length
    if any(entry < 0 or entry & 1 for entry in shape):
        return lambda values: children(shape, values[len(values) - length :])
    places = [(entry >> 1) - length for entry in shape]
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1 or None) if places else slice(0))


def children(shape: tuple[int, ...], taken: list[Any]) -> list[Any]:
    """The children of a rule among all that it takes; see `build_tables._rule`."""
    picked: list[Any] = []
    for entry in shape:
        if entry < 0:
            picked.append(None)
        elif entry & 1:
            picked.extend(taken[entry >> 1])
        else:
            picked.append(taken[entry >> 1])
    return picked


@cache
def renamed(below: int, state: int, kind: str) -> tuple[int, tuple[int, ...]]:
    """The state after a run of renamings in `state` if a `kind` comes next, and its rules."""
    states, plans = tables().states, reductions()
    rules: list[int] = []
    while True:
        action = states[state].get(kind, 0)
        if action >= 0 or not plans[-1 - action].renames:
            return state, tuple(rules)
        rules.append(-1 - action)
        state = states[below][plans[-1 - action].origin]
