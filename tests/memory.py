"""Files in memory: a loader over a dict, with the libraries that travel with pipelang."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cache

from pipelang.resources import resource


@cache
def libraries() -> Mapping[str, str]:
    """The texts of the standard library, by the path under which they are shown."""
    folder = resource("stdlib")
    return {f"std/{path.name}": path.read_text("utf-8") for path in folder.glob("*.pipe")}


class MemoryLoader:
    """Reads from a dict of texts by path, as the loader of the disk does from files."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {**libraries(), **files}

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def beside(self, base: str, path: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(base), path))

    def library(self, name: tuple[str, ...]) -> str | None:
        path = "/".join(name) + ".pipe"
        return path if path in libraries() else None

    def libraries(self) -> tuple[str, ...]:
        return tuple(path.removesuffix(".pipe").replace("/", ".") for path in libraries())
