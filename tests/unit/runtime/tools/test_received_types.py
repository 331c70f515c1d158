"""The Python types that tools receive are those of the table in docs/embedding.md."""

from __future__ import annotations

import asyncio
import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipelang import Answered
from pipelang.runtime.engine.values import to_json

from ..stage import handle, load

QUARTER = datetime.timedelta(minutes=15)
AT = "2026-11-21T09:30:00+01:00"


@pytest.mark.parametrize(
    ("type", "given", "received"),
    [
        ("text", "a", "a"),
        ("int", 3, 3),
        ("number", 3, 3.0),
        ("bool", True, True),
        ("probability", 0.95, Decimal("0.95")),
        ("money", 12.5, Decimal("12.5")),
        ("duration", 900, QUARTER),
        ("duration", 0.1, datetime.timedelta(milliseconds=100)),
        ("duration", datetime.timedelta(minutes=15), QUARTER),
        ("duration?", None, None),
        ("[duration?] max 3", [900, None], [QUARTER, None]),
        ("{text: duration}", {"a": 900}, {"a": QUARTER}),
        ("time", AT, datetime.datetime.fromisoformat(AT)),
        ("Colour", "red", "red"),
        ("[int] max 3", (1, 2), [1, 2]),
        ("{text: int}", {"a": 1}, {"a": 1}),
        ("int?", None, None),
        ("json", {"a": [1, None]}, {"a": [1, None]}),
    ],
)
def test_what_a_tool_receives(type: str, given: Any, received: Any, tmp_path: Path) -> None:
    text = f"""
    enum Colour {{ red blue }}
    tool use(x: {type}) -> {type} {{ effect read }}
    pipeline main(x: {type}) -> {type} {{ step a = call use(x) return a }}
    """
    seen: list[Any] = []

    def use(x: Any) -> Any:
        seen.append(x)
        return given

    result = asyncio.run(handle(load(tmp_path, text), tools={"use": use}).run(x=given))
    assert isinstance(result, Answered), result
    (got,) = seen
    assert (got, got.__class__) == (received, received.__class__)
    assert to_json(result.value) == to_json(received)


def test_durations_in_records_and_in_functions(tmp_path: Path) -> None:
    """Also in a record that is given back, dumped, or handed to a `fn`."""
    text = """
    type Wait { every: duration  most: [duration] max 2  name "the name": text }
    tool use(wait: Wait) -> Wait { effect read }
    fn doubled(every: duration, wait: Wait) -> duration python "clock:doubled"
    pipeline main(wait: Wait) -> duration {
      step a = call use(wait)
      let long = a.every + 1s
      return doubled(long, a)
    }
    """
    (tmp_path / "clock.py").write_text(
        "from datetime import timedelta\n"
        "def doubled(every: timedelta, wait) -> timedelta:\n"
        "    assert isinstance(wait.every, timedelta)\n"
        "    return 2 * every\n"
    )
    seen: list[Any] = []

    def use(wait: Any) -> Any:
        seen.append((wait.every, wait.most, wait.model_dump(), wait.model_dump_json(by_alias=True)))
        return wait

    given = {"every": 900, "most": [0.5], "the name": "x"}
    result = asyncio.run(handle(load(tmp_path, text), tools={"use": use}).run(wait=given))
    assert isinstance(result, Answered), result
    assert result.value == Decimal(1802)
    every, most, dumped, as_json = seen[0]
    assert (every, most) == (QUARTER, [datetime.timedelta(milliseconds=500)])
    assert dumped["every"] == QUARTER
    assert as_json == '{"every":900.0,"most":[0.5],"the name":"x"}'


def test_a_duration_that_python_does_not_have(tmp_path: Path) -> None:
    text = """
    tool use(x: duration) -> int { effect read }
    pipeline main(x: duration) -> int { step a = call use(x) else 3 return a }
    """
    result = asyncio.run(handle(load(tmp_path, text), tools={"use": lambda x: 1}).run(x=1e30))
    assert isinstance(result, Answered), result
    assert result.value == 3


def test_a_record_is_a_model(tmp_path: Path) -> None:
    text = """
    type Order { id: text  total: money }
    tool use(order: Order) -> text { effect read }
    pipeline main(order: Order) -> text { step a = call use(order) return a }
    """
    seen: list[Any] = []
    tools = {"use": lambda order: seen.append(order) or order.id}
    run = handle(load(tmp_path, text), tools=tools).run(order={"id": "7", "total": 1.5})
    assert isinstance(asyncio.run(run), Answered)
    (order,) = seen
    assert isinstance(order, BaseModel)
    assert order.model_dump() == {"id": "7", "total": Decimal("1.5")}
