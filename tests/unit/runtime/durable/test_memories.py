"""Memories in a store behave as those in memory do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pipelang.runtime.durable.shared.memories import StoredMemories
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.memory_store import InMemory, Place

PLACES: tuple[Place, ...] = ((None, "m", '"k"'), ("", "m", '"k"'), ("t", "m", '"k"'))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(5))
def test_as_in_memory(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now, luck = [1000.0], Random(seed)
    monkeypatch.setattr(store, "now", lambda: now[0])
    one, other = InMemory(lambda: now[0]), StoredMemories(store)
    for _ in range(60):
        now[0] += luck.choice((0.0, 1.0, 7.0))
        place, keeps = luck.choice(PLACES), luck.choice((None, 10.0))
        key, value = luck.choice((None, f"w{luck.randint(0, 9)}")), luck.choice((1, True, "1", [2]))
        match luck.choice(("write", "swap", "swap", "read")):
            case "write":
                most = luck.choice((1, 3, None))
                for each in (one, other):
                    each.write(place, value, most, keeps, key)
            case "swap":
                found = luck.choice((one.read(place, keeps), [], ["no"]))
                swapped = [each.swap(place, found, value, keeps, key) for each in (one, other)]
                assert repr(swapped[0]) == repr(swapped[1])
            case _:
                pass
        for at in PLACES:
            assert repr(one.read(at, keeps)) == repr(other.read(at, keeps))
