"""Load, counted: every run once, every client told, nothing kept beyond its limit."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from pipelang.interfaces.service.serving import listening

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


def test_an_answer_is_sent_at_once() -> None:
    """The kernel keeps a body back until the caller has confirmed the headers, for 40 ms, where the
    connection was not told to send at once.
    """

    async def main() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            told.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listening("127.0.0.1", 0)
        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await told

    assert asyncio.run(main())
