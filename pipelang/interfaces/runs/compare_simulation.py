"""Simulated runs beside the analysis: what `pipelang simulate` prints, as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pipelang.analysis.kernels.costs import turn_cost
from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.analysis.latency.figures import SpendingFigures, spent
from pipelang.analysis.latency.quantiles import SHARES
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.records import dataclass
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.simulate import Counts, simulate
from pipelang.semantics import program as p
from pipelang.semantics.metrics import COST, LATENCY, MEAN, OUTCOMES, WRONG_EFFECT

Z = 3.2905267
"""Two-sided 99.9% of the standard normal."""


@dataclass(frozen=True, slots=True)
class ObservedFigure:
    """An observed share or mean with its 99.9% interval, beside what the analysis says."""

    observed: float
    expected: float | None
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        return self.expected is None or self.low <= self.expected <= self.high

    def as_json(self) -> dict[str, float | None]:
        return {
            "observed": self.observed,
            "expected": self.expected,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulation of a pipeline: outcomes, escalations by name, other shares of runs by metric,
    cost and machine time.
    """

    name: str
    runs: int
    outcomes: dict[str, ObservedFigure]
    escalations: dict[str, ObservedFigure]
    shares: dict[str, ObservedFigure]
    cost: dict[str, Any]
    latency: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "outcomes": {name: one.as_json() for name, one in self.outcomes.items()},
            "escalations": {name: one.as_json() for name, one in self.escalations.items()},
            **{name: one.as_json() for name, one in self.shares.items()},
            COST: self.cost,
            LATENCY: self.latency,
        }


@dataclass(frozen=True, slots=True)
class Means:
    """Prices in a simulation: the means that the analysis takes."""

    model: PipelineModel

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool
    ) -> tuple[float, float]:
        action = link.action
        asked = action.agent or action if isinstance(action, p.Cascade) else action
        assert isinstance(asked, (p.AskTier, p.Cascade, p.Agent))
        cost = turn_cost(self.model, step, link, asked, tier, turn, told)
        return cost.mean, cost.tokens_in.mean + cost.tokens_out.mean

    def child(self, action: p.RunPipeline) -> Means:
        return Means(child_model(self.model, action))


def spending(program: p.Program, pipeline: p.Pipeline) -> Means:
    """The cost of attempts in a simulation of a pipeline."""
    return Means(make_model(program, pipeline, point_parameters(program)))


def unknown_as(value: float | None) -> Callable[[str], float]:
    """The value of an unknown in a simulation. A simulated agent leaves the pipelines among its
    tools alone, so nothing happens there.
    """
    number = 0.5 if value is None else value
    return lambda site: 1.0 if ".tools[" in site else number


def share(hits: int, runs: int, expected: float | None) -> ObservedFigure:
    """A share with Wilson's interval."""
    seen = hits / runs
    centre = (seen + Z * Z / (2 * runs)) / (1 + Z * Z / runs)
    half = Z * math.sqrt(seen * (1 - seen) / runs + Z * Z / (4 * runs * runs)) / (1 + Z * Z / runs)
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == runs else min(1.0, centre + half)
    return ObservedFigure(seen, expected, low, high)


def simulated(
    loaded: LoadedProgram,
    pipeline: p.Pipeline,
    runs: int,
    seed: int,
    unknown: float | None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Simulate a pipeline and put the analysis beside it. Raises `UnknownChance`."""
    program = loaded.program
    counts = simulate(loaded, pipeline, runs, seed, spending(program, pipeline), unknown, progress)
    point = Parameters(EvidenceTable(program.evidence), unknown_as(unknown))
    expected = sweep(make_model(program, pipeline, point))
    taken = spent(program, pipeline, point, None, expected.work)
    names = {*counts.escalations, *expected.escalations}
    return Simulated(
        name=pipeline.name,
        runs=counts.runs,
        outcomes={
            name: share(counts.outcomes[name], counts.runs, float(getattr(expected, name)))
            for name in OUTCOMES
        },
        escalations={
            name: share(
                counts.escalations[name], counts.runs, float(expected.escalations.get(name, 0.0))
            )
            for name in sorted(names)
        },
        shares={
            WRONG_EFFECT: share(counts.wrong_effect, counts.runs, float(expected.wrong_effect))
        },
        cost=_cost(counts, expected, taken),
        latency=_quantiles(counts.seconds, LATENCY, taken),
    )


def _cost(counts: Counts, expected: Totals, taken: SpendingFigures | None) -> dict[str, Any]:
    mean = sum(counts.costs) / counts.runs
    spread = math.sqrt(sum((cost - mean) ** 2 for cost in counts.costs) / counts.runs)
    half = Z * spread / math.sqrt(counts.runs)
    compared = ObservedFigure(mean, float(expected.cost), mean - half, mean + half)
    return {
        MEAN: compared.as_json(),
        **_quantiles(counts.costs, COST, taken),
        "most": max(counts.costs),
    }


def _quantiles(values: list[float], name: str, taken: SpendingFigures | None) -> dict[str, Any]:
    """Observed quantiles beside what the analysis says."""
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(read: str, share: float) -> dict[str, float | None]:
        observed = ordered[min(last, math.ceil(share * len(ordered)) - 1)]
        expected = None if taken is None else taken.ranges[f"{name}.{read}"].value
        return {"observed": observed, "expected": expected}

    return {read: at(read, share) for read, share in SHARES.items()}
