"""Stores for tests, for whoever's `conftest` takes these fixtures in: SQLite always, PostgreSQL
where it can be started.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from .postgres import Server, programs


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    if programs() is None:
        if os.environ.get("PIPELANG_JUDGES") == "required":
            pytest.fail("PostgreSQL is required here, and none can be started")
        pytest.skip("no PostgreSQL can be started on this machine: only SQLite is tested")
    made = Server.new()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.db"
    server: Server = request.getfixturevalue("postgresql")
    return server.database(f"t{token_hex(6)}")
