"""Standard error of a server: kept for the trace, out of the way of a display."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from typing import Self, TextIO

_MOST_LINES = 100
"""Lines that are kept until they are read: the last ones."""

_LONGEST = 500
"""Characters of a line that are kept."""

_BEGINNING = 4 * _LONGEST
"""Bytes of a line that are enough for them."""

_AT_ONCE, _TIMES = 2**16, 16
"""Bytes of one reading, and how many follow each other: one who writes without end stops nobody."""
_POSIX = os.name == "posix"


class StderrLines:
    """A pipe for a process to write its standard error to, and a thread that reads it: a server
    must never wait because nobody reads. A context manager.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._begun = b""
        """The beginning of a line whose end has not come."""
        self._ended = False
        self._lock = threading.Lock()
        self._reading, writing = os.pipe()
        self.file: TextIO = os.fdopen(writing, "w", encoding="utf-8")
        if _POSIX:  # elsewhere only the thread reads, and waits in its read
            os.set_blocking(self._reading, False)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # The thread ends by itself with the last process that holds the pipe.
        self.file.close()

    def _read(self) -> None:
        while not self._ended:
            if _POSIX:
                # `poll` has no upper end of descriptors, as `select` has one.
                waiting = select.poll()
                waiting.register(self._reading, select.POLLIN)
                waiting.poll()
                with self._lock:
                    self._drain()
            else:
                data = os.read(self._reading, _AT_ONCE)
                with self._lock:
                    self._add(data)
        os.close(self._reading)

    def _drain(self) -> None:
        """Read what the pipe holds now."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(_TIMES):
                if self._ended:
                    break
                self._add(os.read(self._reading, _AT_ONCE))

    def _add(self, data: bytes) -> None:
        *whole, self._begun = (self._begun + data).split(b"\n")
        self._begun = self._begun[:_BEGINNING]
        if not data:
            self._ended = True
            if self._begun:
                whole.append(self._begun)
        for line in whole:
            self._lines.append(line[:_BEGINNING].decode("utf-8", "replace").rstrip()[:_LONGEST])

    def take(self) -> list[str]:
        """The lines since the last time, also those that a server wrote just before it answered."""
        with self._lock:
            if _POSIX:
                # Not left to the thread, which may have no turn before the run is over.
                self._drain()
            taken = list(self._lines)
            self._lines.clear()
        return taken
