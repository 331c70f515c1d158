"""The tools of the ticket-routing example: queues, pages and evidence, as files.

They write to the folder that `PIPELANG_EXAMPLE_STATE` names, else below the system's temporary
folder, never beside the code.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

MACHINES = frozenset({"route_ticket", "by_rules", "haiku", "sonnet"})


def state() -> Path:
    """Where this example writes."""
    named = os.environ.get("PIPELANG_EXAMPLE_STATE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "pipelang-ticket-routing"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _once(name: str, key: str, row: dict[str, Any]) -> None:
    """Append a row; the same key is written once."""
    file = state() / name
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if not any(json.loads(line)["key"] == key for line in known):
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"key": key, **row}) + "\n")


def route(ticket: str, team: str, priority: str, idempotency_key: str) -> str:
    """Put an issue into a team's queue."""
    _once("queues.jsonl", idempotency_key, {"ticket": ticket, "team": team, "priority": priority})
    return f"{team}: {priority}"


def page(ticket: str, idempotency_key: str) -> str:
    """Page who is on duty."""
    _once("pages.jsonl", idempotency_key, {"ticket": ticket})
    return f"paged for {ticket}"


def keep_label(
    ticket: str, said: str, right: str, by: str, weight: int, idempotency_key: str
) -> str:
    """Keep what a person said of an answer, `weight` times, as rows of evidence."""
    if by in MACHINES:
        raise ValueError(f"`{by}` is a machine of ours: its word is no evidence")
    for number in range(1, weight + 1):
        row = {"case": ticket, "attempt": number, "correct": said == right, "by": by}
        _once("evidence.jsonl", f"{idempotency_key}/{number}", row)
    return f"{ticket} kept"
