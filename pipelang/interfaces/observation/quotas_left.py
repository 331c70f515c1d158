"""Quotas: what is left of each in the window of now, for the tenant who has least."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipelang.interfaces.observation.records import ObservedRun, RunSource
from pipelang.records import dataclass
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """A limit of a quota: what ended runs took of it, for the tenant who took most. What runs hold
    that have not ended is not in it.
    """

    text: str
    what: str
    tenant: str | None
    used: float
    amount: float

    @property
    def left(self) -> float:
        """The share that is left."""
        return max(0.0, 1 - self.used / self.amount) if self.amount else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "quota": self.text,
            "tenant": self.tenant,
            "used": self.used,
            "amount": self.amount,
            "left": self.left,
        }


_TAKES: dict[str, Callable[[ObservedRun], float]] = {
    "money": lambda run: run.cost or 0.0,
    "tokens": lambda run: float(run.tokens),
    "runs": lambda run: 1.0,
}


def quotas_left(pipeline: p.Pipeline, source: RunSource) -> list[QuotaLeft]:
    """The limits of a pipeline's quota; a run counts in the window in which it started."""
    if pipeline.quota is None:
        return []
    now = source.now()
    found = []
    for limit in pipeline.quota.limits:
        begin = begin_of_window(limit.period, now)
        used: dict[str | None, float] = defaultdict(float)
        for run in source.runs(pipeline.name, begin):
            if run.started >= begin:
                used[run.tenant] += _TAKES[limit.what](run)
        tenant = max(used, key=used.__getitem__) if used else None
        amount = float(limit.amount)
        found.append(QuotaLeft(limit.text, limit.what, tenant, used.get(tenant, 0.0), amount))
    return found


def begin_of_window(period: str, at: float) -> float:
    """The moment at which the hour, day or month of a moment began, in UTC."""
    moment = datetime.fromtimestamp(at, UTC).replace(minute=0, second=0, microsecond=0)
    if period != "hour":
        moment = moment.replace(hour=0)
    if period == "month":
        moment = moment.replace(day=1)
    return moment.timestamp()
