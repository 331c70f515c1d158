"""The loader of the disk: `.pipe` files, what they import, and the files that they name.

The files may come from somebody who means harm, and checking them may take neither long nor much
memory, nor show what is none of their author's business. So only regular files are read, and no
more of them than a limit; a `.pipe` file is not a link to something else, such as a password file;
and of a template outside the project no line is quoted.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from functools import cache, lru_cache

from pipelang.diagnostics import Source, Sources
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.resources import resource_folder
from pipelang.semantics.loader import Unreadable

MAX_BYTES = 64 * 1024 * 1024
MAX_PROGRAM = 8 * 1024 * 1024
"""Bytes of a `.pipe` file: some 200,000 lines, more than anybody writes by hand."""

SUFFIX = ".pipe"
_DESCRIPTORS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Folder where a shell puts what a command writes, as in `pipelang check <(make_pipe)`."""

_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a named pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)

STANDARD_INPUT = "-"
"""The path of what is read from standard input; it imports from the current folder."""


def text_of(data: bytes, most: int = MAX_BYTES) -> str:
    """The text of a file's bytes. Raises `Unreadable`."""
    if len(data) > most:
        raise Unreadable(f"it is larger than {most // 2**20} MB")
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
    return text_of(sys.stdin.buffer.read(MAX_PROGRAM + 1), MAX_PROGRAM)


@lru_cache(64)
def _of_package(real: str, changed: int, size: int) -> str:
    """The text of a file that travels with pipelang, as it was at a moment (ns), read once: an
    editor asks for all of them at every name that nobody declared, with every key.
    """
    return text_of(_read_some(real, MAX_PROGRAM + 1, may_wait=False), MAX_PROGRAM)


class DiskLoader:
    """Reads from the file system; library files are shown as `std/NAME.pipe`.

    `named` are the paths of a command line: one of them may be what a shell pipes in.
    """

    _piped: frozenset[str] = frozenset()

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._piped = frozenset(
            os.path.normpath(path) for path in named if path.startswith(_DESCRIPTORS)
        )

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        if path == STANDARD_INPUT:
            return _standard_input()
        real = self._real(path)
        if path.startswith("std/") and real != path:
            now = os.stat(real)
            return _of_package(real, now.st_mtime_ns, now.st_size)
        most = MAX_PROGRAM if path.endswith(SUFFIX) else MAX_BYTES
        try:
            data = _read_some(real, most + 1, may_wait=path in self._piped)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise Unreadable("its name holds a NUL") from error
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error
        return text_of(data, most)

    def beside(self, base: str, path: str) -> str:
        """A path relative to the folder of another file. One file has one name: what leaves the
        current folder and comes back (`../app/c.pipe` in `app`) is named as from here.
        """
        found = os.path.normpath(os.path.join(os.path.dirname(base), path))
        if not base or not found.startswith(os.pardir + os.sep):
            return found
        try:
            return os.path.relpath(found)
        except (OSError, ValueError):  # the current folder is gone, or on another drive
            return found

    def library(self, name: tuple[str, ...]) -> str | None:
        """The shown path of a library."""
        dotted = ".".join(name)
        return dotted.replace(".", "/") + ".pipe" if dotted in self.libraries() else None

    @cache  # noqa: B019  (one small tuple; loaders live as long as a command)
    def libraries(self) -> tuple[str, ...]:
        """The dotted names of the libraries that travel with pipelang."""
        names = [name for name in os.listdir(resource_folder("stdlib")) if name.endswith(SUFFIX)]
        return tuple(sorted(f"std.{name.removesuffix(SUFFIX)}" for name in names))

    def _real(self, path: str) -> str:
        if path.startswith("std/"):
            inside = os.path.join(resource_folder("stdlib"), path.removeprefix("std/"))
            if os.path.isfile(inside):
                return inside
        return path or os.curdir


def _read_some(path: str, most: int, may_wait: bool) -> bytes:
    """At most so many bytes of a regular file; of anything else only where it may be waited for.

    Raises `Unreadable` and OSError.
    """
    status = os.stat(path)
    if not may_wait:
        _must_be_file(status.st_mode)
        if status.st_size >= most:
            raise Unreadable(f"it is larger than {most // 2**20} MB")
        if path.endswith(SUFFIX) and not os.path.realpath(path).endswith(SUFFIX):
            raise Unreadable(f"it is a link to a file whose name does not end in {SUFFIX}")
    # Between the question and this line the file may have become another.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags if may_wait else flags | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        if not may_wait:
            _must_be_file(os.fstat(handle).st_mode)
        return file.read(most)


MAX_INPUT = 1024 * 1024 * 1024
"""Bytes of a file of inputs or answers."""


def input_text(path: str) -> str:
    """The text of a file that a command line names as `@PATH`, without a byte order mark. What a
    shell pipes in is read to its end. Raises `Unreadable` and OSError.
    """
    data = _read_some(path or os.curdir, MAX_INPUT + 1, may_wait=path.startswith(_DESCRIPTORS))
    return text_of(data, MAX_INPUT).removeprefix("\ufeff")


def check_regular(path: str | os.PathLike[str]) -> None:
    """Check that a path is a file, if there is anything. Raises `Unreadable` and OSError."""
    try:
        _must_be_file(os.stat(path).st_mode)
    except FileNotFoundError:
        return


def _must_be_file(mode: int) -> None:
    for is_so, why in _KINDS:
        if is_so(mode):
            raise Unreadable(why)


_PROJECT = (".git", "pyproject.toml")


def quotable(sources: Sources, root: str) -> Sources:
    """The files of a program as findings may quote them: of a template that lies outside the
    project of the file `root` only the lengths of its lines are left.

    The project is the nearest folder above `root` with a `.git` or pyproject.toml; without one it
    is the file's own folder.
    """
    if all(name.endswith(SUFFIX) for name in sources):
        return sources
    project = _project(root)
    return {
        name: source
        if name.endswith(SUFFIX) or name == root or _is_below(name, project)
        else Source(name, "\n".join(" " * len(line) for line in source.text.split("\n")))
        for name, source in sources.items()
    }


def _project(root: str) -> str:
    folder = os.path.dirname(os.path.realpath(root))
    above = folder
    while not any(os.path.exists(os.path.join(above, name)) for name in _PROJECT):
        upper = os.path.dirname(above)
        if upper == above:
            return folder
        above = upper
    return above


def _is_below(name: str, project: str) -> bool:
    try:
        inside = os.path.relpath(os.path.realpath(name), project).split(os.sep)
    except ValueError:  # another drive
        return False
    return inside[0] != ".." and ".git" not in inside


class SeeingLoader(DiskLoader):
    """A loader of the disk that notes what it saw."""

    def __init__(self, seen: FileSnapshot, named: Iterable[str] = ()) -> None:
        super().__init__(named)
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
