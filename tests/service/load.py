"""Load on a server in memory: runs started on a few connections, and clients that follow them.

`python -m tests.service.load [RUNS] [CLIENTS]` says what a run costs the server in CPU time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from .desk import write_desk
from .serving import ProcessServer

CONNECTIONS = 8


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """The bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next(
        int(line.partition(b":")[2])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    return status, await reader.readexactly(length)


async def start_runs(port: int, count: int, pipeline: str, inputs: object) -> list[str]:
    """Start so many runs, on a few connections that stay open: their ids."""
    body = json.dumps({"inputs": inputs}).encode()
    request = (
        f"POST /v1/pipelines/{pipeline}/runs HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    left = iter(range(count))
    found: list[str] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request)
            status, answer = await _answer(reader)
            assert status == 202, answer
            found.append(json.loads(answer)["id"])
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return found


async def follow(port: int, run: str) -> int:
    """Follow a run to its end: how many events were heard."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    writer.write(f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    heard = 0
    while line := await reader.readline():
        heard += line.startswith(b"id:")
        if line.startswith(b"event: end"):
            break
    writer.close()
    return heard


async def load(port: int, runs: int, clients: int) -> int:
    """Clients follow a run that lasts while runs are started: the events that they heard."""
    [slow] = await start_runs(port, 1, "rest", {"seconds": 5})
    followers = [asyncio.ensure_future(follow(port, slow)) for _ in range(clients)]
    made = await start_runs(port, runs, "say", {"what": "hello"})
    assert len(set(made)) == runs
    return sum(await asyncio.gather(*followers))


def main(runs: int, clients: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_desk(folder)
        server = ProcessServer(folder, "desk.pipe", fresh=True)
        try:
            pid = server.process.pid
            before, memory = cpu_seconds(pid), resident(pid)
            heard = asyncio.run(load(server.port, runs, clients))
            used = cpu_seconds(pid) - before
            print(f"{runs} runs, {clients} clients that heard {heard} events")
            print(f"{used / runs * 1000:.2f} ms of CPU a run; {runs / used:.0f} a second of a core")
            print(f"memory {memory / 2**20:.0f} MB before, {resident(pid) / 2**20:.0f} MB after")
        finally:
            server.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ("2000", "500")))
