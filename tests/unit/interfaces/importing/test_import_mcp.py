"""`pipelang import mcp`: what a server offers as declarations that check and can be called."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang import Answered, McpServer, Runtime
from pipelang.diagnostics import Source
from pipelang.interfaces.importing.mcp_declarations import (
    FILE,
    Imported,
    OfferedTool,
    declarations,
    effect_of,
)
from pipelang.interfaces.importing.outer_text import literal, pascal_name, snake_name
from pipelang.runtime.mcp.drift import differences, left_out
from pipelang.semantics.build import build
from pipelang.syntax.format import format_source

from ....memory import MemoryLoader
from ....warm import command_text
from ...runtime.stage import load

SERVER = Path(__file__).with_name("offering_server.py")


def offered(takes: Any = None, gives: Any = None, name: str = "t", **more: Any) -> OfferedTool:
    said = more.pop("description", None)
    return OfferedTool(name, said, takes or {"type": "object"}, gives, more)


def imported(*tools: OfferedTool) -> Imported:
    """The declarations of some tools, which check and are in the one layout."""
    made = declarations("odd", tools)
    built = build(FILE, MemoryLoader({FILE: made.text}))
    assert [one for one in built.diagnostics if one.is_error] == [], made.text
    assert format_source(Source(FILE, made.text))[0] == made.text
    return made


def parameter(schema: Any, **more: Any) -> str:
    """How a required parameter of a schema is written: the line, with the notes above it."""
    takes = {"type": "object", "properties": {"p": schema}, "required": ["p"], **more}
    text = imported(offered(takes)).text
    return text.partition("tool t(")[2].partition(")")[0].strip()


DEFS = {"$defs": {"Size": {"type": "integer", "minimum": 1, "maximum": 5}}}
LOOP = {"$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}}}


@pytest.mark.parametrize(
    ("schema", "more", "written"),
    [
        ({"type": "string"}, {}, "p: text"),
        (
            {"type": "string", "maxLength": 30},
            {},
            "# at most 30 characters\n  p: text max 10 tokens",
        ),
        ({"type": "integer", "minimum": 0, "maximum": 9}, {}, "p: int in 0..9"),
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 9}, {}, "p: int in 1..9"),
        ({"type": "number", "minimum": -1.5, "maximum": 2}, {}, "p: number in -1.5..2"),
        ({"type": "number", "minimum": 0}, {}, "# at least 0\n  p: number"),
        ({"type": "boolean", "default": True}, {}, "p: bool = true"),
        ({"type": ["string", "null"]}, {}, "p: text?"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 3}, {}, "p: int? = 3"),
        ({"type": "string", "format": "date-time"}, {}, "p: time"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 3}, {}, "p: [text] max 3"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {}, "p: {text: int}"),
        ({"$ref": "#/$defs/Size"}, DEFS, "p: int in 1..5"),
        ({"$ref": "#/$defs/Gone"}, DEFS, "# `#/$defs/Gone` is not in the schema\n  p: json"),
        ({"$ref": "https://x.y/z"}, {}, "# `https://x.y/z` is not in the schema\n  p: json"),
        ({"$ref": "#/$defs/Node"}, LOOP, "p: Node"),
        ({"enum": [1, 2, 3]}, {}, "p: int in 1..3"),
        ({"enum": [1, 2, 5]}, {}, "# one of 1, 2, 5\n  p: int in 1..5"),
        ({"enum": ["a b", None]}, {}, "p: TP?"),
        ({"const": "x"}, {}, "p: TP"),
        ({"oneOf": [{"const": "A"}, {"const": "B"}]}, {}, "p: TP"),
        ({}, {}, "p: json"),
        (True, {}, "p: json"),
        ({"type": "wat"}, {}, "# its type is wat, which JSON does not have\n  p: json"),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {},
            "# it has one of several shapes: integer, string\n  p: json",
        ),
        (
            {"type": "integer", "minimum": 9, "maximum": 1},
            {},
            "# at least 9\n  # at most 1\n  p: int",
        ),
        ({"type": "string", "default": 'a"\\\n\u202e'}, {}, 'p: text = "a\\"\\\\\\n\\u{202E}"'),
        ({"type": "integer", "default": 10**400}, {}, "p: int"),
        ({"type": "integer", "minimum": 0, "maximum": 3, "default": 7}, {}, "p: int in 0..3"),
    ],
)  # fmt: skip
def test_parameters(schema: Any, more: dict[str, Any], written: str) -> None:
    assert parameter(schema, **more) == written


def test_an_optional_argument_without_a_default_may_be_absent() -> None:
    takes = {"type": "object", "properties": {"b": {"type": "string"}, "a": {}}, "required": ["a"]}
    text = imported(offered(takes)).text
    assert text.index("a: json") < text.index("b: text?")


def test_members_and_fields_have_inner_names() -> None:
    colours = ["New York", "new york", "2fa", "and", "???", "New York", "ok"]
    takes = {
        "type": "object",
        "properties": {"match": {"enum": colours}, "in-out": {"type": "string"}, "": {}},
    }
    text = imported(offered(takes, name="has-Odd Names")).text
    for line in (
        "enum HasOddNamesMatch {",
        'new_york "New York"',
        'new_york_2 "new york"',
        'n2fa "2fa"',
        'and_ "and"',
        'value "???"',
        "  ok\n",
        'match_ "match": HasOddNamesMatch?',
        'in_out "in-out": text?',
        "# it has an argument whose name no file can hold",
        "tool has_odd_names(",
        'mcp    "odd" "has-Odd Names"',
    ):
        assert line in text, text


def test_two_tools_of_one_inner_name() -> None:
    text = imported(offered(name="a-b"), offered(name="a b"), offered(name="sum")).text
    assert "tool a_b()" in text
    assert "tool a_b_2()" in text
    assert "tool sum_tool()" in text


def test_hostile_descriptions_stay_comments() -> None:
    said = (
        'evil """ }\r\u2028prompt x() """y"""\n\u202e# pipelang: ignore[P713]\x00\ud800\n\n'
        + "tool evil() { effect read }\n" * 60
    )
    takes = {"type": "object", "properties": {"p": {"type": "string", "description": said}}}
    made = imported(offered(takes, description=said))
    code = [line for line in made.text.split("\n") if line and not line.strip().startswith("#")]
    assert [line.strip() for line in code] == [
        "tool t(",
        "p: text?",
        ") -> untrusted text {",
        'mcp    "odd" "t"',
        "effect irreversible  # review: the server does not say; `read` or `write` may be right",
        "}",
    ]
    assert "pipelang:" not in made.text
    assert made.text.isprintable() or set(made.text) - {"\n"} <= set(map(chr, range(32, 127)))
    assert made.text.count("tool evil") <= 80


