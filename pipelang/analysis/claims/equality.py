"""Equality of symbolic values, as the interpreter compares them.

Two values are equal if both are absent, or both are there and the same. A `json` is compared with
a bool, a text or a number as a whole, also inside lists and records: the constants of these kinds
are told apart by a tag.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Equals,
    Formula,
    all_of,
    any_of,
    literal,
    opposite,
)
from pipelang.analysis.claims.ordering import number_class, ordered
from pipelang.analysis.claims.values import (
    Cases,
    Free,
    Known,
    Listed,
    Symbol,
    SymbolicRecord,
    Truth,
    name_of,
    one,
)
from pipelang.analysis.claims.variables import Elements, Variables, is_json
from pipelang.semantics.quantities import text_tokens
from pipelang.semantics.types import (
    BOOL,
    INT,
    TEXT,
    AnswererType,
    EnumType,
    ListType,
    RecordType,
    Scalar,
    Type,
    present,
)

MOST_LEVELS = 4
"""Levels of records inside records that are compared field by field."""


def equal(known: Variables, left: Symbol, right: Symbol, level: int = 0) -> Formula:
    """Return the formula under which two values are equal; `level` is 0 for the values themselves,
    and counts the lists and records around them otherwise.
    """
    there = known.is_there(left), known.is_there(right)
    same = all_of((*there, _same(known, left, right, level)))
    return any_of((same, all_of(map(opposite, there))))


def cases_equal(known: Variables, left: Cases, right: Cases, level: int = 0) -> Formula:
    return any_of(
        all_of((g1, g2, equal(known, s1, s2, level))) for g1, s1 in left for g2, s2 in right
    )


def _same(known: Variables, left: Symbol, right: Symbol, level: int) -> Formula:
    """Return the formula under which two values that are there are the same."""
    if isinstance(left, Free) and isinstance(right, Free) and left.name == right.name:
        return TRUE
    if isinstance(right, Known) and not isinstance(left, Known):
        left, right = right, left
    if _is_free_json(left) or _is_free_json(right):
        return _same_json(known, left, right)
    if _is_bool(left) and _is_bool(right):
        first, second = known.truth_of(left), known.truth_of(right)
        return any_of((all_of((first, second)), all_of((opposite(first), opposite(second)))))
    if known.sum(left) is not None and known.sum(right) is not None:
        return _same_number(known, left, right)
    match left, right:
        case Known(value=str()), Known(value=str()):
            return TRUE if left.value == right.value else FALSE
        case Known(value=str() as text), Free() if _is_text(right.type):
            return _is_constant(known, right, text)
        case Free(), Free() if _is_text(left.type) and _is_text(right.type):
            return known.text_is(_pair(left, right))
        case _:
            return _same_structure(known, left, right, level)


def _asked(known: Variables, left: Symbol, right: Symbol) -> Formula:
    names = sorted((name_of(one(left)), name_of(one(right))))
    return known.asked(f"{names[0]} == {names[1]}", left, right)


def _pair(left: Free, right: Free) -> Equals:
    """Return the atom that two variables are equal, the same one in either order."""
    names = sorted((left.name, right.name))
    return Equals(names[0], names[1], constant=False)


def _is_free_json(symbol: Symbol) -> bool:
    return isinstance(symbol, Free) and is_json(symbol.type)


def _is_bool(symbol: Symbol) -> bool:
    match symbol:
        case Truth():
            return True
        case Known():
            return isinstance(symbol.value, bool)
        case Free():
            return present(symbol.type) == BOOL
        case _:
            return False


def _is_text(type: Type) -> bool:
    inner = present(type)
    return isinstance(inner, (EnumType, AnswererType)) or inner == TEXT


def _is_constant(known: Variables, symbol: Free, text: str) -> Formula:
    inner = present(symbol.type)
    if isinstance(inner, EnumType):
        if text not in inner.members:
            return FALSE
        return literal(Equals(symbol.name, text, constant=True))
    limit = inner.max_tokens if isinstance(inner, Scalar) else None
    if limit is not None and text_tokens(text) > limit:
        return FALSE
    return known.text_is(Equals(symbol.name, text, constant=True))


def _same_json(known: Variables, left: Symbol, right: Symbol) -> Formula:
    """Compare where one side is a json of which nothing is known."""
    if isinstance(right, Free):
        match left:
            case Known(value=bool() | int() | Decimal() | float() | str()):
                return literal(Equals(right.name, _tag(left), constant=True))
            case Free() if is_json(left.type) and is_json(right.type):
                return literal(_pair(left, right))
            case _:
                pass
        typed, data = (right, left) if _is_free_json(left) else (left, right)
        if isinstance(data, Free) and not _is_free_json(typed):
            if _is_bool(typed):
                truth = known.truth_of(typed)
                yes, no = (Equals(data.name, f"bool {so}", constant=True) for so in (True, False))
                pairs = (truth, literal(yes)), (opposite(truth), literal(no))
                return any_of(map(all_of, pairs))
            kind = present(typed.type) if isinstance(typed, Free) else None
            if isinstance(kind, EnumType):
                assert isinstance(typed, Free)
                return any_of(
                    all_of(
                        (
                            literal(Equals(typed.name, member, constant=True)),
                            literal(Equals(data.name, f"text {member}", constant=True)),
                        )
                    )
                    for member in kind.members
                )
    return _asked(known, left, right)


def _tag(constant: Known) -> str:
    value = constant.value
    if isinstance(value, bool):
        return f"bool {value}"
    if isinstance(value, str):
        return f"text {value}"
    return f"number {Fraction(str(value))}"


def _same_number(known: Variables, left: Symbol, right: Symbol) -> Formula:
    classes = {number_class(known, left), number_class(known, right)}
    if len(classes) > 1 and classes != {"int", "float"}:
        return _asked(known, left, right)  # a float and a Decimal of one notation may differ
    return ordered(known, "==", left, right)


def _same_structure(known: Variables, left: Symbol, right: Symbol, level: int) -> Formula:
    first, second = known.items(left), known.items(right)
    if first is not None and second is not None:
        if len(first) != len(second):
            return FALSE
        return all_of(
            cases_equal(known, mine, other, level + 1)
            for mine, other in zip(first, second, strict=True)
        )
    if first is not None or second is not None:
        items, other = (first, right) if first is not None else (second, left)
        if items is not None and isinstance(other, Free) and _has_length(other):
            return _same_elements(known, items, other, level)
    else:
        elements, others = known.listed(left), known.listed(right)
        if elements is not None and others is not None:
            return _same_short(known, (left, elements), (right, others), level)
    record = _record_type(left) or _record_type(right)
    if record is not None and level < MOST_LEVELS:
        if _record_type(left) is None or _record_type(right) is None:
            return _asked(known, left, right)
        return all_of(
            cases_equal(
                known,
                known.field(left, field.name, field.type),
                known.field(right, field.name, field.type),
                level + 1,
            )
            for field in record.fields
        )
    question = _asked(known, left, right)
    if _has_length(left) and _has_length(right) and record is None:
        length = ordered(known, "==", known.length(left), known.length(right))
        if (known.items(left) == [] or known.items(right) == []) and not (
            _is_free_json(left) or _is_free_json(right)
        ):
            return length
        return all_of((question, length))
    return question


def _same_elements(known: Variables, items: list[Cases], other: Free, level: int) -> Formula:
    """Compare a list that is written down with one of which nothing is known."""
    length = ordered(known, "==", known.length(other), Known(len(items), INT))
    inner = present(other.type)
    assert isinstance(inner, ListType)
    if inner.max_length is not None and len(items) > inner.max_length:
        return FALSE
    same = (
        cases_equal(known, item, one(known.element_there(other, at)), level + 1)
        for at, item in enumerate(items)
    )
    return all_of((length, *same))


def _same_short(
    known: Variables,
    left: tuple[Symbol, Elements],
    right: tuple[Symbol, Elements],
    level: int,
) -> Formula:
    """Compare two lists that are so short that their elements are gone through."""
    same = [ordered(known, "==", known.length(left[0]), known.length(right[0]))]
    for (guard, mine), (_, other) in zip(left[1], right[1], strict=False):
        same.append(any_of((opposite(guard), cases_equal(known, mine, other, level + 1))))
    return all_of(same)


def _record_type(symbol: Symbol) -> RecordType | None:
    match symbol:
        case Free() | Known() | SymbolicRecord():
            inner = present(symbol.type)
            return inner if isinstance(inner, RecordType) else None
        case _:
            return None


def _has_length(symbol: Symbol) -> bool:
    match symbol:
        case Free():
            return isinstance(present(symbol.type), ListType)
        case Known():
            return isinstance(symbol.value, list)
        case Listed():
            return True
        case _:
            return False
