"""Standard error of a server: kept for the trace, out of the way of a display."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Self, TextIO

_MOST_LINES = 100
"""Lines that are kept until they are read: the last ones."""

_LONGEST = 500
"""Characters of a line that are kept."""


class StderrLines:
    """A pipe for a process to write its standard error to, and a thread that reads it: a server
    must never wait because nobody reads. A context manager.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        reading, writing = os.pipe()
        self.file: TextIO = os.fdopen(writing, "w", encoding="utf-8")
        self._thread = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # The thread ends by itself with the last process that holds the pipe.
        self.file.close()

    def _read(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as pipe:
            while line := pipe.readline(4 * _LONGEST):
                self._lines.append(line.decode("utf-8", "replace").rstrip()[:_LONGEST])

    def take(self) -> list[str]:
        """The lines since the last time."""
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken
