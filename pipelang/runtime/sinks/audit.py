"""The audit log: append-only JSON Lines, each entry with the hash of the one before.

An entry is an object with `n` (counting from 1), `time` (UTC), `run`, `tenant`, `kind`, `name`,
`data` (what else is known of the decision), `previous` (the hash of the entry before) and `hash`
(SHA-256 of the entry's canonical JSON without it). So a line that was changed, taken out or put in
breaks a link, see `verification`. Cutting whole entries off the end breaks none: remember the last
hash elsewhere.

Inputs, answers, arguments and messages are not in it, only hashes of them: whoever has the text can
show that it is the one that was decided on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipelang.runtime.engine.event_payloads import now
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.secrets import notations, redacted_json, secrets_behind
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.files.plain_files import must_be_plain
from pipelang.runtime.files.private_files import make_private

_LOG = logging.getLogger(__name__)

GENESIS = "0" * 64
"""The `previous` of the first entry."""

TORN = "torn"
"""The kind of an entry that reports a torn line before it."""

UNDECIDED = frozenset({"step", "done", "value", "each", "runs", "returned"})
"""Events that are no decision: they say where a run is. All others are entries."""

_SAID = ("message", "note")
"""Fields with texts that people, tools or providers wrote."""


def canonical(value: Any) -> bytes:
    """The one way to write a JSON value for hashing: keys in order, no spaces, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return text.encode("ascii")


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


class AuditLog:
    """A sink that appends the decisions of runs to a hash-chained file of JSON Lines. Several
    threads and processes may share the file.

    `references` (`env:NAME`, `file:PATH`) are to secrets that are kept out. A log that cannot be
    written raises nothing: the first OSError is kept as `problem`, and logged, and the last one as
    `failing` until an entry is written again. A run whose log is failing does not act.
    """

    def __init__(self, path: str | os.PathLike[str], references: tuple[str, ...] = ()) -> None:
        self.path = Path(path)
        self.problem: OSError | None = None
        self.failing: OSError | None = None
        self._secrets = notations(secrets_behind(references))
        self._lock = threading.Lock()
        self._between_processes = FileLock(f"{self.path}.lock", mode=0o600, thread_local=False)
        self._tenants: dict[str, str | None] = {}
        self._known: tuple[int, int, str] | None = None

    def __call__(self, run_id: str, event: Event) -> None:
        if event.kind in UNDECIDED:
            return
        if event.kind == "run":
            self._tenants[run_id] = event.data.get("tenant")
        tenant = self._tenants.get(run_id)
        if event.kind == "outcome":
            self._tenants.pop(run_id, None)
        try:
            self.append(event.kind, event.name, run_id, tenant, entry_data(event))
            self.failing = None
        except OSError as error:
            self.failing = error
            if self.problem is None:
                self.problem = error
                _LOG.warning("the audit log cannot be written: %s", error)

    def append(
        self,
        kind: str,
        name: str,
        run: str | None,
        tenant: str | None,
        data: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Append an entry and return it as it was written. Raises OSError."""
        entry = {"kind": kind, "name": name, "run": run, "tenant": tenant, "data": to_json(data)}
        entry = redacted_json(entry, self._secrets)
        with self._lock:
            if self._known is None:
                make_private(self.path.parent)
            with self._between_processes:
                return self._append(entry)

    def _append(self, entry: dict[str, Any]) -> dict[str, Any]:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        file = os.open(self.path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            must_be_plain(file)
            size = os.fstat(file).st_size
            known, self._known = self._known, None
            if known is None or known[0] != size:
                known = _last(file, size)
            size, number, previous = known
            written = _chained(entry, number + 1, previous)
            line = canonical(written) + b"\n"
            if os.write(file, line) != len(line):
                raise OSError(f"`{self.path}`: the disk took only a part of the entry")
            self._known = (size + len(line), number + 1, written["hash"])
        finally:
            os.close(file)
        return written


def entry_data(event: Event) -> dict[str, Any]:
    """The data of an entry for an event: the event's data, and hashes of content and texts."""
    data: dict[str, Any] = {}
    for key, value in event.data.items():
        if key in _SAID and value is not None:
            data[f"{key}_hash"] = digest(value)
        else:
            data[key] = value
    if event.content is not None:
        data["content_hash"] = digest(to_json(event.content))
    return data


def _chained(entry: Mapping[str, Any], number: int, previous: str) -> dict[str, Any]:
    made = {"n": number, "time": now(), **entry, "previous": previous}
    return {**made, "hash": digest(made)}


def _last(file: int, size: int) -> tuple[int, int, str]:
    """The size of the log, and the number and hash of its last entry.

    A line that was torn by a crash is ended and stays: an entry says so, with the hash of what
    stands there, and the chain goes on from the entry before.
    """
    tail = _tail(file, size)
    torn, lines = tail[-1], tail[:-1]
    if not torn and not lines:
        return size, 0, GENESIS
    number, last = 0, GENESIS
    for line in reversed(lines):
        found = _entry(line)
        if found is not None:
            number, last = found
            break
    if not torn:
        return size, number, last
    entry = {"kind": TORN, "name": "log", "run": None, "tenant": None}
    whole = {**entry, "data": {"line_hash": hashlib.sha256(torn).hexdigest()}}
    written = _chained(whole, number + 1, last)
    line = b"\n" + canonical(written) + b"\n"
    if os.write(file, line) != len(line):
        raise OSError("the disk took only a part of the entry")
    return size + len(line), number + 1, written["hash"]


def _tail(file: int, size: int) -> list[bytes]:
    """The last lines of a file, at least one whole entry if it has any; what follows the last
    line end is the last element.
    """
    window = 1 << 16
    while True:
        begin = max(0, size - window)
        data = _read(file, begin, size - begin)
        lines = data.split(b"\n")
        whole = lines[1:] if begin else lines
        if not begin or any(_entry(line) is not None for line in whole[:-1]):
            return whole
        window *= 4


def _read(file: int, begin: int, size: int) -> bytes:
    os.lseek(file, begin, os.SEEK_SET)
    parts = []
    while size > 0:
        part = os.read(file, size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _entry(line: bytes) -> tuple[int, str] | None:
    """The number and hash of an entry, None for what is none."""
    try:
        found = json.loads(line)
        return int(found["n"]), str(found["hash"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