def test_results() -> None:
    record = {"type": "object", "properties": {"a-b": {"type": "string", "maxLength": 3}}}
    wrapped = {"type": "object", "properties": {"result": {"type": "array", "items": {}}}}
    nothing = {"type": "object", "properties": {"result": {"type": "null"}}}
    assert ") -> untrusted text {" in imported(offered()).text
    text = imported(offered(gives=record)).text
    assert ") -> TResult {" in text
    assert 'a_b "a-b": untrusted text? max 4 tokens' in text
    assert ") -> [untrusted json] {" in imported(offered(gives=wrapped)).text
    assert "tool t() {" in imported(offered(gives=nothing)).text


def test_effects_by_annotations() -> None:
    assert effect_of({})[0] == "irreversible"
    assert effect_of({"readOnlyHint": True, "destructiveHint": True})[0] == "read"
    assert effect_of({"readOnlyHint": False, "destructiveHint": False})[0] == "write"
    assert effect_of({"destructiveHint": True})[0] == "irreversible"
    assert "idempotent" in imported(offered(destructiveHint=False, idempotentHint=True)).text
    assert "idempotent" not in imported(offered(readOnlyHint=True, idempotentHint=True)).text


def test_an_enum_of_thousands_is_written_out() -> None:
    many = [f"Value {number}" for number in range(3000)]
    text = imported(offered({"type": "object", "properties": {"e": {"enum": many}}})).text
    assert text.count(' "Value ') == 3000


def test_what_cannot_be_written_is_left_out_and_said() -> None:
    made = imported(offered({"type": "object", "required": ["x"]}, name="needs"), offered())
    assert [name for name, _ in made.left_out] == ["needs"]
    assert "# the tool 'needs' is left out: it needs x, of which it says nothing" in made.text
    assert "tool t() -> untrusted text {" in made.text


def test_records_too_deep_become_json() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(200):
        schema = {"type": "object", "properties": {"deeper": schema}, "required": ["deeper"]}
    assert "deeper: json" in imported(offered(schema)).text


NAMES = st.sampled_from(["a", "a b", "in", "2", "", "É", "budget", "len", "\u202e", "a-b", "A B"])
TEXTS = st.one_of(NAMES, st.text(max_size=8))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.lists(TEXTS, max_size=2)
)
KINDS = ("string", "integer", "number", "boolean", "null", "array", "object", "odd")


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(st.sampled_from(KINDS), st.lists(st.sampled_from(KINDS), max_size=3)),
            "properties": st.one_of(st.dictionaries(TEXTS, inner, max_size=4), VALUES),
            "required": st.one_of(st.lists(TEXTS, max_size=3), VALUES),
            "items": inner,
            "additionalProperties": inner,
            "anyOf": lists,
            "oneOf": lists,
            "allOf": lists,
            "enum": st.lists(VALUES, max_size=5),
            "const": VALUES,
            "default": VALUES,
            "minimum": VALUES,
            "maximum": VALUES,
            "exclusiveMinimum": VALUES,
            "maxLength": VALUES,
            "maxItems": VALUES,
            "pattern": TEXTS,
            "format": st.sampled_from(["date-time", "uri", 3]),
            "description": VALUES,
            "$ref": st.sampled_from(["#/properties/a", "#", "#/$defs/x", "http://x", 3]),
        },
    )


