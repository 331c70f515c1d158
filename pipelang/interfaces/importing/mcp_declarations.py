"""The tools of an MCP server as declarations, each to be reviewed before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipelang.diagnostics import Source, has_errors
from pipelang.interfaces.importing.outer_text import (
    FreshNames,
    doc_lines,
    literal,
    note_lines,
    snake_name,
    words,
)
from pipelang.interfaces.importing.schema_types import Schemas, TypeText, value_of
from pipelang.records import dataclass
from pipelang.semantics.build import build
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS
from pipelang.syntax.format import format_source

FILE = "imported.pipe"


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as a server lists it; `hints` are its annotations by their names in the protocol."""

    name: str
    description: str | None
    takes: Mapping[str, Any]
    gives: Mapping[str, Any] | None
    hints: Mapping[str, bool | None]


@dataclass(frozen=True, slots=True)
class Imported:
    """A file's text, and the tools that are left out of it, with why."""

    text: str
    left_out: tuple[tuple[str, str], ...]


class NotWritable(Exception):
    """A tool that no declaration can stand for. The message says why."""


def declarations(server: str, tools: Iterable[OfferedTool]) -> Imported:
    """The declarations of a server's tools: a text that `check` finds no errors in.

    `server` is its name in `[tool.pipelang.mcp]`.
    """
    taken_types, taken_tools = FreshNames(), FreshNames()
    parts: list[str] = []
    left_out: list[tuple[str, str]] = []
    for tool in tools:
        try:
            parts.append(_whole(server, tool, taken_types, taken_tools))
        except NotWritable as why:
            left_out.append((tool.name, str(why)))
            said = f"the tool {words(tool.name)!r} is left out: {why}"
            parts.append("\n".join(note_lines([said])))
    head = [
        f"What MCP server {words(server)} says of its tools. Written by `pipelang import mcp`.",
        "Review each: effects, limits and descriptions are the server's own word, and models are"
        " shown the descriptions. What stands in plain comments, the language cannot say.",
    ]
    text = "\n\n".join(["\n".join(note_lines(head)), *parts]) + "\n"
    formatted, _ = format_source(Source(FILE, text))
    return Imported(formatted, tuple(left_out))


def _whole(server: str, tool: OfferedTool, types: FreshNames, names: FreshNames) -> str:
    """A tool with the types that it needs, or with `json` in their place where they would be too
    much. Raises `NotWritable`.
    """
    name = names.fresh(_tool_name(tool.name))
    found: list[str] = []
    for flat in (False, True):
        schemas = Schemas(types, flat=flat)
        written = _tool(server, tool, name, schemas)
        text = "\n\n".join([*schemas.declarations, written])
        problem = _problem(text)
        if problem is None:
            return text
        found.append(problem)
    raise NotWritable(found[-1])


def _problem(text: str) -> str | None:
    """The first error that a text has by itself."""
    built = build(FILE, _Alone(text))
    errors = [one for one in built.diagnostics if one.is_error]
    assert errors or not has_errors(built.diagnostics)
    return errors[0].message if errors else None


class _Alone:
    """A loader of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, path: str) -> str | None:
        return self._text if path == FILE else None

    def beside(self, base: str, path: str) -> str:
        return path

    def library(self, name: tuple[str, ...]) -> str | None:
        return None

    def libraries(self) -> tuple[str, ...]:
        return ()


def _tool_name(outer: str) -> str:
    name = snake_name(outer)
    return f"{name}_tool" if name in BUILTIN_FUNCTIONS else name


def _tool(server: str, tool: OfferedTool, name: str, schemas: Schemas) -> str:
    binding = literal(server), literal(tool.name)
    if not tool.name or None in binding:
        raise NotWritable("no file can hold its name")
    notes: list[str] = []
    parameters = list(_parameters(tool, name, schemas, notes))
    returns = _result(tool, name, schemas)
    notes += [f"the result: {note}" for note in returns.notes] if returns is not None else []
    effect, why = effect_of(tool.hints)
    head = f"tool {name}("
    inside = ",\n".join(parameters)
    arrow = "" if returns is None else f" -> {returns.written}"
    lines = [*doc_lines(tool.description), *note_lines(notes)]
    lines.append(f"{head}\n{inside}\n){arrow} {{" if parameters else f"{head}){arrow} {{")
    lines.append(f"  mcp {binding[0]} {binding[1]}")
    lines.append(f"  effect {effect}  # review: {why}")
    if tool.hints.get("idempotentHint") and effect != "read":
        lines.append("  idempotent  # review: the server says so")
    return "\n".join([*lines, "}"])


def _parameters(tool: OfferedTool, name: str, schemas: Schemas, notes: list[str]) -> Iterable[str]:
    """The parameters, those that must be given first, with their docs and notes above them."""
    takes = tool.takes if isinstance(tool.takes, Mapping) else {}
    properties = takes.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = takes.get("required")
    needed = set(map(str, required)) if isinstance(required, list) else set()
    unknown = sorted(needed - set(properties))
    if unknown:
        raise NotWritable(f"it needs {', '.join(map(words, unknown))}, of which it says nothing")
    if takes.get("additionalProperties") not in (None, False):
        notes.append("it takes other arguments, too")
    names = FreshNames()
    for outer in sorted(properties, key=lambda one: one not in needed):
        schema, written = properties[outer], literal(outer)
        if not outer or written is None:
            if outer in needed:
                raise NotWritable("no file can hold the name of an argument that it needs")
            notes.append("it has an argument whose name no file can hold")
            continue
        made = schemas.type(schema, takes, (name, outer), out=False)
        inner = names.fresh(snake_name(outer))
        said = schema.get("description") if isinstance(schema, Mapping) else None
        above = [
            *doc_lines(said if isinstance(said, str) else None, 2),
            *note_lines(list(made.notes), 2),
        ]
        called = inner if inner == outer else f"{inner} {written}"
        value = value_of(made, schema, outer in needed)
        yield "\n".join([*above, f"  {called}: {value}"])


def _result(tool: OfferedTool, name: str, schemas: Schemas) -> TypeText | None:
    """The type of what the tool gives: of its structured result, or else a text."""
    gives = tool.gives
    if not isinstance(gives, Mapping):
        return TypeText("untrusted text", "text")
    properties = gives.get("properties")
    if isinstance(properties, Mapping) and set(properties) == {"result"}:
        inner = properties["result"]
        if isinstance(inner, Mapping) and inner.get("type") == "null":
            return None
        return schemas.type(inner, gives, (name, "result"), out=True)
    return schemas.type(gives, gives, (name, "result"), out=True)


def effect_of(hints: Mapping[str, bool | None]) -> tuple[str, str]:
    """The effect by a tool's annotations, the worst where they say nothing, and why."""
    if hints.get("readOnlyHint"):
        return "read", "the server says that it only reads"
    if hints.get("destructiveHint") is False:
        return "write", "the server says that it destroys nothing"
    if hints.get("destructiveHint"):
        return "irreversible", "the server says that it may destroy something"
    return "irreversible", "the server does not say; `read` or `write` may be right"
