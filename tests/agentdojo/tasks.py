"""The suites' tools and tasks, kept in `facts.json`: what is here works without the package.

The file holds what `worker.py` writes, without descriptions and without the parts of schemas that
no declaration needs; LICENSE-agentdojo beside it is the licence that it comes under. Made by
`python -m tests.agentdojo.tasks`, where AgentDojo is installed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .effects import effect, is_untrusted

KEPT = Path(__file__).with_name("facts.json")


@dataclass(frozen=True)
class Call:
    """A ground-truth call; `acts` unless it only reads."""

    tool: str
    arguments: dict[str, Any]

    @property
    def acts(self) -> bool:
        return effect(self.tool) != "read"


@dataclass(frozen=True, eq=False)
class Task:
    """What a user asks for, or an attacker: in words, and as the calls that do it, in order."""

    id: str
    words: str
    calls: tuple[Call, ...]

    @property
    def acts(self) -> bool:
        return any(call.acts for call in self.calls)


@dataclass(frozen=True, eq=False)
class Suite:
    """`tools` are their descriptions by name, as `declare.py` reads them."""

    name: str
    tools: dict[str, dict[str, Any]]
    users: tuple[Task, ...]
    attacks: tuple[Task, ...]

    def taints(self, tool: str) -> bool:
        """Whether a tool answers with text that somebody outside may have written."""
        returns = self.tools[tool]["returns"]
        carries = returns is not None and returns.get("type") not in (
            "number",
            "integer",
            "boolean",
        )
        return carries and is_untrusted(tool)


@cache
def suites() -> tuple[Suite, ...]:
    """All of them, by name."""
    held = json.loads(KEPT.read_text("utf-8"))["suites"]
    return tuple(_suite(name, held[name]) for name in sorted(held))


def _suite(name: str, held: dict[str, Any]) -> Suite:
    tools = {tool["name"]: tool for tool in held["tools"]}
    return Suite(name, tools, _tasks(held["user_tasks"]), _tasks(held["injection_tasks"]))


def _tasks(held: list[dict[str, Any]]) -> tuple[Task, ...]:
    return tuple(
        Task(
            one["id"],
            " ".join(one["words"].split()),
            tuple(Call(call["tool"], call["arguments"]) for call in one["calls"]),
        )
        for one in held
    )


def kept(facts: dict[str, Any]) -> dict[str, Any]:
    """What is kept of the worker's facts."""
    return {
        "version": facts["version"],
        "suites": {
            name: {**suite, "tools": [_tool(tool) for tool in suite["tools"]]}
            for name, suite in sorted(facts["suites"].items())
        },
    }


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    schema, returns = tool["parameters"], tool["returns"]
    properties = schema.get("properties", {})
    parameters = {
        "properties": {name: _plain(kind) for name, kind in properties.items()},
        "required": schema.get("required", []),
        "$defs": {name: {"type": one.get("type")} for name, one in schema.get("$defs", {}).items()},
    }
    kind = None if returns is None else {"type": returns.get("type", "object")}
    return {**tool, "doc": tool["doc"].split("\n")[0], "parameters": parameters, "returns": kind}


def _plain(kind: dict[str, Any]) -> dict[str, Any]:
    found = {key: kind[key] for key in ("$ref", "type", "default") if key in kind}
    if "items" in kind:
        found["items"] = _plain(kind["items"])
    if "anyOf" in kind:
        found["anyOf"] = [_plain(one) for one in kind["anyOf"]]
    return found


def main() -> None:
    from .package import facts

    KEPT.write_text(json.dumps(kept(facts()), ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
