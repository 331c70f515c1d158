"""Files as they were at a revision of the git repository that they are in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pipelang.interfaces.disk import DiskLoader
from pipelang.semantics.loading import Unreadable


class NoRevision(ValueError):
    """There is no such revision, or nothing that could have one."""


class RevisionLoader(DiskLoader):
    """Reads files at a revision; libraries are those of this pipelang."""

    def __init__(self, top: str, revision: str) -> None:
        self.top, self.revision = top, revision

    def read(self, path: str) -> str | None:
        """The text of a file, None if there was none. Raises `Unreadable`."""
        if self._real(path) != Path(path):  # a library
            return super().read(path)
        inside = os.path.relpath(os.path.realpath(path), self.top)
        done = _git(self.top, "show", f"{self.revision}:{inside.replace(os.sep, '/')}")
        if done.returncode:
            return None
        try:
            return done.stdout.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable("it is no UTF-8 text") from error


def at_revision(revision: str, place: str) -> RevisionLoader:
    """A loader of the files around a place as they were. Raises `NoRevision`."""
    folder = place if os.path.isdir(place) else os.path.dirname(place) or "."
    found = _git(folder, "rev-parse", "--show-toplevel")
    if found.returncode:
        raise NoRevision(f"`{revision}` is no file, and `{place}` is in no git repository")
    top = os.path.realpath(found.stdout.decode().strip())
    commit = _git(
        top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if commit.returncode:
        raise NoRevision(f"`{revision}` is neither a file nor a revision of `{top}`")
    return RevisionLoader(top, commit.stdout.decode().strip())


def _git(folder: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", folder, *words], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NoRevision("`git` is not there to look for a revision") from error
