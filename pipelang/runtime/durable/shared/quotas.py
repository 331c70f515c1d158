"""Quotas in a store, shared by all workers: sums by window, and what each run holds of them.

Who changes a quota locks its place (pipeline, tenant) first, so that looking whether there is room
and taking it are one act. The sums are exact: dollars are texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa

from pipelang.runtime.durable.history.costs import rows_of
from pipelang.runtime.durable.shared.patience import patiently
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.quotas import (
    ZERO,
    Amounts,
    QuotaClaim,
    QuotaRefusal,
    claim_of,
    end_of_window,
    full,
    refusal_of,
    windows_of,
)
from pipelang.runtime.worlds.recorded.ledger import charged
from pipelang.semantics import program as p

T = TypeVar("T")

_LOCK = sa.text(
    """INSERT INTO pipelang_quota_places (pipeline, tenant) VALUES (:pipeline, :tenant)
    ON CONFLICT (pipeline, tenant) DO UPDATE SET pipeline = excluded.pipeline"""
)
_HERE = "pipeline = :pipeline AND tenant = :tenant"
_COUNT = sa.text(f"SELECT * FROM pipelang_quota_counts WHERE {_HERE} AND slot = :slot")
_SET_COUNT = sa.text(
    """INSERT INTO pipelang_quota_counts
        (pipeline, tenant, slot, until, money, tokens, runs, held_money, held_tokens, held_runs)
    VALUES (:pipeline, :tenant, :slot, :until, :money, :tokens, :runs,
        :held_money, :held_tokens, :held_runs)
    ON CONFLICT (pipeline, tenant, slot) DO UPDATE SET
        money = excluded.money, tokens = excluded.tokens, runs = excluded.runs,
        held_money = excluded.held_money, held_tokens = excluded.held_tokens,
        held_runs = excluded.held_runs"""
)
_HOLD = sa.text("SELECT * FROM pipelang_quota_holds WHERE run = :run AND place = :place")
_SET_HOLD = sa.text(
    """INSERT INTO pipelang_quota_holds
        (run, place, pipeline, tenant, started, slots, money, tokens, runs, is_open)
    VALUES (:run, :place, :pipeline, :tenant, :started, :slots, :money, :tokens, :runs, :is_open)
    ON CONFLICT (run, place) DO UPDATE SET
        money = excluded.money, tokens = excluded.tokens, runs = excluded.runs,
        is_open = excluded.is_open"""
)
_NAMES = ("money", "tokens", "runs")

Spent = Mapping[str, tuple[Decimal, int]]
"""Dollars and tokens by the places of claims."""


class QuotaRows:
    """The quotas of a store within one transaction of the caller's."""

    def __init__(self, store: Store, connection: sa.Connection) -> None:
        self._store = store
        self._connection = connection

    def reserve(self, claim: QuotaClaim) -> float | QuotaRefusal:
        where = self._lock(claim.pipeline, claim.tenant)
        held = self._hold(claim.run, claim.place)
        if held is not None:  # a process that died had reserved it: if it was settled, it is not
            started = float(held["started"])
            return self.take_up(claim, started) or started
        now = self._store.now_on(self._connection)
        refused = self._refused(claim, where, now, claim.most, now)
        if refused is not None:
            return refused
        slots = {
            period: [slot, end_of_window(period, now)]
            for period, slot in windows_of(claim.quota, now).items()
        }
        made = {
            **where,
            "run": claim.run,
            "place": claim.place,
            "started": now,
            "slots": json.dumps(slots),
            **dict.fromkeys(_NAMES),
            "is_open": 0,
        }
        self._change(made, claim.most, is_open=True)
        return now

    def rest(self, run: str, place: str, money: Decimal, tokens: int) -> None:
        """Have a claim hold what was spent, if it is open."""
        held = self._locked_hold(run, place)
        if held is not None and held["is_open"]:
            self._change(held, _spent(held, money, tokens), is_open=True)

    def take_up(self, claim: QuotaClaim, started: float) -> QuotaRefusal | None:
        where = self._lock(claim.pipeline, claim.tenant)
        held = self._hold(claim.run, claim.place)
        if held is None:  # its run was granted it, and its rows are gone: as at the start
            answer = self.reserve(claim)
            return answer if isinstance(answer, QuotaRefusal) else None
        before = _amounts(held)
        more = {what: most - before.get(what, ZERO) for what, most in claim.most.items()}
        if held["is_open"] and not any(more.values()):
            return None
        now = self._store.now_on(self._connection)
        refused = self._refused(claim, where, started, more, now)
        if refused is None:
            self._change(held, claim.most, is_open=True)
        return refused

    def settle(self, run: str, place: str, money: Decimal, tokens: int) -> None:
        """End a claim whose run took so much, if it is open."""
        held = self._locked_hold(run, place)
        if held is not None and held["is_open"]:
            self._change(held, _spent(held, money, tokens), is_open=False)

    def settle_run(self, run: str, spent: Spent | None = None) -> None:
        """End all claims of a run that has ended. What `spent` does not tell, the journal does: a
        call that was cut off counts with all that it may have taken.
        """
        found = self._connection.execute(
            sa.text(
                """SELECT place FROM pipelang_quota_holds WHERE run = :run AND is_open = 1
                ORDER BY pipeline, tenant, place"""
            ),
            {"run": run},
        )
        places = [
            row.place for row in found
        ]  # in an order, so that no two runs wait for each other
        journal: dict[str, Any] | None = None
        for place in places:
            known = None if spent is None else spent.get(place)
            if known is None:
                journal = rows_of(self._connection, run) if journal is None else journal
                used = charged(journal, place)
                known = used.money, used.tokens
            self.settle(run, place, *known)

    def refusal(self, pipeline: p.Pipeline, tenant: str | None) -> QuotaRefusal | None:
        claim = claim_of(pipeline, tenant, "", "")
        now = self._store.now_on(self._connection)
        where = {"pipeline": claim.pipeline, "tenant": _tenant(tenant)}
        return self._refused(claim, where, now, claim.most, now)

    # ----------------------------------------------------------------------------------- rows

    def _lock(self, pipeline: str, tenant: str | None) -> dict[str, str]:
        where = {"pipeline": pipeline, "tenant": _tenant(tenant)}
        self._connection.execute(_LOCK, where)
        return where

    def _hold(self, run: str, place: str) -> dict[str, Any] | None:
        found = self._connection.execute(_HOLD, {"run": run, "place": place}).first()
        return None if found is None else dict(found._mapping)

    def _locked_hold(self, run: str, place: str) -> dict[str, Any] | None:
        """A claim of a run, read again once its quota is locked."""
        held = self._hold(run, place)
        if held is None:
            return None
        where = {"pipeline": held["pipeline"], "tenant": held["tenant"]}
        self._connection.execute(_LOCK, where)
        return self._hold(run, place)

    def _count(self, where: Mapping[str, str], slot: str) -> dict[str, Any]:
        found = self._connection.execute(_COUNT, {**where, "slot": slot}).first()
        none = {"money": "0", "tokens": 0, "runs": 0}
        held = {f"held_{what}": none[what] for what in _NAMES}
        return {**none, **held} if found is None else dict(found._mapping)

    def _refused(
        self,
        claim: QuotaClaim,
        where: Mapping[str, str],
        started: float,
        more: Amounts,
        now: float,
    ) -> QuotaRefusal | None:
        used: dict[str, Amounts] = {}
        held: dict[str, Amounts] = {}
        for period, slot in windows_of(claim.quota, started).items():
            count = self._count(where, slot)
            used[period] = {what: Decimal(count[what]) for what in _NAMES}
            held[period] = {what: Decimal(count[f"held_{what}"]) for what in _NAMES}
        return refusal_of(claim, full(claim, used, more), used, held, started, now)

    def _change(self, held: Mapping[str, Any], amounts: Amounts, *, is_open: bool) -> None:
        """Have a claim stand for these amounts, held if it stays open and settled if not."""
        before = _amounts(held)
        where = {"pipeline": held["pipeline"], "tenant": held["tenant"]}
        for slot, until in json.loads(held["slots"]).values():
            count = self._count(where, slot)
            new: dict[str, Any] = {}
            for what in _NAMES:
                old, now = before.get(what, ZERO), amounts.get(what, ZERO)
                new[what] = Decimal(count[what]) + now - old
                new[f"held_{what}"] = Decimal(count[f"held_{what}"])
                new[f"held_{what}"] += (now if is_open else ZERO) - (
                    old if held["is_open"] else ZERO
                )
            row = {what: _column(what, amount) for what, amount in new.items()}
            self._connection.execute(_SET_COUNT, {**where, "slot": slot, "until": until, **row})
        columns = {
            what: _column(what, amounts[what]) if what in amounts else None for what in _NAMES
        }
        self._connection.execute(_SET_HOLD, {**held, **columns, "is_open": int(is_open)})


