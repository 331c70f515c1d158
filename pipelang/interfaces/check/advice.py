"""Adds advice to checked files: which changes help, and by how much.

Each change is made in the text of the file, built and swept again, but for shares: the program as
it is written is swept with another one. It is worked out here, once; reports of every format only
render it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelang.interfaces.check.check import Checked, PipelineAdvice
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.records import replace

if TYPE_CHECKING:
    from pipelang.analysis.advice.trying import Bench
    from pipelang.analysis.metrics.analyse import Analysis


def with_advice(checked: Sequence[Checked], everything: bool = False) -> list[Checked]:
    """The files with advice on each of their pipelines.

    `everything` tries ten times as many changes, and keeps those that trade one thing for another.
    """
    return [_advised(one, everything) if one.analyses else one for one in checked]


def bench_of(checked: Checked) -> Bench:
    """The bench on which changes of a checked program are tried."""
    from pipelang.analysis.advice.trying import Bench

    assert checked.program is not None
    return Bench(checked.path, checked.program, checked.sources, DiskLoader(), checked.assumed)


def _advised(checked: Checked, everything: bool) -> Checked:
    bench = bench_of(checked)
    advice = {one.pipeline.name: _advice(bench, one, everything) for one in checked.analyses}
    return replace(checked, advice=advice)


def _advice(bench: Bench, analysis: Analysis, everything: bool) -> PipelineAdvice:
    from pipelang.analysis.advice.advise import advise, wanted

    changes = tuple(advise(bench, analysis, everything))
    if not analysis.unknown:
        return PipelineAdvice(changes, wanted(analysis))
    from pipelang.analysis.advice.what_if import what_if

    return PipelineAdvice(changes, wanted(analysis), what_if(bench, analysis))
