"""Which schemas of answers are put in words, by `check` and at a run alike."""

from __future__ import annotations

from typing import Any

import pytest

from pipelang.runtime.engine.values import Types
from pipelang.runtime.providers import google_wire, openai_wire
from pipelang.semantics.kernels.answer_schemas import why_in_words
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.types import (
    INT,
    JSON,
    TEXT,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordField,
    RecordType,
    Type,
)


def deep(levels: int) -> Type:
    """Records in records; the innermost holds a number."""
    inner: Type = INT
    for level in range(levels):
        inner = RecordType(f"Level{level}", (RecordField("inner", inner),))
    return inner


def wide(fields: int) -> RecordType:
    return RecordType("Wide", tuple(RecordField(f"f{at}", INT) for at in range(fields)))


def of(type: Type) -> RecordType:
    return RecordType("Answer", (RecordField("part", type),))


def enum(members: int, long: int = 1) -> EnumType:
    return EnumType("Kind", tuple(f"{'m' * long}{at}" for at in range(members)))


CASES: dict[str, tuple[Type, str | None, str | None]] = {
    "text": (TEXT, None, None),
    "record": (of(ListType(INT, 5)), None, None),
    "optional": (of(OptionalType(enum(3))), None, None),
    "number": (INT, None, None),
    "map": (of(MapType(INT)), "keys that no schema can list", "keys that no schema can list"),
    "inner map": (of(ListType(OptionalType(MapType(INT)), 3)), "keys that", "keys that"),
    "json": (JSON, "any type", "any type"),
    "json inside": (of(OptionalType(JSON)), "any type", "any type"),
    "ten levels": (deep(10), None, None),
    "eleven levels": (deep(11), "11 levels", None),
    "a list in ten": (ListType(deep(9), 2), "11 levels", None),
    "many fields": (wide(5_001), "5,001 fields", None),
    "as many as fit": (wide(5_000), None, None),
    "many values": (of(enum(1_001)), "1,001 values", None),
    "long names": (of(enum(900, 140)), "characters", None),
}


@pytest.mark.parametrize("name", CASES)
def test_check_says_what_a_run_does(name: str) -> None:
    type, openai, google = CASES[name]
    for kind, expected, schemas in (
        ("openai", openai, openai_wire.strict_schemas),
        ("openai_compatible", openai, openai_wire.strict_schemas),
        ("google", google, google_wire.strict_schemas),
    ):
        told = why_in_words(kind, type)
        assert (told is None) == (expected is None), (kind, told)
        assert expected is None or expected in (told or "")
        model: Any = Types(Patterns({})).answer_model(type)
        if model is not None:
            assert (schemas.of(model) is None) == (expected is not None), kind
