"""What a server on a store counts as ended, whatever the store's clock does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("dbos")

import sqlalchemy as sa

from pipelang.interfaces.service.backends.stored import StoreBackend
from pipelang.interfaces.service.metrics import ServiceMetrics
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.switches import StoredSwitches

END = sa.text(
    """INSERT INTO pipelang_runs (run, pipeline, program, input, input_hash, queue, priority,
    created, ended, leg, attempts, barren, seen, poked, paused, status, outcome, cost, tokens)
    VALUES (:run, 'p', 'h', '{}', '', 'q', 10, :at, :at, 1, 1, 0, -1, 0, 0, 'answered',
    '{"result": {"value": 1}}', '0.01', 5)"""
)


def test_every_run_is_counted_once_wherever_the_clock_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    backend, metrics = StoreBackend(store, StoredSwitches(store)), ServiceMetrics()
    clock, ended = 1e9, 0
    monkeypatch.setattr(store, "set_clock", lambda connection: clock)
    monkeypatch.setattr(store, "now", lambda: clock)

    def counted() -> int:
        backend._beat()
        return sum(metrics._outcomes.values())

    def goes_on(seconds: int) -> None:
        """Each two seconds a run ends, and the server looks."""
        nonlocal clock, ended
        for _ in range(seconds // 2):
            clock += 2
            ended += 1
            with store.transaction() as connection:
                connection.execute(END, {"run": f"r{ended}", "at": clock - 0.5})
            assert counted() == ended

    asyncio.run(backend.open({}, metrics))
    goes_on(100)
    clock -= 60  # and on over the times at which runs ended before
    assert counted() == ended
    goes_on(200)
    clock += 7_200
    assert counted() == ended
    goes_on(50)
    clock -= 10_800  # before the server began
    assert counted() == ended
    goes_on(50)
    asyncio.run(backend.close(0.0))
