"""Symbolic values: a variable of a type, a constant, or a structure of such.

A value that depends on conditions is a list of cases, each with its guard; the guards exclude one
another. Everything here is pure data; `symbols` makes it from expressions.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, assert_never

from pipelang.analysis.claims.formulas import (
    TRUE,
    And,
    Formula,
    Or,
    SignedAtom,
    all_of,
    is_false,
    is_true,
    names_of,
)
from pipelang.digests import sha256_hex
from pipelang.records import dataclass
from pipelang.semantics.types import Type


@dataclass(frozen=True, slots=True)
class Free:
    """Any value of its type, by the name of its variable."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Known:
    """A constant, JSON-like; `None` is an absent value."""

    value: Any
    type: Type


@dataclass(frozen=True, slots=True)
class Sum:
    """sum(factor * variable) + constant."""

    terms: tuple[tuple[str, Fraction], ...]
    constant: Fraction


@dataclass(frozen=True, slots=True)
class SymbolicRecord:
    """A record by its fields; a map or a json object if `type` is none of a record."""

    fields: tuple[tuple[str, Cases], ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Listed:
    """A list by its elements."""

    items: tuple[Cases, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """A truth value, as a formula."""

    formula: Formula


Symbol = Free | Known | Sum | SymbolicRecord | Listed | Truth
Cases = tuple[tuple[Formula, Symbol], ...]

MOST_CASES = 64
"""The most cases of one value; a value with more counts as any of its type, named by its cases."""


MADE = "made "
"""Beginnings of the variables that say whether a run has made a value."""


def is_made(name: str) -> bool:
    return name.startswith(MADE)


def one(symbol: Symbol) -> Cases:
    """Return a value without conditions as a list of cases."""
    return ((TRUE, symbol),)


def under(guard: Formula, cases: Cases) -> Cases:
    """Return the cases that remain possible under a guard."""
    found = ((all_of((guard, own)), symbol) for own, symbol in cases)
    return tuple((both, symbol) for both, symbol in found if not is_false(both))


def name_of(cases: Cases) -> str:
    """Return a canonical name: values of equal names are equal. A long name is replaced by the
    hash of its text.
    """
    if len(cases) == 1 and is_true(cases[0][0]):
        return _short(_text(cases[0][1]))
    parts = " | ".join(f"{name_of_formula(guard)}: {_text(own)}" for guard, own in cases)
    return _short("{" + parts + "}")


MOST_LETTERS = 160
"""The longest name that is kept as it is."""


def _short(text: str) -> str:
    if len(text) <= MOST_LETTERS:
        return text
    return f"#{sha256_hex(text.encode('utf-8', 'surrogatepass'))[:32]}"


def name_of_formula(formula: Formula) -> str:
    """Return a canonical text: formulas of equal texts are equal."""
    match formula:
        case SignedAtom():
            return _short(f"{'' if formula.positive else 'not '}{tuple(formula.atom)}")
        case And():
            return _short(f"({' and '.join(map(name_of_formula, formula.parts))})")
        case Or():
            return _short(f"({' or '.join(map(name_of_formula, formula.parts))})")
        case _:
            assert_never(formula)


def _text(symbol: Symbol) -> str:
    match symbol:
        case Free():
            return symbol.name
        case Known():
            return f"={symbol.value!r}"
        case Sum():
            parts = [*(f"{f}*{name}" for name, f in symbol.terms), str(symbol.constant)]
            return f"({' + '.join(parts)})"
        case SymbolicRecord():
            return "{" + ", ".join(f"{name}: {name_of(v)}" for name, v in symbol.fields) + "}"
        case Listed():
            return f"[{', '.join(map(name_of, symbol.items))}]"
        case Truth():
            return f"({name_of_formula(symbol.formula)})"
        case _:
            assert_never(symbol)


def variables(cases: Iterable[tuple[Formula, Symbol]]) -> frozenset[str]:
    """Return the variables of a value, those of guards excluded."""
    found: set[str] = set()
    for _, symbol in cases:
        match symbol:
            case Free():
                found.add(symbol.name)
            case Sum():
                found |= {name for name, _ in symbol.terms}
            case SymbolicRecord():
                for _, value in symbol.fields:
                    found |= variables(value)
            case Listed():
                for item in symbol.items:
                    found |= variables(item)
            case Truth():
                found |= names_of(symbol.formula)
            case Known():
                pass
            case _:
                assert_never(symbol)
    return frozenset(found)
