"""The files that an editor has open, as it has them, and the disk behind them."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from lsprotocol import types as lsp

from pipelang.interfaces.check.disk_loader import SUFFIX
from pipelang.interfaces.check.file_snapshot import pipes_below
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.records import dataclass, field
from pipelang.resources import resource


@dataclass(slots=True)
class Document:
    """An open file: `path` is what pipelang calls it, `version` the client's number of its text."""

    uri: str
    path: str
    version: int | None
    lines: TextLines

    @property
    def text(self) -> str:
        return self.lines.text


def parts_of(uri: str) -> SplitResult:
    """The parts of an address; one that cannot be taken apart (`file://[`) is a name of no file."""
    try:
        return urlsplit(uri)
    except ValueError:
        return SplitResult("", "", uri, "", "")


@dataclass(slots=True)
class Documents:
    """Open files by path, and the names of files in both directions.

    Paths are relative to the first folder of the workspace, so that messages say what
    `pipelang check` says there. The server works in that folder.
    """

    encoding: str = "utf-16"
    folders: tuple[str, ...] = ()
    open: dict[str, Document] = field(default_factory=dict)
    uris: dict[str, str] = field(default_factory=dict)

    def path_of(self, uri: str) -> str:
        """The name of a file by its address; that of a text without a file ends in `.pipe`."""
        parts = parts_of(uri)
        if parts.scheme != "file":
            name = unquote(parts.path or parts.netloc or "untitled").strip("/").replace("/", "_")
            path = f"{parts.scheme or 'untitled'}-{name}"
            path = path if path.endswith(SUFFIX) else path + SUFFIX
        else:
            real = unquote(parts.path)
            if os.name == "nt":
                real = real.lstrip("/")
            path = self._shown(os.path.normpath(real))
        self.uris.setdefault(path, uri)
        return path

    def uri_of(self, path: str) -> str:
        """The address of a file: as the client wrote it, if it did."""
        if path in self.uris:
            return self.uris[path]
        real = path
        if path.startswith("std/"):
            inside = resource("stdlib") / path.removeprefix("std/")
            real = str(inside) if inside.is_file() else path
        whole = Path(os.path.abspath(real)).as_posix()
        return "file://" + quote(whole if whole.startswith("/") else f"/{whole}", safe="/:")

    def _shown(self, real: str) -> str:
        inside = os.path.normpath(str(resource("stdlib")))
        if os.path.dirname(real) == inside:
            return "std/" + os.path.basename(real)
        if self.folders:
            try:
                below = os.path.relpath(real, self.folders[0])
            except ValueError:  # another drive
                return real
            # What lies beside the folder is named as an import from there names it, unless the way
            # there goes through a link, behind which `..` is elsewhere.
            outside = below.split(os.sep)[0] == os.pardir
            if not outside or os.path.realpath(self.folders[0]) == self.folders[0]:
                return below
        return real

    def enter(self) -> bool:
        """Work in the first folder of the workspace, as if `pipelang check` were called there: also
        in one that was deleted and made anew. While there is none, in the root of all folders,
        where no relative path finds a file by mistake. True if that is another folder than before.
        """
        if not self.folders:
            return False
        there = self.folders[0] if os.path.isdir(self.folders[0]) else os.path.abspath(os.sep)
        try:
            if os.path.samestat(os.stat(os.curdir), os.stat(there)):
                return False
            os.chdir(there)
        except OSError:  # it has just gone
            os.chdir(os.path.abspath(os.sep))
        return True

    def opened(self, item: lsp.TextDocumentItem) -> Document:
        """Take in a file that was opened."""
        path = self.path_of(item.uri)
        self.uris[path] = item.uri
        made = Document(item.uri, path, item.version, TextLines.of(item.text, self.encoding))
        self.open[path] = made
        return made

    def changed(self, params: lsp.DidChangeTextDocumentParams) -> Document | None:
        """Take in changes; None for a file that is not open."""
        document = self.open.get(self.path_of(params.text_document.uri))
        if document is None:
            return None
        lines = document.lines
        for change in params.content_changes:
            lines = lines.changed(change)
        document.lines = lines
        document.version = params.text_document.version
        return document

    def closed(self, uri: str) -> str:
        """Forget an open file; its path."""
        path = self.path_of(uri)
        self.open.pop(path, None)
        return path

    def texts(self) -> dict[str, str]:
        """The texts of all open files."""
        return {path: document.text for path, document in self.open.items()}

    def lines_of(self, path: str, text: str | None = None) -> TextLines:
        """The lines of a file: as it is open, else as `text` or the disk has it."""
        if path in self.open:
            return self.open[path].lines
        if text is None:
            text = OpenFiles({}).quiet(path) or ""
        return TextLines(text.removeprefix("\ufeff"), self.encoding)

    def pipes(self) -> list[str]:
        """The `.pipe` files of the workspace, and those that are open besides."""
        found: dict[str, None] = {}
        for folder in self.folders:
            for name in pipes_below(folder):
                found.setdefault(self._shown(os.path.normpath(os.path.join(folder, name))))
        for path in self.open:
            if path.endswith(SUFFIX):
                found.setdefault(path)
        return list(found)
