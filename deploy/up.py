"""A server, two workers and PostgreSQL on this machine, as `deploy/compose.yaml` has them.

    python deploy/up.py examples/support/support.pipe [--port 8700] [--workers 2] [--data DIR]

It needs PostgreSQL's programs (`initdb`, `pg_ctl`, `createdb`, `psql`), makes a database in DIR
and keeps it; what a killed script left undone is done by the next. Everybody who reaches the port
may do everything, unless DIR/tokens.json is there: `pipelang token new --tokens DIR/tokens.json
...` makes it. Ctrl-C or SIGTERM ends all of it, in order.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

PROGRAMS = ("initdb", "pg_ctl", "createdb", "psql")
GRACE = 40.0
"""Seconds until a process that was asked to end is killed."""


def main() -> int:
    """Start all of it, and wait until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", type=Path, default=Path(".pipelang-database"))
    parser.add_argument("--database-port", type=int, default=54321)
    given = parser.parse_args()
    data = given.data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    lock = _locked(data)
    database = Database(data / "postgresql", given.database_port)
    processes: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        database.start()
        store = database.url("runs")
        files = [str(Path(file).absolute()) for file in given.files]
        pipelang = [sys.executable, "-m", "pipelang"]
        subprocess.run([*pipelang, "store", "init", store], check=True)
        for _ in range(given.workers):
            processes.append(subprocess.Popen([*pipelang, "worker", *files, "--store", store]))
        serve = [*pipelang, "serve", *files, "--store", store, "--no-worker"]
        serve += ["--port", str(given.port)]
        if (data / "tokens.json").exists():
            serve += ["--tokens", str(data / "tokens.json")]
        processes.append(subprocess.Popen(serve))
        while all(one.poll() is None for one in processes):
            time.sleep(0.5)
        return max(one.poll() or 0 for one in processes) or 1
    except KeyboardInterrupt:
        return 0
    except subprocess.CalledProcessError as failed:
        print(f"{' '.join(map(str, failed.cmd))} ended with {failed.returncode}", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(processes[::-1])
        database.stop()
        lock.close()


def _locked(data: Path) -> IO[str]:
    """The lock of a folder, which goes with the process that holds it; ends the script if another
    one runs there.
    """
    lock = (data / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"another up.py runs on {data}")
    return lock


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask processes to end, the server first, and wait until they have."""
    for one in processes:
        if one.poll() is None:
            one.send_signal(signal.SIGTERM)
    end = time.monotonic() + GRACE
    for one in processes:
        try:
            one.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


class Database:
    """A PostgreSQL server of our own, which only this machine reaches."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._programs = _folder_of_programs()
        # It refuses to be run by root.
        self._user = "postgres" if os.getuid() == 0 else None

    def start(self) -> None:
        """Make what is not there, and start the server. Each step may have been cut off before: a
        cluster has its name once it is whole, and whether the database is there is asked.
        """
        if not (self._folder / "PG_VERSION").exists():
            unfinished = self._folder.with_name(self._folder.name + ".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700, parents=True)
            if self._user is not None:
                shutil.chown(unfinished, self._user)
            self._do("initdb", "-D", str(unfinished), "-U", "pipelang", "-A", "trust")
            unfinished.rename(self._folder)
        self.stop()  # a server that outlived a killed script: the lock is ours
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1"
        log = str(self._folder / "log")
        self._do("pg_ctl", "-D", str(self._folder), "-l", log, "-w", "-o", options, "start")
        where = ["-h", "127.0.0.1", "-p", str(self._port), "-U", "pipelang"]
        known = "select 1 from pg_database where datname = 'runs'"
        asked = [*where, "-d", "postgres", "-Atc", known]
        if not self._do("psql", *asked, output=subprocess.PIPE):
            self._do("createdb", *where, "runs")

    def url(self, name: str) -> str:
        """The address of a database, as a store."""
        return f"postgresql://pipelang@127.0.0.1:{self._port}/{name}"

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if (self._folder / "postmaster.pid").exists():
            self._do("pg_ctl", "-D", str(self._folder), "-w", "-m", "fast", "stop", check=False)

    def _do(
        self, program: str, *arguments: str, check: bool = True, output: int = subprocess.DEVNULL
    ) -> str:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            check=check,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,  # that of `pg_ctl start` ends with the server, so nobody reads it
            text=True,
            user=self._user,
        )
        return (done.stdout or "").strip()


def _folder_of_programs() -> Path:
    """The folder of PostgreSQL's programs; ends the script if there is none."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in [*places, *([Path(found).resolve().parent] if found else [])]:
        if all((place / program).exists() for program in PROGRAMS):
            return place
    sys.exit("PostgreSQL is not installed: apt-get install postgresql")


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


if __name__ == "__main__":
    if os.getuid() == 0 and not _has_user("postgres"):
        sys.exit("PostgreSQL is not run by root, and there is no user `postgres`")
    sys.exit(main())
