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

from ..stage import handle, load

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
        ("duration", 900, Decimal(900)),
        ("duration", datetime.timedelta(minutes=15), Decimal(900)),
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
    assert result.value == received


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
