"""`compile --to jsonschema` against what the runtime takes: pydantic, by `runtime.values.Types`."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipelang.interfaces.export.jsonschema import jsonschema
from pipelang.runtime.engine.values import Misfit, Types, to_json
from pipelang.semantics import program as p
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.types import (
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)

from .stage import WIDE, program

WIDE_PROGRAM = program(WIDE)
HANDLE = WIDE_PROGRAM.pipelines["handle"]
POST = {"id": "1", "body": "x", "urgent": False, "tags": [], "seen": {"a": 1}}


def validator(made: p.Program, root: str) -> Draft202012Validator:
    schema = jsonschema(made, [root], root)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fits(types: Types, type: Type, value: Any) -> bool:
    try:
        types.check(type, value)
    except Misfit:
        return False
    return True


# ------------------------------------------------------------------------------ any type at all


@st.composite
def any_types(draw: st.DrawFn) -> Type:
    """A type, with constraints; records and enums get a name each."""
    named = iter(range(1000))
    numbers = st.decimals(-50, 50, places=2)

    def bounds(kind: ScalarKind) -> Type:
        low, high = sorted((draw(numbers), draw(numbers)))
        if kind is ScalarKind.PROBABILITY:
            low, high = sorted((abs(low) / 50, abs(high) / 50))
        if kind is ScalarKind.INT:
            low, high = Decimal(int(low)), Decimal(int(high))
        chosen = draw(st.sampled_from([(None, None), (low, None), (None, high), (low, high)]))
        return Scalar(kind, low=chosen[0], high=chosen[1])

    def make(depth: int) -> Type:
        scalars = ["text", "bool", "number", "int", "probability", "money", "duration", "json"]
        shapes = ["enum", "list", "map", "record", "optional"] if depth < 3 else ["enum"]
        match draw(st.sampled_from(scalars + shapes)):
            case "text":
                limit = draw(st.none() | st.integers(0, 4))
                return Scalar(ScalarKind.TEXT, max_tokens=limit)
            case ("bool" | "json") as kind:
                return Scalar(ScalarKind(kind))
            case ("number" | "int" | "probability" | "money" | "duration") as kind:
                return bounds(ScalarKind(kind))
            case "enum":
                members = draw(st.lists(st.sampled_from("abcde"), min_size=1, unique=True))
                return EnumType(f"E{next(named)}", tuple(members))
            case "list":
                return ListType(make(depth + 1), draw(st.none() | st.integers(0, 2)))
            case "map":
                return MapType(make(depth + 1), draw(st.none() | st.integers(0, 2)))
            case "optional":
                return OptionalType(make(depth + 1))
            case _:
                name = f"R{next(named)}"
                fields = [
                    RecordField(field, make(depth + 1))
                    for field in draw(st.lists(st.sampled_from("xyz"), unique=True))
                ]
                return RecordType(name, tuple(fields))

    return make(0)


# Without the signs that JSON escapes: those are longer than a character, and no schema says so.
ascii_texts = st.text(
    st.characters(codec="ascii", min_codepoint=32, exclude_characters='"\\'), max_size=14
)
floats = st.floats(-60, 60).filter(lambda x: not x.is_integer()) | st.floats(-1, 2).filter(
    lambda x: not x.is_integer()
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-60, 60) | floats | ascii_texts | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ascii_texts, inner, max_size=3),
    max_leaves=6,
)


def values(type: Type, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values that have about the right shape, right or a little wrong."""
    inside = {"texts": texts}
    match type:
        case Scalar(kind=ScalarKind.TEXT):
            return texts
        case Scalar(kind=ScalarKind.BOOL):
            return st.booleans()
        case Scalar(kind=ScalarKind.INT):
            return st.integers(-60, 60)
        case Scalar(kind=ScalarKind.PROBABILITY):
            return st.floats(0, 1).filter(lambda x: not x.is_integer()) | st.integers(-1, 2)
        case Scalar(kind=ScalarKind.JSON):
            return anything
        case Scalar():
            return floats | st.integers(-60, 60)
        case EnumType():
            return st.sampled_from([*type.members, "z"])
        case ListType():
            return st.lists(values(type.element, **inside), max_size=3)
        case MapType():
            return st.dictionaries(texts, values(type.value, **inside), max_size=3)
        case OptionalType():
            return st.none() | values(type.inner, **inside)
        case RecordType():
            whole = st.fixed_dictionaries({f.name: values(f.type, **inside) for f in type.fields})
            extra = whole.map(lambda made: {**made, "w": 1})
            missing = whole.map(lambda made: dict(list(made.items())[1:]))
            return st.one_of(whole, whole, extra, missing)
        case _:
            raise AssertionError(type)


