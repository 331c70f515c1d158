"""The text of a stub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from keyword import iskeyword
from pathlib import PurePath

from pipelang.interfaces.export.pyi.annotations import given, made
from pipelang.interfaces.export.pyi.names import StubNames, names
from pipelang.semantics import program as p
from pipelang.semantics.types import OptionalType, RecordField, RecordType

WIDEST = 100

_IMPORTS = """\
import builtins as _builtins
import datetime as _datetime
import typing as _typing
from collections.abc import AsyncIterator as _AsyncIterator
from collections.abc import Callable as _Callable
from collections.abc import Mapping as _Mapping
from decimal import Decimal as _Decimal
from os import PathLike as _PathLike

import pipelang as _pipelang

_Number: _typing.TypeAlias = _builtins.int | _builtins.float | _Decimal
_Seconds: _typing.TypeAlias = _Number | _datetime.timedelta
_Time: _typing.TypeAlias = _builtins.str | _datetime.datetime
_Media: _typing.TypeAlias = (
    _pipelang.Media | _builtins.bytes | _PathLike[_builtins.str] | _builtins.str
    | _Mapping[_builtins.str, _builtins.str]
)
_Tools: _typing.TypeAlias = _Mapping[_builtins.str, _Callable[..., _typing.Any]]
_NotAnswered: _typing.TypeAlias = _pipelang.Escalated | _pipelang.Rejected | _pipelang.Failed
_Value = _typing.TypeVar("_Value")
"""


def pyi(program: p.Program, pipelines: Sequence[str]) -> str:
    """A stub with the types of some pipelines and the program as `pipelang.load` gives it."""
    chosen = [program.pipelines[name] for name in pipelines]
    called = names(chosen)
    file = PurePath(program.file).name
    blocks = [
        f"# Made from {_line(file)} by `pipelang compile --to pyi`. Program {program.hash[:12]}.\n",
        _IMPORTS,
        *(_enum(name, type.members) for name, type in called.enums.values()),
        *(_typed_dict(called, name, type) for name, type in called.given.values()),
        *(_record(called, name, type) for name, type in called.made.values()),
        _answered(called),
        *(_handle(called, pipeline) for pipeline in chosen),
        _program(called, chosen),
    ]
    return "\n".join(blocks)


def _enum(name: str, members: Sequence[str]) -> str:
    return f"{name}: _typing.TypeAlias = _typing.Literal[{', '.join(map(json.dumps, members))}]\n"


def _comment(doc: str | None) -> list[str]:
    return [f"    # {_line(line)}".rstrip() for line in doc.splitlines()] if doc else []


def _line(text: str) -> str:
    """Text that stays on its line and in its comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


# ------------------------------------------------------------------------------------- records


def _typed_dict(called: StubNames, name: str, type: RecordType) -> str:
    """A record as a host writes it. Names that no attribute can have need the other notation."""
    entries = [(field, _entry(called, field)) for field in type.fields]
    if not all(_plain_name(field.key) for field in type.fields):
        pairs = [f"    {json.dumps(field.key)}: {entry},\n" for field, entry in entries]
        return f'{name} = _typing.TypedDict("{name}", {{\n{"".join(pairs)}}})\n'
    lines = [f"class {name}(_typing.TypedDict):"]
    for field, entry in entries:
        lines += [*_comment(field.doc), f"    {field.key}: {entry}"]
    return "\n".join([*lines, *([] if entries else ["    pass"])]) + "\n"


def _entry(called: StubNames, field: RecordField) -> str:
    annotation = given(called, field.type)
    if field.has_default or isinstance(field.type, OptionalType):
        return f"_typing.NotRequired[{annotation}]"
    return annotation


def _record(called: StubNames, name: str, type: RecordType) -> str:
    """A record as it comes out: frozen, with attributes."""
    lines = [f"class {name}:"]
    for field in type.fields:
        attribute = _attribute(field.name)
        if iskeyword(attribute):
            lines.append(f"    # `{attribute}` is a word of Python's: getattr(value, ...) reads it")
            continue
        lines += [
            *_comment(field.doc),
            "    @_builtins.property",
            f"    def {attribute}(self) -> {made(called, field.type)}: ...",
        ]
    if len(lines) == 1:
        lines.append("    pass")
    return "\n".join(lines) + "\n"


def _attribute(name: str) -> str:
    """The attribute of a field, as `runtime/engine/values.py` names it without loading pydantic."""
    return f"field_{name}" if name.startswith(("_", "model_")) else name


def _plain_name(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and not name.startswith("__")


def _answered(called: StubNames) -> str:
    name = called.helpers["Answered"]
    return f"class {name}(_pipelang.Answered, _typing.Generic[_Value]):\n    value: _Value\n"


# ----------------------------------------------------------------------------------- pipelines


def _handle(called: StubNames, pipeline: p.Pipeline) -> str:
    answered = f"{called.helpers['Answered']}[{made(called, pipeline.returns)}]"
    result = f"{answered} | _NotAnswered"
    parameters, before = _inputs(called, pipeline)
    lines = [
        *before,
        f"class {called.handles[pipeline.name]}(_typing.Protocol):",
        *_comment(pipeline.doc),
        *_method("async def run", parameters, result),
        *_method("def run_sync", parameters, result),
        *_method("def stream", parameters, "_AsyncIterator[_pipelang.Update]"),
    ]
    return "\n".join(lines) + "\n"


def _method(head: str, parameters: Sequence[str], result: str) -> list[str]:
    """A method, on as many lines as it needs."""
    inside = ", ".join(parameters)
    line = f"    {head}({inside}) -> {result}: ..."
    if len(line) <= WIDEST:
        return [line]
    short = len(inside) + 8 <= WIDEST
    between = [f"        {inside}"] if short else [f"        {one}," for one in parameters]
    return [f"    {head}(", *between, f"    ) -> {result}: ..."]


def _inputs(called: StubNames, pipeline: p.Pipeline) -> tuple[list[str], list[str]]:
    """The parameters of `run`; and a TypedDict for them where one could not have its name."""
    if not pipeline.parameters:
        return ["self"], []
    fields = [RecordField(one.key, one.type, one.has_default) for one in pipeline.parameters]
    if not all(_plain_name(field.name) and field.name != "self" for field in fields):
        inputs = called.inputs[pipeline.name]
        declared = _typed_dict(called, inputs, RecordType(inputs, tuple(fields)))
        return ["_self", "/", f"**inputs: _typing.Unpack[{inputs}]"], [declared]
    parameters = ["self", "*"]
    for field in fields:
        default = " = ..." if field.has_default or isinstance(field.type, OptionalType) else ""
        parameters.append(f"{field.name}: {given(called, field.type)}{default}")
    return parameters, []


def _program(called: StubNames, pipelines: Sequence[p.Pipeline]) -> str:
    lines = [
        f"class {called.helpers['Program']}(_typing.Protocol):",
        "    @_builtins.property",
        "    def hash(self) -> _builtins.str: ...",
        "    @_builtins.property",
        "    def pipelines(self) -> _builtins.tuple[_builtins.str, ...]: ...",
    ]
    for pipeline in pipelines:
        if len(pipelines) > 1:
            lines.append("    @_typing.overload")
        parameters = [
            "self",
            f"name: _typing.Literal[{json.dumps(pipeline.name)}]",
            "*",
            "tools: _Tools | None = ...",
            "runtime: _pipelang.Runtime | None = ...",
        ]
        lines += _method("def pipeline", parameters, called.handles[pipeline.name])
    return "\n".join(lines) + "\n"
