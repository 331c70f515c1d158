"""Cases over a folder, for several processes: one runs, another answers.

`open/ID.json` and `closed/ID.json` hold one case each, `runs/` the ids of each run's; `closed.log`
has the ids in the order in which they were closed, so that who waits for thousands of cases has one
file to look at; `holders/` has a file for each process that waits, locked as long as it lives: the
system lets go of it however a process ends, and what waits for nobody is withdrawn.
Files are written beside their place and moved there, under one lock.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from pipelang.runtime.files.private_files import append_line, make_private
from pipelang.runtime.inbox.case_records import NoCase, case_from, case_json
from pipelang.runtime.inbox.cases import (
    NOT_WAITED_FOR,
    Case,
    InboxBroken,
    settled,
)
from pipelang.runtime.inbox.store import Change, unique_id
from pipelang.runtime.inbox.wakeups import Look

_ID = re.compile("[0-9a-f]{12}")

PATIENCE = 10.0
"""Seconds that a process waits for others to let go of the lock."""


class FolderCases:
    """Cases in a folder, which is made when the first one opens. `waited_for` says whether a run of
    this process waits for one.
    """

    blocks = True

    def __init__(
        self, folder: Path, clock: Callable[[], datetime], waited_for: Callable[[str], bool]
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._waited_for = waited_for
        self.unreadable: tuple[str, ...] = ()
        self.holder: str = uuid.uuid4().hex[:12]
        self._thread = threading.RLock()
        self._process = FileLock(
            folder / "lock", PATIENCE, mode=0o600, thread_local=False, poll_interval=0.01
        )
        self._held: FileLock | None = None

    def add(self, case: Case) -> None:
        with self._alone(make=True):
            if self._held is None:
                self._hold()
            self._write(self._folder / "open" / f"{case.id}.json", case)
            append_line(self._of_run(case.run_id), f"{case.id}\n".encode())

    def get(self, case_id: str) -> Case:
        with self._told():
            return self._as_it_stands(self._read(self._find(case_id)))

    def all(self, closed: bool) -> tuple[Case, ...]:
        with self._told():
            paths = self._ids(("open", "closed") if closed else ("open",)).values()
            found, broken = [], []
            for path in paths:
                # One file that is broken or somebody else's must not hide the others.
                try:
                    found.append(self._as_it_stands(self._read(path)))
                except (InboxBroken, OSError):
                    broken.append(str(path))
            self.unreadable = tuple(sorted(broken))
        chosen = [case for case in found if closed or case.state == "open"]
        return tuple(sorted(chosen, key=lambda case: case.opened_at))

    def change(self, case_id: str, change: Change) -> Case:
        with self._alone():
            path = self._find(case_id)
            before = self._read(path)
            case = self._as_it_stands(before)
            try:
                case = change(case, self._run(case.run_id))
            finally:
                if case.state != "open" and before.state == "open":
                    self._close(path, case)
            if case.state == "open" and case != before:
                self._write(path, case)
            return case

    def forget(self, run_id: str) -> None:
        """Nothing: what people decided stays on the disk."""

    def watch(self) -> Look:
        """Look at what was closed from now on, by whatever process."""
        log = self._folder / "closed.log"
        at = _size(log)

        def look() -> Iterator[str]:
            nonlocal at
            size = _size(log)
            if size <= at:
                return
            with log.open("rb") as file:
                file.seek(at)
                new = file.read(size - at)
            whole = new[: new.rfind(b"\n") + 1]
            at += len(whole)
            yield from whole.decode("ascii", "replace").split()

        return look

    # ------------------------------------------------------------------------------ the files

    def _ids(self, folders: tuple[str, ...] = ("open", "closed")) -> dict[str, Path]:
        """The path of each case by its id."""
        found: dict[str, Path] = {}
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(self._folder / folder):
                    if name.endswith(".json"):
                        found[name.removesuffix(".json")] = self._folder / folder / name
        return found

    def _find(self, case_id: str) -> Path:
        if _ID.fullmatch(case_id):
            for folder in ("closed", "open"):
                path = self._folder / folder / f"{case_id}.json"
                if path.exists():
                    return path
        ids = self._ids()
        return ids[unique_id([one for one in ids if one.startswith(case_id)], case_id)]

    def _run(self, run_id: str) -> tuple[Case, ...]:
        """All cases of a run."""
        try:
            ids = self._of_run(run_id).read_text(encoding="ascii").split()
        except FileNotFoundError:
            return ()
        cases = (self._read(self._find(case_id)) for case_id in ids if _ID.fullmatch(case_id))
        return tuple(case for case in cases if case.run_id == run_id)

    def _of_run(self, run_id: str) -> Path:
        """The file with the ids of a run's cases, named by a digest: a run's id may be any text."""
        return self._folder / "runs" / sha256(run_id.encode()).hexdigest()[:16]

    def _read(self, path: Path) -> Case:
        # Closed since the folder was listed, or by one whom a crash kept from tidying up.
        for place in (self._folder / "closed" / path.name, path):
            with contextlib.suppress(FileNotFoundError):
                return self._read_from(place)
        return self._read_from(self._folder / "closed" / path.name)

    def _read_from(self, path: Path) -> Case:
        try:
            case = case_from(_regular(path))
        except NoCase as why:
            raise InboxBroken(f"`{path}` holds no case that this version can read: {why}") from None
        if case.id != path.stem:
            raise InboxBroken(f"`{path}` holds a case of another name, `{case.id}`")
        return case

    def _write(self, path: Path, case: Case) -> None:
        import json

        text = json.dumps(case_json(case), ensure_ascii=False, indent=1)
        beside = path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            # What was decided or handed over must outlive the machine; what waits ends with it.
            if case.state != "open" or case.kind in NOT_WAITED_FOR:
                os.fsync(file.fileno())
        os.replace(beside, path)

    def _close(self, path: Path, case: Case) -> None:
        self._write(self._folder / "closed" / path.name, case)
        path.unlink(missing_ok=True)
        append_line(self._folder / "closed.log", f"{case.id}\n".encode())

    # -------------------------------------------------------------------- locks and processes

    @contextlib.contextmanager
    def _alone(self, make: bool = False) -> Iterator[None]:
        """No other thread or process changes a case meanwhile. Raises `InboxBroken`."""
        with self._told(), self._thread:
            if make:
                for folder in ("open", "closed", "runs", "holders"):
                    make_private(self._folder / folder)
            elif not self._folder.is_dir():
                yield  # nothing is there that could be changed
                return
            with self._process:
                yield

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Timeout:
            raise InboxBroken(f"`{self._folder}` is locked by another process") from None
        except OSError as error:
            raise InboxBroken(f"`{self._folder}`: {error.strerror or error}") from error

    def _hold(self) -> None:
        lock = FileLock(
            self._folder / "holders" / f"{self.holder}.lock", 0, 0o600, thread_local=False
        )
        lock.acquire()
        self._held = lock
        weakref.finalize(self, _let_go, lock)

    def _as_it_stands(self, case: Case) -> Case:
        return settled(case, self._clock(), case.state != "open" or self._is_waited_for(case))

    def _is_waited_for(self, case: Case) -> bool:
        if case.holder is None:
            return True
        if case.holder == self.holder:
            return self._waited_for(case.id)
        path = self._folder / "holders" / f"{case.holder}.lock"
        if not path.exists():
            return False
        probe = FileLock(path, 0, 0o600, thread_local=False)
        try:
            probe.acquire()
        except Timeout:
            return True
        _let_go(probe)
        return False


def _let_go(lock: FileLock) -> None:
    lock.release()
    with contextlib.suppress(OSError):
        os.unlink(lock.lock_file)


def _regular(path: Path) -> bytes:
    """The bytes of a file. Raises FileNotFoundError, and `InboxBroken` for what is no plain file: a
    pipe would be waited for, and a link may lead anywhere.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        file = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise
    except OSError:
        raise InboxBroken(f"`{path}` cannot be read, or is no plain file") from None
    with open(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise InboxBroken(f"`{path}` is no plain file")
        return opened.read()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
