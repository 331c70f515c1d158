"""Sheets: chances as distributions over what was spent so far, in intervals.

An entry of a sheet has, for each limit, three amounts: the least and the most that the calls so far
spend, and the least that a limit must be for all of them to be made whatever they spend (`needs`).
The most that it must be is the most that they spend, since a call takes at most what it reserves.
Sheets add and multiply as chances do, so the sweep's pass carries them in place of numbers: a sum
puts entries side by side, a product puts calls behind calls.

Amounts beyond a limit are all alike, and where there are too many entries, neighbours become one
whose intervals hold both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelang.analysis.budgets.limits import ENDLESS, SpendLimit
from pipelang.analysis.frontier.states import is_zero
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.records import dataclass

MOST_ENTRIES = 64
"""Entries of a sheet, unless fewer will do; beyond it neighbours become one."""

Amounts = tuple[int, ...]
"""For each limit: the least and the most that is spent, and what all calls need at least."""

Ways = frozenset[str]
"""Ends that a run may have come to instead, by their labels; see `cells`."""

Entry = tuple[Amounts, Ways]

NO_WAYS: Ways = frozenset()


@dataclass(frozen=True, slots=True)
class SheetColumns:
    """The limits that a sheet has amounts for. `serial`: calls behind calls come in that order, so
    what the first spend at least is spent when the later are made. `entries` is how many a sheet
    has at most.
    """

    limits: tuple[SpendLimit, ...]
    serial: bool
    entries: int = MOST_ENTRIES

    @property
    def nothing(self) -> Entry:
        return ((0, 0, 0) * len(self.limits), NO_WAYS)

    def sheet(self, amounts: Amounts, ways: Ways = NO_WAYS) -> Sheet:
        """The sheet of what certainly happens."""
        return Sheet(self, {self.clamped((amounts, ways)): 1.0})

    def clamped(self, entry: Entry) -> Entry:
        """The entry without differences beyond a limit."""
        amounts, ways = entry
        found: list[int] = []
        for at, limit in enumerate(self.limits):
            least, most, needs = amounts[3 * at : 3 * at + 3]
            if needs > limit.most:
                found += (ENDLESS, ENDLESS, ENDLESS)
            else:
                found += (least, ENDLESS if most > limit.most else most, needs)
        return tuple(found), ways

    def behind(self, first: Entry, second: Entry) -> Entry:
        """Calls, and then calls."""
        one, other = first[0], second[0]
        found: list[int] = []
        for at in range(0, len(one), 3):
            least = one[at] + other[at]
            needs = max(one[at + 2], other[at + 2], least)
            if self.serial:
                needs = max(needs, one[at] + other[at + 2])
            found += (least, one[at + 1] + other[at + 1], needs)
        return self.clamped((tuple(found), first[1] | second[1]))

    def few(self, entries: dict[Entry, Any]) -> dict[Entry, Any]:
        """Not too many entries: neighbours become one whose intervals hold both."""
        while len(entries) > self.entries:
            groups: dict[Ways, list[Amounts]] = {}
            for amounts, ways in entries:
                groups.setdefault(ways, []).append(amounts)
            found: dict[Entry, Any] = {}
            for ways, listed in groups.items():
                listed.sort()
                for at in range(0, len(listed), 2):
                    pair = listed[at : at + 2]
                    chance = sum(entries[amounts, ways] for amounts in pair)
                    entry = (hull(pair), ways)
                    found[entry] = found[entry] + chance if entry in found else chance
            if len(found) == len(entries):
                return entries  # as many ways as entries
            entries = found
        return entries


class Sheet:
    """A chance with what is spent where it comes to pass: entries, each with its share of it."""

    __slots__ = ("columns", "entries")
    __array_ufunc__ = None  # an array times a sheet is a sheet

    def __init__(self, columns: SheetColumns, entries: dict[Entry, Any]) -> None:
        self.columns = columns
        self.entries = entries

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Sheet):
            if is_zero(other):
                return 0.0
            scaled = {entry: chance * other for entry, chance in self.entries.items()}
            return Sheet(self.columns, scaled)
        behind, found = self.columns.behind, dict[Entry, Any]()
        for first, chance in self.entries.items():
            for second, share in other.entries.items():
                entry = behind(first, second)
                both = chance * share
                found[entry] = found[entry] + both if entry in found else both
        return Sheet(self.columns, self.columns.few(found))

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __truediv__(self, other: Any) -> Any:
        return self * (1 / other)

    def __add__(self, other: Any) -> Any:
        if is_zero(other):
            return self
        if not isinstance(other, Sheet):
            other = Sheet(self.columns, {self.columns.nothing: other})
        found = dict(self.entries)
        for entry, chance in other.entries.items():
            found[entry] = found[entry] + chance if entry in found else chance
        return Sheet(self.columns, self.columns.few(found))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        """Nothing: what is left of a chance says not what is spent there. Raises `TooLarge`."""
        raise TooLarge

    __rsub__ = __sub__


def hull(several: Iterable[Amounts]) -> Amounts:
    """Intervals that hold all of several."""
    columns = list(zip(*several, strict=True))
    return tuple(max(column) if at % 3 == 1 else min(column) for at, column in enumerate(columns))
