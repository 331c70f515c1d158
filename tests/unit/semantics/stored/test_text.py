"""A program out of its text is the program that went in, also in another folder and version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.stored.text import NotReadable, from_text, to_text

from ....memory import MemoryLoader
from ....suite.chunks import MAIN, SUITE, all_chunks
from .test_table import assert_same

REPO = Path(__file__).resolve().parents[4]
FILES = sorted((REPO / "examples").glob("*/*.pipe"))
BESIDE = {name: (SUITE / name).read_text("utf-8") for name in ("desk.pipe", "world.pipe")}
DEVOPS = REPO / "examples/devops/devops.pipe"


def made(file: Path) -> p.Program:
    built = build(str(file), DiskLoader())
    assert built.program is not None
    return built.program


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_programs_of_the_examples(file: Path) -> None:
    program = made(file)
    assert_same(program, from_text(to_text(program), str(file)))


def test_programs_of_the_suite() -> None:
    tried = 0
    for chunk in all_chunks()[::3]:
        built = build(MAIN, MemoryLoader({**BESIDE, **chunk.files}))
        if built.program is not None:
            tried += 1
            assert from_text(to_text(built.program), MAIN) == built.program
    assert tried > 50


def test_places_move_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written where the file had a relative name, and is read beside a copy of it."""
    monkeypatch.chdir(DEVOPS.parent.parent)
    text = to_text(made(Path("devops/devops.pipe")))
    monkeypatch.chdir(tmp_path)
    found = from_text(text, "elsewhere/ops.pipe")
    assert found.file == "elsewhere/ops.pipe"
    spans = {tool.binding_span.file for tool in found.tools.values() if tool.binding_span}
    assert spans == {"elsewhere/ops.pipe"}
    assert str(REPO) not in json.dumps(json.loads(text)["places"])


def changed(text: str, name: str, fields: list[str] | None) -> str:
    """The text as a version would have written it whose class had these fields."""
    told = json.loads(text)
    was = told["fields"].pop(name)
    if fields is None:
        told["fields"]["Gone"] = was
    else:
        told["fields"][name] = fields
    rows = []
    for row in told["rows"]:
        if row[0] != name:
            rows.append(row)
        elif fields is None:
            rows.append(["Gone", *row[1:]])
        else:
            values = dict(zip(was, row[1:], strict=True))
            rows.append([name, *[values.get(field, row[1]) for field in fields]])
    told["rows"] = rows
    return json.dumps(told)


def test_a_field_that_is_new_and_has_a_default_is_no_obstacle() -> None:
    program = made(DEVOPS)
    fields = [name for name in p.Tool.__match_args__ if name != "doc"]
    found = from_text(changed(to_text(program), "Tool", fields), str(DEVOPS))
    assert {tool.doc for tool in found.tools.values()} == {None}
    assert [tool.binding for tool in found.tools.values()] == [
        tool.binding for tool in program.tools.values()
    ]


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("Tool", [*p.Tool.__match_args__, "colour"], "`Tool` has no `colour` any more"),
        ("Tool", [*p.Tool.__match_args__][1:], "`Tool` has `name` now"),
        ("Tool", None, "`Gone` is no part of a program any more"),
    ],
)
def test_what_means_something_else_now_is_refused(
    name: str, fields: list[str] | None, said: str
) -> None:
    text = changed(to_text(made(DEVOPS)), name, fields)
    with pytest.raises(NotReadable, match=said):
        from_text(text, str(DEVOPS))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"places": {}, "fields": {}, "file": "x"}'])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(NotReadable):
        from_text(text, "x.pipe")


def test_a_setting_that_was_turned_is_another_program() -> None:
    text = "setting n: int in 1..9 = 2\npipeline main(x: int in 0..9) -> int { return x + n }\n"
    loader = MemoryLoader({"main.pipe": text})

    def hash_of(**settings: int) -> str:
        built = build("main.pipe", loader, settings)
        assert built.program is not None
        return built.program.hash

    assert hash_of() == hash_of(n=2)
    assert len({hash_of(), hash_of(n=3), hash_of(n=4)}) == 3
