"""Tries the wheel where nothing else is: in an empty environment of every Python that is found."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
STEPS = (
    ("--version",),
    ("new", "desk"),
    ("check", "desk"),
    ("test", "desk"),
    ("run", "desk/desk.pipe", "--provider", "replay", "--input", "@desk/tickets.jsonl"),
    ("simulate", "desk/desk.pipe", "--runs", "100"),
    ("graph", "desk/desk.pipe", "--format", "svg", "--output", "desk.svg"),
    ("explain", "P501"),
)


def pythons() -> Iterator[tuple[str, Path | None]]:
    """The Pythons of this machine by version, on the path or of pyenv; None where there is none."""
    below = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in VERSIONS:
        places = [*sorted(below.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")]
        yield version, next((Path(one) for one in places if one and _works(Path(one))), None)


def _works(python: Path) -> bool:
    words = [str(python), "-c", "import ensurepip, venv"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def tried(wheel: Path, python: Path, work: Path) -> str | None:
    """What goes wrong when the wheel is used in an empty environment; None if nothing does."""
    home = work / python.parent.parent.name
    made = [str(python), "-m", "venv", str(home)]
    add = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    for words in (made, add, *([str(home / "bin" / "pipelang"), *step] for step in STEPS)):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            words, cwd=work, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return f"`{' '.join(words[-4:])}` ended with {done.returncode}: {done.stderr[-2000:]}"
    return None
