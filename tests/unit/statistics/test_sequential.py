"""Tests that may be looked at any time: their false alarms by simulation and their sums exactly."""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest

from pipelang.statistics.calibration import CalibrationProcess, bin_of, calibration_error
from pipelang.statistics.intervals import upper_share
from pipelang.statistics.means import MeanProcess
from pipelang.statistics.restarts import daily, early, lasting
from pipelang.statistics.sequences import quantile_sequence, share_sequence
from pipelang.statistics.shares import (
    ShareMonitor,
    ShareProcess,
    block_power,
    days_to_find,
    ideal_days,
)
from pipelang.statistics.two_samples import TwoShares

HISTORIES = 100


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """scipy, which takes a second to import: each process collects this file, and one runs it."""
    global stats
    from scipy import stats


def few_enough(alarms: int, histories: int, most: float = 0.05) -> bool:
    """Whether so many alarms are no proof of more than 5%."""
    return bool(stats.binomtest(alarms, histories, most, alternative="greater").pvalue > 0.001)


@pytest.mark.parametrize("weights", [early, lasting, daily])
def test_stakes_sum_to_at_most_one(weights: object) -> None:
    assert callable(weights)
    total = math.fsum(weights(day) for day in range(1, 200_000))
    assert 0.99 < total <= 1


@pytest.mark.parametrize(("limit", "above"), [(0.2, True), (0.85, False), (0.001, True)])
def test_the_wager_on_a_share_is_fair(limit: float, above: bool) -> None:
    """Exactly: the mean of the value over all results of twelve runs is 1 at the limit, and less
    within it.
    """
    for share, fair in ((limit, True), (limit * 0.9 if above else 1 - (1 - limit) * 0.9, False)):
        mean = 0.0
        for hits in range(13):
            process = ShareProcess(limit, above)
            process.add(hits, 12)
            mean += stats.binom.pmf(hits, 12, share) * process.value
        assert mean == pytest.approx(1) if fair else mean < 1


@pytest.mark.parametrize(
    ("ratio", "margin", "above"), [(1.0, 0.0, True), (1.2, 0.0, True), (1.0, 0.02, False)]
)
def test_the_wager_on_two_shares_is_fair(ratio: float, margin: float, above: bool) -> None:
    """Exactly, over all results of two portions of unequal size: never above 1 where the null
    hypothesis holds.
    """
    for first in (0.05, 0.3, 0.6, 0.8):
        bound = ratio * first + margin if above else first - margin
        for second in (bound, bound * 0.8 if above else min(1.0, bound * 1.1)):
            mean = 0.0
            for a, b, c, d in product(range(4), range(3), range(2), range(4)):
                chance = (
                    stats.binom.pmf(a, 3, first)
                    * stats.binom.pmf(b, 2, second)
                    * stats.binom.pmf(c, 1, first)
                    * stats.binom.pmf(d, 3, second)
                )
                process = TwoShares(ratio, margin, above)
                process.add((a, 3), (b, 2))
                process.add((c, 1), (d, 3))
                mean += chance * process.value
            assert mean <= 1 + 1e-9


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_quiet_years_are_quiet(share: float) -> None:
    source = np.random.default_rng(20)
    alarms = 0
    for _ in range(HISTORIES):
        monitor = ShareMonitor(share)
        for count in source.binomial(500, share, 365):
            monitor.add(int(count), 500)
            if monitor.close_day():
                alarms += 1
                break
    assert few_enough(alarms, HISTORIES)
    assert alarms <= 0.05 * HISTORIES


@pytest.mark.parametrize("quiet", [0, 3, 30, 150])
def test_a_rise_by_40_percent_is_found_within_two_days(quiet: int) -> None:
    """Of a known share of 20%, at 500 runs a day, whenever it comes in a year."""
    source = np.random.default_rng(quiet)
    found = early_alarms = 0
    for _ in range(HISTORIES):
        monitor = ShareMonitor(0.2)
        for count in source.binomial(500, 0.2, quiet):
            monitor.add(int(count), 500)
            monitor.close_day()
        early_alarms += monitor.alarmed
        for count in source.binomial(500, 0.28, 2):
            monitor.add(int(count), 500)
            monitor.close_day()
        found += monitor.alarmed
    assert few_enough(early_alarms, HISTORIES)
    assert found >= 0.95 * HISTORIES
    assert block_power(0.2, 0.28, 1000, 365) >= 0.95


def test_a_rise_that_begins_at_any_hour() -> None:
    """Found within 48 hours in nine of ten histories at least, and mostly in 95 of 100."""
    source = np.random.default_rng(12)
    found = 0
    for history in range(HISTORIES):
        monitor = ShareMonitor(0.2, parts=4)
        first = 7 * 24 + history % 24
        for hour in range(first + 48):
            runs = int(source.poisson(500 / 24))
            share = 0.28 if hour >= first else 0.2
            monitor.add(int(source.binomial(runs, share)), runs)
            if hour % 24 == 23:
                monitor.close_day()
            elif hour % 6 == 5:
                monitor.close_part()
        found += monitor.alarmed
    assert found >= 0.9 * HISTORIES


def test_days_that_are_needed_are_those_that_pass() -> None:
    """The forecast of days, against histories; the ideal ones of operate.md."""
    assert [round(ideal_days(1.2 * p, 1.4 * p, 500), 1) for p in (0.02, 0.1, 0.2)] == [
        18.5,
        3.3,
        1.4,
    ]
    source = np.random.default_rng(5)
    days = days_to_find(0.12, 0.14, 500)
    assert days is not None
    found = 0
    for _ in range(HISTORIES):
        monitor = ShareMonitor(0.12)
        for count in source.binomial(500, 0.14, math.ceil(days)):
            monitor.add(int(count), 500)
            monitor.close_day()
        found += monitor.alarmed
    assert found >= 0.93 * HISTORIES
    assert days_to_find(0.2, 0.2, 500) is None


