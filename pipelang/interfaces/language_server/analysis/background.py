"""Runs jobs in the worker: one at a time, the newest wish of a file instead of older ones, and of
several files whichever somebody looks at.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable
from typing import Any

from pipelang.records import dataclass
from pipelang.resources import package_folder

LONGEST_LINE = 256 * 1024 * 1024
"""Bytes of an answer; the text of a file is in it."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Wish:
    """A job that somebody wants done. `tell` gets its answers, one after the other; the last one
    has `end`.
    """

    number: int
    path: str
    texts: dict[str, str]
    tell: Callable[[int, dict[str, Any]], None]


class Background:
    """The worker, and the jobs that wait for it; `next_of` chooses one of the files that wait."""

    def __init__(self, next_of: Callable[[Iterable[str]], str]) -> None:
        self._next_of = next_of
        self._process: Process | None = None
        self._waiting: dict[str, Wish] = {}
        self._doing: Wish | None = None
        self._pid: int | None = None
        self._runner: asyncio.Task[None] | None = None
        self._count = 0
        self._closed = False
        self._starting = asyncio.Lock()

    def ask(
        self, path: str, texts: dict[str, str], tell: Callable[[int, dict[str, Any]], None]
    ) -> int:
        """Have the numbers of a file worked out; what was wanted for it before is given up."""
        self.cancel(path)
        self._count += 1
        self._waiting[path] = Wish(self._count, path, texts, tell)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.ensure_future(self._run())
        return self._count

    async def warm_up(self) -> None:
        """Start the worker, so that it has imported what it needs when somebody wants numbers."""
        if not self._closed:
            await self._worker()

    def cancel(self, path: str) -> None:
        """Give up what is wanted for a file."""
        self._waiting.pop(path, None)
        if self._doing is not None and self._doing.path == path:
            self._doing = None
            self._kill()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is done and nothing waits."""
        return self._doing is None and not self._waiting

    async def close(self) -> None:
        """End the worker and what it does."""
        process = self._process
        self.kill()
        if process is not None:
            await process.wait()

    def kill(self) -> None:
        """The same, without waiting for it."""
        self._closed = True
        self._waiting.clear()
        self._doing = None
        self._kill()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()

    def _kill(self) -> None:
        """Kill the fork that does the job; without forks the worker itself, which starts anew."""
        if self._pid is None:
            return
        pid, self._pid = self._pid, None
        try:
            os.kill(pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        except OSError:
            return  # it has just ended

    async def _run(self) -> None:
        while self._waiting and not self._closed:
            wish = self._waiting.pop(self._next_of(self._waiting))
            self._doing = wish
            try:
                await self._do(wish)
            except (OSError, ValueError, EOFError) as problem:
                log.warning("the analysis of %s broke off: %s", wish.path, problem)
                self._process = None
                if self._doing is wish:
                    wish.tell(wish.number, {"end": True, "failed": True})
            finally:
                self._pid = None
                if self._doing is wish:
                    self._doing = None

    async def _do(self, wish: Wish) -> None:
        process = await self._worker()
        assert process.stdin is not None
        assert process.stdout is not None
        job = {
            "id": wish.number,
            "path": wish.path,
            "texts": wish.texts,
            "folder": _here(),
        }
        process.stdin.write(json.dumps(job).encode() + b"\n")
        await process.stdin.drain()
        while True:
            line = await process.stdout.readline()
            if not line:
                self._process = None
                if self._doing is wish:
                    raise EOFError("the worker ended")
                return  # it was killed with its job, where there are no forks
            answer = json.loads(line)
            if answer.get("id") != wish.number:
                continue
            if "pid" in answer:
                self._pid = answer["pid"]
                if self._doing is not wish:
                    self._kill()  # it was given up before it began
                continue
            if answer.get("end"):
                self._pid = None
            if self._doing is wish:
                wish.tell(wish.number, answer)
            if answer.get("end"):
                return

    async def _worker(self) -> Process:
        async with self._starting:
            return await self._started()

    async def _started(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        module = "pipelang.interfaces.language_server.analysis.worker"
        # One thread: others would only take turns with the editor, and a fork would not have them.
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a module that lies in the workspace is none of ours
            "-m",
            module,
            stdin=PIPE,
            stdout=PIPE,
            limit=LONGEST_LINE,
            env={**os.environ, **one, "PYTHONPATH": os.pathsep.join(_ours())},
        )
        return self._process


def _here() -> str:
    """The folder that the server works in, or the root of all folders if that was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return os.path.abspath(os.sep)


def _ours() -> list[str]:
    """Paths by which the worker finds this very pipelang, before what the user named."""
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [os.path.dirname(package_folder()), *filter(None, named)]
