"""The tools of the devops example, over the data that ships beside this file.

`execute` runs nothing on a machine: it writes what it was told to an audit file, and the incident's
row in `data/incidents.jsonl` says how the step would have gone. The file lies in the folder that
`PIPELANG_EXAMPLE_STATE` names, else below the system's temporary folder.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
_writing = threading.Lock()


def _lines(name: str) -> list[dict[str, Any]]:
    text = (DATA / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


@cache
def _logs() -> list[dict[str, Any]]:
    return _lines("logs.jsonl")


@cache
def _metrics() -> list[dict[str, Any]]:
    return _lines("metrics.jsonl")


@cache
def _incidents() -> dict[str, dict[str, Any]]:
    return {row["alert"]: row for row in _lines("incidents.jsonl")}


@cache
def _runbooks() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "runbooks.json").read_text(encoding="utf-8"))
    return found


def _recent(
    rows: list[dict[str, Any]], service: str, at: str, back: timedelta
) -> list[dict[str, Any]]:
    """The rows of a service up to `at`, not older than `back`, oldest first."""
    until = datetime.fromisoformat(at)
    mine = [(datetime.fromisoformat(row["at"]), row) for row in rows if row["service"] == service]
    fresh = [(time, row) for time, row in mine if until - back <= time <= until]
    return [row for _, row in sorted(fresh, key=lambda pair: pair[0])]


def recent_logs(service: str, at: str, back: timedelta) -> list[str]:
    """The last 30 lines of the service's log; long lines are cut."""
    return [row["line"][:170] for row in _recent(_logs(), service, at, back)][-30:]


def recent_metrics(service: str, at: str, back: timedelta) -> list[str]:
    """The newest value of each of its metrics, beside the oldest in that time."""
    by_name: dict[str, list[float]] = {}
    for row in _recent(_metrics(), service, at, back):
        by_name.setdefault(row["metric"], []).append(row["value"])
    return [f"{name}: {values[0]:g} -> {values[-1]:g}" for name, values in by_name.items()][:20]


def find_runbook(issue: str, service: str, environment: str) -> dict[str, Any] | None:
    """The runbook for an issue, with the service filled in; None where nobody wrote one."""
    book = _runbooks().get(str(getattr(issue, "value", issue)))
    if book is None:
        return None
    where = str(getattr(environment, "value", environment))
    actions = [
        {
            "command": step["command"].replace("SERVICE", service),
            "environment": where,
            "impact": step["impact"],
            "needs_approval": step.get("needs_approval", False),
        }
        for step in book["steps"]
    ]
    return {"name": book["name"], "actions": actions}


def audit_file() -> Path:
    """Where what was run is written down."""
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = (Path(named) if named else Path(tempfile.gettempdir())) / "pipelang-devops"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "executed.jsonl"


def execute(alert: str, action: Any) -> dict[str, Any]:
    """Carry out a step, here: write it down, and tell what the incident's row says of it."""
    command = action["command"] if isinstance(action, dict) else action.command
    failing = _incidents().get(alert, {}).get("fails")
    succeeded = failing is None or failing not in command
    row = {"at": datetime.now(UTC).isoformat(), "alert": alert, "command": command}
    with _writing, audit_file().open("a", encoding="utf-8") as file:
        file.write(json.dumps({**row, "succeeded": succeeded}, ensure_ascii=False) + "\n")
    return {"succeeded": succeeded, "text": "done" if succeeded else "exit code 1"}


def healthy(alert: str, service: str) -> bool:
    """Whether the service is well again."""
    return bool(_incidents().get(alert, {}).get("healthy", True))
