"""What happens to people who edit: two editors on a file, imports and folders that vanish, renames
that collide, a workspace of many files. By real servers on standard input and output.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.editor_client import EditorClient, Message, Refused

LIBRARY = "enum Kind { one two }\n"
MAIN = 'use "library.pipe"\nfn is_one(kind: Kind) -> bool = kind == one\n'
CREATED, CHANGED, DELETED = 1, 2, 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "work"
    made.mkdir()
    (made / "library.pipe").write_text(LIBRARY)
    (made / "main.pipe").write_text(MAIN)
    return made


@pytest.fixture
def editor(folder: Path) -> Iterator[EditorClient]:
    with EditorClient(folder) as client:
        yield client


def codes(found: list[Message]) -> list[str]:
    return [one["code"] for one in found]


def told(editor: EditorClient, name: str, kind: int) -> list[str]:
    """The codes in `main.pipe` after the client has told of a file on the disk."""
    since = len(editor.messages)
    changes = [{"uri": editor.uri(name), "type": kind}]
    editor.tell("workspace/didChangeWatchedFiles", {"changes": changes})
    return codes(editor.findings("main.pipe", 1, since)[1])


def key(editor: EditorClient, text: str) -> list[str]:
    """The codes in `main.pipe` after something was written at its top."""
    since = len(editor.messages)
    _, version = editor.edit("main.pipe", (0, 0), (0, 0), text)
    return codes(editor.findings("main.pipe", version, since)[1])


def test_an_import_that_vanishes_and_comes_back(editor: EditorClient, folder: Path):
    editor.open("main.pipe", MAIN)
    assert codes(editor.findings("main.pipe", 1)[1]) == []
    library = folder / "library.pipe"
    library.unlink()
    assert told(editor, "library.pipe", DELETED) == ["P205"]
    library.write_text(LIBRARY)
    assert told(editor, "library.pipe", CREATED) == []
    library.unlink()
    library.mkdir()
    assert told(editor, "library.pipe", CHANGED) == ["P108"]


def test_the_folder_is_deleted_and_made_anew(editor: EditorClient, folder: Path):
    """As by a branch of git that does not have it. The process stood in the deleted one."""
    editor.open("main.pipe", MAIN)
    editor.state("main.pipe", "current")
    shutil.rmtree(folder)
    assert key(editor, "# gone\n") == ["P205"]
    folder.mkdir()
    (folder / "library.pipe").write_text(LIBRARY)
    since = len(editor.messages)
    assert key(editor, "# back\n") == []
    editor.state("main.pipe", "current", since=since)
    editor.open("other.pipe", 'use ""\n')
    place = editor.at("other.pipe", 0, 5)
    offered = editor.ask("textDocument/completion", place)["items"]
    assert [one["label"] for one in offered] == ["library.pipe"]


def test_two_editors_on_a_file(folder: Path):
    """Each is told of what it has open itself, and of what the other one saved."""
    with EditorClient(folder) as one, EditorClient(folder) as other:
        for editor in (one, other):
            editor.open("main.pipe", MAIN)
            assert codes(editor.findings("main.pipe", 1)[1]) == []
        one.open("library.pipe", LIBRARY)
        one.findings("library.pipe", 1)
        since = len(one.messages)
        one.edit("library.pipe", (0, 12), (0, 15), "uno")
        uri = one.uri("main.pipe")

        def broken(message: Message) -> bool:
            params = message.get("params") or {}
            told = message.get("method") == "textDocument/publishDiagnostics"
            return told and params["uri"] == uri and bool(params["diagnostics"])

        found = one.wait(broken, since)[1]["params"]["diagnostics"]
        assert codes(found) == ["P201"]
        assert key(other, "# not saved yet\n") == []
        (folder / "library.pipe").write_text(LIBRARY.replace("one", "uno"))
        assert told(other, "library.pipe", CHANGED) == ["P201"]
        for number in range(20):
            one.edit("main.pipe", (0, 0), (0, 0), f"# {number}\n")
            other.edit("main.pipe", (0, 0), (0, 0), f"fn f{number}() -> int = {number}\n")
        assert codes(one.findings("main.pipe", 21)[1]) == ["P201"]
        assert codes(other.findings("main.pipe", 22)[1]) == ["P201"]
        assert key(other, "enum Kind\n") != ["P201"]  # a mistake of that editor's alone
        assert key(one, "# still\n") == ["P201"]


TWO_STEPS = """\
use std.tiers
enum Kind { one two }
enum Sort { a b }
prompt q(x: text max 9 tokens, y: text max 9 tokens) \"\"\"{{ x }}{{ y }}\"\"\"
pipeline p(x: text max 9 tokens) -> Kind {
  step first: Kind = ask q(x, x) by haiku
  step second: Kind = ask q(x, x) by haiku
  gate g: first == second else reject
  return first
}
"""


@pytest.mark.parametrize(
    ("line", "word", "to", "why"),
    [
        (1, "Kind", "Sort", "declared twice"),
        (1, "Kind", "haiku", "declared twice"),
        (1, "Kind", "text", "hides another"),
        (1, "one", "two", "declared twice"),
        (3, "x", "y", "declared twice"),
        (5, "first", "second", "declared twice"),
        (5, "first", "x", "declared twice"),
        (5, "first", "if", "reserved"),
        (5, "first", "a b", "no name"),
        (5, "first", "", "no name"),
        (5, "haiku", "other", "own library"),
    ],
)
def test_a_name_that_collides_is_refused(renaming, line, word, to, why):
    place = renaming.at("steps.pipe", line, TWO_STEPS.split("\n")[line].index(word))
    with pytest.raises(Refused, match=why):
        renaming.ask("textDocument/rename", {**place, "newName": to})


@pytest.fixture(scope="module")
def renaming(tmp_path_factory) -> Iterator[EditorClient]:
    with EditorClient(tmp_path_factory.mktemp("renaming").resolve()) as client:
        client.open("steps.pipe", TWO_STEPS)
        client.findings("steps.pipe", 1)
        yield client


def test_no_key_waits_for_a_search_of_the_workspace(editor: EditorClient, folder: Path):
    (folder / "library.pipe").write_text(
        'use std.tiers\nenum Kind { one two }\nprompt q(x: text max 9 tokens) """{{ x }}"""\n'
    )
    for number in range(150):
        (folder / f"f{number}.pipe").write_text(
            'use "library.pipe"\nuse std.tiers\n'
            f"pipeline p{number}(x: text max 9 tokens) -> Kind {{\n"
            f"  step s: Kind = ask q(x) by haiku\n  return s\n}}\n"
        )
    editor.open("main.pipe", MAIN)
    editor.findings("main.pipe", 1)
    place = editor.at("main.pipe", 1, MAIN.split("\n")[1].index("Kind"))
    asked = editor.begin("textDocument/rename", {**place, "newName": "Sort"})
    assert key(editor, "# a key\n") == []
    assert not any(message.get("id") == asked for _, message in editor.messages)
    _, answer = editor.wait(lambda message: message.get("id") == asked)
    files = answer["result"]["documentChanges"]
    assert len(files) == 152
    assert sum(len(file["edits"]) for file in files) == 302


def test_a_template_is_known_though_no_program_is_open(editor: EditorClient, folder: Path):
    """Somebody opens a prompt alone: its names are those of the program that shows it."""
    program = 'type Page { to: text max 9 tokens }\nprompt q(page: Page) from "prompts/q.j2"\n'
    template = "Write to {{ page.to }}.\n"
    (folder / "asking.pipe").write_text(program)
    (folder / "prompts").mkdir()
    (folder / "prompts" / "q.j2").write_text(template)
    editor.open("prompts/q.j2", template)
    place = editor.at("prompts/q.j2", 0, template.index("to }}") + 1)
    (found,) = editor.ask("textDocument/definition", place)
    assert found["uri"] == editor.uri("asking.pipe")
    assert found["range"]["start"] == {"line": 0, "character": program.index("to:")}
    assert "to: text" in editor.ask("textDocument/hover", place)["contents"]["value"]
    edits = editor.ask("textDocument/rename", {**place, "newName": "whom"})["documentChanges"]
    changed = {one["textDocument"]["uri"]: len(one["edits"]) for one in edits}
    assert changed == {editor.uri("asking.pipe"): 1, editor.uri("prompts/q.j2"): 1}
    (folder / "asking.pipe").write_text("type Page { to: text max 9 tokens }\n")
    assert editor.ask("textDocument/hover", place) is None
