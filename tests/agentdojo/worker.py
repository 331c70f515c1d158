"""Runs where `agentdojo` is installed: its suites as JSON, without any model.

    python worker.py [VERSION]

`{"version": ..., "suites": {NAME: {"tools": [...], "user_tasks": [...], "injection_tasks":
[...]}}}`; a tool has `name`, `doc`, `parameters` (a JSON Schema) and `returns` (a JSON Schema,
None for nothing), a task `id`, `words` (its prompt or goal) and `calls` (its ground truth: `tool`
and `arguments`, in order). Nothing of pipelang is imported here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

VERSION = "v1.2.2"


def schema_of(annotation: Any) -> Any:
    from pydantic import TypeAdapter

    if annotation is None or annotation is type(None):
        return None
    return TypeAdapter(annotation).json_schema()


def tool(function: Any) -> dict[str, Any]:
    return {
        "name": function.name,
        "doc": function.description,
        "parameters": function.parameters.model_json_schema(),
        "returns": schema_of(function.return_type),
    }


def task(one: Any, words: str, environment: Any) -> dict[str, Any]:
    calls = [
        {"tool": call.function, "arguments": dict(call.args)}
        for call in one.ground_truth(environment.model_copy(deep=True))
    ]
    return {"id": one.ID, "words": words, "calls": calls}


def suite(one: Any) -> dict[str, Any]:
    environment = one.load_and_inject_default_environment({})
    users = [
        task(each, each.PROMPT, each.init_environment(environment.model_copy(deep=True)))
        for each in one.user_tasks.values()
    ]
    return {
        "tools": [tool(function) for function in one.tools],
        "user_tasks": users,
        "injection_tasks": [
            task(each, each.GOAL, environment) for each in one.injection_tasks.values()
        ],
    }


def main(version: str) -> None:
    from agentdojo.task_suite.load_suites import get_suites

    suites = {name: suite(one) for name, one in get_suites(version).items()}
    json.dump({"version": version, "suites": suites}, sys.stdout, default=str)


if __name__ == "__main__":
    main(*(sys.argv[1:] or [VERSION]))
