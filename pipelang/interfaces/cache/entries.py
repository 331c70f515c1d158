"""Entries of the user's cache folder: found by what was asked, believed while nothing has changed.

An entry is found by the question, where it was asked, and by which pipelang: its version and data,
the Python and its libraries. It holds what was read of the disk, down to files that were looked for
and not there, and the size and times of each of our modules that was loaded when it was made, so
that an edit to pipelang itself counts. It is believed only while all of that is still so. A broken
entry, a folder that cannot be written and whatever else goes wrong is a miss.

Nothing of an entry is ever run, and what another user could have written is not even looked at: an
entry belongs to the user, is writable by nobody else, and its digest goes over the name as well, so
that no entry can be put in the place of another.

`--no-cache` and PIPELANG_NO_CACHE=1 switch the cache off.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import time

from pipelang.digests import SIZE, digest
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.records import dataclass
from pipelang.resources import package_folder, resource_folder
from pipelang.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OPEN_TO_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_OLD_ENOUGH = time.time_ns() - 2_000_000_000
"""The time by which a module must have been changed last if what is loaded is to be what the disk
has: before this process began. Two seconds are the coarsest times of a file system.
"""

Stamp = tuple[str, int, int, int]
"""A file's path, its size and its times."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of entries below the user's cache folder, and how much of it is kept."""

    name: str
    most_entries: int
    most_bytes: int
    """Of one entry; what is longer is made anew each time."""

    def entry(self, question: object) -> str | None:
        """The file of the entry for a question, whose `repr` says all that it hangs on besides
        files; None if nothing is to be kept, or there is no place.
        """
        folder = self.folder()
        if os.environ.get("PIPELANG_NO_CACHE") or not folder:
            return None
        try:
            cwd = os.getcwd()
            key = repr((question, cwd, _installation(cwd)))
        except OSError:
            return None
        return os.path.join(folder, digest(key.encode("utf-8", "surrogatepass")).hex())

    def folder(self) -> str | None:
        """The folder in the user's cache folder; None if the user has no such folder."""
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA", "")
        else:
            base = os.environ.get("XDG_CACHE_HOME", "")
            if not os.path.isabs(base):
                usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
                base = os.path.join(os.path.expanduser("~"), usual)
        return os.path.join(base, "pipelang", self.name) if os.path.isabs(base) else None

    def recall(self, path: str) -> Any:
        """The kept value, if nothing that it was worked out from has changed; else None."""
        try:
            with open(path, "rb") as file:
                if not _is_ours(os.fstat(file.fileno())):
                    return None
                held = file.read()
            if _digest(path, held[SIZE:]) != held[:SIZE]:
                return None
            code, answer = marshal.loads(held[SIZE:])
            if not all(_stamp(stamp[0]) == stamp for stamp in code):
                return None
            files, folders, kept = marshal.loads(answer)
            if not FileSnapshot(files, folders).is_still_so():
                return None
        except (OSError, ValueError, TypeError, EOFError):
            return None
        _touch(path)
        return kept

    def remember(self, path: str, kept: Any, seen: FileSnapshot) -> None:
        """Keep something that `marshal` can write, as a whole or not at all."""
        if not seen.settled:
            return
        answer = marshal.dumps((seen.files, seen.folders, kept))
        if len(answer) > self.most_bytes:
            return
        try:
            code = _loaded()
        except OSError:
            return
        if not code or any(_changed(stamp) > _OLD_ENOUGH for stamp in code):
            return
        held = marshal.dumps((code, answer))
        folder, unfinished = os.path.dirname(path), f"{path}.{os.getpid()}"
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
            handle = os.open(unfinished, flags, 0o600)
            with open(handle, "wb") as file:
                file.write(_digest(path, held) + held)
            os.replace(unfinished, path)
            self._prune(folder)
        except OSError:
            return

    def _prune(self, folder: str) -> None:
        """Remove the oldest entries beyond the limit, and with time what was never finished."""
        names = os.listdir(folder)
        if len(names) <= self.most_entries:
            return
        paths = [os.path.join(folder, name) for name in names]
        paths.sort(key=lambda path: os.stat(path).st_mtime_ns)
        for path in paths[: -self.most_entries]:
            os.unlink(path)


def _touch(path: str) -> None:
    """Note that an entry was wanted: those that were not for longest go first."""
    try:
        os.utime(path)
    except OSError:
        return  # nothing goes where nothing can be written


def _digest(path: str, held: bytes) -> bytes:
    return digest(os.path.basename(path).encode() + held)


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody but the user can have written a file. Windows keeps its cache folder so."""
    if sys.platform == "win32":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & _OPEN_TO_OTHERS


def _installation(cwd: str) -> tuple[object, ...]:
    """The state of the installation that an answer depends on, but for our modules: our data and
    the libraries under us.

    Whatever is installed, upgraded or removed changes the time of a folder on Python's path.
    """
    libraries = [path for path in sys.path if os.path.isdir(path) and os.path.abspath(path) != cwd]
    times = [os.stat(path).st_mtime_ns for path in libraries]
    data = [resource_folder("grammar"), resource_folder("stdlib")]
    stamps = [stamp for folder in data for stamp in _below(folder)]
    return (__version__, sys.version, sys.platform, sys.path, package_folder(), times, stamps)


def _below(folder: str) -> list[Stamp]:
    """The stamp of every file below a folder, in order."""
    paths = [os.path.join(inside, name) for inside, _, names in os.walk(folder) for name in names]
    return [_stamp(path) for path in sorted(paths)]


def _loaded() -> list[Stamp]:
    """The stamps of our modules that are loaded. An answer depends on no other: which are, follows
    from the question, from what was read, and from the code of those that were loaded before.
    """
    inside = os.path.join(package_folder(), "")
    files = [getattr(one, "__file__", None) or "" for one in list(sys.modules.values())]
    return [_stamp(file) for file in sorted(set(files)) if file.startswith(inside)]


def _stamp(path: str) -> Stamp:
    status = os.stat(path)
    return (path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _changed(stamp: Stamp) -> int:
    """The time of the last change. Nobody sets a `ctime`; on Windows it is that of the making."""
    return stamp[2] if sys.platform == "win32" else stamp[3]
