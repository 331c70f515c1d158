"""Leases: who is dead, whatever clocks do and whoever was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelang.runtime.durable.leases import BEAT, LEASE, Lease
from pipelang.runtime.durable.listing import served_queues
from pipelang.runtime.durable.store import Store


class Times:
    """The store's clock and the worker's own, moved by hand."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stored, self.own = 1e9, 50.0
        monkeypatch.setattr(store, "now_on", lambda connection: self.stored)
        monkeypatch.setattr(store, "set_clock", lambda connection: self.stored)

    def pass_(self, seconds: float) -> None:
        self.stored += seconds
        self.own += seconds


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    yield made
    made.close()


@pytest.fixture
def times(store: Store, monkeypatch: pytest.MonkeyPatch) -> Times:
    return Times(store, monkeypatch)


def lease(store: Store, times: Times, name: str) -> Lease:
    return Lease(store, name, ["q"], clock=lambda: times.own)


def beats(times: Times, *leases: Lease, seconds: float) -> list[str]:
    """Let leases beat for a while; what the first of them called dead."""
    dead: list[str] = []
    for _ in range(int(seconds / BEAT)):
        times.pass_(BEAT)
        for one in leases[1:]:
            one.beat()
        dead += leases[0].beat()
    return dead


def test_who_stops_to_beat_is_dead_after_a_lease(store: Store, times: Times) -> None:
    me, other = lease(store, times, "me"), lease(store, times, "other")
    assert beats(times, me, other, seconds=20) == []
    assert beats(times, me, seconds=LEASE - BEAT) == []
    assert "other" in beats(times, me, seconds=2 * BEAT)


def test_a_jump_of_the_stores_clock_makes_nobody_dead(store: Store, times: Times) -> None:
    me, other = lease(store, times, "me"), lease(store, times, "other")
    beats(times, me, other, seconds=20)
    for jump in (3600.0, -7200.0, 1e6):
        times.stored += jump
        assert me.beat() == []
        assert beats(times, me, other, seconds=20) == []


def test_a_clock_that_was_put_back_keeps_no_dead_worker_alive(store: Store, times: Times) -> None:
    """Its last beat is hours ahead: its runs would wait until the clock has caught up."""
    me, other, third = (lease(store, times, name) for name in ("me", "other", "third"))
    assert beats(times, me, other, third, seconds=20) == []
    times.stored -= 3 * 3600
    dead = beats(times, me, third, seconds=LEASE + 2 * BEAT)
    assert set(dead) == {"other"}
    times.stored += 6 * 3600
    assert set(beats(times, me, third, seconds=20)) == {"other"}


def test_a_queue_is_served_by_who_beats_now(store: Store, times: Times) -> None:
    gone = Lease(store, "gone", ["old"], clock=lambda: times.own)
    gone.beat()
    assert served_queues(store) == {"old"}
    times.stored -= 3 * 3600
    lease(store, times, "me").beat()
    assert served_queues(store) == {"q"}
    times.stored += 6 * 3600
    assert served_queues(store) == set()


def test_who_was_stopped_judges_nobody_before_a_whole_lease(store: Store, times: Times) -> None:
    me, other = lease(store, times, "me"), lease(store, times, "other")
    beats(times, me, other, seconds=20)
    times.pass_(100)  # both were stopped, as a machine that sleeps
    assert me.beat() == []
    assert beats(times, me, other, seconds=20) == []
    new = lease(store, times, "new")
    assert beats(times, new, seconds=LEASE - BEAT) == []


def test_a_dead_worker_is_forgotten_once_it_has_no_run(store: Store, times: Times) -> None:
    me, other = lease(store, times, "me"), lease(store, times, "other")
    other.beat()
    me.beat()
    with store.transaction() as connection:
        store.legs.enqueue(connection, "q", "r", 1, None, 10)
        connection.execute(
            sa.text("UPDATE workflow_status SET status = 'PENDING', executor_id = 'other'")
        )
    me.forget(["other"])
    names = "SELECT executor FROM pipelang_workers ORDER BY executor"
    assert [row["executor"] for row in store.rows(names)] == ["me", "other"]
    with store.transaction() as connection:
        connection.execute(sa.text("UPDATE workflow_status SET status = 'SUCCESS'"))
    me.forget(["other"])
    assert [row["executor"] for row in store.rows(names)] == ["me"]
