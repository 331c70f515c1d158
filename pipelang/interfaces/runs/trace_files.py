"""Trace files: finding one by what a person types, and reading it, also while it is written."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from pipelang.interfaces.runs.event_flaws import fits, header_fits, is_amount
from pipelang.interfaces.runs.json_lines import object_of
from pipelang.records import dataclass
from pipelang.runtime.files.plain_files import open_plain, read_plain

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event

LISTED = 10
"""Runs that are listed at most."""


class NoTrace(LookupError):
    """There is no such trace. `help` says which there are."""

    def __init__(self, message: str, help: str | None) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class WrittenTrace:
    """A trace as far as it is written. `header` is {} where it cannot be read; `torn` are the
    numbers of lines that cannot, `damaged` those of them that nobody is still writing. `last` is
    the wall clock of the last event, as written.
    """

    header: dict[str, Any]
    events: tuple[Event, ...]
    torn: tuple[int, ...]
    last: str | None = None
    damaged: tuple[int, ...] = ()

    @property
    def outcome(self) -> Event | None:
        """The last event of a run that is over."""
        return next((event for event in reversed(self.events) if event.kind == "outcome"), None)


def recent(folder: Path) -> list[Path]:
    """All traces of a folder, the newest first."""
    found: list[tuple[float, str, Path]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".jsonl"):
                    found.append((entry.stat().st_mtime, entry.name, Path(entry.path)))
    except OSError:
        return []
    return [path for _, _, path in sorted(found, reverse=True)]


def run_of(path: Path) -> str:
    """The run whose trace a file is."""
    return unquote(path.stem)


def find(folder: Path, wanted: str) -> Path:
    """The trace of a run: by its id, the beginning of one, or `last`. Raises `NoTrace`."""
    paths = recent(folder)
    # Looked for among what is there: what is wanted need not fit into the name of any file.
    exact = f"{quote(wanted, safe='', errors='backslashreplace')}.jsonl"
    for path in paths:
        if path.name == exact:
            return path
    if not paths:
        help = "`pipelang run` writes one a run; `--state DIR` says where"
        raise NoTrace(f"there are no traces in `{folder}`", help)
    if wanted == "last":
        return paths[0]
    names = [run_of(path) for path in paths]
    fitting = [path for path, name in zip(paths, names, strict=True) if name.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        some = ", ".join(run_of(path) for path in fitting[:LISTED])
        more = ", ..." if len(fitting) > LISTED else ""
        raise NoTrace(f"{len(fitting)} runs begin with `{wanted}`", f"write more of {some}{more}")
    from difflib import get_close_matches

    close = get_close_matches(wanted, names, n=3, cutoff=0.7)
    if close:
        help = "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"
    else:
        help = "the newest are " + ", ".join(names[:5])
    raise NoTrace(f"there is no trace of a run `{wanted}` in `{folder}`", help)


def read(path: Path) -> WrittenTrace:
    """A trace as far as it is written. Of several runs with one id the last. Raises OSError."""
    data = read_plain(path)
    header: dict[str, Any] = {}
    events: list[Event] = []
    torn: list[int] = []
    last: str | None = None
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        found = object_of(line)
        if found is None:
            torn.append(number)
        elif "trace" in found:
            events = []
            header = found if header_fits(found) else {}
            if not header:
                torn.append(number)
        elif (event := event_of(found)) is not None:
            events.append(event)
            last = str(found["time"]) if "time" in found else None
        else:
            torn.append(number)
    # Behind the last line end there is nothing yet, or what a process is about to write out.
    damaged = tuple(number for number in torn if number < len(lines))
    return WrittenTrace(header, tuple(events), tuple(torn), last, damaged)


def follow(path: Path, pause: float = 0.1) -> Iterator[dict[str, Any] | None]:
    """The lines of a trace as they come, until its outcome; None whenever nothing came for a while.

    Who calls decides at a None whether to wait on, see `is_running`. A line that cannot be read is
    left out.
    """
    import time

    rest = b""
    with open_plain(path) as file:
        while True:
            data = file.read()
            if not data:
                yield None
                time.sleep(pause)
                continue
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                found = object_of(line)
                if found is None:
                    continue
                yield found
                if found.get("kind") == "outcome":
                    return


def is_running(header: dict[str, Any]) -> bool:
    """Whether the process that writes a trace is still there, as far as this machine knows."""
    process = header.get("process")
    if not isinstance(process, dict) or process.get("host") != platform.node():
        return True
    if os.name != "posix":
        return True
    try:
        os.kill(int(process["id"]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, KeyError, TypeError, ValueError, OverflowError):
        return True
    return True


def event_of(line: dict[str, Any]) -> Event | None:
    """A line of a trace as an event; None for what is none."""
    from pipelang.runtime.engine.events import Event

    kind, name, at, data = (line.get(key) for key in ("kind", "name", "at", "data"))
    if not isinstance(kind, str) or not isinstance(name, str) or not isinstance(data, dict):
        return None
    if at is None or not is_amount(at) or not fits(kind, data):
        return None
    return Event(kind, name, float(at), data, line.get("content"))
