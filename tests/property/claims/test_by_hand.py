"""Verdicts on conditions written by hand; what is proved never happens over many inputs."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from typing import Any

import pytest

from pipelang.analysis.claims.verdicts import decided
from pipelang.interfaces.check.replay import Replayer
from pipelang.runtime.engine.expressions import Expressions, NoValue
from pipelang.runtime.engine.values import Misfit, Types
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.types import (
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)

from ...memory import MemoryLoader
from .by_hand import PROVED, REFUTED, UNDECIDED, program
from .expressions import closures
from .inputs import FLOATS, INTS, JSONS, MONEY, NOW, SHARES, TEXTS
from .pipelines_by_hand import pipelines
from .pipelines_by_hand import program as whole

CASES = [
    *((inputs, condition, "proved") for inputs, condition in PROVED),
    *((inputs, condition, "refuted") for inputs, condition in REFUTED),
    *((inputs, condition, "undecided") for inputs, condition in UNDECIDED),
]
ROWS = 150


def built(text: str) -> p.Program:
    found = build("case.pipe", MemoryLoader({"case.pipe": text}))
    assert found.program is not None, [one.message for one in found.diagnostics if one.is_error]
    return found.program


def verdicts(found: p.Program) -> list[str]:
    said = []
    for claim in found.claims:
        assert isinstance(claim.claimed, (p.Never, p.OnlyAfter, p.Escalates))
        proof = decided(found, claim, claim.claimed, frozenset(), Replayer(found))
        said.append(proof.verdict)
    return said


@pytest.mark.parametrize(("inputs", "condition", "expected"), CASES)
def test_the_verdict(inputs: str, condition: str, expected: str) -> None:
    assert verdicts(built(program(inputs, condition))) == [expected]


@pytest.mark.parametrize(("expected", "text"), pipelines())
def test_the_verdicts_on_a_pipeline(expected: list[str], text: str) -> None:
    assert verdicts(built(whole(text))) == expected


@pytest.mark.parametrize(("inputs", "condition"), PROVED)
def test_what_is_proved_never_happens(inputs: str, condition: str) -> None:
    found, source = built(program(inputs, condition)), random.Random(1)
    types = Types(Patterns(found.patterns))
    expressions: Expressions = closures(found, types, Patterns(found.patterns))
    main = found.pipelines["main"]
    (node,) = (item.value for item in main.block.items if isinstance(item, p.Let))
    seen = 0
    for _ in range(ROWS):
        try:
            row = {q.name: types.check(q.type, value(source, q.type)) for q in main.parameters}
            assert not expressions.evaluate(node, row), row
            seen += 1
        except (Misfit, NoValue):
            continue
    assert seen > ROWS / 10


def value(source: random.Random, type: Type) -> Any:
    """Draw a value, JSON-like; it may be out of the range of its type."""
    match type:
        case OptionalType():
            return None if source.random() < 0.4 else value(source, type.inner)
        case EnumType():
            return source.choice(type.members)
        case RecordType():
            return {one.key: value(source, one.type) for one in type.fields}
        case ListType():
            most = min(type.max_length or 3, 4)
            return [value(source, type.element) for _ in range(source.randrange(most + 1))]
        case MapType():
            return {key: value(source, type.value) for key in source.sample(["k", "a"], 1)}
        case Scalar():
            return scalar(source, type)
        case _:
            raise AssertionError(type)


def scalar(source: random.Random, type: Scalar) -> Any:
    match type.kind:
        case ScalarKind.BOOL:
            return source.random() < 0.5
        case ScalarKind.INT:
            if type.low is not None and type.high is not None:
                return source.randint(int(type.low), int(type.high))
            return source.choice([*INTS, *range(9)])
        case ScalarKind.NUMBER:
            return source.choice(FLOATS)
        case ScalarKind.MONEY | ScalarKind.DURATION:
            return Decimal(source.choice(MONEY))
        case ScalarKind.PROBABILITY:
            return Decimal(source.choice(SHARES))
        case ScalarKind.TIME:
            return NOW + datetime.timedelta(seconds=source.randrange(3))
        case ScalarKind.TEXT:
            return source.choice(TEXTS)
        case _:
            return source.choice(JSONS)
