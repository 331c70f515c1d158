"""AgentDojo in a process of its own: it brings model SDKs along, and pipelang loads none."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")
VENV = REPO / ".venv-agentdojo"
HOW = "no agentdojo: `make agentdojo` gets it, or PIPELANG_AGENTDOJO_PYTHON names a Python with it"


@functools.cache
def agentdojo_python() -> str | None:
    """An interpreter that has it: what the environment names, or that of `make agentdojo`."""
    named = os.environ.get("PIPELANG_AGENTDOJO_PYTHON")
    candidate = named or str(VENV / "bin" / "python")
    look = "import importlib.util as u, sys; sys.exit(u.find_spec('agentdojo') is None)"
    try:
        found = subprocess.run([candidate, "-c", look], capture_output=True, timeout=60)
    except OSError:
        return None
    return candidate if found.returncode == 0 else None


@functools.cache
def facts() -> dict[str, Any]:
    """What `worker.py` writes; some ten seconds."""
    python = agentdojo_python()
    assert python is not None
    done = subprocess.run([python, str(WORKER)], capture_output=True, timeout=300, check=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made
