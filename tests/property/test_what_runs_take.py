"""What runs take, by the analysis and by the interpreter over the simulated world.

Every quantile is held against the runs by Chernoff's bound, with a part in a hundred of room on
either side; the level is shared by all comparisons of this file. No run, however bad its luck,
takes more than the worst.
"""

from __future__ import annotations

import math
import os
import random
from pathlib import Path

import pytest

import pipelang
from pipelang.analysis.latency.figures import SpendingFigures, spent
from pipelang.analysis.latency.quantiles import SHARES
from pipelang.analysis.latency.worst_cost import worst_run
from pipelang.analysis.latency.worst_time import longest_run
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.compare_simulation import unknown_as
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.simulate import Counts, simulate
from pipelang.semantics import program as p

from ..oracle.generate import generate
from ..oracle.generate_wide import generate_wide
from ..oracle.write_pipe import write_pipe

SEEDS = int(os.environ.get("TAKEN_SEEDS", "8"))
RUNS = int(os.environ.get("TAKEN_RUNS", "1000"))
MAKERS = {"plain": generate, "wide": generate_wide}
FIGURES = 9
LEVEL = 1e-6 / (len(MAKERS) * SEEDS * FIGURES * 2)
ROOM = 0.01
CENT = 1e-12


def too_far(hits: int, runs: int, share: float) -> bool:
    """Whether so many hits are too few to be a sample of at least this share (Chernoff)."""
    seen = hits / runs
    if seen >= share:
        return False
    distance = math.log(1 / (1 - share)) if not seen else seen * math.log(seen / share)
    if seen > 0:
        distance += (1 - seen) * math.log((1 - seen) / (1 - share))
    return math.exp(-runs * distance) < LEVEL


def wrong_quantiles(name: str, values: list[float], taken: SpendingFigures) -> list[str]:
    """Which quantiles of the analysis these values are no sample of."""
    found = []
    runs = len(values)
    for read, share in SHARES.items():
        figure = taken.ranges[f"{name}.{read}"]
        below = sum(value <= figure.high * (1 + ROOM) + CENT for value in values)
        if too_far(below, runs, share):
            found.append(f"{name}.{read} is too low: {figure.high}, above {below} of {runs}")
        upper_bound = taken.bounded and name != "cost"
        above = sum(value >= figure.low * (1 - ROOM) - CENT for value in values)
        if not upper_bound and too_far(above, runs, 1 - share):
            found.append(f"{name}.{read} is too high: {figure.low}, below {above} of {runs}")
    return found


def taken_by(program: p.Program, pipeline: p.Pipeline) -> tuple[SpendingFigures, Totals]:
    point = Parameters(EvidenceTable(program.evidence), unknown_as(None))
    totals = sweep(make_model(program, pipeline, point))
    taken = spent(program, pipeline, point, None, totals.work)
    assert taken is not None
    return taken, totals


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_runs_take_what_the_analysis_says(seed: int, maker: str, tmp_path: Path) -> None:
    loaded, pipeline = written(maker, 9_000 + seed, tmp_path)
    program = loaded.program
    taken, totals = taken_by(program, pipeline)
    assert taken.ranges["cost.mean"].value == pytest.approx(float(totals.cost), abs=1e-9)
    machine = runs_of(loaded, pipeline, people=False)
    whole = runs_of(loaded, pipeline, people=True)
    problems = wrong_quantiles("cost", machine.costs, taken)
    problems += wrong_quantiles("latency", machine.seconds, taken)
    problems += wrong_quantiles("turnaround", whole.seconds, taken)
    assert not problems, "\n".join([f"seed {seed}", *problems])
    nothing_is_worse_than_the_worst(program, pipeline, machine, whole)


def written(maker: str, seed: int, folder: Path) -> tuple[LoadedProgram, p.Pipeline]:
    model = MAKERS[maker](seed)
    loaded = pipelang.load(write_pipe(model, folder), allow=RULES)
    return loaded, loaded.program.pipelines[model.pipeline.name]


def runs_of(loaded: LoadedProgram, pipeline: p.Pipeline, people: bool, runs: int = RUNS) -> Counts:
    means = spending(loaded.program, pipeline)
    return simulate(loaded, pipeline, runs, 11, means, None, None, people)


def nothing_is_worse_than_the_worst(
    program: p.Program, pipeline: p.Pipeline, machine: Counts, whole: Counts
) -> None:
    model = make_model(
        program, pipeline, Parameters(EvidenceTable(program.evidence), unknown_as(None))
    )
    dearest = worst_run(model)
    if dearest.cost is not None:
        assert max(machine.costs) <= dearest.cost + CENT
    for counts, people in ((machine, False), (whole, True)):
        longest = longest_run(model, people)
        if longest is not None:
            assert max(counts.seconds) <= longest * (1 + CENT)


class Unlucky(random.Random):
    """Chance that is against everybody: attempts fail, tests do not hold, and all takes longest.

    Most of the time; a run that only ever fails sees little of a pipeline.
    """

    def random(self) -> float:
        luck = super().random()
        return luck if luck < 0.3 else 1 - 1e-9

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return 9.0

    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_bad_luck_is_within_the_worst(
    seed: int, maker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, pipeline = written(maker, 7_000 + seed, tmp_path)
    monkeypatch.setattr(random, "Random", Unlucky)
    machine = runs_of(loaded, pipeline, people=False, runs=100)
    whole = runs_of(loaded, pipeline, people=True, runs=100)
    nothing_is_worse_than_the_worst(loaded.program, pipeline, machine, whole)
