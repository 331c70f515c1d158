"""An answer fits the shape of a case if and only if it fits the type that the run holds it to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.runtime.engine.values import Misfit, Types
from pipelang.runtime.inbox.answer_schema import misfit, shape_of
from pipelang.semantics.patterns import Patterns
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

PATTERNS = {"codes": ("^[a-z]{2}$", "^9")}

NUMBERS = st.one_of(
    st.integers(-3, 12), st.sampled_from([0.0, 0.5, 1.0, 1.5, -0.1, 7.25, 0.1, 10**400])
)
TEXTS = st.sampled_from(
    [
        "",
        "ab",
        "abc",
        "9x",
        "é" * 4,
        "x" * 30,
        "a",
        "b",
        "2026-11-21T09:30:00Z",
        "2026-11-21",
        "\ud800",
    ]
)
LIMITS = st.none() | st.sampled_from([Decimal(bound) for bound in ("0", "0.1", "0.5", "3", "8")])

scalars = st.one_of(
    st.builds(
        lambda most, patterns: Scalar(ScalarKind.TEXT, max_tokens=most, patterns=patterns),
        st.none() | st.integers(1, 4),
        st.none() | st.just("codes"),
    ),
    st.builds(
        lambda kind, low, high: Scalar(kind, low=low, high=high),
        st.sampled_from([ScalarKind.INT, ScalarKind.NUMBER, ScalarKind.MONEY, ScalarKind.DURATION]),
        LIMITS,
        LIMITS,
    ),
    st.builds(
        Scalar,
        st.sampled_from(
            [ScalarKind.BOOL, ScalarKind.PROBABILITY, ScalarKind.TIME, ScalarKind.JSON]
        ),
    ),
    st.just(EnumType("E", ("a", "b"))),
)


@st.composite
def records(draw: st.DrawFn, inner: st.SearchStrategy[Type]) -> Type:
    names = draw(st.lists(st.sampled_from(["a", "b", "model_c"]), max_size=3, unique=True))
    fields = tuple(RecordField(name, draw(inner)) for name in names)
    return RecordType(f"R{draw(st.integers(0, 10**9))}", fields)


TYPES: st.SearchStrategy[Type] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda t, most: ListType(t, most), inner, st.none() | st.integers(0, 2)),
        st.builds(lambda t, most: MapType(t, most), inner, st.none() | st.integers(0, 2)),
        inner.map(lambda t: t if isinstance(t, OptionalType) else OptionalType(t)),
        records(inner),
    ),
    max_leaves=5,
)

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "model_c", "d"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def near(draw: st.DrawFn, type: Type) -> Any:
    """A value that mostly fits."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    match type:
        case Scalar(kind=ScalarKind.TEXT | ScalarKind.TIME) | EnumType():
            return draw(TEXTS)
        case Scalar(kind=ScalarKind.BOOL):
            return draw(st.booleans())
        case Scalar(kind=ScalarKind.JSON):
            return draw(JSON)
        case Scalar():
            return draw(NUMBERS)
        case RecordType():
            left_out = draw(st.integers(0, 9)) == 0
            fields = type.fields[1:] if left_out else type.fields
            return {field.name: draw(near(field.type)) for field in fields}
        case ListType():
            return [draw(near(type.element)) for _ in range(draw(st.integers(0, 3)))]
        case MapType():
            keys = draw(st.lists(st.sampled_from(["a", "b", "\ud800"]), max_size=3, unique=True))
            return {key: draw(near(type.value)) for key in keys}
        case OptionalType():
            return draw(near(type.inner)) if draw(st.booleans()) else None
        case _:
            raise AssertionError(type)


@settings(max_examples=300, deadline=None)
@given(st.data(), TYPES)
def test_a_shape_takes_what_its_type_takes(data: st.DataObject, type: Type) -> None:
    value = data.draw(near(type))
    try:
        Types(Patterns(PATTERNS)).check(type, value)
        fits = True
    except Misfit:
        fits = False
    assert (misfit(shape_of(type, PATTERNS), value) is None) == fits
