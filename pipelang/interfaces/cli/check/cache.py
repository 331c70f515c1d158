"""Caches the output of `pipelang check` for as long as nothing that it depends on has changed.

The entries lie in the user's own cache folder, since a check should leave nothing behind where it
is called.
"""

from __future__ import annotations

from pipelang.interfaces.cache.entries import Shelf
from pipelang.interfaces.check.today import today
from pipelang.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelang.interfaces.check.file_snapshot import FileSnapshot
    from pipelang.interfaces.cli.check.command_line import CheckLine

OUTPUTS = Shelf("check", most_entries=200, most_bytes=2 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class CachedOutput:
    """The output of a check: its two streams and its exit code."""

    output: str
    errors: str
    code: int


def entry(line: CheckLine, width: int, colour: bool) -> str | None:
    """The file of a check's entry; None if nothing is to be remembered, or there is no place."""
    if not line.cache or "-" in line.paths:
        return None
    if line.import_tools:
        return None  # what a tool's module reads is not known
    return OUTPUTS.entry((line, width, colour, today()))


def recall(path: str) -> CachedOutput | None:
    """The cached output, if nothing that it depends on has changed."""
    kept = OUTPUTS.recall(path)
    return None if kept is None else CachedOutput(*kept)


def remember(path: str, said: CachedOutput, seen: FileSnapshot) -> None:
    """Keep what was said, as a whole or not at all."""
    OUTPUTS.remember(path, (said.output, said.errors, said.code), seen)
