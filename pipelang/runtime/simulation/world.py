"""The world of a simulation: attempts, tests and people, answered from declared numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.simulation.draws import Draws, Facts
from pipelang.runtime.simulation.loop import Loop, Task
from pipelang.runtime.world import Attempt, AttemptFailed, Decision, Question
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.interpreter import Run

Z95 = 1.644854

Spend = Callable[[p.Step, p.Link, str], tuple[float, float]]
"""Dollars and tokens of one attempt of a link at a tier."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """What stands for a value: only whether it is right."""

    right: bool


class SimulatedWorld:
    """One simulated run. `wrong_effect` tells whether something was done with a wrong value."""

    def __init__(self, facts: Facts, chance: random.Random, spend: Spend) -> None:
        self.loop = Loop()
        self.draws = Draws(facts, chance)
        self.wrong_effect = False
        self.cost = 0.0
        self.tokens = 0.0
        self.reached: set[str] = set()
        self._facts = facts
        self._chance = chance
        self._spend = spend
        self._latents: dict[str, tuple[bool, bool]] = {}
        self._away = 0.0

    # ----------------------------------------------------------------------- values and tests

    def value(self, run: Run, expr: ir.Expr) -> Any:
        return Ghost(self.draws.is_right(expr) and self._around(run))

    def route(self, run: Run, expr: ir.Expr) -> Any:
        return self.draws.value(self._facts.open(expr))

    def pure(self, run: Run, step: p.Step, link: p.Link, subjects: tuple[ir.Expr, ...]) -> Any:
        """A value that was written down: right with its accuracy, if what it mentions is right."""
        assert isinstance(link.action, p.Value)
        right = self._right(run, (link.action.value, *subjects))
        accuracy = self._facts.odds.of(link.accuracy)
        answer = self._answer(step.name, link, accuracy, 0.0, right)
        self.draws.make(step.name, answer)
        return Ghost(answer)

    def answer(self, run: Run, value: Any) -> Any:
        return value

    def _right(self, run: Run, exprs: Iterable[ir.Expr]) -> bool:
        return self._around(run) and all(self.draws.is_right(expr) for expr in exprs)

    def _around(self, run: Run) -> bool:
        """Whether the conditions of the branches around are right."""
        return all(self.draws.is_right(condition) for condition in run.conditions)

    async def holds(self, run: Run, item: p.Gate | p.When | p.Person, test: ir.Expr) -> bool:
        evidence = item.evidence if isinstance(item, p.Gate) else None
        name = None if isinstance(item, p.Person) else item.name
        return self.draws.judge(test, name, evidence)

    # ------------------------------------------------------------------------------- attempts

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        self.reached.add(attempt.step.name)
        action, link = attempt.action, attempt.link
        odds, draws = self._facts.odds, self.draws
        program = run.program
        given = [value for _, value in action.arguments]
        right = self._right(run, (*given, *attempt.subjects))
        accuracy, recovers = link.accuracy, 0.0
        match action:
            case p.AskTier():
                assert attempt.tier is not None
                tier = program.tiers[attempt.tier]
                accuracy = link.accuracy_by_tier.get(tier.name, accuracy)
                recovers = odds.of(link.recovers)
                out = draws.out(program.providers[tier.provider])
                await self.loop.sleep(self._duration(tier.latency, link.timeout))
                if not out:
                    dollars, tokens = self._spend(attempt.step, link, tier.name)
                    self.cost += dollars
                    self.tokens += tokens
                if out or draws.flip(odds.of(tier.transient)):
                    raise AttemptFailed("simulated")
            case p.Call():
                tool = program.tools[action.tool]
                limit = link.timeout or tool.timeout
                await self.loop.sleep(self._duration(tool.latency, limit))
                self.cost += float(tool.cost)
                if not draws.flip(odds.of(tool.succeeds)):
                    raise AttemptFailed("simulated")
            case p.AskRole():
                recovers = odds.of(link.recovers)
                role = program.roles[action.role]
                if not self._in_time(role, link.timeout):
                    raise AttemptFailed("simulated")
        answer = self._answer(attempt.step.name, link, odds.of(accuracy), recovers, right)
        if isinstance(action, p.Call) and program.tools[action.tool].acts and not answer:
            self.wrong_effect = True
        draws.make(attempt.step.name, answer)
        return Ghost(answer)

    def _answer(
        self, step: str, link: p.Link, accuracy: float, recovers: float, right: bool
    ) -> bool:
        former = self._latents.get(step)
        if former is not None and self.draws.flip(self._facts.odds.of(link.correlation)):
            latent = former
        else:
            latent = (self.draws.flip(accuracy), self.draws.flip(recovers))
        self._latents[step] = latent
        return latent[0] if right else latent[1]

    # --------------------------------------------------------------------------------- people

    def chose(self, run: Run, step: p.Step, answer: Any) -> None:
        self.draws.right[step.name] = answer.right

    async def accepts(self, run: Run, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        names = ir.mentions(self._facts.open(action.until)) - {"it"}
        others = all(self.draws.right.get(name, True) for name in names)
        odds = self._facts.odds
        alarms, catches = odds.of(action.rates.false_alarms), odds.of(action.rates.catches)
        return self.draws.flip(1 - (alarms if answer.right and others else catches))

    async def decide(self, run: Run, question: Question) -> Decision | None:
        person = question.person
        role = run.program.roles[person.role]
        if not self._in_time(role, person.seconds):
            return None
        judged = [name for name in person.judges if name in self.draws.right]
        shown = True if person.showing is None else self.draws.is_right(person.showing)
        right = shown and (
            person.showing is not None or all(self.draws.right[name] for name in judged)
        )
        accuracy = self._facts.odds.of(role.accuracy)
        return Decision(self.draws.flip(accuracy if right else 1 - accuracy))

    def _in_time(self, role: p.Role, limit: Decimal | None) -> bool:
        if limit is None:
            return True
        if role.responds is None or role.responds.p95 is None:
            return self.draws.flip(self._facts.odds.open(f"{role.name}.responds"))
        return self._lognormal(role.responds) <= float(limit)

    # ----------------------------------------------------------------------------------- time

    def _duration(self, latency: p.Spread | None, limit: Decimal | None) -> float:
        if latency is None or latency.p95 is None:
            return 0.0
        seconds = self._lognormal(latency)
        return seconds if limit is None else min(seconds, float(limit))

    def _lognormal(self, spread: p.Spread) -> float:
        assert spread.p95 is not None
        sigma = math.log(spread.p95 / spread.median) / Z95
        return float(spread.median) * math.exp(sigma * self._chance.gauss(0.0, 1.0))

    async def sleep(self, run: Run, seconds: float) -> None:
        await self.loop.sleep(seconds)

    def elapsed(self, run: Run) -> float:
        return self.loop.now

    def jitter(self, longest: float) -> float:
        return self._chance.uniform(0.0, longest)

    # --------------------------------------------------------------------------- side by side

    def spawn(self, work: Coroutine[Any, Any, Any]) -> Task:
        return self.loop.spawn(work)

    async def first(self, tasks: Iterable[Task]) -> Iterable[Task]:
        return await self.loop.first(tasks)

    async def stop(self, tasks: Iterable[Task]) -> None:
        await self.loop.stop(tasks)
