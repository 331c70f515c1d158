"""Memories in a store that several workers write to at once."""

from __future__ import annotations

import threading

from pipelang.runtime.durable.shared.memories import StoredMemories
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.memory_store import Place


def test_no_write_is_lost_among_workers(url: str) -> None:
    place: Place = ("t", "count", '"k"')
    store = Store.open(url, make=True)

    def count() -> None:
        mine = StoredMemories(store)
        for number in range(10):
            found = mine.read(place, None)
            while (there := mine.swap(place, found, (found or [0])[-1] + 1, None)) is not None:
                found = there
            mine.write(
                ("t", "list", '"k"'), number, None, 3600.0, f"{threading.get_ident()}{number}"
            )

    workers = [threading.Thread(target=count) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert StoredMemories(store).read(place, None) == [40]
    assert sorted(StoredMemories(store).read(("t", "list", '"k"'), 3600.0)) == sorted(
        4 * [*range(10)]
    )
    store.close()
