"""Several who watch one store or one state folder look one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelang.interfaces.observation.folder_source import FolderSource
from pipelang.interfaces.observation.records import RunSource

pytest.importorskip("dbos", reason="an extra: pipelang-dsl[durable]")

from pipelang.interfaces.observation import store_turns
from pipelang.interfaces.observation.store_rows import keep, recall
from pipelang.interfaces.observation.store_source import StoreSource
from pipelang.runtime.durable.store import Store

WATCHERS, LOOKS = 4, 5


@contextmanager
def opened(where: str) -> Iterator[RunSource]:
    if not where.startswith(("sqlite:", "postgresql:")):
        yield FolderSource(Path(where))
        return
    store = Store.open(where, make=True)
    try:
        yield StoreSource(store)
    finally:
        store.close()


def counted(where: str) -> int:
    """A number that watchers have counted, each of them by looking and then keeping."""

    def watch() -> None:
        with opened(where) as source:
            for _ in range(LOOKS):
                with source.turn("desk.1"):
                    found = int(source.recall("desk.1") or 0)
                    time.sleep(0.005)
                    source.keep("desk.1", str(found + 1))

    with opened(where) as source:  # the tables are there before anybody looks
        source.keep("desk.1", "0")
        watchers = [threading.Thread(target=watch) for _ in range(WATCHERS)]
        for one in watchers:
            one.start()
        for one in watchers:
            one.join()
        return int(source.recall("desk.1") or 0)


def test_nobody_looks_while_another_tells(url: str) -> None:
    assert counted(url) == WATCHERS * LOOKS


def test_nobody_looks_while_another_tells_in_a_folder(tmp_path: Path) -> None:
    assert counted(str(tmp_path)) == WATCHERS * LOOKS


def test_who_does_not_wait_is_told_that_another_looks(tmp_path: Path) -> None:
    with opened(str(tmp_path)) as one, opened(str(tmp_path)) as other:
        with one.turn("desk.1") as mine, other.turn("desk.1", wait=False) as theirs:
            assert (mine, theirs) == (True, False)
        with other.turn("desk.1", wait=False) as theirs:
            assert theirs


def test_whoever_died_is_not_waited_for_for_ever(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(url, make=True)
    monkeypatch.setattr(store_turns, "LONGEST", 0.5)
    dead = store_turns.take(store, "desk.2")
    assert store_turns.take(store, "desk.2", wait=False) is None
    mine = store_turns.take(store, "desk.2")
    assert dead is not None
    assert mine is not None
    assert mine.mark > dead.mark
    dead.go_on()  # who comes back late has nobody's turn, and ends none
    dead.give_up()
    assert recall(store, "desk.2 turn") == mine.mark
    keep(store, "desk.2", "seen")
    mine.give_up()
    assert recall(store, "desk.2 turn") is None
    assert recall(store, "desk.2") == "seen"
    store.close()


def test_a_turn_lasts_as_long_as_its_look(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever dies is waited for in seconds, and yet nobody loses a turn who tells for minutes."""
    assert store_turns.LONGEST <= 15
    monkeypatch.setattr(store_turns, "LONGEST", 1.0)
    monkeypatch.setattr(store_turns, "BEAT", 0.1)
    with opened(url) as one, opened(url) as other:
        with one.turn("desk.3") as mine:
            assert mine
            for _ in range(20):
                time.sleep(0.1)
                with other.turn("desk.3", wait=False) as theirs:
                    assert not theirs
        with other.turn("desk.3", wait=False) as theirs:
            assert theirs
