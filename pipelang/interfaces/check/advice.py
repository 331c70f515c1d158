"""Advice on checked files: where the analysis gets the texts from that it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.check.disk_loader import DiskLoader

if TYPE_CHECKING:
    from pipelang.analysis.advice.trying import Bench
    from pipelang.analysis.metrics.analyse import Analysis


def bench_of(checked: Checked) -> Bench:
    """A checked program as what changes are tried on."""
    from pipelang.analysis.advice.trying import Bench

    assert checked.program is not None
    return Bench(checked.path, checked.program, checked.sources, DiskLoader(), checked.assumed)


def advice_json(bench: Bench, analysis: Analysis, everything: bool) -> dict[str, Any]:
    """The keys of the JSON report that say what to change, and what would follow from figures."""
    if analysis.unknown:
        from pipelang.analysis.advice.what_if import what_if

        found = what_if(bench, analysis)
        return {
            "what_if": [row.as_json() for row in found.rows],
            "needs": [need.as_json() for need in found.needs],
            "widening": [
                {"unknown": one.site, "low": one.low, "high": one.high} for one in found.widening
            ],
        }
    from pipelang.analysis.advice.advise import advise

    return {"advice": [one.as_json(bench.sources) for one in advise(bench, analysis, everything)]}
