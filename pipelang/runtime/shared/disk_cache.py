"""A cache in a folder: a file an answer, shared by any number of processes.

A file is written beside its place and then moved there, so that nobody ever reads half of one.
It holds its whole key, and is only an answer for that. What is broken, too old or somebody else's
is no answer, and never an error: a cache may be lost at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.files.plain_files import read_plain
from pipelang.runtime.files.private_files import make_private
from pipelang.runtime.shared.cache import MOST, Key

_SWEEP_EVERY = 256
"""Answers stored between two looks for files that are too old."""


class DiskCache:
    """Answers by tenant, program and key below a folder, which is made with the first one."""

    blocks = True
    """Reading takes a disk's time, so it belongs into a thread."""

    def __init__(
        self, folder: str | Path, clock: Callable[[], float] = time.time, most: int = MOST
    ) -> None:
        self._folder = Path(folder)
        self._clock = clock
        self._most = most
        self._stored = 0

    def find(self, key: Key) -> Any:
        """The answer, or `NOTHING`."""
        try:
            entry = json.loads(read_plain(self._place(key)))
            if entry["key"] == list(key) and entry["until"] >= self._clock():
                return entry["answer"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            pass
        return NOTHING

    def store(self, key: Key, answer: Any, seconds: float) -> None:
        """Keep an answer for so long; does nothing where the disk takes no more."""
        place = self._place(key)
        beside = place.with_name(f"{token_hex(8)}.new")
        entry = {"key": list(key), "until": self._clock() + seconds, "answer": answer}
        with suppress(OSError):
            make_private(place.parent)
            try:
                # Answers may hold a person's data: for the owner only.
                with os.fdopen(
                    os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
                ) as f:
                    json.dump(entry, f)
                os.replace(beside, place)
            finally:
                beside.unlink(missing_ok=True)
            self._stored += 1
            if self._stored % _SWEEP_EVERY == 0:
                self.sweep()

    def sweep(self) -> None:
        """Remove what is too old, what a crash left behind, and the oldest beyond what may stay."""
        living: list[tuple[float, Path]] = []
        for file in self._files():
            with suppress(OSError):
                written = file.stat().st_mtime
                if file.suffix == ".json" and self._until(file) >= self._clock():
                    living.append((written, file))
                elif file.suffix == ".json" or time.time() - written > 60:
                    file.unlink(missing_ok=True)
        living.sort()
        for _, file in living[: max(0, len(living) - self._most)]:
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from (file for file in self._folder.glob("*/*") if file.is_file())

    def _until(self, file: Path) -> float:
        try:
            return float(json.loads(read_plain(file))["until"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return 0.0

    def _place(self, key: Key) -> Path:
        """The path of an answer: each program has its own folder."""
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        return self._folder / hashlib.sha256(key[1].encode()).hexdigest()[:16] / f"{digest}.json"