def test_an_unlucky_first_run_is_no_alarm() -> None:
    monitor = ShareMonitor(0.0)
    assert not monitor.add(0, 1000)
    assert monitor.add(4, 4)


def test_two_equal_shares_and_two_unequal() -> None:
    source = np.random.default_rng(9)
    alarms = found = 0
    for _ in range(HISTORIES):
        same, worse = TwoShares(), TwoShares()
        for _ in range(40):
            old = (int(source.binomial(90, 0.1)), 90)
            same.add(old, (int(source.binomial(10, 0.1)), 10))
            worse.add(old, (int(source.binomial(30, 0.2)), 30))
            if same.reaches(0.05):
                alarms += 1
                break
        found += worse.reaches(0.05)
    assert few_enough(alarms, HISTORIES)
    assert found >= 0.9 * HISTORIES


def test_a_mean_of_skewed_amounts() -> None:
    source = np.random.default_rng(3)
    alarms = found = 0
    for _ in range(HISTORIES):
        quiet, dear = MeanProcess(0.08), MeanProcess(0.08)
        for _ in range(10):
            values = source.exponential(0.08, 60)
            quiet.add(values)
            dear.add(1.5 * values)
            if quiet.process.reaches(0.05):
                alarms += 1
                break
        found += dear.process.reaches(0.05)
    assert few_enough(alarms, HISTORIES)
    assert found >= 0.8 * HISTORIES
    cheap = MeanProcess(0.5, above=False, most=1.0)
    cheap.add([0.1] * 50)
    assert cheap.value > 1000
    with pytest.raises(ValueError, match="most"):
        MeanProcess(0.5, above=False)


def test_calibration() -> None:
    """Rows that are right as often as they say alarm nobody; rows too sure by 20 points do, and so
    do rows not sure enough.
    """
    source = np.random.default_rng(4)
    alarms = sure = unsure = covered = 0
    for _ in range(100):
        processes = [CalibrationProcess(0.05) for _ in range(3)]
        levels = source.uniform(0.5, 0.8, 500)
        chances = (levels, levels - 0.2, np.minimum(1.0, levels + 0.25))
        rows = [
            list(zip(levels.tolist(), (source.random(500) < chance).tolist(), strict=True))
            for chance in chances
        ]
        for process, found in zip(processes, rows, strict=True):
            process.add(found)
        alarms += processes[0].process.reaches(0.05)
        sure += processes[1].process.reaches(0.05)
        unsure += processes[2].process.reaches(0.05)
        error = calibration_error(rows[1])
        covered += error.low <= 0.2 <= error.high
        assert error.error is not None
    assert few_enough(alarms, 100)
    assert sure >= 95
    assert unsure >= 95
    assert covered >= 95
    assert calibration_error([]).error is None
    assert [bin_of(level) for level in (0.0, 0.29999, 0.3, 0.7, 0.9, 1.0)] == [0, 2, 3, 7, 9, 9]


def test_sequences_hold_at_all_times() -> None:
    source = np.random.default_rng(8)
    left = left_quantile = 0
    for _ in range(100):
        draws = source.random(400)
        counts = np.cumsum(draws < 0.3)
        every = [share_sequence(int(counts[n - 1]), n) for n in range(1, 401, 7)]
        left += any(not low <= 0.3 <= high for low, high in every)
        ordered = (np.sort(draws[:n]).tolist() for n in range(50, 401, 50))
        ends = [quantile_sequence(values, 0.9) for values in ordered]
        left_quantile += any(not low <= 0.9 <= high for low, high in ends)
    assert few_enough(left, 100)
    assert few_enough(left_quantile, 100)
    assert share_sequence(0, 0) == (0.0, 1.0)


def test_a_monitor_goes_on_from_its_state() -> None:
    """Cut at any day, kept as JSON, the evidence is the same."""
    source = np.random.default_rng(2)
    counts = [int(count) for count in source.binomial(300, 0.22, 20)]
    whole = ShareMonitor(0.2)
    cut = ShareMonitor(0.2)
    for count in counts:
        for monitor in (whole, cut):
            monitor.add(count, 300)
            monitor.close_day()
        kept = json.loads(json.dumps(cut.state()))
        cut = ShareMonitor(0.2)
        cut.restore(kept)
        assert cut.value == pytest.approx(whole.value, rel=1e-12)
        assert cut.block_p_value == whole.block_p_value
        assert cut.alarmed == whole.alarmed


def test_a_counted_baseline_is_not_taken_for_known() -> None:
    """2,000 runs before, 60 quiet days after: alarms stay rare whatever the 2,000 were."""
    source = np.random.default_rng(6)
    alarms = found = 0
    for _ in range(HISTORIES):
        before = int(source.binomial(2000, 0.2))
        limit = upper_share(before, 2000, 0.99)
        quiet, risen = (ShareMonitor(limit, alpha=0.04, sample=(before, 2000)) for _ in range(2))
        for count in source.binomial(500, 0.2, 60):
            quiet.add(int(count), 500)
            if quiet.close_day():
                alarms += 1
                break
        for count in source.binomial(500, 0.28, 4):
            risen.add(int(count), 500)
            risen.close_day()
        found += risen.alarmed
    assert few_enough(alarms, HISTORIES)
    assert found >= 0.95 * HISTORIES