def _amounts(held: Mapping[str, Any]) -> dict[str, Decimal]:
    """The amounts of a claim, in the units that its quota counts."""
    return {what: Decimal(held[what]) for what in _NAMES if held[what] is not None}


def _spent(held: Mapping[str, Any], money: Decimal, tokens: int) -> dict[str, Decimal]:
    used = {"money": money, "tokens": Decimal(tokens), "runs": Decimal(1)}
    return {what: used[what] for what in _amounts(held)}


def _column(what: str, amount: Decimal) -> str | int:
    return format(amount, "f") if what.endswith("money") else int(amount)


def _tenant(tenant: str | None) -> str:
    # A named tenant can never be the nameless one.
    return "" if tenant is None else f"={tenant}"


class StoredQuotas:
    """Quotas of a store, for runs that are not in it. A run waits while the database is away."""

    blocks = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def _patiently(self, work: Callable[[QuotaRows], T]) -> T:
        def ask() -> T:
            with self._store.transaction() as connection:
                return work(QuotaRows(self._store, connection))

        return patiently(ask)

    def reserve(self, claim: QuotaClaim) -> float | QuotaRefusal:
        return self._patiently(lambda rows: rows.reserve(claim))

    def rest(self, claim: QuotaClaim, money: Decimal, tokens: int) -> bool:
        self._patiently(lambda rows: rows.rest(*claim.key, money, tokens))
        return True

    def take_up(self, claim: QuotaClaim, started: float) -> QuotaRefusal | None:
        return self._patiently(lambda rows: rows.take_up(claim, started))

    def settle(self, claim: QuotaClaim, money: Decimal, tokens: int) -> None:
        self._patiently(lambda rows: rows.settle(*claim.key, money, tokens))

    def refusal(self, pipeline: p.Pipeline, tenant: str | None) -> QuotaRefusal | None:
        """The refusal that a run would get now. Raises `StoreUnreachable`."""
        if pipeline.quota is None:
            return None
        with self._store.transaction() as connection:
            return QuotaRows(self._store, connection).refusal(pipeline, tenant)


