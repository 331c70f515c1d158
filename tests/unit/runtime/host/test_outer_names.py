"""Names that the outside chose: JSON, tools and models see them, the file has its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.interfaces.export.jsonschema import jsonschema
from pipelang.runtime.engine.outcomes import Answered
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.mcp.drift import differences
from pipelang.runtime.providers.protocol import ModelAnswer, Usage

from ..stage import Models, handle, load, play

TEXT = """
enum Rating { very_high "very high"  second_factor "2fa"  low }
type Order { id "order-id": text max 9 tokens  in_ "in": Rating = low  a "b": int  b "a": int }
type Sorted { rating "how good": Rating  swapped: Order }
tool look(cik "cik-A": text max 9 tokens, order "max": Order) -> Order {
  python "tools:look" effect read timeout 1s succeeds 99%
}
prompt sort(order: Order, rating: Rating) \"\"\"
  {{ order.id }} {{ order.in_ }} {% if order.in_ == rating %}same{% endif %} {{ order | tojson }}
\"\"\"
pipeline main(order "the order": Order) -> Sorted {
  step found = call look(order.id, order)
  step sorted: Sorted = ask sort(found, order.in_) by small { output 100 tokens max }
  gate good: sorted.rating != low else escalate to boss "low"
  return {rating: sorted.rating, swapped: {id: found.id, in_: low, a: found.b, b: found.a}}
}
pipeline by_agent(order: Order) -> Sorted {
  step sorted: Sorted = agent sort(order, low) by small with look {
    steps 3 turns 2 output 100 tokens max
  }
  return sorted
}
"""
ORDER = {"order-id": "7", "in": "2fa", "b": 1, "a": 2}
SORTED = {"how good": "very high", "swapped": ORDER}


def look(**given: Any) -> Any:
    assert list(given) == ["cik-A", "max"]
    order = given["max"]
    assert (order.id, order.in_, order.a, order.b) == ("7", "2fa", 1, 2)
    return {**ORDER, "order-id": given["cik-A"] + "!"}


def json_of(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True)


def test_json_has_the_outer_names(tmp_path: Path) -> None:
    models = Models(sorted=SORTED)
    result = play(load(tmp_path, TEXT), models, tools={"look": look}, **{"the order": ORDER})
    assert isinstance(result, Answered), [e for e in result.trace if e.kind == "failed"]
    assert json_of(result.value) == {
        "how good": "very high",
        "swapped": {"order-id": "7!", "in": "low", "b": 2, "a": 1},
    }
    (request,) = models.asked("sorted")
    assert '7! 2fa same {"order-id": "7!", "in": "2fa", "b": 1, "a": 2}' in request.user
    assert request.answer is not None
    assert set(request.answer.model_json_schema()["properties"]) == {"how good", "swapped"}


@pytest.mark.parametrize(
    "given",
    [
        {"the order": {**ORDER, "in": "second_factor"}},
        {"the order": {"id": "7", "in": "2fa", "b": 1, "a": 2}},
        {"order": ORDER},
    ],
)
def test_names_of_the_file_mean_nothing_outside(tmp_path: Path, given: Any) -> None:
    with pytest.raises(pipelang.InputError):
        play(load(tmp_path, TEXT), Models(sorted=SORTED), tools={"look": look}, **given)


def test_a_handoff_has_the_outer_names(tmp_path: Path) -> None:
    models = Models(sorted={**SORTED, "how good": "low"})
    result = play(load(tmp_path, TEXT), models, tools={"look": look}, **{"the order": ORDER})
    assert isinstance(result, pipelang.Escalated)
    assert result.handoff["input"] == {"the order": ORDER}
    assert result.handoff["values"]["sorted"]["how good"] == "low"


def test_an_agent_calls_tools_by_outer_names(tmp_path: Path) -> None:
    calls = (ToolCall("1", "look", {"cik-A": "7", "max": ORDER}),)
    models = Models(sorted=[ModelAnswer(None, Usage(1, 1), "s", calls=calls), SORTED])
    loaded = load(tmp_path, TEXT)
    result = play(loaded, models, tools={"look": look}, pipeline="by_agent", order=ORDER)
    assert isinstance(result, Answered), result
    (tool,) = models.requests[0].tools
    assert set(tool.input_schema["properties"]) == {"cik-A", "max"}


def test_schemas_and_drift_speak_of_outer_names(tmp_path: Path) -> None:
    program = load(tmp_path, TEXT).program
    definitions = jsonschema(program, ["main"])["$defs"]
    assert list(definitions["main.input"]["properties"]) == ["the order"]
    assert definitions["Order"]["properties"]["in"]["default"] == "low"
    assert definitions["Rating"]["enum"] == ["very high", "2fa", "low"]
    theirs = {
        "properties": {"cik-A": {"type": "string"}, "max": {"type": "object"}},
        "required": ["cik-A", "max"],
    }
    assert differences(program.tools["look"], theirs, None) == []
    assert handle(load(tmp_path, TEXT), tools={"look": look})


def test_nothing_as_an_outer_name(tmp_path: Path) -> None:
    """A member may be the empty text outside; a field is not called by it."""
    text = 'enum E { no "" yes }\npipeline main(e: E) -> E { return if e == no then yes else no }\n'
    said = [play(load(tmp_path, text), e=given).value for given in ("", "yes")]
    assert said == ["yes", ""]
    text = 'type T { a "": int }\npipeline main(t: T) -> int { return t.a }\n'
    with pytest.raises(pipelang.CheckFailed, match="a field's outer name must be 1 character"):
        load(tmp_path, text)
