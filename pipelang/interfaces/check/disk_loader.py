"""The loader of the disk: `.pipe` files, what they import, and the files that they name."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.resources import resource
from pipelang.semantics.loading import Unreadable

MAX_BYTES = 64 * 1024 * 1024

STANDARD_INPUT = "-"
"""The path of what is read from standard input; it imports from the current folder."""


def text_of(data: bytes) -> str:
    """The text of a file's bytes. Raises `Unreadable`."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"it is larger than {MAX_BYTES // 2**20} MB")
    if b"\0" in data:
        raise Unreadable("it holds a NUL byte")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(f"line {line} has the byte 0x{data[error.start]:02x}") from error


@cache
def _standard_input() -> str:
    """The text of standard input, read once: it comes only once."""
    return text_of(sys.stdin.buffer.read(MAX_BYTES + 1))


class DiskLoader:
    """Reads from the file system; library files are shown as `std/NAME.pipe`."""

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        if path == STANDARD_INPUT:
            return _standard_input()
        real = self._real(path)
        try:
            if real.is_dir():
                raise Unreadable("it is a folder")
            if real.stat().st_size > MAX_BYTES:
                raise Unreadable(f"it is larger than {MAX_BYTES // 2**20} MB")
            data = real.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error
        return text_of(data)

    def beside(self, base: str, path: str) -> str:
        """A path relative to the folder of another file."""
        return os.path.normpath(os.path.join(os.path.dirname(base), path))

    def library(self, name: tuple[str, ...]) -> str | None:
        """The shown path of a library."""
        dotted = ".".join(name)
        return dotted.replace(".", "/") + ".pipe" if dotted in self.libraries() else None

    @cache  # noqa: B019  (one small tuple; loaders live as long as a command)
    def libraries(self) -> tuple[str, ...]:
        """The dotted names of the libraries that travel with pipelang."""
        folder = resource("stdlib")
        return tuple(sorted(f"std.{path.stem}" for path in folder.glob("*.pipe")))

    def _real(self, path: str) -> Path:
        if path.startswith("std/"):
            inside = resource("stdlib") / path.removeprefix("std/")
            if inside.is_file():
                return inside
        return Path(path)


class SeeingLoader(DiskLoader):
    """A loader of the disk that notes what it saw."""

    def __init__(self, seen: FileSnapshot) -> None:
        self.seen = seen

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        try:
            text = super().read(path)
        except Unreadable:
            self.seen.settled = False  # it may become readable in ways that nobody sees
            raise
        self.seen.file(str(self._real(path)), None if text is None else text.encode())
        return text
