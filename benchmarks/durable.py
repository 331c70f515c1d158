"""`python -m benchmarks.durable`: what a durable run takes: processor time, statements and bytes.

Beside ours: DBOS with a step per step, and LangGraph with its savers. On SQLite and on a PostgreSQL
of its own, with the same settings: what is committed is on the disk. Nothing is measured by the
clock on the wall, so that a machine that is busy otherwise tells the same. A run has steps that do
nothing; ours call a tool that acts, so each has an intent and an outcome, which the others do not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from benchmarks.commands import environment
from benchmarks.model import Unavailable
from benchmarks.peers import ROOT, WORKERS, Place
from tests.durable.postgres import Server, programs

STEPS = 5
IDLE = 20
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Taken:
    """What runs took: seconds of the processes that do them and of the server, statements that the
    server was sent, and bytes that were written (of PostgreSQL those of its log, and what stays).
    """

    client: float
    server: float = 0.0
    statements: int = 0
    written: int = 0
    kept: int = 0

    def minus(self, other: Taken) -> Taken:
        return Taken(
            self.client - other.client,
            self.server - other.server,
            self.statements - other.statements,
            self.written - other.written,
            self.kept - other.kept,
        )


Line = Callable[[str, int], list[list[str]]]
"""The commands of a contender: a first one to make ready, and those that do so many runs in the
store of a URL side by side.
"""


class Bench:
    """Databases that are made anew for each measurement, and what was done in them."""

    def __init__(self, folder: Path, server: Server | None) -> None:
        self._folder, self._server = folder, server

    def taken(self, on: str, line: Line, runs: int) -> Taken:
        """What so many runs take, without what no run takes."""
        return self._taken(on, line, runs).minus(self._taken(on, line, 0))

    def idle(self, on: str, line: Line, seconds: int) -> Taken:
        """What workers take that have nothing to do, for so many seconds."""

        def waits(times: int) -> Line:
            wait = ["timeout", "--preserve-status", "-s", "INT"]
            return lambda url, runs: [
                one if number == 0 else [*wait, str(15 + times), *one[:-1]]
                for number, one in enumerate(line(url, runs))
            ]

        return self._taken(on, waits(seconds), 0).minus(self._taken(on, waits(0), 0))

    def _taken(self, on: str, line: Line, runs: int) -> Taken:
        folder = self._folder / token_hex(4)
        folder.mkdir()
        if on == "sqlite":
            return self._of_sqlite(folder, line, runs)
        assert self._server is not None
        name = f"b{token_hex(5)}"
        url = self._server.database(name)
        self._ask(name, f"ALTER DATABASE {name} SET log_statement = 'all'")
        first, *rest = line(url, runs)
        _do([first], folder)
        log = self._server.log
        before = self._of_server(name), log.stat().st_size
        client = _do(rest, folder)
        after = self._of_server(name)
        told = log.read_bytes()[before[1] :]
        sent = told.count(b"LOG:  statement: ") + told.count(b"LOG:  execute ")
        return Taken(
            client,
            after[0] - before[0][0],
            sent,
            after[1] - before[0][1],
            after[2] - before[0][2],
        )

    def _of_sqlite(self, folder: Path, line: Line, runs: int) -> Taken:
        file = folder / "runs.db"
        first, *rest = line(f"sqlite:///{file}", runs)
        _do([first], folder)
        before = _size(file)
        client = _do(rest, folder)
        return Taken(client, kept=_size(file) - before)

    def _of_server(self, name: str) -> tuple[float, int, int]:
        """Seconds of all its processes, bytes of its log, and of a database."""
        assert self._server is not None
        asked = f"SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, pg_database_size('{name}')"
        log, size = self._ask(name, asked).split("|")
        return _seconds_of(self._server.pid), int(log), int(size)

    def _ask(self, name: str, statement: str) -> str:
        assert self._server is not None
        return self._server.ask(name, statement)


def _size(file: Path) -> int:
    """The size of a SQLite file once its log is a part of it."""
    import sqlite3

    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


def _seconds_of(postmaster: int) -> float:
    """Processor time of a server: of processes that live, and of those that have ended."""
    total = 0
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, IndexError):
            continue
        if entry.name == str(postmaster):
            total += sum(map(int, fields[11:15]))
        elif fields[1] == str(postmaster):
            total += sum(map(int, fields[11:13]))
    return total / TICKS


def _do(lines: list[list[str]], folder: Path) -> float:
    """Do commands side by side; the seconds of processor time that they took."""
    import resource

    def used() -> float:
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        return now.ru_utime + now.ru_stime

    before = used()
    env = environment(PYTHONPATH=str(ROOT), EFFECTS=str(folder / "effects"), SLOW="0")
    started = [
        subprocess.Popen(
            line,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for line in lines
    ]
    for one in started:
        _, said = one.communicate()
        if one.returncode != 0:
            raise Unavailable(said.decode(errors="replace").strip().splitlines()[-1])
    return used() - before


# ------------------------------------------------------------------------------ contenders


def ours(folder: Path, python: str, pipeline: str, workers: int = 1) -> Line:
    """Runs of a pipeline, submitted first, which workers drain."""
    file = folder / "acts.pipe"
    file.write_text(_PIPE, encoding="utf-8")
    (folder / "acts.py").write_text("def put(x: str) -> str:\n    return x\n", encoding="utf-8")

    def lines(url: str, runs: int) -> list[list[str]]:
        given = folder / f"{runs}.jsonl"
        given.write_text("".join(f'{{"x": "{n}"}}\n' for n in range(runs)), encoding="utf-8")
        call = [python, "-m", "pipelang"]
        store = ["--store", url]
        first = [*call, "store", "init", url]
        if runs:
            first = [*call, "submit", str(file), pipeline, "--input", f"@{given}", *store]
        return [first] + [[*call, "worker", str(file), *store, "--drain"]] * workers

    return lines


def example(python: str, name: str, pipeline: str, data: str) -> Line:
    """Runs of an example's pipeline over its own data, once whatever the count but 0."""
    folder = ROOT / "examples" / name
    file = folder / f"{name}.pipe"

    def lines(url: str, runs: int) -> list[list[str]]:
        call = [python, "-m", "pipelang"]
        store = ["--store", url]
        first = [*call, "store", "init", url]
        if runs:
            given = f"@{folder / data}"
            first = [*call, "submit", str(file), pipeline, "--input", given, *store]
        return [first, [*call, "worker", str(file), *store, "--drain"]]

    return lines


