"""Files as they were in a git revision: which there are, and a loader of them.

git itself is asked, by plumbing commands whose output does not change with its settings. Libraries
that travel with pipelang, and files outside the repository, are read as they are now.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import PurePosixPath

from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.check.disk_loader import DiskLoader, text_of
from pipelang.interfaces.check.file_snapshot import IGNORED_FOLDERS
from pipelang.records import dataclass
from pipelang.resources import resource


class NoRevision(Exception):
    """A revision that cannot be read. The arguments are why, and the mend or None."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository whose working tree lies in `root`; `name` is how it was called."""

    root: str
    name: str
    commit: str

    def inside(self, path: str) -> str | None:
        """A path relative to the root, with slashes; None if it lies outside."""
        relative = os.path.relpath(os.path.realpath(path), self.root)
        if relative.split(os.sep)[0] == os.pardir or os.path.isabs(relative):
            return None
        return "" if relative == os.curdir else relative.replace(os.sep, "/")

    def read(self, path: str) -> bytes | None:
        """The bytes of a file in the commit; None if it has none of that name."""
        inside = self.inside(path)
        if not inside:
            return None
        done = _git(self.root, "cat-file", "blob", f"{self.commit}:{inside}")
        return done.stdout if done.returncode == 0 else None

    def pipes(self, path: str) -> list[str]:
        """The `.pipe` files that a path named at that time: itself, or those in a folder. Shown
        as they would be now. Raises `NoRevision` if the path is outside the repository.
        """
        inside = self.inside(path)
        if inside is None:
            raise NoRevision(
                f"`{path}` lies outside the repository `{self.root}`",
                "compare it with a file instead: --against FILE",
            )
        kind = _git(self.root, "cat-file", "-t", f"{self.commit}:{inside}")
        if kind.stdout.strip() == b"blob":
            return [path]
        if kind.stdout.strip() != b"tree":
            return []
        listing = _git(self.root, "ls-tree", "-r", "-z", "--name-only", f"{self.commit}:{inside}")
        names = [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]
        wanted = [
            name
            for name in names
            if name.endswith(".pipe") and not IGNORED_FOLDERS & set(PurePosixPath(name).parts[:-1])
        ]
        return [os.path.join(path, *name.split("/")) for name in sorted(wanted)]


class RevisionLoader(DiskLoader):
    """A loader of a revision; paths are those that the disk's loader takes."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        library = path.startswith("std/") and (resource("stdlib") / path[4:]).is_file()
        if library or self.revision.inside(path) is None:
            return super().read(path)
        data = self.revision.read(path)
        return None if data is None else text_of(data)


def find_revision(name: str, near: str) -> Revision:
    """The commit that a name stands for, in the repository around a path. Raises `NoRevision`."""
    folder = near if os.path.isdir(near) else os.path.dirname(near) or os.curdir
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder) or os.curdir
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.returncode:
        said = os.fsdecode(top.stderr).strip().splitlines()
        if any("dubious ownership" in line for line in said):
            raise NoRevision(said[0].removeprefix("fatal: "), said[-1].strip())
        why = f"`{name}` is no file, and `{folder}` is in no git repository"
        raise NoRevision(why, "compare with a file, or with a revision where there are some")
    root = os.path.realpath(os.fsdecode(top.stdout).removesuffix("\n"))
    if not name or name.startswith("-"):
        raise NoRevision(f"`{name}` is no revision", "name a branch, a tag or a commit")
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.returncode:
        neither = f"there is no file `{name}`, and no" if _like_a_file(name) else "there is no"
        raise NoRevision(f"{neither} revision `{name}` in `{root}`", _near(root, name))
    return Revision(root, name, found.stdout.decode().strip())


def _like_a_file(name: str) -> bool:
    return name.endswith(".pipe") or os.sep in name


def _near(root: str, name: str) -> str:
    """A hint with a similar name."""
    listing = _git(root, "for-each-ref", "--format=%(refname:short)")
    names = os.fsdecode(listing.stdout).split()
    close = closest(name, names)
    if close:
        return f"did you mean `{close}`?"
    if any(known.endswith(f"/{name}") for known in names):
        return f"did you mean `{next(k for k in names if k.endswith(f'/{name}'))}`?"
    return "fetch it first (a shallow clone has few), or name a file"


_PLACES = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"))


def _git(folder: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str] = ("git", "-C", folder, "--no-optional-locks", *words)
    # A hook is called with the places of the repository that it belongs to.
    environment = {name: value for name, value in os.environ.items() if name not in _PLACES}
    environment["LC_ALL"] = "C"
    try:
        return subprocess.run(command, capture_output=True, env=environment, check=False)
    except OSError:
        raise NoRevision("git is not installed", "compare with a file instead") from None
