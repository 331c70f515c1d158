"""Values as the interpreter hands them on, to a sub-pipeline and back: what is checked against a
type may become another value.
"""

from __future__ import annotations

from fractions import Fraction

from pipelang.analysis.claims import equality, ordering
from pipelang.analysis.claims.formulas import TRUE, any_of, linear, opposite
from pipelang.analysis.claims.values import (
    Cases,
    Free,
    Known,
    Listed,
    Symbol,
    SymbolicRecord,
    name_of,
    one,
    under,
    variables,
)
from pipelang.analysis.claims.variables import COMPUTED, MOST_LISTED, Variables, at_least
from pipelang.semantics.types import (
    BOOL,
    INT,
    JSON,
    NUMBER,
    TEXT,
    EnumType,
    ListType,
    MapType,
    RecordType,
    Type,
    present,
    show,
)


def fitted(known: Variables, cases: Cases, type: Type) -> Cases:
    """Return a value as the interpreter makes it fit a type where it is handed on: a whole
    number becomes a float where a `number` is expected, and anything may become a `json`.
    """
    return tuple(part for guard, own in cases for part in under(guard, _fitted(known, own, type)))


def _fitted(known: Variables, symbol: Symbol, type: Type) -> Cases:
    inner = present(type)
    if inner == JSON:
        return _as_json(known, symbol)
    match symbol:
        case _ if inner == NUMBER:
            there = known.is_there(symbol)
            if there is TRUE:
                return one(ordering.as_number(known, symbol))
            number = under(there, one(ordering.as_number(known, symbol)))
            return (*number, *under(opposite(there), one(Known(None, type))))
        case SymbolicRecord() if isinstance(inner, RecordType):
            types = {field.name: field.type for field in inner.fields}
            return one(
                SymbolicRecord(
                    tuple((n, fitted(known, v, types.get(n, JSON))) for n, v in symbol.fields),
                    symbol.type,
                )
            )
        case SymbolicRecord() if isinstance(inner, MapType):
            made = tuple((n, fitted(known, v, inner.value)) for n, v in symbol.fields)
            return one(SymbolicRecord(made, symbol.type))
        case Listed() if isinstance(inner, ListType):
            return one(Listed(tuple(fitted(known, v, inner.element) for v in symbol.items)))
        case Free() if _changes(symbol.type, type):
            return _changed(known, symbol, inner)
        case _:
            return one(symbol)


def _changed(known: Variables, symbol: Free, inner: Type) -> Cases:
    """Return a list or map whose elements are changed: its length stays."""
    about = frozenset((symbol.name,))
    found = known.opaque(f"{show(inner)}({symbol.name})", inner, COMPUTED, about)
    length, before = (known.sum(known.length(own)) for own in (found, symbol))
    assert length is not None
    assert before is not None
    if (found.name, before) not in known.kept:
        known.kept.add((found.name, before))
        terms = {name: -factor for name, factor in before.terms}
        terms[length.terms[0][0]] = Fraction(1)
        known.axiom(linear(terms, "==", before.constant))
        _changed_elements(known, symbol, found)
    there = known.is_there(symbol)
    if there is TRUE:
        return one(found)
    return ((there, found), (opposite(there), Known(None, inner)))


def _changed_elements(known: Variables, before: Free, after: Free) -> None:
    """Relate the first elements of a list of whole numbers to the floats that they become."""
    mine, other = present(before.type), present(after.type)
    if not isinstance(mine, ListType) or not isinstance(other, ListType):
        return
    if (mine.element, other.element) != (INT, NUMBER):
        return
    length = known.sum(known.length(before))
    assert length is not None
    for at in range(MOST_LISTED):
        number = ordering.as_number(known, known.element_there(before, at))
        element = known.element_there(after, at)
        shorter = opposite(at_least(length, at + 1))
        known.axiom(any_of((shorter, equality.equal(known, element, number))), element.name)


def _as_json(known: Variables, symbol: Symbol) -> Cases:
    match symbol:
        case Free() if present(symbol.type) == JSON:
            return one(symbol)
        case Free() if present(symbol.type) == BOOL or _keeps(symbol.type):
            return one(symbol)
        case Known(value=None | bool() | str() | int()):
            return one(symbol)
        case _:
            about = variables(one(symbol))
            found = known.opaque(f"json({name_of(one(symbol))})", JSON, COMPUTED, about)
            there = known.is_there(symbol)
            if there is TRUE:
                return one(known.there(found))
            return ((there, found), (opposite(there), Known(None, JSON)))


def _changes(found: Type, expected: Type) -> bool:
    """Whether values of a type are others where they are handed on: whole numbers are made floats,
    money becomes JSON.
    """
    mine, other = present(found), present(expected)
    if isinstance(mine, ListType) and isinstance(other, ListType):
        return _changes(mine.element, other.element)
    if isinstance(mine, MapType) and isinstance(other, MapType):
        return _changes(mine.value, other.value)
    if other == JSON:
        return mine not in (JSON, BOOL) and not _keeps(mine)
    return other == NUMBER and mine != NUMBER


def _keeps(type: Type) -> bool:
    """Whether values of a type are themselves as JSON: texts, enums, whole numbers."""
    inner = present(type)
    return isinstance(inner, EnumType) or inner in (TEXT, INT)
