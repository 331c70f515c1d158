"""Makes alerts, what is true of them, logs, metrics and recorded answers from `written.jsonl`.

Written by hand, one incident a line, and no run was recorded: what the model "said" is made up, and
wrong on purpose in 6 of 56. Rare kinds are oversampled. Run it from anywhere:
`python examples/devops/data/make.py`.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))  # where example_data.py lies

from example_data import recording_head, write_lines  # noqa: E402

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
SEED = 20261113
FILES = ("alerts", "labels", "logs", "metrics", "incidents")
OVERLOADED = (3, 20)  # the model is tried again

LOGS = {
    "disk_full": [
        "write failed: No space left on device",
        "rotating app.log: ENOSPC",
        "WARN 97% of / used",
    ],
    "memory_leak": [
        "OutOfMemoryError: Java heap space",
        "oom-kill: killed process 4242",
        "GC overhead 91%",
    ],
    "service_down": [
        "systemd: main process exited, code=exited",
        "connection refused on :8080",
        "health: 503",
    ],
    "stale_cache": ["served page of version 411, expected 412", "cache hit for a deleted product"],
    "stuck_queue": [
        "consumer timeout, message redelivered 14 times",
        "queue orders: 48211 ready, 0 unacked",
    ],
    "idle_connections": [
        "FATAL: sorry, too many clients already",
        "218 sessions idle in transaction",
    ],
    "bad_deploy": [
        "deployed 5.12.0",
        "TypeError: undefined is not a function",
        "5xx 18% since 5.12.0",
    ],
    "certificate": [
        "x509: certificate has expired",
        "TLS handshake error: certificate expired 03:00",
    ],
    "cpu_saturated": ["request queue length 900", "throttled 71% of periods", "load average 44.1"],
    "node_lost": ["node ip-10-2-3-4 NotReady", "kubelet stopped posting node status"],
    "database_corrupt": [
        "PANIC: could not locate a valid checkpoint record",
        "invalid page in block 812",
    ],
    "other": ["nothing unusual", "GET /health 200"],
}
METRICS = {
    "disk_full": ("disk_used_percent", 88, 98),
    "memory_leak": ("memory_mb", 900, 3980),
    "service_down": ("up", 1, 0),
    "stale_cache": ("cache_age_minutes", 20, 400),
    "stuck_queue": ("queue_ready", 120, 48211),
    "idle_connections": ("db_sessions", 60, 250),
    "bad_deploy": ("errors_percent", 0.2, 18),
    "certificate": ("tls_errors", 0, 810),
    "cpu_saturated": ("cpu_percent", 55, 99),
    "node_lost": ("nodes_ready", 12, 11),
    "database_corrupt": ("db_restarts", 0, 6),
    "other": ("requests_per_second", 41, 40),
}


def main() -> None:
    """Write all of it beside this script."""
    source = random.Random(SEED)
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
    note = "Made up for the example by data/make.py: no run was recorded."
    recorded: list[dict[str, Any]] = [recording_head(note)]
    written = (HERE / "written.jsonl").read_text(encoding="utf-8").split("\n")
    for number, row in enumerate((json.loads(line) for line in written if line), start=1):
        name, truth, service = f"A{number:02}", row["truth"], row["service"]
        at = START + timedelta(hours=5 * number)
        alert = {key: row[key] for key in ("service", "environment", "severity", "message")}
        made["alerts"].append({"alert": {"id": name, "at": at.isoformat(), **alert}})
        label: dict[str, Any] = {"case": name, "answer": {"issue": truth}}
        if "people" in row:
            label["people"] = {"allowed": row["people"]}
        if "trap" in row:
            label["trap"] = row["trap"]
        made["labels"].append(label)
        happens = {key: row[key] for key in ("fails", "healthy") if key in row}
        if happens:
            made["incidents"].append({"alert": name, **happens})
        for line in [*LOGS[truth], *(LOGS["other"] * 3)]:
            then = at - timedelta(seconds=source.randint(5, 1500))  # some older than 15 minutes
            made["logs"].append({"service": service, "at": then.isoformat(), "line": line})
        metric, before, now = METRICS[truth]
        for minutes, value in ((55, before), (20, (before + now) / 2), (1, now), (90, -1)):
            when = (at - timedelta(minutes=minutes)).isoformat()
            point = {"service": service, "at": when, "metric": metric, "value": value}
            made["metrics"].append(point)
        call = {"prompt": "analyze", "args": {"alert": {"id": name}}}
        if number in OVERLOADED:
            recorded.append({**call, "fault": "overloaded"})
        said = row.get("said", truth)
        answer = {"issue": said, "cause": f"looks like {said}", "confidence": row["confidence"]}
        usage = {"input": source.randint(420, 760), "output": source.randint(150, 260)}
        recorded.append({**call, "answer": answer, "correct": said == truth, "usage": usage})
    for file, rows in made.items():
        write_lines(HERE / f"{file}.jsonl", rows)
    write_lines(HERE.parent / "recordings" / "devops.jsonl", recorded)


if __name__ == "__main__":
    main()
