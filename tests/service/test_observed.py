"""The watch of a server on a store: runs that fail alert, once, and their page says so."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .serving import Caller, ProcessServer

PROGRAM = """
role owner { people 1 handles 2m }

pipeline shaky(works: bool) -> bool {
  watch { failure <= 10% over 1d else alert owner "it breaks" }
  gate fine: works { catches 90% false_alarms 1% } else fail "broken"
  return works
}
"""

RUNS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessServer]:
    folder = tmp_path_factory.mktemp("observed")
    (folder / "shaky.pipe").write_text(PROGRAM, encoding="utf-8")
    made = ProcessServer(
        folder,
        "shaky.pipe",
        "--store",
        f"sqlite:///{folder}/runs.db",
        "--watch",
        "1s",
        "--alert",
        f"owner={folder}/alerts.jsonl",
    )
    made.folder = folder  # type: ignore[attr-defined]
    yield made
    made.kill()


def kept(database: Path) -> bool:
    """Whether the watch has kept that an alert stands."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT value FROM pipelang_watch").fetchall()
    return any('"since"' in value for (value,) in rows)


def test_runs_that_fail_alert_once_and_the_alert_stands_on_their_page(
    server: ProcessServer,
) -> None:
    anyone: Caller = server.caller()
    for number in range(RUNS):
        anyone.start("shaky", {"works": number == 0}, "?wait=30")
    log: Path = server.folder / "alerts.jsonl"  # type: ignore[attr-defined]
    anyone.until(log.exists, bool)
    # What was told is kept after it was told, and a page is worked out once in five minutes.
    anyone.until(lambda: kept(server.folder / "runs.db"), bool)  # type: ignore[attr-defined]
    page = anyone.until(
        lambda: anyone.get("/pipelines/shaky").body.decode(),
        lambda text: "Predicted beside observed" in text and "being worked out" not in text,
    )
    # What an owner looks at stands on Health.
    health = anyone.until(
        lambda: anyone.get("/health").body.decode(),
        lambda text: "being worked out" not in text,
    )
    assert "does not hold" in health
    assert "What became of runs" in page
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["kind"] for one in told] == ["alert"]
    assert told[0]["role"] == "owner"
    assert told[0]["text"] == "it breaks"
