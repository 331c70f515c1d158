"""Contenders that are whole processes, from their start to their end, and those that stay.

A `Worker` is a process that takes samples on demand: it lives in its peer's own environment, and
its samples are still taken in turn with everybody else's.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from benchmarks.model import Contender, Kind, TooLong, Unavailable

LONGEST = 300.0
"""Seconds that one sample of a worker may take, with what it makes ready before the first."""


def environment(**more: str) -> dict[str, str]:
    """The environment of everything that is measured.

    Without .pyc files every start would pay for compiling, and where a Python path is set, modules
    would be found that a user's process has not.
    """
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONPROFILEIMPORTTIME")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "NO_COLOR": "1", "BAML_LOG": "off", **more}


def command(
    name: str,
    kind: Kind,
    words: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    codes: tuple[int, ...] = (0,),
    prepare: Callable[[], None] | None = None,
    note: str = "",
) -> Contender:
    """A process that is started, does its work and ends with one of the exit codes."""
    line = [str(word) for word in words]
    env = environment(**(extra or {}))
    used = [0.0]

    def sample() -> float:
        before = _of_children()
        began = time.perf_counter()
        try:
            done = subprocess.run(
                line, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True
            )
        except OSError as error:
            raise Unavailable(f"{line[0]} does not start: {error}") from error
        took = time.perf_counter() - began
        used[0] = _of_children() - before
        if done.returncode not in codes:
            raise Unavailable(f"exit code {done.returncode}: {_last_line(done.stderr)}")
        return took

    processor = None if os.name == "nt" else lambda: used[0]
    return Contender(name, kind, sample, prepare=prepare, processor=processor, note=note)


def _of_children() -> float:
    """Seconds of processor time that processes took which were started here and have ended."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Worker:
    """A process that answers each line that it is sent with a sample; see `workers/serve.py`."""

    def __init__(self, words: Sequence[str | Path]) -> None:
        self._line = [str(word) for word in words]
        self._process: subprocess.Popen[bytes] | None = None
        # A file and not a pipe: nobody reads it while the worker works.
        self._said: IO[bytes] | None = None

    def start(self) -> None:
        """Start the process. Raises `Unavailable` if its program is not there."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        try:
            self._process = subprocess.Popen(
                self._line,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=environment(),
            )
        except OSError as error:
            raise Unavailable(f"{self._line[0]} does not start: {error}") from error

    def sample(self) -> float:
        """One sample. Raises `Unavailable` with the last thing that a broken worker said."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(b"sample\n")
            process.stdin.flush()
        except OSError:
            raise Unavailable(self._last_words()) from None
        clock = threading.Timer(LONGEST, process.kill)
        clock.start()
        answer = process.stdout.readline()
        if not answer:
            if clock.finished.is_set():
                raise TooLong(f"given up after {LONGEST:g} s")
            clock.cancel()
            said = self._last_words()
            if said == "MemoryError":
                raise TooLong("given up: it asks for more memory than workers/serve.py allows")
            raise Unavailable(said)
        clock.cancel()
        return float(json.loads(answer))

    def once(self) -> float:
        """One sample of a process of its own."""
        self.start()
        try:
            return self.sample()
        finally:
            self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout, self._said):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        assert self._process is not None
        assert self._said is not None
        code = self._process.wait()
        self._said.seek(0)
        return _last_line(self._said.read()) or f"ended with exit code {code}"


def worker(
    name: str,
    kind: Kind,
    words: Sequence[str | Path],
    *,
    fresh: bool = False,
    note: str = "",
) -> Contender:
    """A contender behind a worker: one process for all samples, or with `fresh` one for each."""
    process = Worker(words)
    if fresh:
        return Contender(name, kind, process.once, note=note)
    return Contender(
        name, kind, process.sample, start=process.start, close=process.close, note=note
    )


def missing(name: str, kind: Kind, why: str) -> Contender:
    """A contender of whom is only known why it is not there."""

    def start() -> None:
        raise Unavailable(why)

    def sample() -> float:
        raise Unavailable(why)

    return Contender(name, kind, sample, start=start)


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
