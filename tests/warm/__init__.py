"""Commands in processes of their own that start warm.

`python -m pipelang` takes most of its time for importing what it needs, and hundreds of tests start
it. Here a command is forked off a process that has imported pipelang already (`__main__.py`), one
for each process of pytest. All else is as in a fresh one: its own arguments, folder, environment,
files and exit code; it can be killed, and it ends as a process does.

What looks at how a process starts (what it imports, how Python is set up) starts a fresh one.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

REPO = Path(__file__).resolve().parents[2]
COLD = ("PYTHON", "LC_", "LANG")
"""What a variable's name starts with, if Python reads it when it starts."""


def command(
    *arguments: str | Path,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes = b"",
    timeout: float = 60,
    without: str = "",
    loaded: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `pipelang` with arguments, as `subprocess.run` would. Without input there is none.
    `without` names a module that is not yet imported when the command starts; the modules that are
    when it ends are written to the file `loaded`.
    """
    words = [str(one) for one in arguments]
    environment = _environment(env)
    if _is_cold(environment):
        return subprocess.run(
            [sys.executable, "-m", "pipelang", *words],
            cwd=cwd, env=environment, input=input, capture_output=True, timeout=timeout,
        )  # fmt: skip
    process = Process(words, cwd, environment, input, without, loaded)
    try:
        out, err = process.output(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(words, process.wait(), out, err)


def command_text(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """The same with output as text."""
    done = command(*arguments, **options)
    return subprocess.CompletedProcess(
        done.args, done.returncode, _text(done.stdout), _text(done.stderr)
    )


def start(
    *arguments: str | Path,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    module: str = "pipelang",
    log: Path | None = None,
) -> Process:
    """Start `pipelang` with arguments and without input, as `subprocess.Popen` would; or another
    module of the tests, whose `main` reads `sys.argv`. What it says is added to `log`, if one is
    named.
    """
    words = [str(one) for one in arguments]
    return Process(words, cwd, _environment(env), module=module, log=log)


class Process:
    """A command that was started; what tests need of a `subprocess.Popen` with output as text."""

    def __init__(
        self,
        words: list[str],
        cwd: str | Path | None,
        environment: Mapping[str, str],
        input: bytes = b"",
        without: str = "",
        loaded: Path | None = None,
        module: str = "pipelang",
        log: Path | None = None,
    ) -> None:
        self.args = words
        self.returncode: int | None = None
        asked = {"words": words, "cwd": str(cwd or os.getcwd()), "env": dict(environment)}
        asked |= {"loaded": loaded and str(loaded), "module": module}
        text = json.dumps(asked).encode()
        self._said: list[bytes] = []
        with contextlib.ExitStack() as files:
            self._out = self._err = files.enter_context(log.open("ab+") if log else _temporary())
            if log is None:
                self._err = files.enter_context(_temporary())
            # Closed with it, where a test failed before it read them: whoever collects the garbage
            # that is left is another test, and would fail too.
            self._files = files.pop_all()
            weakref.finalize(self, self._files.close)
        with _temporary() as given:
            given.write(input)
            given.seek(0)
            self._line = self._files.enter_context(socket.socket(socket.AF_UNIX))
            self._line.connect(_warm_process(without))
            files = [one.fileno() for one in (given, self._out, self._err)]
            socket.send_fds(self._line, [len(text).to_bytes(8, "big")], files)
            self._line.sendall(text)
            self.pid = int(self._read_line(None))

    def _read_line(self, timeout: float | None) -> bytes:
        """The next number that the warm process tells. Raises `TimeoutError`."""
        self._line.settimeout(timeout)
        said = self._line.recv(1)
        while said and not said.endswith(b"\n"):
            self._line.settimeout(None)
            said += self._line.recv(1)
        return said

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; the exit code."""
        if self.returncode is None:
            try:
                self.returncode = int(self._read_line(timeout))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._line.close()
        return self.returncode

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def output(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Wait until it has ended; all that it wrote."""
        self.wait(timeout)
        if not self._said:
            with self._files:
                for file in (self._out, self._err):
                    file.seek(0)
                    self._said.append(file.read())
        out, err = self._said
        return out, err

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """The same as text."""
        out, err = self.output(timeout)
        return _text(out), _text(err)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _temporary() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _text(said: bytes) -> str:
    return said.decode("utf-8").replace("\r\n", "\n")


def _environment(given: Mapping[str, str] | None) -> dict[str, str]:
    return {**(os.environ if given is None else given), "PYTHONPATH": str(REPO)}


def _is_cold(environment: Mapping[str, str]) -> bool:
    """Whether Python itself would start otherwise than it has started here."""
    names = {*environment, *os.environ} - {"PYTHONPATH"}
    return not hasattr(os, "fork") or any(
        name.startswith(COLD) and environment.get(name) != os.environ.get(name) for name in names
    )


@functools.cache
def _warm_process(without: str) -> str:
    """The socket of a process that has started; it ends when this one does, since its input then
    ends.
    """
    folder = tempfile.mkdtemp(prefix="warm")
    place = f"{folder}/line"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.warm", place, without],
        env={**os.environ, "PYTHONPATH": str(REPO), "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPO,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"warm\n"

    def end() -> None:
        process.stdin.close()  # type: ignore[union-attr]
        process.stdout.close()  # type: ignore[union-attr]
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return place