def peer(python: str, script: str) -> Line:
    """Runs of a peer, by a script of its own."""

    def lines(url: str, runs: int) -> list[list[str]]:
        call = [python, str(WORKERS / script), url, str(STEPS)]
        return [[*call, "0"], [*call, str(runs)]]

    return lines


_ACTS = "\n".join(
    f'  step s{n} = call put({"x" if n == 0 else f"s{n - 1}"}) else fail "no"' for n in range(STEPS)
)
_PIPE = f"""
tool put(x: text) -> text {{ python "acts:put" effect write idempotent timeout 20s }}
tool look(x: text) -> text {{ python "acts:put" effect read timeout 20s }}
pipeline acts(x: text) -> text {{
{_ACTS}
  return s{STEPS - 1}
}}
pipeline reads(x: text) -> text {{
{_ACTS.replace("put", "look")}
  return s{STEPS - 1}
}}
"""

# ---------------------------------------------------------------------------------- report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durable", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--cache", type=Path, default=ROOT / ".bench", help="where peers live")
    parser.add_argument("--savers", metavar="PYTHON", help="a Python with LangGraph's savers")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    given = parser.parse_args()
    server = Server.new() if programs() is not None else None
    stores = ("sqlite", "postgresql") if server is not None else ("sqlite",)
    me = sys.executable
    rows: list[dict[str, object]] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), server)
            place = Path(folder)
            contenders: list[tuple[str, Line | Unavailable, int]] = [
                (f"pipelang, {STEPS} steps that act", ours(place, me, "acts"), given.runs),
                ("the same, 2 workers", ours(place, me, "acts", 2), given.runs),
                ("the same, 4 workers", ours(place, me, "acts", 4), given.runs),
                (f"pipelang, {STEPS} steps that read", ours(place, me, "reads"), given.runs),
                (f"DBOS, {STEPS} steps", peer(me, "dbos_durable.py"), given.runs),
                (f"LangGraph, {STEPS} nodes", savers(given.savers, given.cache), given.runs),
                ("moderation", example(me, "moderation", "moderate", "data/posts.jsonl"), 80),
                (
                    "ticket_routing",
                    example(me, "ticket_routing", "route_ticket", "data/tickets.jsonl"),
                    64,
                ),
            ]
            for name, line, runs in contenders:
                for on in stores:
                    row: dict[str, object] = {"name": name, "store": on}
                    try:
                        if isinstance(line, Unavailable):
                            raise line
                        row |= _a_run(bench.taken(on, line, runs), runs)
                    except Unavailable as why:
                        row["missing"] = str(why)
                    rows.append(row)
                    if given.format == "text":
                        print(_text(row), flush=True)
            for on in stores:
                row = {"name": "an idle worker of two pipelines, a second", "store": on}
                row |= _a_run(bench.idle(on, ours(place, me, "acts"), IDLE), IDLE)
                rows.append(row)
                if given.format == "text":
                    print(_text(row), flush=True)
    finally:
        if server is not None:
            server.close()
    if given.format == "json":
        print(json.dumps(rows, indent=2))
    return 0


def savers(python: str | None, cache: Path) -> Line | Unavailable:
    try:
        found = python or str(Place(cache.resolve()).python("savers"))
    except Unavailable as why:
        return why
    return peer(found, "langgraph_durable.py")


def _a_run(taken: Taken, runs: int) -> dict[str, object]:
    return {
        "client_ms": round(1000 * taken.client / runs, 2),
        "server_ms": round(1000 * taken.server / runs, 2),
        "statements": round(taken.statements / runs, 1),
        "log_bytes": round(taken.written / runs),
        "kept_bytes": round(taken.kept / runs),
    }


def _text(row: dict[str, object]) -> str:
    head = f"| {row['name']} | {row['store']} |"
    if "missing" in row:
        return f"{head} {row['missing']} | | | | |"
    if row["store"] == "sqlite":
        return f"{head} {row['client_ms']} | | | | {row['kept_bytes']} |"
    names = ("client_ms", "server_ms", "statements", "log_bytes", "kept_bytes")
    return head + "".join(f" {row[name]} |" for name in names)


if __name__ == "__main__":
    sys.exit(main())
