"""Tries the wheel where nothing else is: in an empty environment of every Python that is found."""

from __future__ import annotations

import json
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


def _talk(*messages: dict[str, object]) -> str:
    """Messages as an editor sends them."""
    said = [json.dumps({"jsonrpc": "2.0", **message}) for message in messages]
    return "".join(f"Content-Length: {len(one)}\r\n\r\n{one}" for one in said)


GREETING = _talk(
    {"id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}},
    {"method": "initialized", "params": {}},
    {"id": 2, "method": "shutdown"},
    {"method": "exit"},
)
"""An editor that comes and goes: `pipelang lsp` ends with 0 after it."""


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
    add = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    pipelang = str(home / "bin" / "pipelang")
    plain = [made, [*add, str(wheel)], *([pipelang, *step] for step in STEPS)]
    for words in (*plain, [*add, f"{wheel}[lsp]"], [pipelang, "lsp"]):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            words,
            cwd=work,
            env=environment,
            input=GREETING,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return f"`{' '.join(words[-4:])}` ended with {done.returncode}: {done.stderr[-2000:]}"
    return None
