"""The database goes away while workers work."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

import sqlalchemy as sa

from .harness import Harness, until
from .postgres import Server


def test_a_database_that_crashes_while_workers_work_loses_nothing(
    postgresql: Server, tmp_path: Path
) -> None:
    harness = Harness(postgresql.database(f"o{token_hex(6)}"), tmp_path, slow=0.2)
    try:
        runs = harness.submit(10)
        harness.worker()
        harness.worker()
        until(harness.effects.exists, 60)
        postgresql.stop()
        postgresql.start()
        ended = harness.wait(runs, 90)
        assert harness.problems(ended) == []
        assert {one["status"] for one in ended} == {"answered"}
    finally:
        harness.close()


def test_a_claim_whose_answer_was_lost_is_put_back(harness: Harness) -> None:
    """The store says that a worker has a run, which the worker never heard of."""
    worker = harness.worker()
    until(lambda: "ready" in harness.said(), 60)
    (run,) = harness.submit(1)
    mine = harness.said().split("ready ")[1].split()[0]
    with harness.store.transaction() as connection:
        connection.execute(
            sa.text(
                f"UPDATE {harness.store.legs.table} SET status = 'PENDING', executor_id = :me, "
                "owner_xid = 'lost' WHERE workflow_uuid = :id"
            ),
            {"me": mine, "id": f"{run}:1"},
        )
    ended = harness.wait([run], 60)
    assert harness.problems(ended) == []
    assert ended[0]["status"] == "answered"
    assert worker.poll() is None
