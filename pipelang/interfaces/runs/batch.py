"""Many runs: so many at once, their results in a file that a later run can go on with.

The file is JSON Lines: a header that says which program and pipeline it is of, then one result a
line of the input, as they come, each written at once as a whole. So a process that is killed leaves
whole lines and perhaps a torn last one, which is taken off when the file is gone on with.

The header also names the batch. The run of a line is called by that and by its number: a run that
was cut short is the same run when the file is gone on with, and its calls have the same idempotency
keys. Another file is another batch, also where it takes the place of one that was moved away.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from pipelang.interfaces.check.disk_loader import check_regular
from pipelang.interfaces.runs.json_lines import object_of
from pipelang.records import dataclass
from pipelang.runtime.files.plain_files import read_plain
from pipelang.semantics.loader import Unreadable

FORMAT = 1


class NotResumable(ValueError):
    """A file of results that cannot be gone on with. `help` is the mend."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """The program, pipeline and provider of results; the same for all results of one file."""

    program: str
    pipeline: str
    provider: str

    def as_json(self) -> dict[str, Any]:
        return {"program": self.program, "pipeline": self.pipeline, "provider": self.provider}


def input_hash(given: dict[str, Any]) -> str:
    """A short hash of an input, by which a result knows what it was made from."""
    return _digest(json.dumps(given, sort_keys=True, separators=(",", ":")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:16]


class ResultFile:
    """Results by the lines of an input. Written by one process at a time: see `locked`."""

    def __init__(self, path: Path, origin: BatchOrigin) -> None:
        self.path = path
        self.batch = ""
        self._origin = origin

    def begin(self) -> None:
        """Make the file. Raises `NotResumable` if it is there already, and OSError."""
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            message = f"`{self.path}` is there already"
            raise NotResumable(message, "go on with it by --resume, or name another") from None
        os.close(file)
        self._head()

    def run_id(self, line: int) -> str:
        """The id of the run of a line of the input, the same whenever the file is gone on with."""
        return f"{self.batch}-{line}"

    def _head(self) -> None:
        self.batch = token_hex(6)
        self._append({"results": FORMAT, "batch": self.batch, **self._origin.as_json()})

    def resume(self, hashes: dict[int, str]) -> dict[int, dict[str, Any]]:
        """The results that are there, by line, with a torn last line taken off; makes the file if
        there is none. `hashes` are of the inputs, by line. Raises `NotResumable` and OSError.
        """
        try:
            check_regular(self.path)
            data = read_plain(self.path)
        except Unreadable as error:
            raise NotResumable(f"`{self.path}`: {error}", "name a file") from None
        except FileNotFoundError:
            self.begin()
            return {}
        end = data.rfind(b"\n") + 1
        lines = data[:end].split(b"\n")[:-1]
        if not lines:
            if data and not b'{"results"'.startswith(data[:10]):
                raise self._other("is no file of results")
            os.truncate(self.path, 0)
            self._head()
            return {}
        header = object_of(lines[0])
        self._check(header)
        named = None if header is None else header.get("batch")
        # Files of older versions name no batch: their place has to do.
        self.batch = named if isinstance(named, str) else _digest(os.path.abspath(self.path))
        found: dict[int, dict[str, Any]] = {}
        for number, text in enumerate(lines[1:], 2):
            record = object_of(text)
            line = None if record is None else record.get("line")
            if record is None or not isinstance(line, int) or not _is_result(record):
                raise self._other(f"has no result in line {number}")
            if line in found:
                raise self._other(f"has two results of line {line}")
            if line not in hashes or record.get("input") != hashes[line]:
                raise self._other(f"has a result of another input than line {line}")
            found[line] = record
        if end < len(data):
            os.truncate(self.path, end)
        return found

    def add(self, record: dict[str, Any]) -> None:
        """Add a result. Raises OSError."""
        self._append(record)

    def _check(self, header: dict[str, Any] | None) -> None:
        if header is None or header.get("results") != FORMAT:
            raise self._other("is no file of results")
        words = {"program": "another version of the program", "pipeline": "another pipeline"}
        for key, mine in self._origin.as_json().items():
            if header.get(key) != mine:
                what = words.get(key, f"another {key}")
                raise self._other(f"is of {what}: `{header.get(key)}`, this is `{mine}`")

    def _other(self, why: str) -> NotResumable:
        return NotResumable(f"`{self.path}` {why}", "name another file by --output")

    def _append(self, record: dict[str, Any]) -> None:
        text = json.dumps(record, ensure_ascii=False, default=str) + "\n"
        data = text.encode("utf-8", errors="backslashreplace")
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(self.path, flags)
        try:
            if os.write(file, data) != len(data):
                raise OSError(f"`{self.path}`: the disk took only a part of a result")
        finally:
            os.close(file)


def _is_result(record: dict[str, Any]) -> bool:
    """Whether a line has what is told of a result, each part of its type."""
    outcome = record.get("outcome")
    if not isinstance(outcome, str) or outcome not in _TEXTS:
        return False
    if not all(isinstance(record.get(key), str) for key in _TEXTS[outcome]):
        return False
    if outcome == "input_error":
        return True
    from pipelang.interfaces.runs.event_flaws import is_amount  # of earlier results alone

    cost = record.get("cost", "")
    return (cost is None or is_amount(cost)) and is_amount(record.get("duration"))


_TEXTS = {
    "answered": (),
    "escalated": ("role", "reason"),
    "rejected": ("reason",),
    "failed": ("code", "reason"),
    "input_error": ("text",),
}
"""The outcomes of results, and the texts that are told of each."""


async def run_all(
    rows: Sequence[tuple[int, dict[str, Any]]],
    jobs: int,
    one: Callable[[int, dict[str, Any]], Awaitable[dict[str, Any]]],
    done: Callable[[dict[str, Any]], None],
) -> None:
    """Run every row, at most `jobs` at once, in order; `done` gets each result as it comes.

    What `one` or `done` raises stops all, and so does a cancellation; nothing is left running.
    """
    waiting = iter(rows)

    async def work() -> None:
        for line, given in waiting:
            done(await one(line, given))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(jobs, len(rows))):
            group.create_task(work())


class InOrder:
    """Hands results on in the order of their lines, however they come."""

    def __init__(self, lines: Sequence[int], show: Callable[[dict[str, Any]], None]) -> None:
        self._waiting = list(lines)[::-1]
        self._held: dict[int, dict[str, Any]] = {}
        self._show = show

    def add(self, record: dict[str, Any]) -> None:
        """A result came: show it and those that waited for it."""
        self._held[record["line"]] = record
        while self._waiting and self._waiting[-1] in self._held:
            self._show(self._held.pop(self._waiting.pop()))

    def flush(self) -> None:
        """Nothing more comes: show what waited for others."""
        for line in sorted(self._held):
            self._show(self._held[line])
        self._held.clear()
