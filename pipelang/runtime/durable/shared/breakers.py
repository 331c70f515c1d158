"""Circuit breakers in a store: the runs of all workers are counted together, by its clock."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable.shared.patience import patiently
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.circuit_breakers import (
    CLOSED,
    Admission,
    Breakers,
    BreakerState,
    EndedRun,
    Key,
)
from pipelang.semantics import program as p

_LOCK = sa.text(
    """INSERT INTO pipelang_breakers (name, state) VALUES (:name, '')
    ON CONFLICT (name) DO UPDATE SET state = pipelang_breakers.state RETURNING state"""
)
_SET = sa.text("UPDATE pipelang_breakers SET state = :state WHERE name = :name")
_SAID = sa.text("SELECT answer FROM pipelang_breaker_calls WHERE run = :run AND call = :call")
_SAY = sa.text(
    """INSERT INTO pipelang_breaker_calls (run, call, answer) VALUES (:run, :call, :answer)
    ON CONFLICT (run, call) DO NOTHING"""
)


class StoredBreakers(Breakers):
    """States of breakers as rows of a store. A breaker is that of a pipeline and a tenant, whatever
    program has it; one that is written in another way begins anew.
    """

    blocks = True

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def admit(self, key: Key, breaker: p.Breaker, name: str | None = None) -> Admission | str:
        def work(one: Breakers) -> Any:
            given = one.admit(key, breaker)
            return given if isinstance(given, str) else [given.turn, given.probe]

        said = self._do(key, breaker, "admit", name, work)
        return said if isinstance(said, str) else Admission(key, said[0], said[1], name)

    def record_end(
        self, given: Admission, seen: EndedRun | None, breaker: p.Breaker | None = None
    ) -> tuple[str, str] | None:
        assert breaker is not None
        alone = Admission(given.key, given.turn, given.probe)
        name = None if seen is None else given.name
        said = self._do(given.key, breaker, "end", name, lambda one: one.record_end(alone, seen))
        return None if said is None else (said[0], said[1])

    def state(self, key: Key) -> str:
        asked = "SELECT state FROM pipelang_breakers WHERE name = :name"
        rows = self._store.rows(asked, name=_name(key))
        return str(json.loads(rows[0]["state"])["now"]) if rows and rows[0]["state"] else CLOSED

    def _do(
        self,
        key: Key,
        breaker: p.Breaker,
        call: str,
        name: str | None,
        work: Callable[[Breakers], Any],
    ) -> Any:
        """Ask the breaker of a key as it stands in the store. Of a call with a name there is one,
        with the same answer however often it is asked for.
        """
        return patiently(lambda: self._asked_once(key, breaker, call, name, work))

    def _asked_once(
        self,
        key: Key,
        breaker: p.Breaker,
        call: str,
        name: str | None,
        work: Callable[[Breakers], Any],
    ) -> Any:
        run, _, place = (name or "").partition("/")
        which = {"run": run, "call": f"{call} {place}"}
        with self._store.transaction() as connection:
            there = connection.execute(_LOCK, {"name": _name(key)}).scalar_one()
            if name is not None and (said := connection.execute(_SAID, which).scalar()) is not None:
                return json.loads(said)
            now = self._store.now_on(connection)
            one = Breakers(lambda: now)
            if there and (state := _read(json.loads(there), breaker, now)) is not None:
                one.put(key, state)
            answer = work(one)
            changed = one.get(key)
            if changed is not None:
                row = {"name": _name(key), "state": json.dumps(_written(changed))}
                connection.execute(_SET, row)
            if name is not None:
                connection.execute(_SAY, {**which, "answer": json.dumps(answer)})
        return answer


def _name(key: Key) -> str:
    """The name of a breaker in the store: files lie elsewhere on other machines."""
    return json.dumps(key[1:])


def _signature(breaker: p.Breaker) -> str:
    """A digest of when a breaker opens and probes."""
    said: list[Any] = [str(breaker.probes)]
    for one in breaker.opens:
        if isinstance(one, p.OpensRejects):
            said.append([one.gate, one.count])
        else:
            said.append([one.metric, one.op, str(one.target), one.runs])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _written(state: BreakerState) -> dict[str, Any]:
    return {
        "breaker": _signature(state.breaker),
        "now": state.now,
        "turn": state.turn,
        "since": state.since,
        "why": state.why,
        "recent": [asdict(one) for one in state.recent],
        "rejected": state.rejected,
    }


def _read(row: dict[str, Any], breaker: p.Breaker, now: float) -> BreakerState | None:
    """The state of a row; None if it is that of a breaker which is written in another way."""
    if row["breaker"] != _signature(breaker):
        return None
    return BreakerState(
        breaker,
        row["now"],
        row["turn"],
        min(row["since"], now),  # a clock that was put back must not keep it open for longer
        row["why"],
        deque(EndedRun(**one) for one in row["recent"]),
        row["rejected"],
    )
