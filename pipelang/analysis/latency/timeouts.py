"""Warnings for timeouts that cut off more attempts than the declared failure rate."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.analysis.frontier.lattice import Lognormal, sigma_of
from pipelang.analysis.kernels.providers import tiers_of
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, CountedShare, Declared
from pipelang.semantics.kernels.timeouts import call_limit
from pipelang.semantics.quantities import show_duration
from pipelang.semantics.walk import all_items, inner_links


def slow_attempts(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Return a warning for every link whose timeout is too short for the declared latency."""
    for item in all_items(pipeline.block):
        if not isinstance(item, p.Step):
            continue
        for link in inner_links(item.chain):
            for name in tiers_of(link.action):
                tier = program.tiers[name]
                fails = _share(tier.transient)
                yield from _slow(link, name, tier.latency, link.timeout, fails, "a `transient`")
            if isinstance(link.action, p.Call):
                tool = program.tools[link.action.tool]
                works = _share(tool.succeeds)
                fails = None if works is None else 1 - works
                limit = call_limit(link, tool)
                yield from _slow(link, tool.name, tool.latency, limit, fails, "a `succeeds`")


NEGLIGIBLE = 1e-6
"""So many more attempts than fail may take longer: nobody counts one in a million, and the tail of
a distribution that two figures describe is no better known.
"""


def _share(chance: Chance) -> float | None:
    match chance:
        case Declared():
            return float(chance.share)
        case CountedShare():
            return chance.good / chance.total
        case _:
            return None


def _slow(
    link: p.Link,
    name: str,
    spread: p.Spread | None,
    limit: Decimal | None,
    fails: float | None,
    mend: str,
) -> Iterator[Diagnostic]:
    if spread is None or spread.p95 is None or limit is None or fails is None:
        return
    median = float(spread.median)
    taken = Lognormal(median, sigma_of(median, float(spread.p95)), float(limit))
    if taken.beyond <= fails + NEGLIGIBLE:
        return
    yield report(
        codes.SLOW_ATTEMPT,
        link.span,
        name=name,
        share=f"{taken.beyond:.2g}" if taken.beyond < 1e-4 else f"{taken.beyond:.2%}",
        fails=f"{fails:.2%}",
        timeout=show_duration(limit),
        mend=mend,
    )
