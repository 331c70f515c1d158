"""Caches the output of `pipelang check` for as long as nothing that it depends on has changed.

An entry is found by how the command was called, where, and by which pipelang: the version, the
times of its own files (so that an edit to pipelang itself counts), the Python and its libraries.
It holds what was read of the disk, down to files that were looked for and not there, and is
believed only while all of that is still so. A broken entry, a folder that cannot be written and
whatever else goes wrong is a miss: the cache costs time at worst, and never an answer.

The entries lie in the user's own cache folder, 200 of them at most, since a check should leave
nothing behind where it is called. `--no-cache` and PIPELANG_NO_CACHE=1 switch them off.
"""

from __future__ import annotations

import marshal
import os
import sys
from hashlib import sha256

from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.records import dataclass
from pipelang.resources import package_folder, resource_folder
from pipelang.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelang.interfaces.cli.check.command_line import CheckLine

MOST_ENTRIES = 200
MOST_BYTES = 2 * 1024 * 1024
"""Of one entry; a longer report is made anew each time."""

_DIGEST = 32


@dataclass(frozen=True, slots=True)
class CachedOutput:
    """The output of a check: its two streams and its exit code."""

    output: str
    errors: str
    code: int


def entry(line: CheckLine, width: int, colour: bool) -> str | None:
    """The file of a check's entry; None if nothing is to be remembered, or there is no place."""
    folder = cache_folder()
    if not line.cache or "-" in line.paths or os.environ.get("PIPELANG_NO_CACHE") or not folder:
        return None
    if line.import_tools:
        return None  # what a tool's module reads is not known
    try:
        cwd = os.getcwd()
        key = repr((line, width, colour, cwd, _installation(cwd)))
    except OSError:
        return None
    return os.path.join(folder, sha256(key.encode("utf-8", "surrogatepass")).hexdigest())


def cache_folder() -> str | None:
    """The user's cache folder for entries; None if the user has no such folder."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):
            usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
            base = os.path.join(os.path.expanduser("~"), usual)
    return os.path.join(base, "pipelang", "check") if os.path.isabs(base) else None


def _installation(cwd: str) -> tuple[object, ...]:
    """The state of the installation that a report depends on: our code and the libraries under it.

    Whatever is installed, upgraded or removed changes the time of a folder on Python's path.
    """
    libraries = [path for path in sys.path if os.path.isdir(path) and os.path.abspath(path) != cwd]
    times = [os.stat(path).st_mtime_ns for path in libraries]
    ours = [package_folder(), resource_folder("grammar"), resource_folder("stdlib")]
    stamps = [stamp for folder in ours for stamp in _stamps(folder)]
    return (__version__, sys.version, sys.platform, sys.path, times, stamps)


def _stamps(folder: str) -> list[tuple[str, int, int, int]]:
    """Path, size and times of every file below a folder, in order."""
    stamps = []
    inside = []
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name == "__pycache__":
                continue
            if one.is_dir():
                inside.append(one.path)
            else:
                status = one.stat()
                times = (status.st_mtime_ns, status.st_ctime_ns)
                stamps.append((one.path, status.st_size, *times))
    for path in inside:
        stamps += _stamps(path)
    return sorted(stamps)


def recall(path: str) -> CachedOutput | None:
    """The cached output, if nothing that it depends on has changed."""
    try:
        with open(path, "rb") as file:
            held = file.read()
        if sha256(held[_DIGEST:]).digest() != held[:_DIGEST]:
            return None
        files, folders, said = marshal.loads(held[_DIGEST:])
        if not FileSnapshot(files, folders).is_still_so():
            return None
        os.utime(path)  # the entries that go first are those that were not wanted for longest
        return CachedOutput(*said)
    except (OSError, ValueError, TypeError, EOFError):
        return None


def remember(path: str, said: CachedOutput, seen: FileSnapshot) -> None:
    """Keep what was said, as a whole or not at all."""
    if not seen.settled:
        return
    answer = (said.output, said.errors, said.code)
    held = marshal.dumps((seen.files, seen.folders, answer))
    if len(held) > MOST_BYTES:
        return
    folder, unfinished = os.path.dirname(path), f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "wb") as file:
            file.write(sha256(held).digest() + held)
        os.replace(unfinished, path)
        _prune(folder)
    except OSError:
        return


def _prune(folder: str) -> None:
    """Remove the oldest entries beyond the limit, and with time what was never finished."""
    names = os.listdir(folder)
    if len(names) <= MOST_ENTRIES:
        return
    paths = [os.path.join(folder, name) for name in names]
    paths.sort(key=lambda path: os.stat(path).st_mtime_ns)
    for path in paths[:-MOST_ENTRIES]:
        os.unlink(path)
