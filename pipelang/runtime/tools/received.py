"""Values as Python functions receive them: durations are `timedelta`, wherever they stand.

Within a run a duration is exact seconds, in which expressions calculate. A function gets what its
language has for it; what it gives back may be either.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from pipelang.runtime.engine.values import Misfit, attribute
from pipelang.semantics.types import (
    DURATION,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
)

_MILLION = Decimal(1_000_000)


def received(type: Type, value: Any) -> Any:
    """A checked value of a type as a function receives it. Raises `Misfit` for a duration that
    Python has no value for.
    """
    if value is None or not has_duration(type):
        return value
    match type:
        case Scalar():
            try:
                return datetime.timedelta(microseconds=round(value * _MILLION))
            except OverflowError:
                raise Misfit("a duration that is too long for a `timedelta`") from None
        case OptionalType():
            return received(type.inner, value)
        case ListType():
            return [received(type.element, item) for item in value]
        case MapType():
            return {key: received(type.value, item) for key, item in value.items()}
        case RecordType() if isinstance(value, BaseModel):
            fields = {attribute(one.name): one.type for one in type.fields}
            changed = {
                name: received(kind, getattr(value, name))
                for name, kind in fields.items()
                if has_duration(kind)
            }
            return value.model_copy(update=changed)
        case _:
            return value


def has_duration(type: Type) -> bool:
    """Whether a value of a type may hold a duration. No type holds itself."""
    match type:
        case Scalar():
            return type == DURATION
        case OptionalType():
            return has_duration(type.inner)
        case ListType():
            return has_duration(type.element)
        case MapType():
            return has_duration(type.value)
        case RecordType():
            return any(has_duration(one.type) for one in type.fields)
        case _:
            return False
