"""Nothing old without saying so: findings and numbers of a text that has changed since."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.language_server import session as sessions
from pipelang.interfaces.language_server.analysis.background import Background
from pipelang.interfaces.language_server.analysis.numbers import numbers_of
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features.lenses import hints, lenses
from pipelang.interfaces.language_server.findings import STALE, diagnostics_of, findings_of
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import (
    BROKEN,
    CURRENT,
    FAILED,
    EditorSession,
    Root,
    look,
)
from pipelang.interfaces.language_server.session import STALE as OLD

from .editor import Editor

# A fallback at the provider that it should replace: only the analysis finds that (P505).
TEXT = """\
use std.tiers

prompt q(a: text max 9 tokens) \"\"\"{{ a }}\"\"\"

pipeline p(a: text max 9 tokens) -> text {
  step b: text = ask q(a) by opus {
    accuracy 90%
    timeout 60s
    output 9 tokens mean, 20 tokens max
  }
    else ask q(a) by haiku {
      accuracy 80%
      timeout 60s
      output 9 tokens mean, 20 tokens max
    }
    else fail "no"
  return b
}
"""


def analysed(text: str, state: str = CURRENT) -> tuple[Root, Documents, str]:
    """A root with numbers of TEXT whose text has become another one."""
    editor = Editor(old=text)
    path = editor.path("old.pipe")
    root = Root(path)
    root.survey, root.findings = look(path, {path: text})
    root.numbers = numbers_of(check_file(path, OpenFiles({path: TEXT})))
    _, root.quick = look(path, {path: TEXT})
    root.state = state
    return root, editor.session.documents, path


def test_current_findings_are_those_of_the_check():
    root, documents, path = analysed(TEXT)
    assert [found["code"] for found, old in findings_of(root, documents) if not old] == ["P505"]
    (told,) = diagnostics_of(path, {path: root}, documents)
    assert not told.message.startswith(STALE)


def test_older_findings_move_with_their_line_and_say_so():
    root, documents, path = analysed(f"# one\n# two\n{TEXT}", OLD)
    (told,) = diagnostics_of(path, {path: root}, documents)
    assert told.message.startswith(STALE)
    before = TEXT.split("\n")[told.range.start.line - 2]
    assert before.lstrip().startswith("else ask q(a) by haiku")
    assert told.data["stale"]


def test_a_finding_goes_when_its_own_text_is_changed():
    root, documents, path = analysed(TEXT.replace("by haiku", "by sonnet"), OLD)
    assert diagnostics_of(path, {path: root}, documents) == []


def test_new_findings_stand_beside_older_ones():
    root, documents, path = analysed(TEXT.replace("return b", "return c"), BROKEN)
    told = {one.code: one.message for one in diagnostics_of(path, {path: root}, documents)}
    assert told["P505"].startswith(STALE)
    assert not told["P201"].startswith(STALE)


def test_every_state_is_told_in_the_lens():
    for state, words in (
        (OLD, "before your last"),
        (BROKEN, "before the err"),
        (FAILED, "broke off"),
    ):
        root, documents, path = analysed(TEXT, state)
        (lens,) = lenses(root, "file:///a", documents.lines_of(path))
        assert lens.command is not None
        assert words in lens.command.title
        assert "answered right" in lens.command.title
        assert all(one.label.startswith("(") for one in hints(root, documents.lines_of(path)))
        root.numbers = None
        (lens,) = lenses(root, "file:///a", documents.lines_of(path))
        assert lens.command is not None
        assert "answered right" not in lens.command.title


def test_numbers_that_are_there_already_are_shown_before_the_rest():
    """Of the text as it is: they stand beside what is old or not there, until a key comes."""
    for state, words in ((OLD, "before your last"), ("computing", "1,051 pipelines are left")):
        root, documents, path = analysed(f"{TEXT}\n{TEXT[TEXT.index('pipeline') :]}", state)
        both = f"{TEXT}\n{TEXT[TEXT.index('pipeline') :].replace(' p(', ' r(')}"
        root.survey, root.findings = look(path, {path: both})
        if state == OLD:
            root.numbers = numbers_of(check_file(path, OpenFiles({path: both})))
        else:
            root.numbers = None
        root.some, root.left = {"p": "answered right 1%"}, 1051
        first, second = (one.command for one in lenses(root, "file:///a", documents.lines_of(path)))
        assert first is not None
        assert second is not None
        assert first.title == "answered right 1%"
        assert words in second.title


def test_a_key_takes_back_the_numbers_that_are_there_already():
    async def scene() -> dict[str, str]:
        session = EditorSession(lambda root: None, lambda root: None)
        session.documents.open.update(Editor(a=TEXT).session.documents.open)
        (path,) = session.documents.open
        session.roots[path] = root = Root(path, some={"p": "answered right 1%"})
        session.touched([path])
        there = root.some
        await session.close()
        return there

    assert asyncio.run(scene()) == {}


def test_a_mistake_of_ours_does_not_end_the_session(monkeypatch):
    """The survey breaks down once: the file's numbers are told to have failed, and it goes on."""

    async def scene() -> list[str]:
        told: list[str] = []
        session = EditorSession(lambda root: None, lambda root: told.append(root.state))
        monkeypatch.setattr(sessions, "look", lambda path, texts: 1 / 0)
        document = Editor(a="role staff { people 1 }\n").session.documents.open
        session.documents.open.update(document)
        (path,) = session.documents.open
        session.touched([path])
        await session.fresh(path)
        monkeypatch.setattr(sessions, "look", look)
        session.touched([path])
        root = await session.fresh(path)
        assert root is not None
        assert root.survey is not None
        await session.close()
        return told

    assert asyncio.run(scene())[0] == FAILED


