"""The kernel of numbers and equality: what an operation on values comes to, in a run, in a constant
and in a proof over constants.

Whole numbers are exact. Money, shares and durations are decimals of 28 digits. A `number` is a
float; it is reckoned with by its shortest notation, in decimals of 28 digits, and the result is a
float.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from pipelang.semantics.types import (
    DURATION,
    INT,
    JSON,
    MONEY,
    NUMBER,
    PROBABILITY,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    present,
)

_OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def exact(value: Any) -> Any:
    """Return a number as a decimal, by its shortest notation."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def as_float(value: Decimal) -> float:
    """Return a `number`. Raises `OverflowError` beyond the range of floats."""
    result = float(value)
    if not math.isfinite(result):
        raise OverflowError("the number is too large")
    return result


def constant(value: Any, type: Type) -> Any:
    """Return a constant of a file, or a setting, as a run has it."""
    inner = present(type)
    if value is None:
        return None
    if inner == NUMBER:
        return as_float(exact(value))
    return exact(value) if inner in (PROBABILITY, MONEY, DURATION) else value


def operation(op: str, type: Type) -> Callable[[Any, Any], Any]:
    """Return `+`, `-`, `*` or `/` with a result of a type; its values raise `ArithmeticError`."""
    compute = _OPERATIONS[op]
    if type == INT:
        return compute
    if type == NUMBER:
        return lambda left, right: as_float(compute(exact(left), exact(right)))
    return lambda left, right: compute(exact(left), exact(right))


def total(values: Iterable[Any], type: Type) -> Any:
    """Return the sum of numbers, one after the other."""
    if type == INT:
        return sum(values)
    if type == NUMBER:
        return as_float(sum(map(exact, values), Decimal(0)))
    return sum(values, Decimal(0))


def negated(value: Any) -> Any:
    """Return the negative of a number, not rounded: a decimal from outside may have more digits
    than a result of arithmetic.
    """
    return value.copy_negate() if isinstance(value, Decimal) and value else -value


def comparison(op: str, left: Type, right: Type) -> Callable[[Any, Any], Any]:
    """Return `==`, `<` or `<=` over values of two types."""
    if op == "==":
        return equality(left, right)
    return operator.lt if op == "<" else operator.le


def equality(left: Type, right: Type) -> Callable[[Any, Any], bool]:
    """Return `==` over values of two types. Only a `json` needs more than Python's."""
    return equal if has_json(left) or has_json(right) else operator.eq


def membership(item: Type, collection: Type) -> Callable[[Any, Any], bool]:
    """Return whether a collection of a type has an item of a type: an element of a list, or a key
    of a map.
    """
    return _among if has_json(item) or has_json(collection) else operator.contains


def _among(collection: Any, item: Any) -> bool:
    if isinstance(collection, Mapping):
        return item in collection
    return any(equal(item, one) for one in collection)


def has_json(type: Type) -> bool:
    """Whether there may be a `json` in a value of a type."""
    match type:
        case OptionalType():
            return has_json(type.inner)
        case ListType():
            return has_json(type.element)
        case MapType():
            return has_json(type.value)
        case RecordType():
            return any(has_json(field.type) for field in type.fields)
        case _:
            return type == JSON


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal where a `json` is among them or in them: its numbers are floats,
    ours may be decimals; true is no 1, at any depth.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float, Decimal)) and isinstance(right, (int, float, Decimal)):
        return bool(exact(left) == exact(right))
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    mine, other = _fields(left), _fields(right)
    if mine is not None and other is not None:
        return type(left) is type(right) and equal(mine, other)
    return bool(left == right)


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of a record as a run holds it."""
    if not hasattr(type(value), "__pydantic_fields__"):
        return None
    return {name: getattr(value, name) for name in type(value).__pydantic_fields__}
