"""Standard error of a server: kept for the trace, out of the way of a display."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from typing import Self, TextIO

_MOST_LINES = 100
"""Lines that are kept until they are read: the last ones."""

_LONGEST = 500
"""Characters of a line that are kept."""

_MOMENT, _MOMENTS = 0.001, 50
"""Seconds of a wait for the thread to read what a server wrote before it answered, and how many."""


class StderrLines:
    """A pipe for a process to write its standard error to, and a thread that reads it: a server
    must never wait because nobody reads. A context manager.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        reading, writing = os.pipe()
        self.file: TextIO = os.fdopen(writing, "w", encoding="utf-8")
        self._reading = reading
        self._ended = False
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
            self._ended = True

    def _unread(self) -> bool:
        """Whether the pipe holds something that the thread has not read yet."""
        if self._ended or os.name != "posix":
            return False
        try:
            return bool(select.select([self._reading], [], [], 0)[0])
        except (OSError, ValueError):  # the thread closed it just now
            return False

    def take(self) -> list[str]:
        """The lines since the last time, also those that a server wrote just before it answered."""
        for _ in range(_MOMENTS):
            if not self._unread():
                break
            time.sleep(_MOMENT)
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken
