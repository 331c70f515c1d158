"""The record of a run: rows by place, and the protocol of whatever keeps them.

A row is written once its fact is there and never changed, but for the row of what is spent ahead,
which is written again with more. Rows are JSON, so that a record may be a table (run, place, kind,
value) with the key (run, place).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from pipelang.runtime.media.medium import DIGEST, Media
from pipelang.runtime.media.rows import as_text

Kind = Literal["region", "done", "input", "intent", "ahead", "end"]
"""The kind of a row: `region` has what a region was left with, `done` the outcome of one call,
question, turn or write, `input` the value of something that may be another one next time, `intent`
says that something began that cannot be taken back, `ahead` what is charged if this is cut off,
`end` that the run told its last event.
"""


class RunRecord(Protocol):
    """Keeps the rows of one run. One with a function `live` has it called with every event before
    a row has it.
    """

    def rows(self) -> Mapping[str, tuple[Kind, Any]]:
        """All rows by place, as they were when this process began with the run."""

    def now(self) -> float:
        """The wall clock of all processes that may have the run, in seconds."""

    def medium(self, told: Mapping[str, Any]) -> Media | None:
        """The picture or document that an input or a row tells of; None if it has none."""

    async def write(self, place: str, kind: Kind, value: Any) -> None:
        """Write a row, whose value is JSON but for pictures and documents, of which the row tells
        and whose bytes are kept beside it; when this returns no crash can lose it. Whoever may not
        write any more, because another process has the run, gets an exception that is no
        `Exception`: it ends the run here without an outcome.
        """


class PastRecord:
    """Rows that are only read."""

    def __init__(self, rows: Mapping[str, tuple[Kind, Any]]) -> None:
        self._rows = rows

    def rows(self) -> Mapping[str, tuple[Kind, Any]]:
        return self._rows

    def now(self) -> float:
        return 0.0

    def medium(self, told: Mapping[str, Any]) -> Media | None:
        return None

    async def write(self, place: str, kind: Kind, value: Any) -> None:
        raise TypeError("what is past is not written")


class InMemoryRecord:
    """A record for tests: JSON texts, as a store would have them."""

    def __init__(
        self, texts: Mapping[str, str] | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.texts: dict[str, str] = dict(texts or {})
        self.now = clock
        self.media: dict[str, Media] = {}

    def rows(self) -> Mapping[str, tuple[Kind, Any]]:
        found: dict[str, tuple[Kind, Any]] = {}
        for place, text in self.texts.items():
            kind, value = json.loads(text)
            found[place] = kind, value
        return found

    async def write(self, place: str, kind: Kind, value: Any) -> None:
        self.texts[place], media = as_text([kind, value])
        self.media |= media

    def medium(self, told: Mapping[str, Any]) -> Media | None:
        return self.media.get(told[DIGEST])
