"""Forms out of schemas: what is filled in comes out again, and nothing that is sent breaks them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.interfaces.service.pages.forms import (
    MOST_ROWS,
    ROOT,
    Flat,
    FormField,
    Problems,
    Schema,
    changed_rows,
    field_of,
    flat_of,
    value_of,
)
from pipelang.runtime.inbox.answer_schema import misfit

KEYS = st.text("abcdef_é.#?<", min_size=1, max_size=6)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1, max_size=20
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
Shape = tuple[Schema, st.SearchStrategy[Any]]
"""A schema, and values that fit it."""


def maybe(shape: Shape) -> Shape:
    return {"anyOf": [shape[0], {"type": "null"}]}, st.none() | shape[1]


def listed(shape: Shape) -> Shape:
    return {"type": "array", "items": shape[0]}, st.lists(shape[1], max_size=3)


def mapped(shape: Shape) -> Shape:
    schema = {"type": "object", "additionalProperties": shape[0]}
    return schema, st.dictionaries(TEXTS, shape[1], max_size=3)


def record(parts: dict[str, tuple[Shape, bool]]) -> Shape:
    schema = {
        "type": "object",
        "properties": {key: shape[0] for key, (shape, _) in parts.items()},
        "required": [key for key, (_, needed) in parts.items() if needed],
        "additionalProperties": False,
    }
    needed = {key: shape[1] for key, (shape, one) in parts.items() if one}
    others = {key: shape[1] for key, (shape, one) in parts.items() if not one}
    return schema, st.fixed_dictionaries(needed, optional=others)


SCALARS = st.sampled_from(
    [
        ({"type": "string"}, TEXTS),
        ({"type": "string", "description": "at most 60 bytes of UTF-8"}, TEXTS),
        ({"type": "string", "enum": ["a", "b c", "<i>"]}, st.sampled_from(["a", "b c", "<i>"])),
        ({"type": "integer", "minimum": 0}, st.integers(-(10**30), 10**30)),
        ({"type": "number"}, NUMBERS),
        ({"type": "boolean"}, st.booleans()),
        ({"type": "string", "format": "date-time"}, st.just("2026-11-21T09:30:00Z")),
        ({"type": "null"}, st.none()),
    ]
)
ANY: Shape = ({}, JSON)


def records(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    parts = st.dictionaries(KEYS, st.tuples(inner, st.booleans()), max_size=3)
    return parts.map(record)


SHAPES = st.recursive(
    SCALARS | st.just(ANY),
    lambda inner: (
        inner.filter(lambda one: "anyOf" not in one[0] and one is not ANY).map(maybe)
        | inner.map(listed)
        | inner.map(mapped)
        | records(inner)
    ),
    max_leaves=6,
)


def plain(value: Any) -> Any:
    """A value without fields that are nothing: to leave one out and to give nothing is the same."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if part is not None}
    return [plain(part) for part in value] if isinstance(value, list) else value


def sent(flat: Flat) -> Flat:
    """A form as a browser sends it."""
    return {name: text.replace("\n", "\r\n") for name, text in flat.items()}


def drawn(one: FormField) -> list[FormField]:
    return [one, *(each for part in (*one.parts, *one.keys) for each in drawn(part))]


@settings(max_examples=150)
@given(st.data())
def test_what_is_filled_in_comes_out_again(data: st.DataObject) -> None:
    schema, values = data.draw(SHAPES.filter(lambda shape: "anyOf" not in shape[0]))
    value = data.draw(values)
    problems: Problems = {}
    flat = flat_of(schema, value)
    assert plain(value_of(schema, sent(flat), problems)) == plain(value)
    assert problems == {}
    shown = drawn(field_of(schema, flat, problems))
    # Everything that stands in the form is shown in a field of that name, and only once.
    names = [one.name for one in shown]
    assert len(set(names)) == len(names)
    texts = {one.name: one.text for one in shown}
    written = {name for name in flat if not name.endswith((".?", ".#"))}
    assert all(texts[name] == flat[name] for name in written)


NAMES = st.lists(
    st.sampled_from(["f", "0", "1", "2", "k", "v", "#", "?", "99999999999"]), max_size=5
).map(".".join)


@settings(max_examples=150)
@given(st.data())
def test_nothing_that_is_sent_breaks_it(data: st.DataObject) -> None:
    schema, _ = data.draw(SHAPES)
    texts = st.sampled_from(["3", "-1", "9" * 400, "on", "true", "[" * 3000, "NaN"]) | TEXTS
    flat = data.draw(st.dictionaries(NAMES, texts, max_size=8))
    if data.draw(st.booleans()):
        flat["_add" if data.draw(st.booleans()) else "_drop"] = data.draw(NAMES) + " 1"
    flat = changed_rows(flat) or flat
    problems: Problems = {}
    value = value_of(schema, flat, problems)
    assert len(drawn(field_of(schema, flat, problems))) < 10_000
    json.dumps(value, allow_nan=False)
    if problems:
        assert value is None


