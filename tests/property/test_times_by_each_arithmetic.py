"""Cost and time by each arithmetic: lists of numbers, arrays, and arrays of all scales at once.

The first two work out what one walk wrote down; the third goes along with a walk, as rows of
parameters do. Means of maxima are the same but for what is cut off of a long tail: off a whole
distribution in the first two, off each state's share of it in the third.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import pipelang
from pipelang.analysis.frontier.meter import Measure
from pipelang.analysis.latency import written as writing
from pipelang.analysis.latency.quantiles import (
    SHARES,
    Measured,
    Taken,
    coarse_scales,
    fine_scales,
    measured,
)
from pipelang.analysis.latency.written import written
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.compare_simulation import unknown_as

from ..oracle.generate import generate
from ..oracle.generate_wide import generate_wide
from ..oracle.write_pipe import write_pipe

SEEDS = int(os.environ.get("ARITHMETIC_SEEDS", "12"))
MAKERS = {"plain": generate, "wide": generate_wide}
MEASURES = (Measure.COST, Measure.LATENCY_MOST, Measure.TURNAROUND_MOST)
NOISE = 1e-7
"""Rounding of a transform, which the damping magnifies, as a part of what is read off it."""
CUT_OFF = 1e-4


def model_of(maker: str, seed: int, folder: Path) -> tuple[PipelineModel, Parameters]:
    made = MAKERS[maker](seed)
    program = pipelang.load(write_pipe(made, folder), allow=RULES).program
    point = Parameters(EvidenceTable(program.evidence), unknown_as(None))
    return make_model(program, program.pipelines[made.pipeline.name], point), point


def same(one: Taken, other: Taken, mean: float | None) -> None:
    for name in SHARES:
        assert one.quantiles[name] == pytest.approx(other.quantiles[name], rel=NOISE), name
    if mean is not None:
        assert one.mean == pytest.approx(other.mean, rel=mean)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_all_find_the_same(
    seed: int, maker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, point = model_of(maker, 7_000 + seed, tmp_path)
    found: list[tuple[Measured, Measured]] = []
    for most in (10**9, -1):
        monkeypatch.setattr(writing, "MOST_IN_LISTS", most)
        walk = written(model, point, with_numpy=False)
        coarse = walk.coarse(MEASURES)
        found.append((coarse, walk.at(fine_scales(coarse), MEASURES)))
    (coarse, fine), (other_coarse, other_fine) = found
    whole = measured(model, point, coarse_scales(MEASURES), MEASURES, times=True)
    scales = fine_scales(coarse)
    assert len(scales) == len(fine_scales(whole))
    for measure in MEASURES:
        same(coarse.taken[measure], other_coarse.taken[measure], NOISE)
        same(fine.taken[measure], other_fine.taken[measure], None)
        same(coarse.taken[measure], whole.taken[measure], CUT_OFF)
        assert coarse.times[measure] == pytest.approx(whole.times[measure], rel=CUT_OFF, abs=1e-9)
    if scales:
        exact = measured(model, point, scales, MEASURES, means=False)
        for measure in MEASURES:
            if any(scale.measure is measure for scale in scales):
                same(fine.taken[measure], exact.taken[measure], None)
