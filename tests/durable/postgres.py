"""A PostgreSQL server for tests, in a folder of its own, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

NEEDED = ("initdb", "pg_ctl", "createdb")
PLACES = ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin")


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, None if this machine has none that can be started."""
    found = shutil.which("initdb")
    places = [*map(Path, PLACES), *([Path(found).resolve().parent] if found else [])]
    there = next((at for at in places if all((at / one).exists() for one in NEEDED)), None)
    return there if there is not None and (os.getuid() != 0 or _user() is not None) else None


def _user() -> pwd.struct_passwd | None:
    """The user who runs the server where this is root, which it refuses to be run by."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


class Server:
    """A server that can be stopped, killed and started again."""

    def __init__(self, folder: Path) -> None:
        programs_at = programs()
        assert programs_at is not None
        self._bin = programs_at
        self._data = folder / "data"
        self._as = _user() if os.getuid() == 0 else None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        if self._as:
            os.chown(folder, self._as.pw_uid, self._as.pw_gid)
            os.chmod(folder, 0o700)
        self._do("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync")
        self.start()

    @classmethod
    def new(cls) -> Server:
        return cls(Path(tempfile.mkdtemp(prefix="pipelang-pg-", dir="/tmp")))

    def start(self) -> None:
        options = f"-p {self.port} -k {self._data} -c listen_addresses=127.0.0.1"
        log = str(self._data / "log")
        self._do("pg_ctl", "-D", str(self._data), "-l", log, "-w", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop the server; `immediate` is what a crash is to it."""
        self._do("pg_ctl", "-D", str(self._data), "-m", how, "-w", "stop")

    def database(self, name: str) -> str:
        """The URL of a database that is new."""
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        self._do("createdb", *at, name)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    @property
    def pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split("\n")[0])

    @property
    def log(self) -> Path:
        return self._data / "log"

    def ask(self, name: str, statement: str) -> str:
        """The answer to a statement in a database, columns apart by `|`."""
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", name]
        line = [str(self._bin / "psql"), *at, "-Atqc", statement]
        done = subprocess.run(line, cwd="/tmp", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._data.parent, ignore_errors=True)

    def _do(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd="/tmp",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            user=self._as and self._as.pw_uid,
            group=self._as and self._as.pw_gid,
            extra_groups=[] if self._as else None,
        )
        assert done.returncode == 0, done.stderr.decode()