def of_type(type: Type) -> p.Program:
    """A program with a pipeline `p` that takes a value of a type as `x`."""
    block = p.Block((), ())
    traffic = p.Traffic(None, (), (), (), ())
    nowhere = HANDLE.span
    pipeline = p.Pipeline(
        name="p",
        parameters=(p.Parameter("x", type),),
        returns=type,
        block=block,
        budget=None,
        permits=(),
        slo=(),
        traffic=traffic,
        doc=None,
        span=nowhere,
    )
    nothing: dict[str, Any] = {}
    return p.Program(
        file="e.pipe",
        hash="0" * 64,
        enums=nothing,
        records=nothing,
        providers=nothing,
        tiers=nothing,
        roles=nothing,
        tools=nothing,
        functions=nothing,
        patterns=nothing,
        prompts=nothing,
        memories=nothing,
        settings=nothing,
        pipelines={"p": pipeline},
        claims=(),
        tests=(),
    )


@settings(max_examples=300, deadline=None)
@given(data=st.data(), type=any_types())
def test_schema_and_runtime_agree_about_ascii(data: st.DataObject, type: Type):
    """Where tokens are characters, and nobody writes an integer as 1.0, they are one."""
    value = data.draw(values(type, ascii_texts) | anything)
    accepted = fits(Types(Patterns({})), type, value)
    said = validator(of_type(type), "p").is_valid({"x": value})
    assert said == accepted, (type, value)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), type=any_types())
def test_what_the_runtime_takes_fits_the_schema(data: st.DataObject, type: Type):
    """Also where a character has more bytes than one."""
    value = data.draw(values(type, st.text(max_size=6)))
    types = Types(Patterns({}))
    if fits(types, type, value):
        schema = validator(of_type(type), "p")
        schema.validate({"x": value})
        # And what comes out of the runtime is JSON that fits as well.
        schema.validate({"x": json.loads(json.dumps(to_json(types.check(type, value))))})


def test_a_token_is_as_many_bytes_as_the_schema_says():
    for size in range(1, 10):
        assert count_tokens("a" * 3 * size) == size
        assert count_tokens("a" * (3 * size + 1)) == size + 1


# ------------------------------------------------------------------------------------ a program


def accepted(value: Any) -> bool:
    return fits(Types(Patterns(WIDE_PROGRAM.patterns)), HANDLE.parameters[0].type, value)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"hint": None},
        {"hint": "Hi you"},
        {"amount": 99.5},
        {"size": "large"},
        {"tags": ["a", "b", "c"]},
        {"share": 0.5, "extra": {"any": [1, None]}, "waited": 1.5},
        {"sent": "2026-11-21T09:30:00+01:00"},
        {"seen": {}},
    ],
)
def test_good_inputs_are_accepted(change: dict[str, Any]):
    value = POST | change
    assert accepted(value)
    validator(WIDE_PROGRAM, "handle").validate({"post": value})
    validator(WIDE_PROGRAM, "handle").validate({"post": value, "note_it": False})


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 7},
        {"id": "x" * 61},
        {"urgent": "yes"},
        {"urgent": 1},
        {"amount": 99.51},
        {"amount": "1"},
        {"amount": True},
        {"size": "huge"},
        {"size": 1},
        {"tags": ["a", "b", "c", "d"]},
        {"tags": "a"},
        {"tags": ["x" * 16]},
        {"seen": {"a": 10}},
        {"seen": {"a": 1.5}},
        {"seen": None},
        {"share": "much"},
        {"waited": "1m"},
        {"sent": 5},
        {"unknown": 1},
    ],
)
def test_wrong_inputs_are_refused(change: dict[str, Any]):
    value = POST | change
    assert not accepted(value)
    assert not validator(WIDE_PROGRAM, "handle").is_valid({"post": value})


def test_inputs_are_an_object_with_all_that_is_needed():
    schema = validator(WIDE_PROGRAM, "handle")
    assert not schema.is_valid({})
    assert not schema.is_valid({"post": POST, "more": 1})
    assert not schema.is_valid({"post": {k: v for k, v in POST.items() if k != "body"}})
    assert not schema.is_valid([POST])


def test_records_and_enums_stand_once_under_their_names():
    schema = jsonschema(WIDE_PROGRAM, ["handle", "learn"])
    assert list(schema["$defs"]) == [
        *("Answer", "Post", "Size"),
        *("handle.input", "handle.result", "learn.input", "learn.result"),
    ]
    assert schema["$defs"]["handle.result"] == {"$ref": "#/$defs/Answer"}
    assert "$ref" not in schema
    post = schema["$defs"]["Post"]["properties"]
    assert post["body"]["x-labels"] == ["untrusted"]
    assert post["body"]["description"] == "at most 2000 tokens: 6000 bytes of UTF-8"
    assert post["amount"] == {
        "type": "number",
        "minimum": 0,
        "maximum": 99.5,
        "description": "How much it is about. (US dollars)",
        "default": 1.5,
    }
    assert post["hint"]["anyOf"][0]["x-matches"] == ["(?i)^hello", "(?i)^hi"]
    assert schema["$defs"]["Post"]["required"] == ["id", "body", "urgent", "tags", "seen"]
    assert schema["$defs"]["handle.input"]["properties"]["note_it"]["default"] is True
    assert schema["$defs"]["handle.input"]["required"] == ["post"]
