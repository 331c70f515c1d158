"""A suite's tools as `.pipe` declarations: `python -m tests.agentdojo.declare FACTS.json FOLDER`.

FACTS is what `worker.py` wrote. Every text gets a `max`, every list one, so that what uses them is
bounded. What a tool answers is `untrusted text` (records come as the JSON that a model would
read), unless only the user's own account makes it, or it is a number or a bool, which nobody can
write through.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from .effects import FETCHES, effect, is_untrusted

TEXT, ANSWER, LIST = "text max 500 tokens", "text max 4k tokens", "max 20"


def declarations(suite: dict[str, Any]) -> str:
    """A file with every tool of a suite."""
    return "\n".join(declaration(tool) for tool in suite["tools"])


def declaration(tool: dict[str, Any]) -> str:
    parameters = parameters_of(tool["parameters"])
    answers = _answer(tool["name"], tool["returns"])
    lines = [f"## {' '.join(tool['doc'].split())}"]
    lines.append(f"tool {tool['name']}({', '.join(parameters)}){answers} {{")
    again = " idempotent" if tool["name"] in FETCHES else ""
    lines.append(f"  effect  {effect(tool['name'])}{again}")
    if effect(tool["name"]) != "read":
        lines.append(f'  permit  "{tool["name"]}"')
    lines += ["  timeout 10s", "}"]
    return "\n".join(lines) + "\n"


def parameters_of(schema: dict[str, Any]) -> list[str]:
    """A tool's parameters, each as it is declared."""
    needed, defined = set(schema.get("required", ())), schema.get("$defs", {})
    return [
        _parameter(name, kind, name in needed, defined)
        for name, kind in schema.get("properties", {}).items()
    ]


def _parameter(name: str, kind: dict[str, Any], needed: bool, defined: dict[str, Any]) -> str:
    type = type_of(kind, defined)
    if needed:
        return f"{name}: {type}"
    default = kind.get("default")
    if default is None:
        return f"{name}: {type if '?' in type else _optional(type)} = none"
    return f"{name}: {type} = {literal(default)}"


def _optional(type: str) -> str:
    head, _, rest = type.partition(" max ") if not type.startswith("[") else (type, "", "")
    if type.startswith("["):
        head, _, rest = type.rpartition(" max ")
    return f"{head}? max {rest}" if rest else f"{type}?"


def type_of(kind: dict[str, Any], defined: dict[str, Any]) -> str:
    """A JSON Schema of a parameter as a type. What the language has no type for is refused."""
    if "$ref" in kind:
        kind = defined[kind["$ref"].rpartition("/")[2]]
    if "anyOf" in kind:
        some = [one for one in kind["anyOf"] if one.get("type") != "null"]
        if len(some) < len(kind["anyOf"]):
            return _optional(type_of(some[0], defined))
        texts = [one for one in some if one.get("type") == "string"]  # a text says it as well
        return type_of((texts or some)[0], defined)
    match kind.get("type"):
        case "string":
            return TEXT
        case "integer":
            return "int"
        case "number":
            return "number"
        case "boolean":
            return "bool"
        case "array":
            return f"[{type_of(kind['items'], defined)}] {LIST}"
        case "object":
            return "json"
        case _:
            raise LookupError(f"no type for {kind}")


def _answer(name: str, schema: dict[str, Any] | None) -> str:
    if schema is None:
        return ""
    plain = {"integer": "int", "number": "number", "boolean": "bool"}.get(schema.get("type", ""))
    if plain is not None:
        return f" -> {plain}"
    return f" -> {'untrusted ' if is_untrusted(name) else ''}{ANSWER}"


def literal(value: Any) -> str:
    """A default as the language writes it."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case _:
            raise LookupError(f"no literal for {value!r}")


def summary(facts: dict[str, Any]) -> str:
    """What is there, a line a suite."""
    lines = []
    for name, suite in facts["suites"].items():
        kinds = Counter(effect(tool["name"]) for tool in suite["tools"])
        acting = sum(_acts(task) for task in suite["injection_tasks"])
        users = sum(_acts(task) for task in suite["user_tasks"])
        lines.append(
            f"{name}: {len(suite['tools'])} tools ({kinds['read']} read, {kinds['write']} write, "
            f"{kinds['irreversible']} irreversible), {len(suite['user_tasks'])} user tasks "
            f"({users} act), {len(suite['injection_tasks'])} injection tasks ({acting} act)"
        )
    return "\n".join(lines)


def _acts(task: dict[str, Any]) -> bool:
    return any(effect(call["tool"]) != "read" for call in task["calls"])


def main(facts: str, folder: str) -> None:
    held = json.loads(Path(facts).read_text("utf-8"))
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, suite in held["suites"].items():
        (Path(folder) / f"{name}_tools.pipe").write_text(declarations(suite), encoding="utf-8")
    print(summary(held))


if __name__ == "__main__":
    main(*sys.argv[1:])
