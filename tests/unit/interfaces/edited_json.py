"""JSON of ours as somebody else may have left it: each part in turn missing, or another value."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

DELETED = "(deleted)"
"""Stands for no value: the key is not there."""


def paths(record: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of a record: of itself, and of all values of objects in it."""
    yield path
    if isinstance(record, dict):
        for key in record:
            yield from paths(record[key], (*path, key))


def with_value(record: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of a record with a value at a place."""
    if not path:
        return value
    record = copy.deepcopy(record)
    inner = record
    for key in path[:-1]:
        inner = inner[key]
    if value == DELETED:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return record
