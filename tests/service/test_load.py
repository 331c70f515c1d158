"""Load, counted: every run once, every client told, nothing kept beyond its limit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .desk import write_desk
from .load import cpu_seconds, load, start_runs
from .serving import ProcessServer, ThreadServer

MOST_CPU = 20.0
"""Milliseconds a run that say that something is badly wrong; `tests.service.load` measures."""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="CPU time is read from /proc")
def test_many_runs_and_many_who_follow(tmp_path: Path) -> None:
    write_desk(tmp_path)
    server = ProcessServer(tmp_path, "desk.pipe")
    try:
        before = cpu_seconds(server.process.pid)
        heard = asyncio.run(load(server.port, 300, 500))
        used = cpu_seconds(server.process.pid) - before
        # `run`, `step`, `result`, `done` and `outcome`, each to everybody.
        assert heard == 500 * 5
        assert used / 800 * 1000 < MOST_CPU
        caller = server.caller()
        assert caller.start("say", {"what": "x"}, "?wait=60")["status"] == "answered"
    finally:
        assert server.close() == 0


def test_nothing_is_kept_beyond_its_limit(file: Path) -> None:
    server = ThreadServer(file, most_kept=50)
    try:
        asyncio.run(start_runs(server.port, 400, "say", {"what": "x"}))
        caller = server.caller()
        for n in range(60):
            caller.start("say", {"what": "x"}, "?wait=60", headers={"Idempotency-Key": str(n)})
        backend = server.backend
        assert len(backend._runs) == len(backend._done) == 50
        assert len(backend._keys) <= 50
        assert not backend._queue
        assert not backend._timers
        assert backend._active == 0
        # A key lasts as long as its run: afterwards it is free.
        known = caller.start("say", {"what": "x"}, headers={"Idempotency-Key": "59"})["id"]
        again = caller.start("say", {"what": "y"}, "?wait=60", headers={"Idempotency-Key": "0"})
        assert again["id"] != known
    finally:
        server.close()