@settings(max_examples=80)
@given(st.data())
def test_a_form_with_its_problems_mended_fits(data: st.DataObject) -> None:
    """What is read without a problem has the shape of the schema, but for limits of texts and
    numbers, which the service looks at.
    """
    schema, _ = data.draw(SHAPES)
    flat = data.draw(st.dictionaries(NAMES, TEXTS | st.just("7"), max_size=8))
    problems: Problems = {}
    value = value_of(schema, flat, problems)
    if not problems and "type" in schema:
        wrong = misfit(schema, value)
        known = ("out of range", "with its offset", "not valid Unicode")
        assert wrong is None or any(word in wrong for word in known), (value, wrong)


LIST: Schema = {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}


@settings(max_examples=60)
@given(st.lists(st.lists(TEXTS, max_size=3), min_size=1, max_size=12), st.data())
def test_rows_are_added_and_removed(rows: list[list[str]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    flat = flat_of(LIST, rows)
    less = changed_rows({**flat, "_drop": f"{ROOT} {at}"})
    assert less is not None
    assert value_of(LIST, less, {}) == rows[:at] + rows[at + 1 :]
    more = changed_rows({**less, "_add": ROOT})
    assert more is not None
    assert value_of(LIST, more, {}) == [*rows[:at], *rows[at + 1 :], []]
    inner = changed_rows({**more, "_add": f"{ROOT}.0", f"{ROOT}.0.7": "stale"})
    assert inner is not None
    assert len(value_of(LIST, inner, {})) == len(rows)


def test_a_row_that_is_added_is_empty() -> None:
    """Also after another one was removed, whose text some browser sends once more."""
    schema: Schema = {"type": "array", "items": {"type": "string"}}
    flat = changed_rows({**flat_of(schema, ["a", "b"]), "_drop": "f 1"})
    assert flat is not None
    again = changed_rows({**flat, "_add": "f"})
    assert again is not None
    assert value_of(schema, again, {}) == ["a", ""]


def test_a_form_has_an_end() -> None:
    schema: Schema = {"type": "array", "items": {"type": "string"}}
    flat: Flat = {"f.#": "99999"}
    assert len(field_of(schema, flat, {}).parts) == MOST_ROWS
    assert len(value_of(schema, flat, {})) == MOST_ROWS


@pytest.mark.parametrize(
    ("schema", "text", "problem"),
    [
        ({"type": "integer"}, "1.5", "a whole number is needed"),
        ({"type": "integer"}, "", "a whole number is needed"),
        ({"type": "number"}, "1e999", "a number is needed"),
        ({"type": "number"}, "nan", "a number is needed"),
        ({"type": "number"}, "１", "a number is needed"),
        ({"type": "boolean"}, "", "choose yes or no"),
        ({"type": "string", "enum": ["a"]}, "b", "choose one"),
        ({"type": "string", "format": "date-time"}, " ", "a time is needed"),
        ({}, "{", "this is no JSON"),
        ({}, "Infinity", "this is no JSON"),
        ({"type": "object"}, "", "choose a file"),
    ],
)
def test_a_problem_stands_at_its_field(schema: Schema, text: str, problem: str) -> None:
    around: Schema = {"type": "object", "properties": {"a": {"type": "null"}, "b": schema}}
    around = {**around, "required": ["b"]}
    problems: Problems = {}
    assert value_of(around, {"f.1": text}, problems) is None
    assert problems == {"f.1": problem}
    shown = field_of(around, {"f.1": text}, problems).parts[1]
    assert (shown.problem, shown.text, shown.label) == (problem, text, "B")


def test_two_entries_with_one_key_are_a_problem() -> None:
    schema: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    flat = {"f.#": "2", "f.0.k": "a", "f.0.v": "1", "f.1.k": "a", "f.1.v": "2"}
    problems: Problems = {}
    assert value_of(schema, flat, problems) is None
    assert problems == {"f.1.k": "this key is there already"}


def test_limits_are_told_in_letters() -> None:
    schema = {"type": "string", "description": "What they wrote (at most 900 bytes of UTF-8)"}
    assert field_of(schema, {}, {}).hint == "What they wrote (about 900 letters at most)"
    assert field_of(schema, {}, {}).kind == "text"
    short = {"type": "string", "description": "at most 60 bytes of UTF-8"}
    assert field_of(short, {}, {}).kind == "line"
    # A line break would be lost in a field of one line.
    assert field_of(short, {"f": "a\nb"}, {}).kind == "text"
