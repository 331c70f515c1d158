"""What comes in and goes out: nothing is coerced, nothing is cut, and every misfit says where."""

from __future__ import annotations

import copy
import datetime
import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipelang import Answered, Escalated, InputError
from pipelang.runtime.engine.values import to_json

from ..stage import Models, handle, load, play

PROGRAM = """
enum Size { little much }
type Person { name: text max 5 tokens  email: text? }
type Order {
  n: int in 1..10
  share: probability
  high: probability in 50%..90%
  price: money
  wait: duration
  weight: number
  urgent: bool
  size: Size
  note: text?
  items: [text max 2 tokens] max 2
  counts: {text: int}
  free: json
  at: time?
  many: int = 7
  who: Person
}
pipeline main(order: Order) -> Order { return order }
pipeline more(x: int = 3, y: text?, z: Size = much, w: [text] max 2 = ["a"]) -> int { return x }
pipeline sure(p: probability) -> bool { return p >= 85% }
pipeline amount(m: money) -> money { return m * 3 }
pipeline over(r: Person) -> text {
  when r.name == "Ada" { escalate to boss "look" with r }
  return r.name
}
"""

GOOD: dict[str, Any] = {
    "n": 3,
    "share": 0.85,
    "high": 0.5,
    "price": 0.1,
    "wait": 30,
    "weight": 1.5,
    "urgent": True,
    "size": "much",
    "items": ["a"],
    "counts": {"a": 1},
    "free": {"x": [1, 2.5, None, True, "y"]},
    "at": "2026-11-21T09:30:00Z",
    "who": {"name": "Ada"},
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load(tmp_path_factory.mktemp("inputs"), PROGRAM)


def misfit(loaded: Any, pipeline: str = "main", **inputs: Any) -> str:
    models = Models()
    with pytest.raises(InputError) as error:
        play(loaded, models, pipeline=pipeline, **inputs)
    assert models.requests == []
    return str(error.value)


def test_values_have_their_types(loaded: Any) -> None:
    result = play(loaded, order=GOOD)
    assert isinstance(result, Answered)
    order = result.value
    assert isinstance(order, BaseModel)
    assert (order.n, order.share, order.price) == (3, Decimal("0.85"), Decimal("0.1"))
    assert (order.wait, order.weight, order.urgent) == (Decimal(30), 1.5, True)
    assert (order.size, order.note, order.many) == ("much", None, 7)
    assert order.at == datetime.datetime(2026, 11, 21, 9, 30, tzinfo=datetime.UTC)
    assert order.who.name == "Ada"
    with pytest.raises(ValueError, match="frozen"):
        order.n = 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", "3"),
        ("n", 3.0),
        ("n", True),
        ("n", 0),
        ("n", 11),
        ("n", None),
        ("share", "85%"),
        ("share", 1.01),
        ("share", -0.1),
        ("share", True),
        ("share", float("nan")),
        ("high", 0.9001),
        ("price", "$5"),
        ("price", float("inf")),
        ("price", 10**4000),
        ("wait", "30s"),
        ("weight", "1.5"),
        ("weight", True),
        ("weight", float("nan")),
        ("weight", 10**400),
        ("urgent", 1),
        ("urgent", "true"),
        ("size", "huge"),
        ("size", True),
        ("note", 5),
        ("items", ["a", "b", "c"]),
        ("items", ["far too long"]),
        ("items", "ab"),
        ("items", {"a"}),
        ("items", {"a": 1}),
        ("items", iter(["a"])),
        ("counts", {"a": "1"}),
        ("counts", {1: 1}),
        ("counts", {b"a": 1}),
        ("counts", [("a", 1)]),
        pytest.param("free", object(), id="free-object"),
        ("free", {"x": float("nan")}),
        ("free", {1: 1}),
        ("free", "\ud800"),
        ("at", 1700000000),
        ("at", "1700000000"),
        ("at", "1970-01-01"),
        ("at", "1970-01-01T09:30:00"),
        ("at", datetime.datetime(2026, 11, 21)),
        ("at", datetime.date(2026, 11, 21)),
        ("many", None),
        ("many", 10**400),
        ("who", {"name": 5}),
        ("who", {"name": "a name of many tokens"}),
        ("who", {"name": "Ada", "age": 3}),
        ("who", {"name": "a\udfff"}),
        ("who", {}),
        ("who", "Ada"),
        ("unknown", 1),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_does_not_fit_is_refused_with_its_path(loaded: Any, field: str, value: Any) -> None:
    said = misfit(loaded, order=GOOD | {field: value})
    assert said.startswith(f"input `order`: `{field}"), said
    if isinstance(value, str) and len(value) > 4:
        assert value not in said, "a message must not carry somebody's data"


def test_several_misfits_and_deep_paths(loaded: Any) -> None:
    said = misfit(loaded, order=GOOD | {"who": {}, "items": ["a", 5], "share": 2})
    assert said == (
        "input `order`: `share`: out of range, expected a number between 0 and 1; "
        "`items.1`: input should be a valid string; `who.name`: it is missing"
    )


def test_a_misfit_is_told_in_words_of_the_value_and_not_of_a_library(loaded: Any) -> None:
    said = misfit(loaded, order=GOOD | {"nope": 1})
    assert said == "input `order`: `nope`: there is no such field"
    said = misfit(loaded, order=GOOD | {"items": ["a", "b", "c"]})
    assert said == "input `order`: `items`: list should have at most 2 items, not 3"


def test_missing_and_unknown_inputs(loaded: Any) -> None:
    assert misfit(loaded) == "`main` needs the input `order`"
    said = misfit(loaded, "more", v=1)
    assert said == "`more` has no input `v`; its inputs: `x`, `y`, `z`, `w`"
    assert misfit(loaded, "more", x=None) == "input `x`: input should be a valid integer"


def test_defaults_and_optionals(loaded: Any) -> None:
    ready = handle(loaded, pipeline="more")
    assert ready.inputs({}) == {"x": 3, "y": None, "z": "much", "w": ["a"]}
    assert ready.inputs({"y": "hi", "z": "little"})["z"] == "little"
    ready.inputs({})["w"].append("spoiled")
    assert ready.inputs({})["w"] == ["a"], "a default is nobody's to change"


def test_shares_compare_exactly_as_written(loaded: Any) -> None:
    for given, holds in ((0.85, True), (0.8499999, False), (1, True), (Decimal("0.85"), True)):
        result = play(loaded, pipeline="sure", p=given)
        assert isinstance(result, Answered)
        assert result.value is holds


def test_money_is_exact(loaded: Any) -> None:
    result = play(loaded, pipeline="amount", m=0.1)
    assert isinstance(result, Answered)
    assert result.value == Decimal("0.3")
    assert play(loaded, pipeline="amount", m=5).value == Decimal(15)  # type: ignore[union-attr]


def test_nested_values_are_bounded(loaded: Any) -> None:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    assert "nested deeper" in misfit(loaded, order=GOOD | {"free": deep})
    around: list[Any] = []
    around.append(around)
    assert "nested deeper" in misfit(loaded, order=GOOD | {"free": around})
    fine: Any = 1
    for _ in range(100):
        fine = [fine]
    assert isinstance(play(loaded, order=GOOD | {"free": fine}), Answered)


def test_a_host_that_changes_what_it_gave_changes_nothing(loaded: Any) -> None:
    given = copy.deepcopy(GOOD)
    ready = handle(loaded)
    values = ready.inputs({"order": given})
    given["items"].append("b")
    given["free"]["x"].append("b")
    assert (values["order"].items, values["order"].free["x"][-1]) == (["a"], "y")


def test_a_record_that_is_handed_back_is_looked_at_again(loaded: Any) -> None:
    first = play(loaded, order=GOOD)
    assert isinstance(first, Answered)
    again = play(loaded, order=first.value)
    assert isinstance(again, Answered)
    assert again.value == first.value
    first.value.items.append(5)
    assert "`items.1`" in misfit(loaded, order=first.value)
    forged = type(first.value).model_construct(n=99)
    misfit(loaded, order=forged)


def test_a_value_goes_to_json_and_back(loaded: Any) -> None:
    first = play(loaded, order=GOOD)
    assert isinstance(first, Answered)
    said = json.loads(json.dumps(to_json(first.value), allow_nan=False))
    again = play(loaded, order=said)
    assert isinstance(again, Answered)
    assert again.value == first.value
    assert said["share"] == 0.85
    assert said["price"] == 0.1


def test_a_handoff_goes_to_json_and_back(loaded: Any) -> None:
    result = play(loaded, pipeline="over", r={"name": "Ada", "email": None})
    assert isinstance(result, Escalated)
    assert json.loads(json.dumps(result.handoff, allow_nan=False)) == result.handoff
    assert result.handoff == {
        "pipeline": "over",
        "run": result.run_id,
        "reason": "over",
        "text": "look",
        "input": {"r": {"name": "Ada", "email": None}},
        "values": {},
        "with": {"name": "Ada", "email": None},
    }


NAMES = (
    "items keys values get copy schema json dict model_config model_dump model_extra _x self class"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_a_field_may_have_any_name(tmp_path: Path, name: str) -> None:
    loaded = load(
        tmp_path,
        f"""
        type Odd {{ {name}: text }}
        prompt show(odd: Odd) \"\"\"{{{{ odd.{name} }}}}\"\"\"
        tool use(odd: Odd) -> Odd {{ effect read latency 1ms median succeeds 99% }}
        pipeline main(odd: Odd) -> Odd {{
          step a: Odd = ask show(odd) by small
          gate g: a.{name} == odd.{name} and a == odd else reject
          step b = call use({{{name}: a.{name}}})
          return {{{name}: b.{name}}}
        }}
        """,
    )
    models = Models(a={name: "x"})
    result = play(loaded, models, tools={"use": lambda odd: odd}, odd={name: "x"})
    assert isinstance(result, Answered), result
    assert models.requests[0].user == "x"
    assert to_json(result.value) == {name: "x"}
    assert result.trace[0].content == {"odd": {name: "x"}}
    assert models.requests[0].answer is not None
    assert list(models.requests[0].answer.model_json_schema()["properties"]) == [name]


def test_a_pipelines_input_may_be_called_self(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(self: text) -> text { step a: text = ask say(self) by small return a }
        """,
    )
    models = Models()
    assert isinstance(play(loaded, models, self="x"), Answered)
    assert models.requests[0].user == "Say x."


def test_a_result_is_what_the_pipeline_promises(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        type Short { body: text max 2 tokens }
        pipeline main(x: text) -> Short { return {body: x} }
        pipeline number_(x: int) -> number { return x }
        """,
    )
    assert isinstance(play(loaded, x="short"), Answered)
    result = play(loaded, x="far too long")
    assert getattr(result, "code", None) == "chain_exhausted"
    assert "`body`" in (getattr(result, "text", None) or "")
    value = play(loaded, pipeline="number_", x=3)
    assert isinstance(value, Answered)
    assert isinstance(value.value, float)


def test_two_threads_make_one_class_of_a_record(tmp_path: Path) -> None:
    """Two classes would not fit each other."""
    for _ in range(5):
        loaded = load(tmp_path, PROGRAM)
        record = loaded.program.records["Order"]
        ready = threading.Barrier(8)
        made: list[type] = []

        def make(loaded=loaded, record=record, ready=ready, made=made) -> None:
            ready.wait()
            made.append(loaded.types.model(record))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == 1
