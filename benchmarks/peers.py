"""The peers, with their versions, each in an environment of its own below a cache folder.

They are installed when they are first wanted and never into pipelang's own environment. One that
cannot be installed (no network, no wheel for this Python, no npm) costs its row a remark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import environment
from benchmarks.model import Unavailable

ROOT = Path(__file__).resolve().parent.parent
WORKERS = Path(__file__).resolve().parent / "workers"

# One environment for each group that must not see another's packages.
PYTHON_PEERS = {
    "ruff": ("ruff==0.17.6",),
    "cython": ("lark==1.3.1", "lark-cython==0.0.17"),
    "frameworks": ("burr==0.42.0", "pydantic-graph==2.68.0", "langgraph==1.2.22"),
    "savers": (
        "langgraph==1.2.22",
        "langgraph-checkpoint-sqlite==3.1.2",
        "langgraph-checkpoint-postgres==3.2.0",
        "psycopg[binary]==3.3.9",
    ),
    "storm": ("stormpy==1.14.0",),
}
NODE_PEERS = {"baml": "@boundaryml/baml@0.226.2"}
VERSIONS = {
    requirement.rpartition("==")[0]: requirement.rpartition("==")[2]
    for group in PYTHON_PEERS.values()
    for requirement in group
} | {"baml": NODE_PEERS["baml"].rpartition("@")[2]}

_INSTALLING = 900.0
_WINDOWS = os.name == "nt"


@dataclass(frozen=True, slots=True)
class Place:
    """The cache folder, and what is in it."""

    folder: Path

    def ours(self) -> Path:
        """The Python of an environment with nothing but pipelang and what it runs on.

        Not the developer's: whatever start-up hooks are installed there would be measured too.
        """
        requirements = ("--editable", str(ROOT))
        return self._python("pipelang", requirements)

    def python(self, peer: str) -> Path:
        """The Python of a peer's environment. Raises `Unavailable`."""
        return self._python(peer, PYTHON_PEERS[peer])

    def script(self, peer: str, name: str) -> Path:
        """A program of a peer's environment. Raises `Unavailable`."""
        python = self.ours() if peer == "pipelang" else self.python(peer)
        return python.with_name(f"{name}.exe" if _WINDOWS else name)

    def node(self, peer: str, name: str) -> Path:
        """A program of a peer from npm. Raises `Unavailable`."""
        folder = self.folder / peer
        program = folder / "node_modules" / ".bin" / (f"{name}.cmd" if _WINDOWS else name)
        stamp = folder / ".ready"
        wanted = NODE_PEERS[peer]
        if program.exists() and _read(stamp) == wanted:
            return program
        npm = shutil.which("npm")
        if npm is None:
            raise Unavailable("npm is not installed")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # No package's own scripts: none of them is needed to check a file.
        options = ("--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(folder))
        _run([npm, "install", *options, wanted])
        stamp.write_text(wanted, encoding="utf-8")
        return program

    def _python(self, name: str, requirements: tuple[str, ...]) -> Path:
        folder = self.folder / name
        python = folder / ("Scripts/python.exe" if _WINDOWS else "bin/python")
        stamp = folder / ".ready"
        wanted = " ".join((sys.version, *requirements))
        if python.exists() and _read(stamp) == wanted:
            return python
        shutil.rmtree(folder, ignore_errors=True)
        print(f"installing {name} into {folder}", file=sys.stderr)
        # The interpreter itself and not an environment's: so none of its hooks are inherited.
        _run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *requirements])
        stamp.write_text(wanted, encoding="utf-8")
        return python


def _run(line: list[str]) -> None:
    try:
        done = subprocess.run(line, env=environment(), capture_output=True, timeout=_INSTALLING)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"not installed: {error}") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unavailable(f"not installed: {lines[-1] if lines else line[0]}")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
