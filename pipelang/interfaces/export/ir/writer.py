"""Helpers of every part of the IR: places, shares, names in a fixed order.

A parameter of the analysis is known by its site, which holds the place where it was declared. A
place moves when a file is laid out anew, so the IR names parameters by what they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar, assert_never

from pipelang.diagnostics import Sources, Span
from pipelang.records import dataclass, field
from pipelang.semantics.chance import (
    ByCase,
    Chance,
    CountedShare,
    Declared,
    MeasuredShare,
    Undeclared,
)
from pipelang.semantics.quantities import plain

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(slots=True)
class Writer:
    """`sources` None leaves places out."""

    sources: Sources | None = None
    _parameters: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def place(self, span: Span | None) -> Json:
        """The entry `span`, or nothing."""
        if self.sources is None:
            return {}
        source = self.sources.get(span.file) if span is not None else None
        if span is None or source is None:
            return {"span": None}
        start, end = source.position(span.start), source.position(span.end)
        return {
            "span": {
                "file": span.file,
                "line": start.line,
                "column": start.column,
                "end_line": end.line,
                "end_column": end.column,
            }
        }

    def chance(self, chance: Chance) -> Json:
        """A share with how it is known; equal names of `parameter` are one parameter."""
        name = self._parameter(chance.site)
        match chance:
            case Declared():
                return {"chance": "declared", "share": plain(chance.share), "parameter": name}
            case CountedShare():
                return {
                    "chance": "counted",
                    "good": chance.good,
                    "total": chance.total,
                    "parameter": name,
                }
            case MeasuredShare():
                found = {"chance": "measured", "file": chance.file, "parameter": name}
                return found | shifted(chance.shift)
            case Undeclared():
                return {"chance": "undeclared", "parameter": name}
            case ByCase():
                easy, hard = self.chance(chance.easy), self.chance(chance.hard)
                return {"chance": "by_case", "easy": easy, "hard": hard}
            case _:
                assert_never(chance)

    def _parameter(self, site: str) -> str:
        known = self._parameters.get(site)
        if known is None:
            stem = known = _without_offsets(site)
            number = 1
            while known in self._taken:
                number += 1
                known = f"{stem}#{number}"
            self._taken.add(known)
            self._parameters[site] = known
        return known


def shifted(shift: Decimal) -> Json:
    """By how much what was measured may be off; nothing where nobody says so."""
    return {"shift": plain(shift)} if shift else {}


def _without_offsets(site: str) -> str:
    """`p.step[0]@70.accuracy@file.pipe:95` as `p.step[0].accuracy`."""
    return re.sub(r"@\d+", "", re.sub(r"@[^@]*:\d+$", "", site))


def by_name(declared: Mapping[str, T], write: Callable[[T], Any]) -> Json:
    """Declarations in the order of their names."""
    return {name: write(declared[name]) for name in sorted(declared)}


def names(of: Iterable[str]) -> list[str]:
    """A set of names, in order."""
    return sorted(of)


def exact(number: Decimal | None) -> str | None:
    """A decimal as a text, without exponent and trailing zeros: JSON's numbers are not exact."""
    return None if number is None else plain(number)


def constant(value: Any) -> Any:
    """A constant: decimals as texts, everything else as JSON has it."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return {str(key): constant(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [constant(part) for part in value]
    return value
