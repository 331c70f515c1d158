"""Files beside the workspace's first folder, and findings of programs in files that they import."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.language_server.analysis.numbers import numbers_of
from pipelang.interfaces.language_server.findings import diagnostics_of
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.session import CURRENT

from .editor import Editor, wait

LIB = "enum Kind { one two }\n"
MAIN = 'use "../lib/kinds.pipe" { Kind }\npipeline p(k: Kind) -> Kind {\n  return k\n}\n'


class Workspace(Editor):
    """An editor whose workspace is the folder `app`; files are named from the folder around it."""

    def __init__(self, around: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.around = around
        (around / "app").mkdir(exist_ok=True)
        (around / "lib").mkdir(exist_ok=True)
        monkeypatch.chdir(around / "app")
        self.session.documents.folders = (str(around / "app"),)

    def show(self, name: str, text: str) -> None:
        """Open a file whose text is not saved."""
        item = lsp.TextDocumentItem((self.around / name).as_uri(), "pipelang", 1, text)
        document = self.session.documents.opened(item)
        self.session.touched([document.path])

    def codes(self, name: str) -> list[str]:
        documents, roots = self.session.documents, self.session.roots
        for path in list(roots):
            wait(self.session.fresh(path))
        path = documents.path_of((self.around / name).as_uri())
        return [str(one.code) for one in diagnostics_of(path, roots, documents)]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return Workspace(tmp_path.resolve(), monkeypatch)


def test_what_is_not_saved_counts_beside_the_folder(workspace: Workspace) -> None:
    (workspace.around / "lib/kinds.pipe").write_text("enum Other { one two }\n")
    workspace.show("app/main.pipe", MAIN)
    assert workspace.codes("app/main.pipe") == ["P201", "P201", "P201"]
    workspace.show("lib/kinds.pipe", LIB)
    assert workspace.codes("app/main.pipe") == []
    assert workspace.codes("lib/kinds.pipe") == []


@pytest.mark.parametrize("name", ["app/main.pipe", "lib/kinds.pipe"])
def test_a_renaming_reaches_over_the_folder(name: str, workspace: Workspace) -> None:
    """From the library it changed the library alone, from the program as the disk has it."""
    (workspace.around / "lib/kinds.pipe").write_text("# older\n" + LIB)
    workspace.show("lib/kinds.pipe", LIB)
    workspace.show("app/main.pipe", MAIN)
    documents = workspace.session.documents
    document = documents.open[documents.path_of((workspace.around / name).as_uri())]
    place = document.lines.position(document.text.index("Kind"))
    params = lsp.RenameParams(lsp.TextDocumentIdentifier(document.uri), place, "Sort")
    made = wait(workspace.requests.rename(params))
    assert made is not None
    changed = {
        change.text_document.uri.rpartition("/")[2]: (
            change.text_document.version,
            len(change.edits),
            min(edit.range.start.line for edit in change.edits),
        )
        for change in made.document_changes or ()
        if isinstance(change, lsp.TextDocumentEdit)
    }
    assert changed == {"main.pipe": (1, 3, 0), "kinds.pipe": (1, 1, 0)}


def test_the_folder_may_be_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`..` is beside the folder that it leads to: what lies beside the link is another file."""
    (tmp_path / "real").mkdir()
    real = Workspace((tmp_path / "real").resolve(), monkeypatch)
    link = tmp_path.resolve() / "app"
    link.symlink_to(real.around / "app", target_is_directory=True)
    documents = real.session.documents
    documents.folders = (str(link),)
    beside = tmp_path.resolve() / "lib/kinds.pipe"
    assert documents.path_of(beside.as_uri()) == str(beside)
    assert documents.path_of((link / "main.pipe").as_uri()) == "main.pipe"


def test_a_circle_of_open_files_is_told_in_each(workspace: Workspace) -> None:
    """Each closes it in the other, and showed nothing of what was not its own."""
    workspace.show("app/a.pipe", 'use "b.pipe" { Kind }\nenum Own { x y }\n')
    workspace.show("app/b.pipe", 'use "a.pipe" { Own }\nenum Kind { one two }\n')
    assert workspace.codes("app/a.pipe") == ["P206"]
    assert workspace.codes("app/b.pipe") == ["P206"]


CROWD = """\
use "roles.pipe" { desk }
pipeline p(k: int) -> int {
  traffic 100000/day {}
  approve ok by desk else reject "no"
  return k
}
"""
ROLES = "role desk { people 1 handles 5m }\n"


def test_findings_of_a_program_stay_in_a_file_that_is_opened(workspace: Workspace) -> None:
    """A desk that is too small for who imports it: the finding went when its file was opened."""
    workspace.show("app/main.pipe", CROWD)
    workspace.show("app/roles.pipe", ROLES)
    assert workspace.codes("app/roles.pipe") == []
    root = workspace.session.roots["main.pipe"]
    loader = OpenFiles(workspace.session.documents.texts())
    root.numbers = numbers_of(check_file("main.pipe", loader, Configs(loader)))
    root.state, root.texts = CURRENT, workspace.session.documents.texts()
    assert "P508" in workspace.codes("app/roles.pipe")
    documents = workspace.session.documents
    documents.open["roles.pipe"].lines = documents.open["roles.pipe"].lines.of("# " + ROLES, "")
    roots = workspace.session.roots
    assert diagnostics_of("roles.pipe", roots, documents) == []  # it was of another text
