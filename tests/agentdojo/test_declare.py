"""The generator of declarations, on tools made up here, and on the suites where they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType, OptionalType, Scalar, ScalarKind, Type, fits

from ..memory import MemoryLoader
from .declare import declarations, literal, type_of
from .effects import IRREVERSIBLE, OWN, READ, WRITE, effect
from .package import facts
from .tasks import KEPT, kept, suites

real = pytest.mark.judge("AgentDojo")
SUITES = ("banking", "slack", "travel", "workspace")


def tools(suite: dict[str, Any]) -> dict[str, p.Tool]:
    loader = MemoryLoader({"tools.pipe": declarations(suite)})
    checked = check_file("tools.pipe", loader)
    assert not checked.diagnostics, [one.message for one in checked.diagnostics]
    assert checked.program is not None
    return dict(checked.program.tools)


def made_up(name: str, returns: Any, **parameters: Any) -> dict[str, Any]:
    needed = [key for key, kind in parameters.items() if "default" not in kind]
    schema = {"properties": parameters, "required": needed}
    return {"name": name, "doc": "Does\n  something.", "parameters": schema, "returns": returns}


def test_what_a_tool_becomes() -> None:
    suite = {
        "tools": [
            made_up("get_balance", {"type": "number"}),
            made_up("get_iban", {"type": "string"}),
            made_up("read_inbox", {"type": "array", "items": {}}, user={"type": "string"}),
            made_up(
                "send_email",
                None,
                recipients={"type": "array", "items": {"type": "string"}},
                cc={
                    "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                    "default": None,
                },
                body={"type": "string", "default": 'a "b"'},
                copies={"type": "integer", "default": 3},
            ),
        ]
    }
    made = tools(suite)
    assert [(tool.effect, tool.acts) for tool in made.values()] == [
        ("read", False),
        ("read", False),
        ("read", False),
        ("irreversible", True),
    ]
    assert made["get_balance"].returns == Scalar(ScalarKind.NUMBER)
    assert made["get_iban"].returns.labels == frozenset()
    assert made["read_inbox"].returns.labels == {"untrusted"}
    recipients, cc, body, copies = made["send_email"].parameters
    assert isinstance(recipients.type, ListType)
    assert recipients.type.max_length == 20
    assert isinstance(cc.type, OptionalType)
    assert (body.default, copies.default) == ('a "b"', 3)
    assert made["send_email"].doc == "Does something."


def test_what_nobody_has_read_is_refused() -> None:
    with pytest.raises(LookupError, match="launch_rocket"):
        effect("launch_rocket")
    with pytest.raises(LookupError):
        type_of({"type": "null"}, {})
    with pytest.raises(LookupError):
        literal({})


def test_a_tool_has_one_effect() -> None:
    assert not IRREVERSIBLE & WRITE
    assert not (IRREVERSIBLE | WRITE) & READ
    assert OWN <= READ


@real
@pytest.mark.parametrize("name", SUITES)
def test_a_suite_is_declared_as_a_whole(name: str, judged: Callable[[int], None]) -> None:
    suite = facts()["suites"][name]
    made = tools(suite)
    judged(len(suite["tools"]))
    assert list(made) == [tool["name"] for tool in suite["tools"]]
    for tool in suite["tools"]:
        expected = list(tool["parameters"]["properties"])
        assert [one.name for one in made[tool["name"]].parameters] == expected


@real
@pytest.mark.parametrize("name", SUITES)
def test_the_ground_truth_can_be_called(name: str, judged: Callable[[int], None]) -> None:
    """Every call of every task names a declared tool, with arguments that its parameters take."""
    suite = facts()["suites"][name]
    made = tools(suite)
    tasks = (*suite["user_tasks"], *suite["injection_tasks"])
    judged(len(tasks))
    for task in tasks:
        for call in task["calls"]:
            parameters = {one.name: one for one in made[call["tool"]].parameters}
            where = task["id"], call["tool"]
            assert call["arguments"].keys() <= parameters.keys(), where
            for key, one in parameters.items():
                if key in call["arguments"]:
                    assert takes(one.type, call["arguments"][key]), (where, key)
                else:
                    assert one.has_default, (where, key)


@real
def test_what_is_kept_is_what_the_package_has(judged: Callable[[int], None]) -> None:
    judged(len(suites()))
    assert json.loads(KEPT.read_text("utf-8")) == json.loads(json.dumps(kept(facts())))


def takes(type: Type, value: Any) -> bool:
    """Whether a value of JSON is one of a type, as far as kinds go."""
    if isinstance(type, OptionalType):
        return value is None or takes(type.inner, value)
    if isinstance(type, ListType):
        return isinstance(value, list) and all(takes(type.element, one) for one in value)
    assert isinstance(type, Scalar)
    match value:
        case bool():
            return fits(Scalar(ScalarKind.BOOL), type)
        case int():
            return fits(Scalar(ScalarKind.INT), type)
        case float():
            return fits(Scalar(ScalarKind.NUMBER), type)
        case str():
            return fits(Scalar(ScalarKind.TEXT), type)
        case _:
            return type.kind is ScalarKind.JSON
