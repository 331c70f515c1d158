"""The files and folders that a command read, and whether they are still the same.

Loaded before anything else when nothing has changed, so it imports next to nothing.
"""

from __future__ import annotations

import os
import stat

from pipelang.digests import digest
from pipelang.records import dataclass, field

IGNORED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages"})
"""Besides hidden ones (`.git`, `.venv`, `.pipelang`) and virtual environments by any name."""


@dataclass(slots=True)
class FileSnapshot:
    """Files by path, each with the size and the digest of its bytes, None where there was none;
    folders, each with the `.pipe` files below it.

    `settled` is False once something was seen that cannot be asked for again.
    """

    files: dict[str, tuple[int, bytes] | None] = field(default_factory=dict)
    folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settled: bool = True

    def file(self, path: str, data: bytes | None) -> None:
        """A file was read, or was not there."""
        found = None if data is None else (len(data), digest(data))
        if self.files.setdefault(path, found) != found:
            self.settled = False

    def pipes_below(self, folder: str) -> tuple[str, ...]:
        """The function of that name, remembered."""
        found = pipes_below(folder)
        if self.folders.setdefault(folder, found) != found:
            self.settled = False
        return found

    def is_still_so(self) -> bool:
        """Whether every file and folder is unchanged. Never true by mistake."""
        return self.settled and (
            all(_is_still(path, found) for path, found in self.files.items())
            and all(pipes_below(folder) == found for folder, found in self.folders.items())
        )


def _is_still(path: str, found: tuple[int, bytes] | None) -> bool:
    try:
        status = os.stat(path)
        # Reading a pipe would take away what the check itself has to read.
        if found is None or not stat.S_ISREG(status.st_mode) or status.st_size != found[0]:
            return False
        with open(path, "rb") as file:
            return digest(file.read()) == found[1]
    except FileNotFoundError:
        return found is None
    except (OSError, ValueError):
        return False


def pipes_below(folder: str) -> tuple[str, ...]:
    """The `.pipe` files in a folder and those in it, relative to it, in order.

    What tools put there is passed over, and what is hidden; not the folder itself, which was asked
    for. Links to folders are not followed, so that no file comes twice.
    """
    names: list[str] = []
    for inside, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files and inside != folder:
            folders.clear()
            continue
        folders[:] = [
            name for name in folders if name not in IGNORED_FOLDERS and not name.startswith(".")
        ]
        names += [
            os.path.relpath(os.path.join(inside, name), folder)
            for name in files
            if name.endswith(".pipe") and not name.startswith(".")
        ]
    return tuple(sorted(names))