MOST_SWEPT = 100
"""Runs that one sweep looks at."""


def sweep(store: Store) -> int:
    """Settle what runs that have ended still hold; the number of runs."""
    found = store.rows(
        """SELECT DISTINCT h.run FROM pipelang_quota_holds h JOIN pipelang_runs r ON r.run = h.run
        WHERE h.is_open = 1 AND r.status IS NOT NULL LIMIT :most""",
        most=MOST_SWEPT,
    )
    for row in found:
        with store.transaction() as connection:
            QuotaRows(store, connection).settle_run(row["run"])
    return len(found)


def forget_windows(connection: sa.Connection, before: float) -> None:
    """Delete the sums of windows that were over before a time, and in which no run goes on."""
    connection.execute(
        sa.text("""DELETE FROM pipelang_quota_counts WHERE until < :before AND held_runs = 0"""),
        {"before": before},
    )


def held_of(store: Store, run: str) -> list[dict[str, Any]]:
    """The claims of a run: an entry for each of its pipelines, held or settled."""
    rows = store.rows("SELECT * FROM pipelang_quota_holds WHERE run = :run ORDER BY place", run=run)
    return [
        {
            "pipeline": row["pipeline"],
            "state": "held" if row["is_open"] else "settled",
            **{what: row[what] for what in _NAMES if row[what] is not None},
            "windows": [slot for slot, _ in json.loads(row["slots"]).values()],
        }
        for row in rows
    ]
