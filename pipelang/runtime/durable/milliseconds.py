"""Milliseconds for SQLite before 3.42, which DBOS asks for by `unixepoch('subsec')`.

DBOS takes it that Python 3.12 or newer comes with a newer SQLite, and has that expression in the
defaults of its columns. Python takes the SQLite of the machine: Debian 12 has 3.40, which answers
NULL, and no run could be put into a store. A store that was made elsewhere has the same defaults.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin

PLUGIN = "pipelang_milliseconds"
"""Name of the plugin in the query of a URL, where SQLAlchemy finds it whoever makes the engine."""


def are_missing() -> bool:
    """Whether the SQLite of this Python knows no `subsec`."""
    return sqlite3.sqlite_version_info < (3, 42)


def _seconds(when: object) -> float | None:
    """The seconds since 1970 with their parts at `subsec`; other words of `unixepoch` are nobody's
    in a store.
    """
    return time.time() if when == "subsec" else None


class MillisecondsPlugin(CreateEnginePlugin):
    """Teaches `unixepoch('subsec')` to each connection of an engine."""

    def update_url(self, url: URL) -> URL:
        """The URL as it is: the plugin reads nothing of it."""
        return url

    def engine_created(self, engine: Engine) -> None:
        """Listen for connections."""
        event.listen(engine, "connect", _teach)


def _teach(connection: Any, record: object) -> None:
    connection.create_function("unixepoch", 1, _seconds)


plugins.register(PLUGIN, __name__, MillisecondsPlugin.__name__)
