"""Findings of the day of a check: prices that are old, models that their makers retire, and prices
and evidence of a day that is still to come.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

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
            if is_to_come(tier.as_of, day):
                yield report(
                    codes.DAY_TO_COME,
                    tier.span,
                    what=f"the price of `{name}`",
                    day=tier.as_of,
                    where="",
                    today=day.isoformat(),
                )
        kind = program.providers[tier.provider].kind
        known = price_snapshot.priced(kind, tier.model) if tier.model else None
        if known is not None and known.retired:
            said = f"{price_snapshot.source()} of {price_snapshot.as_of()}"
            yield report(codes.RETIRED_MODEL, tier.span, model=tier.model, source=said)


def evidence_to_come(program: p.Program, on: date | None = None) -> Iterator[Diagnostic]:
    """A finding for each use of a file of which rows are of a day that is still to come."""
    day = on or date.fromisoformat(today())
    late = {
        name: origin
        for name, file in program.evidence.items()
        for origin in reversed(file.origins)
        if origin.as_of is not None and is_to_come(origin.as_of, day)
    }
    if not late:
        return
    from pipelang.analysis.findings.evidence_uses import evidence_uses

    for pipeline in program.pipelines.values():
        for use in evidence_uses(program, pipeline):
            origin = late.get(use.file)
            if origin is not None:
                yield report(
                    codes.DAY_TO_COME,
                    use.span,
                    what=f"`{use.file}`",
                    day=origin.as_of,
                    where=f" (line {origin.line})",
                    today=day.isoformat(),
                )


def is_to_come(as_of: str, day: date) -> bool:
    """Whether a day is still to come; what is tomorrow here is today elsewhere."""
    return date.fromisoformat(as_of) - day > timedelta(days=1)


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
