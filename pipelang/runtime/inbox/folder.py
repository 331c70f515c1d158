"""Cases over a folder, for several processes: one runs, another answers.

`open/ID.RUN.json` and `closed/ID.RUN.json` hold one case each, RUN being a digest of the run's id;
`closed.log` has the ids in the order in which they were closed, so that who waits for thousands of
cases has one file to look at; `holders/` has a file for each process that waits, locked as long as
it lives: the system lets go of it however a process ends, and what waits for nobody is withdrawn.
Files are written beside their place and moved there, under one lock.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from pipelang.runtime.inbox.cases import Case, InboxBroken, case_from, case_json, settled
from pipelang.runtime.inbox.store import Change, the_only
from pipelang.runtime.inbox.waking import Look

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
        self.holder: str = uuid.uuid4().hex[:12]
        self._thread = threading.RLock()
        self._process = FileLock(folder / "lock", PATIENCE, thread_local=False, poll_interval=0.01)
        self._held: FileLock | None = None

    def add(self, case: Case) -> None:
        with self._alone(make=True):
            if self._held is None:
                self._hold()
            self._write(self._folder / "open" / _name(case), case)

    def get(self, case_id: str) -> Case:
        with self._told():
            return self._as_it_stands(self._read(self._find(case_id)))

    def all(self, closed: bool) -> tuple[Case, ...]:
        with self._told():
            found = [self._as_it_stands(self._read(p)) for p in self._files("open", "closed")]
        chosen = [case for case in found if closed or case.state == "open"]
        return tuple(sorted(chosen, key=lambda case: case.opened_at))

    def change(self, case_id: str, change: Change) -> Case:
        with self._alone():
            path = self._find(case_id)
            before = self._read(path)
            case = self._as_it_stands(before)
            run = [self._read(p) for p in self._files("open", "closed", run=path.name)]
            try:
                case = change(case, tuple(run))
            finally:
                if case.state != "open" and before.state == "open":
                    self._close(path, case)
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

    def _files(self, *folders: str, run: str | None = None) -> list[Path]:
        """Case files, of one run if the name of one of its cases is given; a closed one stands for
        the open one that a crash left behind.
        """
        found: dict[str, Path] = {}
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(self._folder / folder):
                    if name.endswith(".json") and (run is None or name[-14:] == run[-14:]):
                        found[name] = self._folder / folder / name
        return list(found.values())

    def _find(self, case_id: str) -> Path:
        paths = {path.name.partition(".")[0]: path for path in self._files("open", "closed")}
        return paths[the_only([one for one in paths if one.startswith(case_id)], case_id)]

    def _read(self, path: Path) -> Case:
        try:
            return case_from(path.read_bytes())
        except FileNotFoundError:
            if path.parent.name == "open":  # closed since the folder was listed
                return self._read(self._folder / "closed" / path.name)
            raise
        except ValueError:
            raise InboxBroken(f"`{path}` holds no case that this version can read") from None

    def _write(self, path: Path, case: Case) -> None:
        import json

        text = json.dumps(case_json(case), ensure_ascii=False, indent=1)
        beside = path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)

    def _close(self, path: Path, case: Case) -> None:
        self._write(self._folder / "closed" / path.name, case)
        path.unlink(missing_ok=True)
        with (self._folder / "closed.log").open("ab") as log:
            log.write(f"{case.id}\n".encode())

    # -------------------------------------------------------------------- locks and processes

    @contextlib.contextmanager
    def _alone(self, make: bool = False) -> Iterator[None]:
        """No other thread or process changes a case meanwhile. Raises `InboxBroken`."""
        with self._told(), self._thread:
            if make:
                for folder in ("open", "closed", "holders"):
                    (self._folder / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
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
        lock = FileLock(self._folder / "holders" / f"{self.holder}.lock", 0, thread_local=False)
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
        probe = FileLock(path, 0, thread_local=False)
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


def _name(case: Case) -> str:
    """ID.RUN.json; the run's id may be any text, its digest is a file name."""
    return f"{case.id}.{sha256(case.run_id.encode()).hexdigest()[:8]}.json"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
