"""Addresses of stores, and what can be wrong with a store."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipelang.records import dataclass

FORMS = "`sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`"


class StoreProblem(Exception):
    """A store that cannot be used. `help` says what mends it."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class BadAddress(StoreProblem):
    """An address that names no store."""


class StoreUnreachable(StoreProblem):
    """A store that is not there, cannot be read or written, or is of another version."""


class UnknownRun(StoreProblem):
    """A run that a store does not have."""


class KeyConflict(StoreProblem):
    """A key that was used before with another input."""


class NotPossible(StoreProblem):
    """A change that a run is not in the state for."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a store. `file` is that of SQLite, None for PostgreSQL; `shown` has no
    password.
    """

    url: str
    file: Path | None
    shown: str

    def file_is_there(self) -> bool:
        """Whether the file is there. Raises `StoreUnreachable` for a name that no file can have."""
        assert self.file is not None
        try:  # what `Path.exists` passes over differs from Python to Python
            os.stat(self.file)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return False
        except OSError as error:
            why = error.strerror or error
            raise StoreUnreachable(f"`{self.shown}` cannot be used: {why}") from error
        return True

    @property
    def is_sqlite(self) -> bool:
        return self.file is not None


def address_of(url: str) -> Address:
    """The address that a URL writes. Raises `BadAddress`."""
    scheme, mark, rest = url.partition("://")
    if scheme == "sqlite" and mark:
        name = unquote(rest.partition("?")[0])
        if not name.startswith("/") or name in ("/", "/:memory:") or "\x00" in name:
            raise BadAddress(
                f"`{url}` names no file", "a store in SQLite is `sqlite:///FILE`, e.g. runs.db"
            )
        return Address(url, Path(name[1:]), url)
    if scheme == "postgresql" and mark:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BadAddress("the URL of a store is wrong: " + _mask(url)) from None
        if "@" in parts.path or parts.netloc.count("@") > 1:  # a piece of it would pass for a host
            raise BadAddress(
                f"`{_mask(url)}` has more than one `@`",
                "in a user or password write `%40` for `@` and `%2F` for `/`",
            )
        database = parts.path.strip("/")
        if not database:
            raise BadAddress(f"`{_mask(url)}` names no database", f"a store is {FORMS}")
        host = (parts.hostname or "") + (f":{port}" if port else "")
        return Address(url, None, f"postgresql://{host}/{database}")
    raise BadAddress(f"`{_mask(url)}` is the URL of no store", f"a store is {FORMS}")


def _mask(url: str) -> str:
    """A URL without the password that may stand in it: before an `@`, or behind a `?`."""
    if "@" not in url and "?" not in url:
        return url
    scheme, mark, _ = url.partition(":/")
    begin = f"{scheme}://" if mark and scheme.isalnum() else ""
    return f"{begin}..." if "?" in url else f"{begin}...@{url.rpartition('@')[2]}"