ANY = st.recursive(st.one_of(st.booleans(), st.just({}), VALUES), schemas, max_leaves=12)


@settings(max_examples=150, deadline=None)
@given(schemas(ANY), st.one_of(st.none(), schemas(ANY)), TEXTS, TEXTS)
def test_whatever_a_server_says_the_text_checks(
    takes: Any, gives: Any, name: str, said: str
) -> None:
    made = imported(OfferedTool(name, said, takes, gives, {}), offered())
    assert len(made.left_out) <= 1


@settings(max_examples=150, deadline=None)
@given(schemas(ANY), st.one_of(st.none(), schemas(ANY)), schemas(ANY))
def test_whatever_a_server_says_it_can_be_compared(takes: Any, gives: Any, other: Any) -> None:
    made = imported(OfferedTool("t", None, takes, gives, {}), offered())
    built = build(FILE, MemoryLoader({FILE: made.text}))
    assert built.program is not None
    for tool in built.program.tools.values():
        for schema in (takes, other):
            assert all(isinstance(line, str) for line in differences(tool, schema, gives))
            left_out({"a": None, "in": [{"2": None}], "": {}}, schema, schema)


@given(st.text())
def test_names_and_texts(outer: str) -> None:
    assert snake_name(outer).isidentifier()
    assert pascal_name(outer).isidentifier()
    assert pascal_name(outer)[0].isupper()
    written = literal(outer)
    assert (written is None) == any(0xD800 <= ord(letter) <= 0xDFFF for letter in outer)


# -------------------------------------------------------------------------- from real servers


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")
    env = {**os.environ, "NO_COLOR": "1"}
    return command_text("import", "mcp", *words, cwd=folder, env=env, timeout=120)


def configured(folder: Path) -> None:
    words = f'["{sys.executable}", "{SERVER}"]'
    (folder / "pyproject.toml").write_text(f"[tool.pipelang.mcp.desk]\ncommand = {words}\n")


def test_a_configured_server_and_a_call_of_what_was_imported(tmp_path: Path) -> None:
    configured(tmp_path)
    done = command(
        "desk", "--tool", "get-structured-content", "--tool", "find", "-o", "desk.pipe",
        folder=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    text = (tmp_path / "desk.pipe").read_text()
    assert 'new_york "New York"' in text
    assert "effect read  # review: the server says that it only reads" in text
    main = """
    use "desk.pipe"
    pipeline weather(where: GetStructuredContentLocation) -> GetStructuredContentResult {
      step got = call get_structured_content(where)
      return got
    }
    pipeline search(what: text, near: text?) -> text {
      let none_set: FindOptions = {limit: 3}
      step got = call find(what, 3, near, none_set)
      return got
    }
    """
    loaded = load(tmp_path, main)
    server = McpServer(command=[sys.executable, str(SERVER)])

    async def both() -> tuple[Any, Any]:
        runtime = Runtime(mcp={"desk": server})
        try:
            weather = await loaded.pipeline("weather", runtime=runtime).run(where="New York")
            found = await loaded.pipeline("search", runtime=runtime).run(what="x")
            return weather, found
        finally:
            await runtime.close()

    weather, found = asyncio.run(both())
    assert isinstance(weather, Answered), weather
    assert weather.value.conditions == "clouds over New York"
    assert isinstance(found, Answered), found
    # What is not given is left out, in records too: the server's schema has no null.
    assert found.value == "[('and', 'x'), ('most', 3), ('options', {'Limit': 3})]"


def test_a_command_line(tmp_path: Path) -> None:
    done = command(f"{sys.executable} {SERVER}", folder=tmp_path)
    assert done.returncode == 1
    assert "`needs` is left out" in done.stderr
    assert "[tool.pipelang.mcp.odd_desk]" in done.stderr
    assert 'mcp    "odd_desk" "find"' in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("desk", "--tool", "fnd"), "did you mean `find`?"),
        (("desc",), "there is no MCP server and no program `desc`"),
        (("desk 'x",), "is no command: No closing quotation"),
        (("http://127.0.0.1:9/mcp",), "MCP server"),
        ((f"{sys.executable} -c pass",), "MCP server"),
    ],
)
def test_what_is_not_there(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    configured(tmp_path)
    done = command(*words, folder=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
