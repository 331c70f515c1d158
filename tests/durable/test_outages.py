"""The database goes away while workers work."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

from .harness import Harness, until
from .postgres import Server


def test_a_database_that_crashes_while_workers_work_loses_nothing(
    server: Server, tmp_path: Path
) -> None:
    harness = Harness(server.database(f"o{token_hex(6)}"), tmp_path, slow=0.2)
    try:
        runs = harness.submit(10)
        harness.worker()
        harness.worker()
        until(harness.effects.exists, 60)
        server.stop()
        server.start()
        ended = harness.wait(runs, 90)
        assert harness.problems(ended) == []
        assert {one["status"] for one in ended} == {"answered"}
    finally:
        harness.close()
