"""The options of `pipelang run` that are for the lines of a file."""

from __future__ import annotations

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Limits of a batch: runs at once (None: as many as keep their results), and output."""

    jobs: int | None
    output: str | None
    resume: bool
