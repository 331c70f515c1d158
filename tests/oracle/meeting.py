"""All that the rest of a run can depend on, written down: runs that have it in common are one.

Versions of values are told apart by identity, so they are numbered in the order in which they are
come to. What nothing in the items to come mentions has no part in it; whatever stands there as a
word (a name, a member, a text) counts as mentioned, so that nothing has to be known of the items.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import takewhile
from typing import Any, TypeAlias

from . import model as m
from .expressions import Expr
from .lookup import Lookup
from .values import Known, Latent, Value, Verdicts

# A block that a run is in, and the item in it that comes next.
Place: TypeAlias = tuple[tuple[m.Item, ...], int]


class Versions:
    """Numbers for values and for what is behind them."""

    def __init__(self) -> None:
        self._numbers: dict[Value | Verdicts, int] = {}
        self.told: list[Hashable] = []
        self.alive: frozenset[Value] = frozenset()

    def number(self, of: Value | Verdicts) -> int:
        known = self._numbers.get(of)
        if known is None:
            known = self._numbers[of] = len(self.told)
            self.told.append(None)
            self.told[known] = self._verdict(of) if not isinstance(of, Value) else self._value(of)
        return known

    def numbers(self, values: Iterable[Value]) -> tuple[int, ...]:
        return tuple([self.number(value) for value in values])

    def lives(self, values: Iterable[Value]) -> bool:
        return self.alive.issuperset(values)

    def open(self, values: Iterable[Value]) -> frozenset[int] | None:
        """Those on which hangs whether all are right; None where one is wrong."""
        found = set()
        for value in values:
            if value.known is None:
                found.add(self.number(value))
            elif not value.known:
                return None
        return frozenset(found)

    def _value(self, value: Value) -> Hashable:
        if value.known is not None:
            return value.known
        return self.number(value.latent), self.open(value.made_from)

    def _verdict(self, latent: Verdicts) -> Hashable:
        if isinstance(latent, Known):
            return latent.inputs_right, latent.right
        assert isinstance(latent, Latent)
        former = None
        if latent.former is not None and latent.copied is not False:
            former = (
                latent.copied,
                latent.correlation.as_integer_ratio(),
                self.number(latent.former),
            )
        chances = [chance.as_integer_ratio() for chance in latent.chances.values()]
        return *chances, frozenset(latent.verdicts.items()), former


@dataclass(frozen=True, slots=True)
class Rest:
    """The items that may still be run: their words, and whether one shows all that was made."""

    words: frozenset[str]
    shows_all: bool


class Rests:
    """Of one pipeline, by the blocks that a run is in."""

    def __init__(self, lookup: Lookup) -> None:
        self._lets = {name: words(value) for name, value in lookup.lets.items()}
        self._lookup = lookup
        self._known: dict[Hashable, Rest] = {}
        self._exprs: dict[Expr, int] = {}

    def of(self, blocks: Sequence[Place], ends: bool) -> Rest:
        """Where a step of the present region `ends` the run, only the others are still run."""
        key = tuple([(id(items), at) for items, at in blocks]), ends
        if key not in self._known:
            if ends:
                items, at = blocks[-1]
                rest = [*takewhile(self._in_region, items[at:])]
            else:
                rest = [x for items, at in blocks for x in to_come(items, at)]
            self._known[key] = self._rest(rest)
        return self._known[key]

    def expr(self, expr: Expr) -> int:
        return self._exprs.setdefault(expr, len(self._exprs))

    def _in_region(self, item: m.Item) -> bool:
        return isinstance(item, m.Let) or (
            isinstance(item, m.Step) and not self._lookup.is_barrier(item)
        )

    def _rest(self, items: list[m.Item]) -> Rest:
        found = set().union(*(words(item) for item in items))
        while inside := set().union(*(self._lets[x] for x in found & self._lets.keys())) - found:
            found |= inside
        return Rest(frozenset(found), any(shows_all(item) for item in items))


def to_come(items: tuple[m.Item, ...], first: int) -> tuple[m.Item, ...]:
    """The items from the first on, and those to which one of them sends back."""
    names = [item.name if isinstance(item, m.Step) else None for item in items]
    while True:
        redos = [x.redo for x in items[first:] if isinstance(x, m.Gate | m.Approve)]
        back = min((names.index(x.step) for x in redos if x is not None), default=first)
        if back >= first:
            return items[first:]
        first = back


@cache
def words(part: Any) -> frozenset[str]:
    """Every string anywhere in a part of a program."""
    if isinstance(part, str):
        return frozenset({part})
    if isinstance(part, tuple):
        return frozenset().union(*(words(one) for one in part))
    if is_dataclass(part):
        return frozenset().union(*(words(getattr(part, x.name)) for x in fields(part)))
    return frozenset()


def shows_all(part: Any) -> bool:
    """Whether a person in it is shown whatever has been made."""
    if isinstance(part, m.Hold | m.Approve) and part.showing is None:
        return True
    if isinstance(part, tuple):
        return any(shows_all(one) for one in part)
    return isinstance(part, m.When | m.Match) and any(
        shows_all(getattr(part, x.name)) for x in fields(part)
    )
