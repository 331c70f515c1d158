"""Quotas as a leg asks them: in the store, by transactions that are fenced."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from pipelang.runtime.durable.legs import Legs, LegToken
from pipelang.runtime.durable.shared.patience import patiently
from pipelang.runtime.durable.shared.quotas import QuotaRows
from pipelang.runtime.shared.quotas import QuotaClaim, QuotaRefusal
from pipelang.semantics import program as p

T = TypeVar("T")


class LegQuotas:
    """The quotas of a store for the run of a leg. Whoever lost it changes nothing more."""

    blocks = True

    def __init__(self, legs: Legs, token: LegToken) -> None:
        self._legs = legs
        self._token = token

    def _fenced(self, work: Callable[[QuotaRows], T]) -> T:
        """Ask in a fenced transaction, again and again while the database is away: asking twice is
        as asking once.
        """

        def ask() -> T:
            with self._legs.store.reached(), self._legs.fenced(self._token) as connection:
                return work(QuotaRows(self._legs.store, connection))

        return patiently(ask)

    def reserve(self, claim: QuotaClaim) -> float | QuotaRefusal:
        return self._fenced(lambda rows: rows.reserve(claim))

    def rest(self, claim: QuotaClaim, money: Decimal, tokens: int) -> bool:
        """Nothing: what waits for long is parked, and holds what it spent from then on."""
        return False

    def take_up(self, claim: QuotaClaim, started: float) -> QuotaRefusal | None:
        return self._fenced(lambda rows: rows.take_up(claim, started))

    def settle(self, claim: QuotaClaim, money: Decimal, tokens: int) -> None:
        return self._fenced(lambda rows: rows.settle(*claim.key, money, tokens))

    def refusal(self, pipeline: p.Pipeline, tenant: str | None) -> QuotaRefusal | None:
        return self._fenced(lambda rows: rows.refusal(pipeline, tenant))
