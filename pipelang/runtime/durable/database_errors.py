"""Errors of databases: said in a line, whether they may pass, and what mends their cause."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,
)

FILE_HELP = "a store is a file that `pipelang store init` made, where this user may read and write"
SERVER_HELP = "the server has to be up, and its name, port, user and database in the URL right"

_HELD = (
    "another process holds it: wait for that one, or end it; a worker that was stopped (SIGSTOP) "
    "within a write holds it until it goes on or ends"
)
_READ_ONLY = "this user has to be let write the file and its folder, on a disk that can be written"
_OF_FILES = {
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_FULL: "its disk needs room; what was written before is whole",
    sqlite3.SQLITE_IOERR: "its disk is full, or cannot be read or written",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: put a copy back (`pipelang store backup` makes)",
}
"""The help for a file, by the code of SQLite."""
_NO_RIGHTS = "42501"
_OF_SERVERS = {
    "25006": "it can only be read: name the server that is written, no standby",
    _NO_RIGHTS: "the user of the URL needs rights: to read and write all tables of the store",
    "53100": "the server's disk needs room; what was written before is whole",
    "53300": "the server has no connection left: it needs more of them, or fewer workers",
}
"""The help for a server, by the SQLSTATE of PostgreSQL."""


def reason_of(error: SQLAlchemyError) -> str:
    """The reason of a database, in a line."""
    said = str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else ""
    lines = [line.strip() for line in (said or str(error)).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def help_of(error: SQLAlchemyError, is_sqlite: bool) -> str:
    """The help for it, by its cause."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if is_sqlite:
        code = getattr(cause, "sqlite_errorcode", None)
        return FILE_HELP if code is None else _OF_FILES.get(code & 0xFF, FILE_HELP)
    return _OF_SERVERS.get(getattr(cause, "sqlstate", None) or "", SERVER_HELP)


def is_about_rights(error: BaseException | None) -> bool:
    """Whether a server refused what its user may not do."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return getattr(cause, "sqlstate", None) == _NO_RIGHTS


def may_pass(error: SQLAlchemyError) -> bool:
    """Whether what went wrong may be over in a while: the database is away, busy or full."""
    if isinstance(error, (OperationalError, InterfaceError, InternalError, TimeoutError)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
