"""Stores: their addresses, their version, and what is wrong with them."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelang.runtime.durable import schema, upkeep
from pipelang.runtime.durable.address import (
    BadAddress,
    NotPossible,
    StoreUnreachable,
    address_of,
)
from pipelang.runtime.durable.store import Store

from ...imports import PACKAGE, imports, sources
from .by_hand import Stage


@pytest.mark.parametrize(
    "url",
    [
        "runs.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a%00b",
        "sqlite://runs.db",
        "mysql://u:secret@h/d",
        "postgresql://u:secret@h",
        "postgresql://u:secret@h:port/d",
        "postgresql://u:a@secret@h/d",
        "postgresql://u:12/secret@h/d",
        "postgresql://h?password=secret",
        "postgresql://u@h/?password=a@secret",
        "postgresql:/u:secret@h/d",
        "u:secret@h/d",
        "",
    ],
)
def test_what_names_no_store_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        address_of(url)
    assert "secret" not in str(refused.value)


def test_an_address_is_shown_without_its_password() -> None:
    assert address_of("postgresql://u:secret@h:5433/d").shown == "postgresql://h:5433/d"


@pytest.mark.parametrize("written", ["a%20b.db", "a b.db"])
def test_the_file_of_an_address_is_the_one_that_is_opened(tmp_path: Path, written: str) -> None:
    """`a%20b.db` was made as `a b.db`, and then looked for by its other name."""
    url = f"sqlite:///{tmp_path}/{written}"
    for make in (True, False):
        Store.open(url, make=make).close()
    assert [*tmp_path.glob("*.db")] == [tmp_path / "a b.db"]


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    name = "a" * 300
    for make in (True, False):
        with pytest.raises(StoreUnreachable, match="cannot be used"):
            Store.open(f"sqlite:///{tmp_path}/{name}", make=make)
    stage = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    with pytest.raises(NotPossible, match="cannot be written"):
        upkeep.backup(stage.store, tmp_path / name)
    stage.store.close()


def test_a_server_on_this_machine_needs_no_name() -> None:
    """Nothing between the slashes is a socket: it was an internal error."""
    with pytest.raises(StoreUnreachable, match="connection"):
        Store.open("postgresql:///runs?host=/nowhere")


def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    with pytest.raises(StoreUnreachable, match="no store") as away:
        Store.open(url)
    assert away.value.help is not None
    assert "store init" in away.value.help
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreUnreachable, match="no folder"):
        Store.open(f"sqlite:///{tmp_path}/none/runs.db", make=True)


def test_another_database_is_no_store(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
    engine.dispose()
    before = file.read_bytes()
    for make in (False, True):
        with pytest.raises(StoreUnreachable, match="of another program: it has the table `t`"):
            Store.open(f"sqlite:///{file}", make=make)
    assert file.read_bytes() == before
    file.write_text("this is a text, and long enough to be no header of a database at all")
    with pytest.raises(StoreUnreachable, match="not a database"):
        Store.open(f"sqlite:///{file}", make=True)


def test_a_store_whose_making_was_interrupted_is_made(tmp_path: Path) -> None:
    """DBOS's tables are there, and none of ours: that is no database of another program."""
    file = tmp_path / "runs.db"
    Store.open(f"sqlite:///{file}", make=True).close()
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        for name in sa.inspect(connection).get_table_names():
            if name.startswith("pipelang_"):
                connection.execute(sa.text(f"DROP TABLE {name}"))
    engine.dispose()
    with pytest.raises(StoreUnreachable, match="no store yet"):
        Store.open(f"sqlite:///{file}")
    Store.open(f"sqlite:///{file}", make=True).close()


def test_a_newer_store_is_refused_and_an_older_one_wants_to_be_migrated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    store = Store.open(url, make=True)
    with store.transaction() as connection:
        connection.execute(sa.text("UPDATE pipelang_store SET version = version + 1"))
    for make in (False, True):
        with pytest.raises(
            StoreUnreachable, match=rf"version {schema.VERSION + 1}.*up to {schema.VERSION}"
        ):
            Store.open(url, make=make)
    store.close()


def test_each_version_migrates_to_the_next(tmp_path: Path) -> None:
    """From nothing, and from every version that ever was, to this one, with the same tables."""
    whole: set[tuple[str, str]] = set()
    for start in range(schema.VERSION + 1):
        engine = sa.create_engine(f"sqlite:///{tmp_path}/from{start}.db")
        with engine.begin() as connection:
            if start:
                connection.execute(sa.text("CREATE TABLE pipelang_store (version BIGINT)"))
                connection.execute(sa.text("INSERT INTO pipelang_store VALUES (:v)"), {"v": start})
                for step in schema.STEPS[:start]:
                    for statement in step:
                        connection.execute(sa.text(statement))
        with engine.begin() as connection:
            assert schema.migrate(connection) == start
            assert schema.version_of(connection) == schema.VERSION
            inspected = sa.inspect(connection)
            found = {
                (table, column["name"])
                for table in inspected.get_table_names()
                for column in inspected.get_columns(table)
            }
        engine.dispose()
        assert whole in (set(), found)
        whole = found
    assert {("pipelang_journal", name) for name in ("run", "place", "kind", "value")} <= whole