def test_a_text_that_is_typed_on_is_surveyed_once_more_and_not_once_a_key(monkeypatch):
    """Keys that come while a survey is under way are answered by one survey of the last text."""
    calls: list[str] = []

    def slow(path, texts):
        calls.append(texts[path])
        return look(path, texts)

    async def scene() -> None:
        monkeypatch.setattr(sessions, "look", slow)
        session = EditorSession(lambda root: None, lambda root: None)
        documents = Editor(a="role staff { people 1 }\n").session.documents
        session.documents.open.update(documents.open)
        (document,) = session.documents.open.values()
        session.touched([document.path])
        for number in range(50):
            document.lines = TextLines(f"role staff {{ people {number} }}\n")
            session.touched([document.path])
        root = await session.fresh(document.path)
        assert root is not None
        assert root.texts[document.path] == document.text
        await session.close()

    asyncio.run(scene())
    assert len(calls) <= 2
    assert calls[-1] == "role staff { people 49 }\n"


def test_whoever_looks_at_a_file_comes_first(monkeypatch):
    """A library changes that all open files import: it is surveyed first, then the file that an
    editor shows (it asks for its lenses), and their numbers come in that order, too.
    """
    surveyed: list[str] = []
    worked: list[str] = []

    def seen(path, texts):
        surveyed.append(path)
        return look(path, texts)

    async def work(background, wish):
        worked.append(wish.path)
        await asyncio.sleep(0.001)

    async def scene() -> None:
        files = {f"f{n}": f'use "library.pipe"\nrole r{n} {{ people 1 }}\n' for n in range(20)}
        opened = Editor(library="enum Kind { one }\n", **files).session.documents
        session = EditorSession(lambda root: None, lambda root: None)
        session.documents.open.update(opened.open)
        shown, library = Editor.path("f7.pipe"), Editor.path("library.pipe")
        session.touched(list(opened.open))
        while not session.is_idle:  # noqa: ASYNC110  (until all is done)
            await asyncio.sleep(0.01)
        surveyed.clear()
        worked.clear()
        session.touched([library])
        await session.fresh(shown)
        while not session.is_idle:  # noqa: ASYNC110  (until all is done)
            await asyncio.sleep(0.01)
        await session.close()
        assert sorted(surveyed) == sorted(worked) == sorted(opened.open)
        assert {surveyed[0], surveyed[1]} == {library, shown}
        assert {worked[0], worked[1], worked[2]} >= {library, shown}

    monkeypatch.setattr(sessions, "look", seen)
    monkeypatch.setattr(Background, "_do", work)
    asyncio.run(scene())


def test_findings_are_told_of_the_version_that_they_are_of(monkeypatch):
    """A key comes while a survey is made: what it found is of the text before."""
    told: list[tuple[int | None, str]] = []

    async def scene() -> None:
        documents = Editor(a="role staff { people 1 }\n").session.documents
        (document,) = documents.open.values()
        session = EditorSession(
            lambda root: told.append((root.version, root.texts[document.path])), lambda root: None
        )
        session.documents.open.update(documents.open)

        def slow(path, texts):
            if document.version == 1:
                document.version, document.lines = 2, TextLines("role staff { people 2 }\n")
            return look(path, texts)

        monkeypatch.setattr(sessions, "look", slow)
        session.touched([document.path])
        await session.fresh(document.path)
        session.touched([document.path])
        await session.fresh(document.path)
        await session.close()

    asyncio.run(scene())
    first, last = told[0], told[-1]
    assert first == (1, "role staff { people 1 }\n")
    assert last == (2, "role staff { people 2 }\n")


