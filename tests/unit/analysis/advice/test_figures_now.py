"""The figures that changes are compared with: those of the analysis, without one sweep more."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.analysis.advice import trying
from pipelang.analysis.advice.trying import Bench, figures
from pipelang.interfaces.check.advice import bench_of
from pipelang.interfaces.check.check import check_file

REPO = Path(__file__).parents[4]
FILES = [
    *(f"examples/gallery/{name}" for name in ("10_unknown", "11_counted", "14_route", "35_hard")),
    "examples/support/support",
    "examples/supervisor/supervisor",
    "benchmarks/data/desk",
]


@pytest.mark.parametrize("file", FILES)
def test_they_are_those_of_a_sweep_of_its_own(file):
    checked = check_file(str(REPO / f"{file}.pipe"))
    assert checked.program is not None
    for analysis in checked.analyses:
        assert analysis.swept == figures(checked.program, analysis.pipeline)
        assert bench_of(checked).analysed(analysis) == analysis.swept


def test_nobody_sweeps_once_more(monkeypatch):
    checked = check_file(str(REPO / "benchmarks/data/desk.pipe"))
    (analysis,) = checked.analyses
    bench = bench_of(checked)

    def sweep(*given):
        raise AssertionError("swept once more")

    monkeypatch.setattr(trying, "sweep", sweep)
    found = bench.analysed(analysis)
    assert found is not None
    assert bench.figures(analysis.pipeline.name) is found


def test_an_analysis_of_another_program_is_not_taken():
    one = check_file(str(REPO / "benchmarks/data/desk.pipe"))
    other = bench_of(check_file(str(REPO / "benchmarks/data/desk.pipe")))
    (analysis,) = one.analyses
    assert isinstance(other, Bench)
    wrong = dict(analysis.swept or {}, success=0.0)
    from pipelang.records import replace

    found = other.analysed(replace(analysis, swept=wrong))
    assert found == analysis.swept
