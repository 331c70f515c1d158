"""Tests that an interval of 99.9% is left in no more than one of a thousand simulations."""

from __future__ import annotations

from math import comb

import pytest

from pipelang.interfaces.runs.compare_simulation import share


@pytest.mark.parametrize("runs", [20, 200])
@pytest.mark.parametrize("chance", [0.00002, 0.00125, 0.03, 0.5, 0.97, 0.9999])
def test_a_right_prediction_lies_in_the_interval_of_999_of_1000_simulations(
    chance: float, runs: int
) -> None:
    left = sum(
        comb(runs, hits) * chance**hits * (1 - chance) ** (runs - hits)
        for hits in range(runs + 1)
        if not share(hits, runs, chance).agrees
    )
    assert left <= 0.001


@pytest.mark.parametrize("never", [0, 200])
def test_what_always_or_never_happens_agrees_with_a_share_of_all_or_none(never: int) -> None:
    assert share(never, 200, never / 200).agrees
    assert not share(100, 200, never / 200).agrees
