"""An editor in a test's own process: files as it has them open, requests answered at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.requests import Requests
from pipelang.interfaces.language_server.session import EditorSession, Root, look

Answer = TypeVar("Answer")


class AtOnce(EditorSession):
    """A session without threads and processes: a survey is made when it is asked for."""

    def __init__(self) -> None:
        super().__init__(lambda root: None, lambda root: None)

    def touched(self, paths, appeared=False):
        for path in self.documents.open:
            if path.endswith(".pipe"):
                self.roots.setdefault(path, Root(path)).survey = None

    async def in_thread(self, work, *given):
        return work(*given)

    async def over_workspace(self, work, *given):
        return work(*given)

    async def fresh(self, path):
        root = self.roots.get(path)
        if root is not None and root.survey is None:
            root.texts = self.documents.texts()
            root.survey, root.findings = look(path, root.texts)
            if root.survey.built.program is not None:
                root.sound = root.survey
        return root


class Editor:
    """Open files by name, and requests by name and offset."""

    def __init__(self, **files: str) -> None:
        self.session = AtOnce()
        self.requests = Requests(self.session)
        for name, text in files.items():
            self.open(f"{name}.pipe", text)

    def open(self, name: str, text: str) -> None:
        item = lsp.TextDocumentItem(f"file:///nowhere/{name}", "pipelang", 1, text)
        document = self.session.documents.opened(item)
        self.session.touched([document.path])

    def write(self, name: str, more: str) -> None:
        """Type at the end of an open file: a change as editors tell it, of what is new alone."""
        document = self.session.documents.open[self.path(name)]
        end = document.lines.position(len(document.text))
        change = lsp.TextDocumentContentChangePartial(range=lsp.Range(end, end), text=more)
        version = (document.version or 0) + 1
        identifier = lsp.VersionedTextDocumentIdentifier(version, document.uri)
        params = lsp.DidChangeTextDocumentParams(identifier, [change])
        self.session.documents.changed(params)
        self.session.touched([document.path])

    def root(self, name: str) -> Root:
        root = wait(self.session.fresh(self.path(name)))
        assert root is not None
        return root

    @staticmethod
    def path(name: str) -> str:
        return f"/nowhere/{name}"

    def text(self, name: str) -> str:
        return self.session.documents.open[self.path(name)].text

    def at(self, name: str, offset: int) -> dict[str, object]:
        """The arguments of a request about a place."""
        document = self.session.documents.open[self.path(name)]
        return {
            "text_document": lsp.TextDocumentIdentifier(document.uri),
            "position": document.lines.position(offset),
        }

    def complete(self, name: str, offset: int) -> list[str]:
        params = lsp.CompletionParams(**self.at(name, offset))
        return [item.label for item in wait(self.requests.completion(params)).items]

    def rename(self, name: str, offset: int, to: str) -> dict[str, str]:
        """The texts of all files after a renaming, by their paths."""
        params = lsp.RenameParams(new_name=to, **self.at(name, offset))
        made = wait(self.requests.rename(params))
        assert made is not None
        texts = dict(self.session.documents.texts())
        for change in made.document_changes or ():
            path = self.session.documents.path_of(change.text_document.uri)
            lines = self.session.documents.lines_of(path)
            text = texts.setdefault(path, lines.text)
            for edit in sorted(change.edits, key=lambda e: lines.offset(e.range.start))[::-1]:
                start, end = lines.offset(edit.range.start), lines.offset(edit.range.end)
                text = text[:start] + edit.new_text + text[end:]
            texts[path] = text
        return texts


def wait(answer: Awaitable[Answer]) -> Answer:
    """The result of an answer that waits for nothing."""

    async def get() -> Answer:
        return await answer

    return asyncio.run(get())
