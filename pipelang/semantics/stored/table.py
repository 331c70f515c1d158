"""Programs as tables of plain values, and back.

A table is what `marshal` or JSON can hold: the plain values that occur, and after them a row for
each node, with the numbers of its parts, which come before it. What is one object in a program is
one row, so what is shared stays shared: a program is a graph whose tree may be twice as large with
every `let`.

Only the classes of a program are made from a table, by their names, and never a function or a
module: whatever a table says, reading it runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from pipelang.diagnostics import Span
from pipelang.semantics import chance, evidence_rows, expressions, program, types
from pipelang.semantics.evidence_rows import EvidenceRows

Table = tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]
"""The plain values, and the rows: the name of what to make, and the numbers of its parts."""

Makers = Mapping[str, Callable[[Sequence[Any]], Any]]
"""Functions that make a value of its parts, by the name of its class."""

_PLAIN = (str, int, bool, float, type(None))


class NoTable(ValueError):
    """A value that is no part of a program, or is nested too deeply. The message names it."""


def to_table(one: program.Program) -> Table:
    """The table of a program. Raises `NoTable`."""
    return _Writer().table(one)


def from_table(table: Table, makers: Makers | None = None) -> program.Program:
    """The program of a table. `makers` take the place of those that make the classes as they are
    now. Raises ValueError, TypeError or LookupError for what is none.
    """
    values, rows = table
    made: list[Any] = list(values)
    add, makers = made.append, makers or MAKERS
    for name, *parts in rows:
        add(makers[name]([made[part] for part in parts]))
    found = made[-1]
    if not isinstance(found, program.Program):
        raise ValueError("the table of something else")
    return found


def _records() -> dict[str, type]:
    """The record classes that a program is made of, by name."""
    found: dict[str, type] = {}
    for module in (program, expressions, types, chance, evidence_rows):
        for name, one in vars(module).items():
            if isinstance(one, type) and "__match_args__" in vars(one) and one is not Span:
                found[name] = one
    return found


def _made_by(one: type) -> Callable[[Sequence[Any]], Any]:
    return lambda parts: one(*parts)


def _pairs(parts: Sequence[Any]) -> dict[Any, Any]:
    """A dict from its keys and values in turn."""
    return dict(zip(parts[::2], parts[1::2], strict=True))


RECORDS = _records()
_ENUMS = {one.__name__: one for one in (types.ScalarKind, chance.Basis)}
MAKERS: Makers = {
    "tuple": tuple,
    "list": list,
    "frozenset": frozenset,
    "dict": _pairs,
    "Decimal": lambda parts: Decimal(*parts),
    "Span": Span._make,
    "EvidenceRows": EvidenceRows.of_parts,
    **{name: _made_by(one) for name, one in (RECORDS | _ENUMS).items()},
}


class _Writer:
    """Numbers the parts of a program in an order in which they can be made."""

    def __init__(self) -> None:
        self._plain: dict[Any, int] = {}
        self._values: list[Any] = []
        self._rows: list[tuple[Any, ...]] = []
        self._known: dict[int, int] = {}  # by identity: equal types may differ in their labels

    def table(self, one: program.Program) -> Table:
        """The whole table; the program is its last row."""
        try:
            self._number(one)
        except RecursionError:
            raise NoTable("nested too deeply") from None
        first = len(self._values)
        rows = tuple(
            (name, *(part if part >= 0 else first - part - 1 for part in parts))
            for name, *parts in self._rows
        )
        return tuple(self._values), rows

    def _number(self, one: Any) -> int:
        """The number of a value: of a plain one from 0, of a row from -1 downwards."""
        if one.__class__ in _PLAIN:
            # 1, 1.0 and True are equal, and so are 0.0 and -0.0.
            key = one if one.__class__ is str else (one.__class__, repr(one))
            number = self._plain.get(key)
            if number is None:
                number = self._plain[key] = len(self._values)
                self._values.append(one)
            return number
        known = self._known.get(id(one))
        if known is None:
            name, parts = _taken_apart(one)
            self._rows.append((name, *[self._number(part) for part in parts]))
            known = self._known[id(one)] = -len(self._rows)
        return known


def _taken_apart(one: Any) -> tuple[str, Sequence[Any]]:
    """The name of a value's class, and the parts that it is made from. Raises `NoTable`."""
    made: Any = one.__class__
    name: str = made.__name__
    if made is tuple or made is list or made is Span:
        return name, one
    if made is frozenset:
        return name, sorted(one, key=repr)
    if made is dict:
        return name, [part for pair in one.items() for part in pair]
    if made is Decimal:
        return name, (str(one),)
    if made is EvidenceRows:
        return name, one.parts()
    if RECORDS.get(name) is made:
        fields: tuple[str, ...] = one.__match_args__
        return name, [getattr(one, field) for field in fields]
    if isinstance(one, Enum) and _ENUMS.get(name) is made:
        return name, (one.value,)
    raise NoTable(f"a `{name}` is no part of a program")
