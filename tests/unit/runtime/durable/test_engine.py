"""DBOS as we rely on it: columns, functions and threads that are internal to it."""

from __future__ import annotations

import inspect
from pathlib import Path
from urllib.parse import parse_qsl

import dbos
import sqlalchemy as sa
from dbos import _queue

from pipelang.runtime.durable import engine
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


def test_a_silent_connection_is_given_up_unless_the_url_says_otherwise() -> None:
    made = engine._database_url(
        address_of("postgresql://u:p%40@h:1/d?tcp_user_timeout=7&options=-c%20x")
    )
    assert made.startswith("postgresql://u:p%40@h:1/d?")
    query = dict(parse_qsl(made.partition("?")[2]))
    assert query == {**engine.SILENT, "tcp_user_timeout": "7", "options": "-c x"}
    assert engine._database_url(address_of("sqlite:///runs.db")) == "sqlite:///runs.db"


def test_legs_of_dead_processes_can_be_put_back() -> None:
    assert list(inspect.signature(dbos.DBOS._recover_pending_workflows).parameters)[:1] == [
        "executor_ids"
    ]
