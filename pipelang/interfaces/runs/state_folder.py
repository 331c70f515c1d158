"""The state folder (`--state DIR`) that outlives a command, and the paths in it."""

from __future__ import annotations

import os
from pathlib import Path

from pipelang.records import dataclass
from pipelang.runtime.files.private_files import make_private

DEFAULT = ".pipelang"


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The places in a state folder. Nothing is made until something is written there, or
    `prepare` is called.
    """

    root: Path

    def prepare(self) -> None:
        """Make the folder, for its owner only. Raises OSError if that cannot be done, and for a
        link: whoever can make one in a shared place could have runs written elsewhere.
        """
        if self.root.is_symlink():
            raise OSError("it is a symbolic link")
        make_private(self.root)
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise OSError("it cannot be written")

    @property
    def traces(self) -> Path:
        """A folder with one `RUN.jsonl` a run."""
        return self.root / "traces"

    @property
    def audit(self) -> Path:
        """The audit log, JSON Lines, each with the hash of the one before."""
        return self.root / "audit.jsonl"

    @property
    def inbox(self) -> Path:
        """A folder of what waits for people, and of what they said."""
        return self.root / "inbox"

    @property
    def kills(self) -> Path:
        """A folder of kill flags."""
        return self.root / "kills"

    @property
    def watch(self) -> Path:
        """A folder of what `pipelang watch` counted and told."""
        return self.root / "watch"

    @property
    def cache(self) -> Path:
        """A folder of cached answers."""
        return self.root / "cache"

    @property
    def memories(self) -> Path:
        """The SQLite file of what pipelines remember."""
        return self.root / "memories.db"

    @property
    def tokens(self) -> Path:
        """The file of the tokens of a server."""
        return self.root / "tokens.json"