def test_a_copy_that_was_stopped_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)

    def stopped(source: str, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(upkeep.os, "replace", stopped)
    there = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        upkeep.backup(stage.store, tmp_path / "copy.db")
    assert sorted(tmp_path.iterdir()) == there
    stage.store.close()


def test_a_copy_has_all_that_the_store_had(tmp_path: Path) -> None:
    stage = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    upkeep.backup(stage.store, tmp_path / "copy.db")
    with pytest.raises(NotPossible, match="there already"):
        upkeep.backup(stage.store, tmp_path / "copy.db")
    copy = Store.open(f"sqlite:///{tmp_path}/copy.db")
    assert upkeep.check(copy) == upkeep.check(stage.store)
    assert upkeep.check(copy)["runs"] == {"open": 1}
    copy.close()
    with stage.store.transaction() as connection:
        connection.execute(sa.text("DELETE FROM workflow_status"))
    assert upkeep.check(stage.store)["lost"] == [run]
    stage.store.close()


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Half a file was left, which looked like a copy and kept the next one from its name."""
    resource = pytest.importorskip("resource")
    stage = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    before = {*tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(NotPossible, match=r"copy\.db` cannot be written: "):
            upkeep.backup(stage.store, tmp_path / "copy.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {*tmp_path.iterdir()} == before
    upkeep.backup(stage.store, tmp_path / "copy.db")
    assert {*tmp_path.iterdir()} - before == {tmp_path / "copy.db"}
    stage.store.close()


def test_help_is_of_the_cause(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)

    def tried(statements: Sequence[str]) -> None:
        with store.transaction() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def helped(*statements: str) -> str:
        with pytest.raises(StoreUnreachable) as told:
            tried(statements)
        return str(told.value.help)

    insert = "INSERT INTO pipelang_paused (pipeline) VALUES (hex(zeroblob(100000)))"
    assert "needs room" in helped("PRAGMA max_page_count = 1", insert)
    assert "let write the file" in helped("PRAGMA query_only = 1", insert)
    assert "where this user may read and write" in helped("SELECT no FROM nowhere")
    store.close()
    store = Store.open(f"sqlite:///{tmp_path}/runs.db")
    other = sqlite3.connect(tmp_path / "runs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another process holds it" in helped("PRAGMA busy_timeout = 1", insert)
    other.close()
    store.close()


def test_nothing_in_a_store_is_a_pickle(tmp_path: Path) -> None:
    stage = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    assert stage.do(stage.take(stage.submit()))
    for row in stage.store.rows("SELECT serialization FROM workflow_status"):
        assert row["serialization"] == "pipelang_json"
    (given,) = stage.store.rows("SELECT inputs FROM workflow_input")
    assert json.loads(given["inputs"])["args"][1] == 1
    for row in stage.store.rows("SELECT value FROM pipelang_journal"):
        json.loads(row["value"])
    stage.store.close()


def test_only_the_engine_knows_dbos() -> None:
    knows = {
        path.relative_to(PACKAGE).as_posix()
        for path in sources()
        if b"dbos" in path.read_bytes()  # who imports it names it; a tree takes long to read
        for module, _, _ in imports(path)
        if module.partition(".")[0] == "dbos"
    }
    assert knows == {"runtime/durable/engine.py"}


def test_what_we_rely_on_in_dbos_is_there() -> None:
    """`owner_xid` is internal: another version of DBOS is looked at before it is allowed."""
    from dbos import DBOS
    from dbos._context import current_owner_xid
    from dbos._schemas.system_database import SystemSchema
    from dbos._sys_db import SystemDatabase

    columns = SystemSchema.workflow_status.columns.keys()
    assert {"owner_xid", "executor_id", "delay_until_epoch_ms", "queue_name"} <= set(columns)
    assert callable(current_owner_xid)
    assert callable(DBOS._recover_pending_workflows)
    assert callable(SystemDatabase.reenqueue_for_recovery)
    project = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'"dbos>=3\.4,<3\.5"', project)


def test_everyday_commands_do_not_load_the_engine() -> None:
    code = "import sys, pipelang.interfaces.cli.commands, pipelang.interfaces.cli.run.command as r;"
    code += "print([m for m in ('dbos', 'sqlalchemy') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
