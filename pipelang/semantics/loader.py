"""Protocol of what reads files; it is handed in, since `semantics` does no IO of its own.

It stands apart from `loading` so that who only reads an input does not import the parser.
"""

from __future__ import annotations

from typing import Protocol


class Unreadable(Exception):
    """A file that is there but is no UTF-8 text, or cannot be read. The message says why."""


class Loader(Protocol):
    """The source of files. Paths are texts; `base` is the path of the importing file."""

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""

    def beside(self, base: str, path: str) -> str:
        """The path of a file that is named relative to another file's folder."""

    def library(self, name: tuple[str, ...]) -> str | None:
        """The path of a library such as ("std", "tiers"), None if there is none."""

    def libraries(self) -> tuple[str, ...]:
        """The dotted names of all libraries, for suggestions."""


class NotingLoader:
    """A loader that notes of which files it was asked for the text, there or not."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.asked: set[str] = set()
        self.beside, self.library, self.libraries = loader.beside, loader.library, loader.libraries

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        self.asked.add(path)
        return self._loader.read(path)
