"""What models are told: descriptions in their schemas, what did not fit, what was cut."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang import Answered
from pipelang.runtime.engine.misfits import arguments_by_model, null_is_default, without_nulls
from pipelang.runtime.engine.values import Misfit, Types, to_json
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.semantics import program as p
from pipelang.semantics.jsonschema import json_schema, parameters_schema
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.types import (
    EnumType,
    ListType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    ScalarKind,
)

from ..stage import Models, handle, load

USAGE = Usage(1, 1)

SIZES = """
patterns order_id { "^[A-Z]{2}-[0-9]+$" "^legacy" }
enum Size {
  ## fits in a hand
  small
  large
}
## A thing on the shelf.
type Thing {
  ## The heading as printed.
  title: text max 20 tokens
  size: Size = small
  id: text matches order_id
  wait: duration in 1m..2h
  price: money
  count: int in 1..5
  sure: probability
  notes: [text] max 3
  at: time
}
"""


def thing(tmp_path: Path) -> dict[str, Any]:
    text = (
        SIZES + "pipeline main(x: text) -> Thing { step s: Thing = ask say(x) by small return s }"
    )
    models = Models(s=ModelFault("rejected", "enough"))
    asyncio.run(handle(load(tmp_path, text), models).run(x="a"))
    (request,) = models.requests
    assert request.answer is not None
    return request.answer.model_json_schema()


def test_the_schema_says_units_limits_patterns_defaults_and_docs(tmp_path: Path) -> None:
    schema = thing(tmp_path)
    said = {name: field.get("description") for name, field in schema["properties"].items()}
    assert schema["description"] == "A thing on the shelf."
    assert said == {
        "title": "The heading as printed (at most 60 bytes of UTF-8)",
        "size": "small: fits in a hand; small if left out",
        "id": "matches `^[A-Z]{2}-[0-9]+$` or `^legacy`",
        "wait": "seconds, 60 to 7200",
        "price": "US dollars",
        "count": "between 1 and 5",
        "sure": "between 0 and 1",
        "notes": "at most 3 items",
        "at": "with its offset, such as 2026-11-21T09:30:00Z",
    }


def test_parameters_of_tools_and_pipelines_are_described(tmp_path: Path) -> None:
    text = """
    tool look(
      ## What to look for.
      q: text max 5 tokens,
      most: int in 1..9 = 2
    ) -> text { effect read }
    pipeline helper(
      ## The whole question.
      q: text?
    ) -> text { step s: text = ask say("?") by small return s }
    pipeline main(x: text) -> text {
      step s: text = agent say(x) by small with look, helper { steps 2 }
      return s
    }
    """
    models = Models(s="done")
    asyncio.run(handle(load(tmp_path, text), models, tools={"look": lambda **_: "x"}).run(x="a"))
    look, helper = (dict(tool.input_schema) for tool in models.requests[0].tools)
    assert look["properties"]["q"]["description"] == "What to look for (at most 15 bytes of UTF-8)"
    assert look["properties"]["most"]["description"] == "between 1 and 9; 2 if left out"
    assert look["required"] == ["q"]
    assert helper["properties"]["q"]["description"] == "The whole question."
    assert helper["required"] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sure": 85}, "`sure`: out of range, expected a number between 0 and 1"),
        ({"wait": 5}, "`wait`: out of range, expected seconds, 60 to 7200"),
        ({"id": "x"}, "`id`: text that does not match order_id: `^[A-Z]{2}-[0-9]+$` or `^legacy`"),
        (
            {"title": "x" * 61},
            "`title`: text of 21 tokens, at most 20 are allowed (60 bytes in JSON)",
        ),
    ],
)
def test_a_misfit_is_told_in_the_units_of_the_wire(
    changed: dict[str, Any], told: str, tmp_path: Path
) -> None:
    good = {
        "title": "a",
        "id": "AB-1",
        "wait": 60,
        "price": 1,
        "count": 1,
        "sure": 1,
        "notes": [],
        "at": "2026-11-21T09:30:00Z",
    }
    text = (
        SIZES
        + "pipeline main(x: text) -> Thing {"
        + " step s: Thing = ask say(x) by small { retry 1 } return s }"
    )
    models = Models(s=[good | changed, good])
    result = asyncio.run(handle(load(tmp_path, text), models).run(x="a"))
    assert isinstance(result, Answered), result
    assert models.requests[1].misfit == told


def test_an_answer_that_was_cut_asks_for_a_shorter_one(tmp_path: Path) -> None:
    text = (
        "pipeline main(x: text) -> text { step s: text = ask say(x) by small { retry 1 } return s }"
    )
    cut = ModelFault("output_limit", "the answer was cut off at the limit of 9 tokens", USAGE)
    models = Models(s=[cut, "ok"])
    result = asyncio.run(handle(load(tmp_path, text), models).run(x="a"))
    assert isinstance(result, Answered), result
    told = models.requests[1].misfit
    assert told == "the answer was cut off at the limit of 9 tokens; a shorter one is needed"


def test_an_agent_hears_of_unknown_and_missing_arguments(tmp_path: Path) -> None:
    text = """
    tool look(query: text, most: int = 2) -> text { effect read }
    pipeline main(x: text) -> text {
      step s: text = agent say(x) by small with look { steps 3 }
      return s
    }
    """
    calls = (
        ToolCall("1", "look", {"querry": "a", "query": "b"}),
        ToolCall("2", "look", {"most": 1}),
        ToolCall("3", "look", {"query": "a", "most": None}),
    )
    models = Models(s=[ModelAnswer(None, USAGE, "s", calls=calls), "done"])
    ready = handle(load(tmp_path, text), models, tools={"look": lambda query, most: query * most})
    asyncio.run(ready.run(x="a"))
    results = models.requests[1].turns[0].results
    assert [(one.failed, one.value) for one in results] == [
        (True, "there is no argument `querry`; did you mean `query`?"),
        (True, "argument `query` is missing"),
        (False, "aa"),
    ]


# --- null for a default ----------------------------------------------------------------------

INT = Scalar(ScalarKind.INT)
SIZE = EnumType("Size", ("small", "large"))
INNER = RecordType("Inner", (RecordField("size", SIZE, True, "large"), RecordField("n", INT)))
OUTER = RecordType(
    "Outer",
    (
        RecordField("size", SIZE, True, "small"),
        RecordField("note", OptionalType(INT), True, 3),
        RecordField("raw", Scalar(ScalarKind.JSON), True, {"a": 1}),
        RecordField("inner", INNER),
        RecordField("many", ListType(INNER, 5), True, []),
    ),
)


inners = st.fixed_dictionaries(
    {"n": st.integers(0, 3)}, optional={"size": st.sampled_from(["small", "large", None])}
)
outers = st.fixed_dictionaries(
    {"inner": inners},
    optional={
        "size": st.sampled_from(["small", "large", None]),
        "note": st.none() | st.integers(0, 3),
        "raw": st.none() | st.just(1),
        "many": st.none() | st.lists(inners, max_size=2),
    },
)


def without(value: Any, *, nullable: frozenset[str] = frozenset({"note", "raw"})) -> Any:
    """The oracle: leaves every null key out but those whose type has null."""
    if isinstance(value, dict):
        return {
            key: without(item) for key, item in value.items() if item is not None or key in nullable
        }
    return [without(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(outers)
def test_null_is_the_default_for_a_model_and_for_nobody_else(value: dict[str, Any]) -> None:
    types = Types(Patterns({}))
    answer = types.answer_model(OUTER)
    assert answer is not None
    read = to_json(answer.model_validate_json(json.dumps(value)))
    assert read == to_json(types.check(OUTER, without(value)))
    if value != without(value):
        with pytest.raises(Misfit):
            types.check(OUTER, value)


def test_null_arguments_of_a_tool() -> None:
    parameters = (
        p.Parameter("a", INT),
        p.Parameter("b", INT, True, 4),
        p.Parameter("c", OptionalType(INT), True, 5),
        p.Parameter("d", OptionalType(INT)),
    )
    assert arguments_by_model(parameters, {"a": 1}) == {"a": 1, "b": 4, "c": 5, "d": None}
    given = {"a": 1, "b": None, "c": None}
    assert arguments_by_model(parameters, given) == {"a": 1, "b": 4, "c": None, "d": None}
    assert [null_is_default(one) for one in parameters] == [False, True, False, False]
    assert without_nulls(ListType(INT), [None]) == [None]
    assert parameters_schema(parameters)["required"] == ["a"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (None, None, None),
        ("1", None, "at least 1"),
        (None, "0.50", "at most 0.5"),
        ("-1", "2", "between -1 and 2"),
    ],
)
def test_bounds_in_words(low: str | None, high: str | None, words: str | None) -> None:
    exact = [None if bound is None else Decimal(bound) for bound in (low, high)]
    type = Scalar(ScalarKind.NUMBER, low=exact[0], high=exact[1])
    assert json_schema(type).get("description") == words