@pytest.mark.parametrize("first", ['{"correct": tru}\n', "", None])
def test_evidence_is_followed_from_fault_to_fault(first):
    """A row is mended in the editor: what was told of it goes, though nothing of it was of use."""
    text = TEXT.replace("accuracy 90%", 'accuracy from "rows.jsonl"')
    files = {"a.pipe": text} if first is None else {"a.pipe": text, "rows.jsonl": first}
    rows = ['{"correct": true}\n{"correct": fals}\n', '{"correct": true}\n', '{"correct": 1}\n']

    async def scene() -> None:
        session = EditorSession(lambda root: None, lambda root: None)
        editor = Editor()
        for name, written in files.items():
            editor.open(name, written)
        session.documents = editor.session.documents
        path, evidence = editor.path("a.pipe"), editor.path("rows.jsonl")
        session.touched([path])
        for changed in rows:
            before = session.documents.open.get(evidence)
            if before is None:
                editor.open("rows.jsonl", changed)
            else:
                before.lines = TextLines(changed)
            session.touched([evidence], appeared=before is None)
            root = await session.fresh(path)
            assert root is not None
            assert root.findings == look(path, session.documents.texts())[1]
        await session.close()

    asyncio.run(scene())


@pytest.mark.parametrize("template", ["q.txt", "late.txt"])
def test_what_changes_while_a_survey_first_reads_it_counts(template, monkeypatch):
    """A file comes to name a template, which is changed, or made, before the survey that reads it
    has told anybody of that.
    """
    good = TEXT.replace('"""{{ a }}"""', f'from "{template}"')
    steps: list[str] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        session = EditorSession(lambda root: None, lambda root: None)
        editor = Editor(a=TEXT if template == "late.txt" else "")
        editor.open("q.txt", "{{ a }}")
        session.documents = editor.session.documents
        path = editor.path("a.pipe")

        def change() -> None:
            if template == "q.txt":
                session.documents.open[editor.path("q.txt")].lines = TextLines("{{ b }}")
            else:
                editor.open("late.txt", "{{ a }}")
            session.touched([editor.path(template)], appeared=template == "late.txt")
            changed.set()

        def slow(looked_at, texts):
            made = look(looked_at, texts)
            if texts[looked_at] == good and not steps:
                steps.append("changed")
                loop.call_soon_threadsafe(change)
                changed.wait()
            return made

        changed = threading.Event()
        monkeypatch.setattr(sessions, "look", slow)
        session.touched([path])
        await session.fresh(path)
        session.documents.open[path].lines = TextLines(good)
        session.touched([path])
        while not session.is_idle:  # noqa: ASYNC110  (until all is done)
            await asyncio.sleep(0.01)
        root = session.roots[path]
        assert root.findings == look(path, session.documents.texts())[1]
        await session.close()

    asyncio.run(scene())
    assert steps == ["changed"]


def test_numbers_are_of_the_configuration_that_is_open(monkeypatch):
    """Codes that an unsaved pyproject.toml ignores are ignored by the analysis, too."""
    wishes: list[dict[str, str]] = []

    async def work(background, wish):
        wishes.append(wish.texts)

    async def scene() -> None:
        session = EditorSession(lambda root: None, lambda root: None)
        editor = Editor(a=TEXT, other="enum Kind { one }\n")
        editor.open("pyproject.toml", '[tool.pipelang]\nignore = ["P505"]\n')
        session.documents = editor.session.documents
        session.touched([editor.path("a.pipe")])
        while not session.is_idle:  # noqa: ASYNC110  (until all is done)
            await asyncio.sleep(0.01)
        await session.close()

    monkeypatch.setattr(Background, "_do", work)
    asyncio.run(scene())
    (texts,) = wishes
    assert sorted(texts) == [Editor.path("a.pipe"), Editor.path("pyproject.toml")]
    assert [one["code"] for one in numbers_of_texts(texts)["findings"]] == []


def numbers_of_texts(texts):
    loader = OpenFiles(texts)
    path = Editor.path("a.pipe")
    return numbers_of(check_file(path, loader, Configs(loader)))
