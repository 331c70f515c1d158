"""`compile --to ir`: complete, exact, the same for the same meaning, and as its schema says."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipelang.diagnostics import Source
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.export.ir import program_json
from pipelang.semantics import chance, expressions, program, types
from pipelang.semantics.build import build
from pipelang.syntax.format import format_source

from .stage import NASTY, REPO, SUPPORT, WIDE, built, generated
from .stage import program as program_of

SCHEMA = json.loads((REPO / "docs" / "schemas" / "ir.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
GALLERY = sorted((REPO / "examples").rglob("*.pipe"))


def ir(text: str, spans: bool = False) -> dict[str, Any]:
    result = built(text)
    assert result.program is not None, [d.message for d in result.diagnostics if d.is_error]
    sources = result.sources if spans else None
    return program_json(result.program, list(result.program.pipelines), sources)


# ---------------------------------------------------------------------------------- the schema


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("spans", [False, True])
@pytest.mark.parametrize("text", [WIDE, NASTY, ""], ids=["wide", "nasty", "empty"])
def test_what_is_written_fits_the_schema(text: str, spans: bool):
    VALIDATOR.validate(ir(text, spans))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_every_example_fits_the_schema(path: Path):
    result = build(str(path), DiskLoader())
    assert result.program is not None
    VALIDATOR.validate(program_json(result.program, list(result.program.pipelines)))


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_fit_the_schema(seed: int):
    made = generated(seed)
    VALIDATOR.validate(program_json(made, list(made.pipelines)))


def definitions(schema: Any) -> Iterator[tuple[str, set[Any]]]:
    """Every tagged union of the schema: its tag and the values that the tag may have."""
    for name in ("expression", "action", "item", "outcome", "type", "chance", "part"):
        tags: set[Any] = set()
        for variant in schema["$defs"][name]["oneOf"]:
            tag = next(iter(variant["properties"]))
            kind = variant["properties"][tag]
            tags |= {(tag, value) for value in kind.get("enum", [kind.get("const")])}
        yield name, tags


def tagged(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                if isinstance(inner, str):
                    yield key, inner
                yield from tagged(inner)
        case list():
            for inner in value:
                yield from tagged(inner)
        case _:
            pass


def test_the_wide_program_has_all_that_the_schema_knows():
    """So that the tests above say something about each kind of node."""
    found = set(tagged(ir(WIDE)))
    missing = {name: sorted(tags - found) for name, tags in definitions(SCHEMA) if tags - found}
    # No literal has these types, and no value of a program does.
    for kind in ("answerer", "none", "nothing", "json", "tokens", "rate", "time"):
        for tags in missing.values():
            if ("type", kind) in tags:
                tags.remove(("type", kind))
    assert {name: tags for name, tags in missing.items() if tags} == {}


# ------------------------------------------------------------------------------- completeness

SPOKEN_FOR = {
    # Said elsewhere, or only for people.
    "name",  # the key in its map
    "span",
    "binding_span",
    "target_text",  # `target` in the file's own words
    "cached",  # `when` says it
    "counts",  # the loops are in `shape`
    "declaration",
    # A test's inside is no part of what a program means.
    "arguments",
    "mocks",
    "expectations",
    "answer",
    "values",
}


def written() -> set[str]:
    """Every attribute that the modules of the IR read."""
    folder = REPO / "pipelang" / "interfaces" / "export" / "ir"
    return {
        node.attr
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }


def test_every_field_of_a_program_is_written():
    """Whoever adds one to the program adds it here, to the schema and to docs/ir.md."""
    read = written()
    forgotten = [
        f"{cls.__name__}.{name}"
        for module in (program, expressions, types, chance)
        for cls in vars(module).values()
        if inspect.isclass(cls) and cls.__module__.startswith(module.__name__)
        for name in vars(cls).get("__annotations__", {})
        if name not in read | SPOKEN_FOR
        and cls.__name__ not in ("Mock", "MockedCall", "Expectation", "EvidenceRow")
    ]
    assert forgotten == []


# ---------------------------------------------------------------------------------- exactness


def floats(value: Any) -> Iterator[float]:
    match value:
        case float():
            yield value
        case dict():
            for inner in value.values():
                yield from floats(inner)
        case list():
            for inner in value:
                yield from floats(inner)
        case _:
            pass


def test_no_number_loses_a_digit():
    assert list(floats(ir(WIDE))) == []
    exact = "0.1234567890123456"
    text = WIDE.replace("cost     $0.001", f"cost     ${exact}")
    assert ir(text)["tools"]["look_up"]["cost"] == exact
    assert Decimal(exact) != Decimal(float(exact))


def test_quantities_are_in_dollars_and_seconds():
    found = ir(WIDE)
    assert found["pipelines"]["handle"]["budget"] == {
        "money": "0.1",
        "seconds": "120",
        "tokens": 60000,
        "steps": 50,
        "else": {
            "outcome": "escalated",
            "role": "supervisor",
            "reason": "budget",
            "text": "budget spent",
            "with": None,
        },
    }
    assert found["tools"]["look_up"]["retry"] == {
        "count": 1,
        "backoff": {"low": "1", "high": "4"},
    }
    assert found["tools"]["look_up"]["rate"] == {"count": 100, "seconds": 60}
    assert found["pipelines"]["handle"]["traffic"]["per_day"] == "500"


def test_a_redo_says_what_runs_again():
    items = ir(WIDE)["pipelines"]["handle"]["block"]["items"]
    gate = next(item for item in items if item.get("name") == "sane")
    assert gate["redo"]["step"] == "reply"
    assert [items[index]["name"] for index in gate["redo"]["reruns"]] == ["reply", "sane"]
    assert gate["else"]["role"] == "on_call"


def test_regions_and_barriers_name_items():
    block = ir(WIDE)["pipelines"]["handle"]["block"]
    names = [item.get("name") for item in block["items"]]
    regions = [[names[i] for i in s["region"]] for s in block["segments"] if "region" in s]
    assert regions == [["facts", "first_fact", "page", "summary", "second"], ["reply"]]


def test_a_parameter_that_is_used_twice_has_one_name():
    text = """
      use std.tiers
      type Answer { body: text max 20 tokens  confidence: probability }
      prompt answer() "Answer."
      pipeline twice() -> Answer {
        step a: Answer = ask answer() by haiku { accuracy from "rows.jsonl" correlation 1 of 2 }
        step b: Answer = ask answer() by haiku { accuracy from "rows.jsonl" correlation 1 of 2 }
        return b
      }
    """.replace('"Answer."', '"""Answer."""')
    a, b = (
        item["chain"]["links"][0] for item in ir(text)["pipelines"]["twice"]["block"]["items"][:2]
    )
    assert (
        a["accuracy"]
        == b["accuracy"]
        == {
            "chance": "measured",
            "file": "rows.jsonl",
            "parameter": "rows.jsonl",
        }
    )
    assert a["correlation"]["parameter"] == "twice.a[0].correlation"
    assert b["correlation"]["parameter"] == "twice.b[0].correlation"


def test_a_secret_is_only_named():
    assert ir(WIDE)["providers"]["acme"]["key"] == "env:ACME_KEY"


def test_some_pipelines_only():
    made = program_of(WIDE)
    found = program_json(made, ["learn"])
    assert list(found["pipelines"]) == ["learn"]
    assert found["claims"] == found["tests"] == []
    assert found["hash"] == made.hash
    VALIDATOR.validate(found)


# ------------------------------------------------------------------------------- one meaning

LAID_OUT_ANEW = {
    "spaces": lambda text: text.replace("  ", "      "),
    "one line each": lambda text: text.replace(" {\n", "\n{\n\n"),
    "tabs": lambda text: text.replace("\n  ", "\n\t"),
    "line endings": lambda text: text.replace("\n", "\r\n"),
    "comments": lambda text: text.replace("\n## Ans", "\n# A comment.\n\n## Ans").replace(
        "\n  gate sure", "\n  # Another one.\n\n  gate sure"
    ),
    "comment after": lambda text: text.replace("retry    2 backoff", "retry 2 # twice\n backoff"),
    "tokens": lambda text: text.replace("2k tokens", "2k     tokens"),
}


@pytest.mark.parametrize("change", LAID_OUT_ANEW.values(), ids=list(LAID_OUT_ANEW))
def test_layout_and_comments_change_nothing(change: Any):
    changed = change(WIDE)
    assert changed != WIDE
    assert ir(changed) == ir(WIDE)


@pytest.mark.parametrize("change", LAID_OUT_ANEW.values(), ids=list(LAID_OUT_ANEW))
def test_the_formatter_changes_nothing(change: Any):
    crooked = change(WIDE)
    laid_out, found = format_source(Source("e.pipe", crooked))
    assert not found
    assert ir(laid_out) == ir(crooked)


CHANGES = [
    ("range", "$0..$99.50", "$0..$98.50"),
    ("price", "$5 out", "$6 out"),
    ("threshold", "= 80%", "= 81%"),
    ("condition", "kind.confidence >= threshold", "kind.confidence > threshold"),
    ("order", "haiku, sonnet)", "sonnet, haiku)"),
    ("retry", "retry    2", "retry    3"),
    ("prompt", "You sort posts.", "You sort all posts."),
    ("text", '"budget spent"', '"budget gone"'),
    ("redo", "up to 2", "up to 3"),
    ("share", "post.urgent: 5%", "post.urgent: 6%"),
    ("effect", "effect   irreversible", "effect   write"),
    ("doc", "## Answers a post.", "## Answers posts."),
    ("test", '"a small post is answered"', '"a post is answered"'),
]


@pytest.mark.parametrize(("what", "old", "new"), CHANGES)
def test_what_means_something_else_has_another_hash(what: str, old: str, new: str):
    changed = WIDE.replace(old, new, 1)
    assert changed != WIDE, what
    before, after = ir(WIDE), ir(changed)
    assert before["hash"] != after["hash"]
    assert {**before, "hash": ""} != {**after, "hash": ""}


def test_keys_come_in_one_order():
    made = build(str(SUPPORT), DiskLoader()).program
    assert made is not None
    first, second = (
        program_json(made, names)
        for names in (
            ["handle_ticket", "learn_from"],
            ["learn_from", "handle_ticket"],
        )
    )
    assert json.dumps(first) == json.dumps(second)
    for kind in ("enums", "records", "tiers", "tools", "prompts", "pipelines", "roles"):
        assert list(first[kind]) == sorted(first[kind])


def test_spans_count_from_one():
    result = built(WIDE)
    found = ir(WIDE, spans=True)
    span = found["pipelines"]["learn"]["span"]
    line = result.sources["e.pipe"].line(span["line"])
    assert line[span["column"] - 1 : span["end_column"] - 1] == "learn"
    without = ir(WIDE)
    assert "span" not in json.dumps(without)
