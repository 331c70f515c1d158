"""Many runs of a pipeline over the simulated world, counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.expressions import Expressions
from pipelang.runtime.engine.interpreter import play, run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.region_plan import Plans
from pipelang.runtime.engine.run import Run
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.worlds.simulation.budgets import Spending
from pipelang.runtime.worlds.simulation.declared_chances import DeclaredChances, Odds
from pipelang.runtime.worlds.simulation.world import SimulatedValue, SimulatedWorld
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.kernels.hard import share_of_hard
from pipelang.semantics.unique import with_unique_names


@dataclass(slots=True)
class Counts:
    """Counts of simulated runs: how they ended, and their usage (one figure a run)."""

    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    escalations: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    wrong_effect: int = 0
    costs: list[float] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def simulate(
    loaded: LoadedProgram,
    pipeline: p.Pipeline,
    runs: int,
    seed: int,
    spending: Spending,
    unknown: float | None = None,
    progress: Callable[[int], None] | None = None,
    people: bool = False,
) -> Counts:
    """Run a pipeline many times, with waits for `people` or without. Raises `UnknownChance` if
    something is undeclared and `unknown` does not say what it counts as.
    """
    pipeline = with_unique_names(pipeline)
    easy, hard = (
        DeclaredChances.of(loaded.program, pipeline, Odds(loaded.program, unknown, is_hard))
        for is_hard in (False, True)
    )
    share = share_of_hard(loaded.program, pipeline)
    expressions = Expressions(loaded.types, loaded.patterns.matches, {})
    plans = Plans()
    chance = random.Random(seed)
    counts = Counts()
    for number in range(runs):
        facts = easy
        if share is not None and chance.random() < easy.odds.of(share):
            facts = hard
        world = SimulatedWorld(facts, chance, spending, people)
        run = Run(
            id="simulated",
            program=loaded.program,
            pipeline=pipeline,
            world=world,
            expressions=expressions,
            plans=plans,
            play=play,
            budget=RunBudget(pipeline.budget),
            values={},
            quiet=True,
        )
        result = world.loop.run(run_pipeline(run))
        _count(counts, world, result)
        if progress is not None and number % 256 == 255:
            progress(number + 1)
    return counts


def _count(counts: Counts, world: SimulatedWorld, result: Result) -> None:
    counts.runs += 1
    counts.wrong_effect += world.wrong_effect
    counts.costs.append(world.cost)
    counts.tokens.append(world.tokens)
    counts.seconds.append(world.loop.now)
    counts.reached.update(world.reached)
    match result:
        case Answered(value=SimulatedValue(right=True)) if not world.wrong_effect:
            counts.outcomes[m.SUCCESS] += 1
        case Answered():
            counts.outcomes[m.SILENT_ERROR] += 1
        case Escalated():
            counts.outcomes[m.ESCALATION] += 1
            counts.escalations[result.reason] += 1
        case Rejected():
            counts.outcomes[m.REJECTION] += 1
        case Failed():
            counts.outcomes[m.FAILURE] += 1
