"""DBOS as we rely on it: columns, functions and threads that are internal to it."""

from __future__ import annotations

import inspect
from pathlib import Path

import dbos
import sqlalchemy as sa
from dbos import _queue

from pipelang.runtime.durable.address import address_of
from pipelang.runtime.durable.engine import LegQueues

COLUMNS = {
    "workflow_uuid",
    "status",
    "owner_xid",
    "executor_id",
    "queue_name",
    "delay_until_epoch_ms",
    "priority",
}


def test_the_columns_that_our_statements_name(tmp_path: Path) -> None:
    queues = LegQueues(address_of(f"sqlite:///{tmp_path}/runs.db"))
    try:
        queues.migrate()
        found = {one["name"] for one in sa.inspect(queues.database).get_columns(queues.table)}
        assert found >= COLUMNS
    finally:
        queues.close()


def test_queues_that_are_listened_to_are_read_again_and_again() -> None:
    """`LegRunner.listen` adds to the list after the launch."""
    text = inspect.getsource(_queue.queue_thread)
    loop = text.partition("while not stop_event.is_set():")[2]
    assert "set(dbos._listening_queues)" in loop
    assert "list_queues" in loop


def test_legs_of_dead_processes_can_be_put_back() -> None:
    assert list(inspect.signature(dbos.DBOS._recover_pending_workflows).parameters)[:1] == [
        "executor_ids"
    ]
