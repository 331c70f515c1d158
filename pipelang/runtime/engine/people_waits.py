"""The waits for people of one pipeline: the time in which it does nothing else.

Machine time leaves these waits out. It is a pipeline's own: that a neighbour works on neither
charges a pipeline that only waits for a person, nor does the wait stop the neighbour's clock.
"""

from __future__ import annotations

import time


class PeopleWaits:
    """Counts the seconds in which people are waited for and no work of the pipeline goes on."""

    __slots__ = ("_people", "_since", "_total")

    def __init__(self) -> None:
        self._people = 0
        self._since: float | None = None
        self._total = 0.0

    @property
    def waiting(self) -> bool:
        """Whether people are waited for now."""
        return self._people > 0

    def begin(self, busy: bool) -> None:
        """Begin to wait for a person; `busy` says that the pipeline works on meanwhile."""
        self._people += 1
        if not busy:
            self.rest()

    def end(self) -> None:
        """End a wait for a person."""
        self._people -= 1
        if not self._people:
            self.work()

    def rest(self) -> None:
        """Take note that no work goes on from now."""
        if self._people and self._since is None:
            self._since = time.monotonic()

    def work(self) -> None:
        """Take note that work goes on from now."""
        if self._since is not None:
            self._total += time.monotonic() - self._since
            self._since = None

    def seconds(self) -> float:
        """The seconds so far."""
        now = 0.0 if self._since is None else time.monotonic() - self._since
        return self._total + now

    def restore(self, seconds: float) -> None:
        """Count waits of a former process, so many seconds in all."""
        self._total = max(self._total, seconds)
