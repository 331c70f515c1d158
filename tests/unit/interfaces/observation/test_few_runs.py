"""Means of few runs: an interval of no width is no evidence, a mean of many is."""

from __future__ import annotations

import pytest

from pipelang.analysis.model.intervals import Basis, Number
from pipelang.interfaces.observation.comparison import FigureVerdict, observed_mean
from pipelang.semantics import metrics as m

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
