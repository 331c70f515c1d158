"""Findings about quotas: traffic that would spend one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.metrics import DAYS_A_MONTH
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.metrics import COST_MEAN, TOKENS_MEAN
from pipelang.semantics.quantities import apart, dollars_beside

_DAYS = {"hour": Decimal(1) / 24, "day": Decimal(1), "month": Decimal(DAYS_A_MONTH)}
_MEANS = {"money": COST_MEAN, "tokens": TOKENS_MEAN}


def quota_findings(analysis: Analysis) -> Iterator[Diagnostic]:
    """Report limits that the mean of a run, as often as the traffic says, would pass: by all that
    is known of it, if it is the traffic of one tenant.
    """
    pipeline = analysis.pipeline
    per_day = pipeline.traffic.per_day
    if pipeline.quota is None or per_day is None:
        return
    for limit in pipeline.quota.limits:
        mean = Decimal(1)
        if limit.what in _MEANS:
            number = analysis.numbers.get(_MEANS[limit.what])
            known = None if number is None else number.low if number.value is None else number.value
            if known is None:
                continue
            mean = Decimal(repr(known))
        taken = mean * per_day * _DAYS[limit.period]
        if taken > limit.amount:
            yield report(
                codes.QUOTA_BELOW_TRAFFIC,
                limit.span,
                name=pipeline.name,
                mean=_shown(limit, taken),
                period=limit.how_often,
                limit=limit.text,
            )


def _shown(limit: p.QuotaLimit, taken: Decimal) -> str:
    if limit.what == "money":
        return dollars_beside(taken, limit.amount)
    return f"{apart(taken, limit.amount):,f} {limit.what}"
