"""Users of a PostgreSQL server who may do less than its owner, and what they are told."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

import pytest

from pipelang.runtime.durable import run_pages, upkeep
from pipelang.runtime.durable.address import StoreUnreachable
from pipelang.runtime.durable.store import Store

from .postgres import Server


@pytest.fixture
def owner(postgresql: Server) -> Iterator[Store]:
    store = Store.open(postgresql.database(f"t{token_hex(6)}"), make=True)
    yield store
    store.close()


def stranger(postgresql: Server, owner: Store, rights: str) -> Iterator[Store]:
    """The store as a user has it who does not own its tables."""
    name = owner.address.url.rpartition("/")[2]
    user = f"u{token_hex(6)}"
    for statement in (
        f"CREATE ROLE {user} LOGIN",
        f"GRANT USAGE ON SCHEMA public, dbos TO {user}",
        f"GRANT {rights} ON ALL TABLES IN SCHEMA public, dbos TO {user}",
    ):
        postgresql.ask(name, statement)
    store = Store.open(owner.address.url.replace("postgres@", f"{user}@"))
    yield store
    store.close()


def test_who_may_write_rows_may_serve(postgresql: Server, owner: Store) -> None:
    """The indexes of pages are an owner's to make: without them pages are slow, and with them
    nothing is asked for. A server ended, where a worker of the same user worked.
    """
    for store in stranger(postgresql, owner, "SELECT, INSERT, UPDATE, DELETE"):
        assert not run_pages.make_indexes(store)
        assert run_pages.run_page(store, run_pages.RunQuery()) == ([], None)
        assert run_pages.make_indexes(owner)
        assert run_pages.make_indexes(store)


def test_help_on_a_server_is_of_the_cause(postgresql: Server, owner: Store) -> None:
    for store in stranger(postgresql, owner, "SELECT"):
        with pytest.raises(StoreUnreachable, match="permission denied") as refused:
            upkeep.pause(store, "acts")
        assert "needs rights" in str(refused.value.help)
    name = owner.address.url.rpartition("/")[2]
    postgresql.ask(name, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = Store.open(owner.address.url)
    with pytest.raises(StoreUnreachable, match="read-only transaction") as refused:
        upkeep.pause(store, "acts")
    assert "can only be read" in str(refused.value.help)
    with pytest.raises(StoreUnreachable, match="read-only transaction"):
        run_pages.make_indexes(store)
    store.close()
