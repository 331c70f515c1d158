"""Runs out of the traces of a state folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelang.interfaces.observation.records import (
    ENDINGS,
    MOST_EVENTS,
    ObservedRun,
    amount,
    outcome_of,
)
from pipelang.interfaces.runs.state_folder import StateFolder
from pipelang.interfaces.runs.trace_files import WrittenTrace, read, recent, run_of

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.inbox.cases import Case


MOST_KEPT = MOST_EVENTS
"""Traces that are kept in memory, some 8 KB each: the newest, whose events are read."""


class FolderSource:
    """The runs of a state folder. A trace is read once, but for old ones whose events are asked
    for, where there are too many to be kept; `unreadable` are the names of those that no
    run can be read of, `damaged` has the lines that cannot be read of those of which one can, and
    `broken_cases` are the files of its inbox that hold no case.
    """

    def __init__(self, root: Path) -> None:
        self.folder = StateFolder(root)
        self.shown = str(root)
        self.unreadable: set[str] = set()
        self.damaged: dict[str, tuple[int, ...]] = {}
        self.broken_cases: set[str] = set()
        self._traces: dict[str, WrittenTrace | Path] = {}

    def now(self) -> float:
        import time

        return time.time()

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        found = []
        for path in recent(self.folder.traces):
            try:
                if os.stat(path).st_mtime < since:
                    break  # the newest come first
                trace = read(path)
            except OSError:
                self.unreadable.add(path.name)
                continue
            run = _run(run_of(path), trace)
            if run is None:
                if trace.header or trace.events or trace.torn:  # else it is only just begun
                    self.unreadable.add(path.name)
            elif run.pipeline == pipeline:
                self._traces[run.id] = trace if len(self._traces) < MOST_KEPT else path
                if trace.damaged:
                    self.damaged[path.name] = trace.damaged
                found.append(run)
        return sorted(found, key=lambda run: (run.started, run.id))

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        for run in runs:
            trace = self._traces[run.id]
            if isinstance(trace, Path):
                try:
                    trace = read(trace)
                except OSError:
                    continue  # somebody took it away meanwhile
            yield run, trace.events

    def cases(self, pipeline: str) -> list[Case]:
        from pipelang.runtime.inbox.inbox import Inbox

        if not self.folder.inbox.is_dir():
            return []
        inbox = Inbox(self.folder.inbox)
        found = inbox.cases(closed=True)
        self.broken_cases.update(inbox.unreadable)
        return [case for case in found if case.pipeline == pipeline]

    def release(self, pipeline: str, version: str) -> str | None:
        return None

    def recall(self, name: str) -> str | None:
        try:
            return self._kept(name).read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return None
        except OSError:
            return ""  # which is no state that anybody kept

    def keep(self, name: str, value: str) -> None:
        from pipelang.runtime.files.private_files import make_private, replace_file

        path = self._kept(name)
        make_private(path.parent)
        replace_file(path, value.encode())

    @contextmanager
    def turn(self, name: str, wait: bool = True) -> Iterator[bool]:
        from filelock import FileLock, Timeout

        from pipelang.runtime.files.private_files import make_private

        path = self._kept(name)
        make_private(path.parent)
        # The system lets go of it if this process dies.
        lock = FileLock(f"{path}.lock", -1 if wait else 0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _kept(self, name: str) -> Path:
        return self.folder.watch / f"{quote(name, safe='')}.json"


def _run(id: str, trace: WrittenTrace) -> ObservedRun | None:
    """The run of a trace; None if it has no beginning, or amounts that are none."""
    header, outcome = trace.header, trace.outcome
    started = seconds_of(header.get("started"))
    if started is None or not isinstance(header.get("pipeline"), str):
        return None
    data: dict[str, Any] = {} if outcome is None else dict(outcome.data)
    told = data.get("cost", 0)
    cost, tokens = None if told is None else amount(told), amount(data.get("tokens", 0))
    seconds = data.get("seconds")
    if (
        (told is not None and cost is None)
        or tokens is None
        or (seconds is not None and amount(seconds) is None)
    ):
        return None
    ended = None
    if outcome is not None:
        ended = seconds_of(trace.last)
        if ended is None:
            ended = started + outcome.at
    return ObservedRun(
        id=str(header.get("run", id)),
        pipeline=header["pipeline"],
        program=str(header.get("program", "")),
        tenant=_text(header.get("tenant")),
        thread=_text(header.get("thread")),
        started=started,
        ended=ended,
        outcome=outcome_of(_name(outcome), _text(data.get("code"))),
        role=_text(data.get("role")),
        reason=_text(data.get("reason")),
        code=_text(data.get("code")),
        cost=cost,
        tokens=int(tokens),
        seconds=seconds,
        waits=outcome is None and bool(trace.events) and trace.events[-1].kind == "asks",
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _name(outcome: Event | None) -> str | None:
    """The outcome of a run: one that its process gave up has none."""
    return outcome.name if outcome is not None and outcome.name in ENDINGS else None


def seconds_of(text: Any) -> float | None:
    """A time in ISO 8601 as seconds since 1970."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
