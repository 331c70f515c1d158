"""Memories in a store that several workers write to at once."""

from __future__ import annotations

import threading
import time

from pipelang.runtime.durable import upkeep
from pipelang.runtime.durable.shared.caches import StoredCache
from pipelang.runtime.durable.shared.memories import StoredMemories
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.memory_store import Place


def test_no_write_is_lost_among_workers(url: str) -> None:
    place: Place = ("t", "count", '"k"')
    store = Store.open(url, make=True)

    def count(worker: int) -> None:
        mine = StoredMemories(store)
        for number in range(10):
            found = mine.read(place, None)
            while (there := mine.swap(place, found, (found or [0])[-1] + 1, None)) is not None:
                found = there
            mine.write(("t", "list", '"k"'), number, None, 3600.0, f"{worker} {number}")

    workers = [threading.Thread(target=count, args=(one,)) for one in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert StoredMemories(store).read(place, None) == [40]
    assert sorted(StoredMemories(store).read(("t", "list", '"k"'), 3600.0)) == sorted(
        4 * [*range(10)]
    )
    store.close()


def test_what_is_kept_no_longer_leaves_the_store_with_its_key(url: str) -> None:
    """A key may be a customer's name, and an answer may be about one."""
    store = Store.open(url, make=True)
    mine, cache = StoredMemories(store), StoredCache(store)
    short: list[Place] = [(None, "seen", f'"old {n}"') for n in range(3)]
    for place in short:
        mine.write(place, "gone", None, 0.2, f"run{place[2]}/remember seen/0")
    mine.write((None, "seen", '"long"'), 1, None, 3600.0, "run9/remember seen/0")
    mine.write(("t", "seen", '"for ever"'), 1, None, None)
    cache.store((None, "p", "c", "a"), "gone", 0.2)
    cache.store((None, "p", "c", "b"), "there", 3600.0)
    time.sleep(0.4)
    assert upkeep.prune(store, 3600) == 0
    keys = store.rows("SELECT key FROM pipelang_memory_places ORDER BY key")
    assert [row["key"] for row in keys] == ['"for ever"', '"long"']
    assert store.rows("SELECT 1 FROM pipelang_memory_writes") == []
    assert [row["answer"] for row in store.rows("SELECT answer FROM pipelang_cache")] == ['"there"']
    assert mine.read((None, "seen", '"long"'), 3600.0) == [1]
    for place in short:  # and what comes back begins anew
        mine.write(place, 1, 1, None)
        mine.write(place, 2, 1, None)
        assert mine.read(place, None) == [2]
    store.close()


def test_who_writes_while_keys_are_forgotten_loses_nothing(url: str) -> None:
    store = Store.open(url, make=True)
    over = threading.Event()

    def forget() -> None:
        while not over.is_set():
            upkeep.prune(store, 3600)

    forgetting = threading.Thread(target=forget)
    forgetting.start()
    try:
        mine, place = StoredMemories(store), (None, "m", '"k"')
        for number in range(40):
            mine.write(place, number, 1, 0.001 if number % 2 else None)
            if number % 2 == 0:
                assert mine.read(place, None)[-1] == number
    finally:
        over.set()
        forgetting.join()
    store.close()
