"""The loader of an editor: open files as they are there, all others from the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.loader import Unreadable


class OpenFiles(DiskLoader):
    """The disk, with open files as the editor has them."""

    def __init__(self, texts: Mapping[str, str], named: Iterable[str] = ()) -> None:
        super().__init__(named)
        self.texts = texts

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        text = self.texts.get(path)
        return super().read(path) if text is None else text

    def quiet(self, path: str) -> str | None:
        """The text of a file, None also if it cannot be read."""
        try:
            return self.read(path)
        except Unreadable:
            return None
