"""DBOS as we rely on it: columns, functions and threads that are internal to it."""

from __future__ import annotations

import inspect
import time
from pathlib import Path
from urllib.parse import parse_qsl

import dbos
import pytest
import sqlalchemy as sa
from dbos import _queue, _sys_db_sqlite

from pipelang.runtime.durable import engine, milliseconds
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


def test_any_sqlite_keeps_legs_of_a_store_that_any_python_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From Python 3.12 on, DBOS has `unixepoch('subsec')` in its tables, which SQLite 3.42 knows;
    Python may stand on an older one.
    """
    newer = "(unixepoch('subsec') * 1000)"
    texts = [
        text.replace("(strftime('%s','now') * 1000)", newer)
        for text in _sys_db_sqlite.sqlite_migrations
    ]
    assert any(newer in text for text in texts)
    monkeypatch.setattr(_sys_db_sqlite, "sqlite_migrations", texts)
    queues = LegQueues(address_of(f"sqlite:///{tmp_path}/runs.db"))
    try:
        queues.migrate()
        with queues.database.begin() as connection:
            before = time.time() * 1000
            queues.enqueue(connection, "q", "r", 1, None, 1)
            made = sa.text(f"SELECT created_at FROM {queues.table}")
            assert before - 1 <= connection.execute(made).scalar_one() <= time.time() * 1000 + 1
    finally:
        queues.close()


@pytest.mark.parametrize("missing", [True, False])
def test_milliseconds_are_taught_where_they_are_missing(
    missing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milliseconds, "are_missing", lambda: missing)
    monkeypatch.setattr(milliseconds, "_seconds", lambda when: 7.5)
    queues = LegQueues(address_of(f"sqlite:///{tmp_path}/runs.db?timeout=9"))
    try:
        with queues.database.connect() as connection:
            found = connection.execute(sa.text("SELECT unixepoch('subsec')")).scalar()
        assert (found == 7.5) is missing
    finally:
        queues.close()


def test_a_silent_connection_is_given_up_unless_the_url_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(milliseconds, "are_missing", lambda: False)
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
