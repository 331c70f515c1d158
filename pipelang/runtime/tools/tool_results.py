"""Results of tools as plain data of limited size, before their type is checked.

Dataclasses, named tuples, enum members and pydantic models of the tool's own are read as the
records, texts and numbers that they stand for. Nothing else is turned into anything.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pipelang.runtime.engine.values import DEEPEST, Misfit, Record

LARGEST = 10 * 2**20
"""Bytes of a result, about: a text counts its characters, any other value 8."""


LIGHT = 2**16
"""Bytes of a result, counted in the same way, that are read and checked at once."""


class Heavy(Exception):
    """A result that takes so long to read that other runs would notice."""


def plain_result(value: Any, most: int = LARGEST) -> Any:
    """The result of a call as plain data. Raises `Misfit` for what is too large and for what has
    not happened yet: a generator whose body nobody ran; `Heavy` for what is larger than `most`,
    where that is less than what is allowed.
    """
    if type(value) in _PLAIN:
        return value
    for is_one, name in (
        (inspect.isasyncgen, "an async generator"),
        (inspect.isgenerator, "a generator"),
        (inspect.iscoroutine, "a coroutine"),
    ):
        if is_one(value):
            raise Misfit(f"expected a value, found {name}: nothing of it has run")
    return _Reader(most).read(value, DEEPEST)


_PLAIN = (int, float, bool, type(None))


class _Reader:
    """Reads one result, and counts how large it is."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def read(self, value: Any, depth: int) -> Any:
        self._left -= 8
        if isinstance(value, enum.Enum):
            value = value.value
        if isinstance(value, (str, bytes, bytearray)):
            self._left -= len(value)
        if self._left < 0 and self._most < LARGEST:
            raise Heavy
        if self._left < 0:
            raise Misfit(f"it is larger than {LARGEST // 2**20} MB, the most that a tool may give")
        if depth == 0 or isinstance(value, (str, int, float, type(None))):
            return value  # nested deeper it fits no type, and the check says so
        if isinstance(value, (BaseModel, Mapping)) or dataclasses.is_dataclass(value):
            return self._record(value, depth)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._fields(dict(zip(value._fields, value, strict=False)), depth)
        if isinstance(value, (list, tuple)):
            return [self.read(item, depth - 1) for item in value]
        return value

    def _record(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._fields(value, depth)
        if isinstance(value, BaseModel):
            known = type(value).__pydantic_fields__
            fields = {known[name].alias or name: getattr(value, name) for name in known}
            read = self._fields(fields, depth)
            return value if isinstance(value, Record) else read
        if isinstance(value, type):
            return value
        names = [field.name for field in dataclasses.fields(value)]
        return self._fields({name: getattr(value, name) for name in names}, depth)

    def _fields(self, fields: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        for name in fields:
            self._left -= len(name) if isinstance(name, str) else 8
        return {name: self.read(item, depth - 1) for name, item in fields.items()}
