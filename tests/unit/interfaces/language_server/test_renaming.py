"""Definitions, references and renaming: a renamed program is the same program."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from pipelang.interfaces.language_server.features.names import names_of
from pipelang.interfaces.language_server.features.renaming import NameRefused, edited, rename
from pipelang.interfaces.language_server.session import look

from .editor import Editor, wait
from .test_completion import SMALL

REPO = Path(__file__).parents[4]
GALLERY = sorted(REPO.glob("examples/gallery/*.pipe"))


LISTS = REPO / "examples/gallery/44_texts_in_lists.pipe"  # whose traffic speaks of each


@pytest.mark.parametrize(
    "file", [*GALLERY[::4], LISTS, REPO / "examples/support/support.pipe"], ids=str
)
def test_each_name_can_be_renamed(file):
    """`rename` itself reads the program again and compares what every name means."""
    path, text = str(file), file.read_text(encoding="utf-8")
    survey, before = look(path, {path: text})
    names = names_of(survey)
    own = sorted({at for at in names.uses.values() if at.file == path})
    for declared in own[:: 1 if len(own) < 40 else 23]:
        word = names.text(declared)
        new = f"{word}zz"
        made = rename(declared, new, {path: names}, {path: text})
        after = {name: edited(names.texts[name], its) for name, its in made.edits.items()}
        assert sum(map(len, made.edits.values())) == len(names.of(declared))
        _, found = look(path, after)
        assert [one["code"] for one in found] == [one["code"] for one in before]


@pytest.mark.parametrize(
    ("place", "name", "why"),
    [
        ("found: Order =", "answer", "declared twice"),
        ("found: Order =", "match", "reserved word"),
        ("found: Order =", "2x", "is no name"),
        ("found: Order =", "staff", "staff"),
        ("small large", "large", "declared twice"),
        ("id: text max", "size", "declared twice"),
        ("staff {", "haiku", "haiku"),
        ("haiku {", "other", "own library"),
    ],
)
def test_a_name_that_would_collide_is_refused(place, name, why):
    editor = Editor(small=SMALL)
    before = editor.text("small.pipe")
    with pytest.raises(NameRefused, match=why):
        editor.rename("small.pipe", before.index(place), name)
    assert editor.text("small.pipe") == before


def test_a_name_goes_into_templates_tests_claims_and_promises():
    text = (
        SMALL
        + """
prove p: lookup only after right_size
test "small ones" {
  given p(order: {id: "a", size: small})
  mock answer = {id: "a", size: large}
  expect rejected right_size
}
"""
    )
    editor = Editor(small=text)
    path = editor.path("small.pipe")
    after = editor.rename("small.pipe", text.index("right_size"), "fits")[path]
    assert "right_size" not in after
    assert after.count("fits") == 3
    after = editor.rename("small.pipe", text.index("id: text"), "number")[path]
    assert "{{ order.number }}" in after
    assert 'given p(order: {number: "a", size: small})' in after


def test_a_name_goes_into_samples_and_metrics():
    text = SMALL.replace(
        "  return answer\n",
        "  return answer\n\n  sample 5% of answer by staff\n"
        "  watch { accuracy(answer) >= 90% over 7d else alert staff }\n",
    )
    editor = Editor(small=text)
    after = editor.rename("small.pipe", text.index("answer: Order"), "word")
    assert "answer" not in after[editor.path("small.pipe")]


def test_a_name_is_found_in_other_files():
    world = "enum Size { small large }\nrole staff { people 1 }\n"
    main = (
        'use "world.pipe"\n'
        "pipeline p(size: Size) -> Size {\n"
        "  gate g: size == small else escalate to staff\n"
        "  return size\n"
        "}\n"
    )
    editor = Editor(world=world, main=main)
    after = editor.rename("world.pipe", world.index("small"), "tiny")
    assert after[editor.path("world.pipe")] == world.replace("small", "tiny")
    assert after[editor.path("main.pipe")] == main.replace("small", "tiny")
    at = editor.at("main.pipe", main.index("staff") + 2)
    (place,) = wait(editor.requests.definition(lsp.DefinitionParams(**at))) or []
    assert place.uri.endswith("world.pipe")
    assert place.range.start == lsp.Position(1, 5)
    # What the other file calls so already would be hidden.
    with pytest.raises(NameRefused):
        editor.rename("main.pipe", main.index("size: Size"), "staff")


def test_a_template_is_a_part_of_the_program_that_names_it():
    main = 'type Ticket { body: text max 9 tokens }\nprompt q(ticket: Ticket) from "q.j2"\n'
    editor = Editor(main=main)
    template = "{% if ticket.body %}{{ ticket.body | upper }}{% endif %}"
    editor.open("q.j2", template)
    at = editor.at("q.j2", template.rindex("body"))
    (place,) = wait(editor.requests.definition(lsp.DefinitionParams(**at))) or []
    assert place.uri.endswith("main.pipe")
    assert place.range.start == lsp.Position(0, main.index("body"))
    after = editor.rename("main.pipe", main.index("ticket"), "mail")
    assert after[editor.path("q.j2")] == template.replace("ticket", "mail")
    document = lsp.TextDocumentIdentifier("file:///nowhere/q.j2")
    options = lsp.FormattingOptions(2, True)
    params = lsp.DocumentFormattingParams(document, options)
    assert wait(editor.requests.formatting(params)) is None
    assert wait(editor.requests.symbols(lsp.DocumentSymbolParams(document))) == []


def test_definitions_lead_out_of_the_language(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tools.py").write_text("import os\n\n\nclass Desk:\n    def find(self): ...\n")
    text = 'use std.tiers\ntool t() -> text { python "tools:Desk.find"  effect read }\n'
    editor = Editor()
    item = lsp.TextDocumentItem((tmp_path / "a.pipe").as_uri(), "pipelang", 1, text)
    editor.session.documents.opened(item)
    editor.session.touched([])
    for word, ending, line in (("Desk.find", "tools.py", 4), ("std.tiers", "tiers.pipe", 0)):
        document = editor.session.documents.open[str(tmp_path / "a.pipe")]
        position = document.lines.position(text.index(word) + 2)
        identifier = lsp.TextDocumentIdentifier(document.uri)
        params = lsp.DefinitionParams(identifier, position)
        (place,) = wait(editor.requests.definition(params)) or []
        assert place.uri.endswith(ending)
        assert place.range.start.line == line


def test_a_definition_in_python_is_found_behind_form_feeds(tmp_path, monkeypatch):
    """Python ends no line there, `splitlines` does: the place was in lines before it."""
    monkeypatch.chdir(tmp_path)
    strings = 'NAMES = """\n\x0c\n\x0c\n\x0c\n\x0c\nlookup\n"""\n\n\n'
    (tmp_path / "tools.py").write_text(strings + "def lookup(text: str) -> str: ...\n")
    text = 'tool t() -> text { python "tools:lookup"  effect read }\n'
    path = tmp_path / "a.pipe"
    path.write_text(text)
    editor = Editor()
    item = lsp.TextDocumentItem(path.as_uri(), "pipelang", 1, text)
    editor.session.touched([editor.session.documents.opened(item).path])
    place = editor.session.documents.open[str(path)].lines.position(text.index("lookup"))
    params = lsp.DefinitionParams(lsp.TextDocumentIdentifier(path.as_uri()), place)
    (found,) = wait(editor.requests.definition(params)) or []
    assert found.range.start == lsp.Position(9, 4)
