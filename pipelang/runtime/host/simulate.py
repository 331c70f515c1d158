"""Many runs of a pipeline over the simulated world, counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import assert_never

from pipelang.records import dataclass, field, replace
from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.expressions import Expressions
from pipelang.runtime.engine.interpreter import play, run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.region_plan import Plans
from pipelang.runtime.engine.run import Run, Terms
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


class Rehearsal:
    """One pipeline, ready to be run over the simulated world as often as wanted.

    Raises `UnknownChance` if something is undeclared and `unknown` does not say what it counts as.
    """

    def __init__(
        self, loaded: LoadedProgram, pipeline: p.Pipeline, unknown: float | None = None
    ) -> None:
        self._pipeline = with_unique_names(pipeline)
        run = {name: with_unique_names(one) for name, one in loaded.program.pipelines.items()}
        program = replace(loaded.program, pipelines=run)
        self._easy, self._hard = (
            DeclaredChances.of(program, self._pipeline, Odds(program, unknown, hard))
            for hard in (False, True)
        )
        self._share_of_hard = share_of_hard(program, self._pipeline)
        expressions = Expressions(loaded.types, loaded.patterns.matches, {})
        self._terms = Terms(program, expressions, Plans(), play)

    def run(
        self,
        chance: random.Random,
        spending: Spending,
        people: bool = False,
        budget: bool = True,
    ) -> tuple[SimulatedWorld, Result]:
        """One run, with waits for `people` or without, within its `budget` or without: what it
        came to, and the world it used.
        """
        facts, share = self._easy, self._share_of_hard
        if share is not None and chance.random() < facts.odds.of(share):
            facts = self._hard
        world = SimulatedWorld(facts, chance, spending, people)
        run = Run(
            known_id="simulated",
            terms=self._terms,
            pipeline=self._pipeline,
            world=world,
            budget=RunBudget(self._pipeline.budget if budget else None),
            values={},
            quiet=True,
            sampled=bool(self._pipeline.samples),
        )
        return world, world.loop.run(run_pipeline(run))


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
    rehearsal = Rehearsal(loaded, pipeline, unknown)
    chance = random.Random(seed)
    counts = Counts()
    for number in range(runs):
        world, result = rehearsal.run(chance, spending, people)
        _count(counts, world, result)
        if progress is not None and number % 256 == 255:
            progress(number + 1)
    return counts


def outcome(world: SimulatedWorld, result: Result) -> str:
    """The metric that counts a simulated run."""
    match result:
        case Answered(value=SimulatedValue(right=True)) if not world.wrong_effect:
            return m.SUCCESS
        case Answered():
            return m.SILENT_ERROR
        case Escalated():
            return m.ESCALATION
        case Rejected():
            return m.REJECTION
        case Failed():
            return m.FAILURE
        case _:
            assert_never(result)


def _count(counts: Counts, world: SimulatedWorld, result: Result) -> None:
    counts.runs += 1
    counts.wrong_effect += world.wrong_effect
    counts.costs.append(world.cost)
    counts.tokens.append(world.tokens)
    counts.seconds.append(world.loop.now)
    counts.reached.update(world.reached)
    counts.outcomes[outcome(world, result)] += 1
    if isinstance(result, Escalated):
        counts.escalations[result.reason] += 1
