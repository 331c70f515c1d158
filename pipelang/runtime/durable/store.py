"""A store that is open: its database, its clock and its legs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pipelang.runtime.durable import schema
from pipelang.runtime.durable.address import Address, StoreUnreachable, address_of
from pipelang.runtime.durable.database_errors import help_of, reason_of
from pipelang.runtime.durable.engine import LegQueues


class Store:
    """A store whose tables are of this version.

    `Store.open` is the way in. May be used from several threads.
    """

    def __init__(self, address: Address, legs: LegQueues) -> None:
        self.address = address
        self.legs = legs
        self._now = (
            "((julianday('now') - 2440587.5) * 86400.0)"
            if address.is_sqlite
            else "extract(epoch from clock_timestamp())::double precision"
        )
        self._select_now = sa.text(f"SELECT {self._now}")
        self._ahead: float | None = None

    @classmethod
    def open(cls, url: str, make: bool = False, renew: bool = False) -> Store:
        """Open a store; with `make` its tables are made, or brought up to date, with `renew` only
        brought up to date. Raises `StoreProblem`.
        """
        address = address_of(url)
        if address.file is not None:
            if not address.file_is_there() and not make:
                raise StoreUnreachable(
                    f"there is no store `{address.shown}`", f"`pipelang store init {address.shown}`"
                )
            if not address.file.absolute().parent.is_dir():
                raise StoreUnreachable(
                    f"`{address.shown}` cannot be made: there is no folder "
                    f"`{address.file.absolute().parent}`"
                )
        store = cls(address, LegQueues(address))
        try:
            store._make_fit(make, renew)
        except BaseException:
            store.close()
            raise
        return store

    def _make_fit(self, make: bool, renew: bool) -> None:
        with self.reached(), self.legs.database.connect() as connection:
            found = schema.version_of(connection)
            other = schema.foreign_table(connection) if self.address.is_sqlite else None
        if other is not None:
            raise StoreUnreachable(
                f"`{self.address.shown}` is a database of another program: it has the table "
                f"`{other}`, and none of a store",
                "a store has a file of its own: name one that is not there yet",
            )
        if found > schema.VERSION:
            raise StoreUnreachable(
                f"`{self.address.shown}` is a store of version {found}, and this pipelang knows "
                f"those up to {schema.VERSION}",
                "update pipelang where this command runs",
            )
        if found == schema.VERSION:
            return
        if not (make or (renew and found > 0)):
            what = "is no store yet" if found == 0 else f"is a store of the older version {found}"
            raise StoreUnreachable(
                f"`{self.address.shown}` {what}",
                f"`pipelang store {'init' if found == 0 else 'migrate'} {self.address.shown}`",
            )
        self.migrate()

    def migrate(self) -> None:
        """Make the tables, or bring them up to date. Raises `StoreUnreachable`."""
        with self.reached():
            if self.address.is_sqlite:
                with self.legs.database.connect() as connection:
                    connection.execute(sa.text("PRAGMA journal_mode = WAL"))
            self.legs.migrate()
            with self.legs.database.begin() as connection:
                schema.migrate(connection)

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Have what the database says told as `StoreUnreachable`."""
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreUnreachable(
                f"`{self.address.shown}` cannot be used: {reason_of(error)}",
                help_of(error, self.address.is_sqlite),
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction. Raises `StoreUnreachable`."""
        with self.reached(), self.legs.database.begin() as connection:
            yield connection

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query. Raises `StoreUnreachable`."""
        with self.reached(), self.legs.database.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.text(statement), values)]

    def now_on(self, connection: sa.Connection) -> float:
        """The time by the store's clock, in seconds."""
        return float(connection.execute(self._select_now).scalar_one())

    def set_clock(self, connection: sa.Connection) -> float:
        """Look at the store's clock, which `now` goes on from."""
        now = self.now_on(connection)
        self._ahead = now - time.monotonic()
        return now

    def now(self) -> float:
        """The time by the store's clock as this process last saw it."""
        if self._ahead is None:
            with self.transaction() as connection:
                return self.set_clock(connection)
        return time.monotonic() + self._ahead

    def close(self) -> None:
        self.legs.close()


def may_be_kept(text: str) -> bool:
    """Whether a text may be in a store at all: it is Unicode, and without NUL."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
