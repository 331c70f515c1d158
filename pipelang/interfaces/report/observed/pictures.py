"""Calibration curves of labelled answers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.analysis.model.calibration import Bin, Calibration, by_chance
from pipelang.interfaces.export.calibration_svg import calibration_svg
from pipelang.interfaces.observation.observation import Observation
from pipelang.statistics.calibration import BINS, calibration_error


def observed_calibration(found: Observation) -> Iterator[tuple[str, str]]:
    """The curve of each step whose answers are labelled and say how sure they are."""
    for step in sorted({label.step for label in found.labels.labels}):
        labels = found.labels.of(step)
        rows = [(one.confidence, one.right) for one in labels if one.confidence is not None]
        if not rows:
            continue
        error = calibration_error(rows)
        known = {round(one.low * BINS): one for one in error.bins}
        bins = []
        for index in range(BINS):
            one = known.get(index)
            low, high = Decimal(index) / BINS, Decimal(index + 1) / BINS
            if one is None:
                bins.append(Bin(low, high, 0, 0, None))
            else:
                bins.append(Bin(low, high, one.rows, one.right, one.confidence))
        right = sum(label.right for label in labels)
        chance = by_chance(bins)
        whole = Calibration(len(labels), right, len(rows), error.error, chance, tuple(bins))
        yield step, calibration_svg(f"labels of {step}", whole, ())
