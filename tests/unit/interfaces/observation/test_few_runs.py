"""Means of few runs: an interval of no width is no evidence, a mean of many is."""

from __future__ import annotations

import pytest

from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.observation.comparison import (
    FigureVerdict,
    observed_mean,
    observed_quantile,
)
from pipelang.semantics import metrics as m
from pipelang.semantics.chance import Basis

TOLD = Number(0.01, 0.01, 0.01, 0.01, Basis.EXACT)


@pytest.mark.parametrize("runs", [2, 3, 29])
def test_few_runs_that_cost_the_same_differ_from_nothing(runs: int) -> None:
    found = observed_mean(m.COST_MEAN, [0.0] * runs, runs, TOLD)
    assert found.verdict is FigureVerdict.TOO_FEW
    assert found.more == 30 - runs


def test_runs_of_one_thread_are_one() -> None:
    found = observed_mean(m.COST_MEAN, [0.0] * 300, 3, TOLD)
    assert found.verdict is FigureVerdict.TOO_FEW


def test_many_do() -> None:
    found = observed_mean(m.COST_MEAN, [0.0] * 30, 30, TOLD)
    assert found.verdict is FigureVerdict.DIFFERS


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_agrees_only_where_it_could_have_differed(share: float) -> None:
    """Nine medians of a hundredth of the prediction agreed with it, and 148 of the 95% quantile."""
    told = Number(100.0, 100.0, 100.0, 100.0, Basis.EXACT)
    first = None
    for runs in range(1, 800):
        seen = {
            value: observed_quantile(m.LATENCY_P95, [value] * runs, share, runs, told)
            for value in (1.0, 100.0, 10_000.0)
        }
        verdicts = {value: one.verdict for value, one in seen.items()}
        assert verdicts[1.0] is not FigureVerdict.AGREES
        assert verdicts[10_000.0] is not FigureVerdict.AGREES
        if verdicts[100.0] is FigureVerdict.AGREES:
            assert {verdicts[1.0], verdicts[10_000.0]} == {FigureVerdict.DIFFERS}
            first = first or runs
        else:
            assert verdicts[100.0] is FigureVerdict.TOO_FEW
            assert first is None
            assert seen[100.0].more > 0
    assert first == {0.5: 11, 0.95: 149, 0.99: 757}[share]
