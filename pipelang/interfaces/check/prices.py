"""Findings about prices that are old, and about models that their makers retire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.interfaces.check.today import today
from pipelang.semantics import price_snapshot
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tiers_behind


def price_findings(program: p.Program, on: date | None = None) -> Iterator[Diagnostic]:
    """The findings of a day about the prices and models of the tiers that are asked."""
    day = on or date.fromisoformat(today())
    asked = {
        name for pipeline in program.pipelines.values() for name in tiers_behind(program, pipeline)
    }
    for name, tier in program.tiers.items():
        if name not in asked:
            continue
        if tier.as_of is not None and tier.prices:
            days = (day - date.fromisoformat(tier.as_of)).days
            if days > price_snapshot.OLD_AFTER:
                yield _old(tier, days)
        kind = program.providers[tier.provider].kind
        known = price_snapshot.priced(kind, tier.model) if tier.model else None
        if known is not None and known.retired:
            said = f"{price_snapshot.source()} of {price_snapshot.as_of()}"
            yield report(codes.RETIRED_MODEL, tier.span, model=tier.model, source=said)


def _old(tier: p.Tier, days: int) -> Diagnostic:
    if tier.priced_by is not None:
        source = f"that of {tier.priced_by}, read on {tier.as_of}"
        mend = "`pipelang prices --update`, or a `price` of its own with its `as_of`"
    elif tier.span.file.startswith("std/"):
        source = f"it is of {tier.as_of}"
        mend = "a newer pipelang has newer tiers; or declare a tier of your own"
    else:
        source = f"it is of {tier.as_of}"
        mend = "look it up, and change `price` and `as_of`; `pipelang prices --check` compares"
    return report(codes.OLD_PRICE, tier.span, help=mend, tier=tier.name, days=days, source=source)
