"""State that the parts of the translation share, and the error for what has no translation."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from pipelang.analysis.kernels.costs import AttemptCost, attempt_cost, tools_cost, turn_cost
from pipelang.interfaces.export.prism.constants import Constants, plain
from pipelang.interfaces.export.prism.draws import Draws
from pipelang.interfaces.export.prism.formulas import TRUE, Formula, is_
from pipelang.interfaces.export.prism.machine import Machine, PrismUpdate, Reward
from pipelang.interfaces.export.prism.scopes import PrismFrame, PrismScope
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.metrics import WRONG_EFFECT

EFFECT = WRONG_EFFECT
"""The variable that remembers a wrong effect to the end of the run."""


@dataclass(slots=True)
class Translation:
    """A pipeline being translated; `root` is its own frame.

    `begins` are the places where steps that may be made again and elements of lists begin, `calls`
    those where sub-pipelines do. `unpriced` says why there are no costs, if there are none.
    """

    program: p.Program
    machine: Machine
    constants: Constants
    draws: Draws
    root: PrismFrame
    begins: dict[int, str] = field(default_factory=dict)
    calls: dict[int, PrismFrame] = field(default_factory=dict)
    unpriced: list[str] = field(default_factory=list)

    def pay(self, place: int, dollars: str, guard: Formula = TRUE) -> None:
        """Every visit of a place costs so much, where a condition holds."""
        if dollars not in ("0", "0.0"):
            self.machine.rewards.append(Reward(place, dollars, guard))

    def effect(self) -> str:
        """The variable of wrong effects."""
        self.machine.kept.add(self.machine.declare(EFFECT, 1, "1 if an effect had a wrong value"))
        return EFFECT

    def priced(self, cost: AttemptCost, step: p.Step, tier: str) -> str | None:
        """The mean of a price in dollars; None where nobody can say."""
        if not cost.priced:
            self._no_price(f"nobody declared the price of tier {tier}")
        elif not isfinite(cost.mean):
            self._no_price(f"nothing bounds the tokens of step {step.name}")
        else:
            return plain(Decimal(repr(cost.mean)))
        return None

    def _no_price(self, why: str) -> None:
        if why not in self.unpriced:
            self.unpriced.append(why)


@dataclass(frozen=True, slots=True)
class Making:
    """A value being made: its variable `own`, where to go once it is there, what is around it.

    `memory` holds the verdicts of its last answer, None if no answer of it is ever copied.
    `fresh` says when it may come from a cache, `told` is 1 while it is made again with the feedback
    of a gate (None: no gate sends it back). Where it ends the run instead, `ended` (0 if nothing
    did before) gets the number of the ending, and the run goes on at `over`.
    """

    step: p.Step
    own: str
    scope: PrismScope
    around: frozenset[str]
    done: int
    ended: str
    over: int
    memory: str | None = None
    fresh: Formula = TRUE
    told: str | None = None

    @property
    def name(self) -> str:
        """Its name, for the names of what belongs to it."""
        return self.own.removeprefix("v_")


@dataclass(frozen=True, slots=True)
class LinkTrial:
    """A link being tried for a value. `around` is what its answer reads without naming it, `tier`
    who is asked, `failed` where the run goes on without an answer.

    With `missed` the answer is one from a cache, which was given and costs nothing; where there
    can't be one the run goes on there.
    """

    t: Translation
    making: Making
    link: p.Link
    around: frozenset[str]
    failed: int
    tier: str | None = None
    missed: int | None = None

    @property
    def kept(self) -> bool:
        return self.missed is not None

    @property
    def free(self) -> bool:
        """Whether it costs nothing and hangs on no outage."""
        return self.kept or self.scope.frame.free

    @property
    def machine(self) -> Machine:
        return self.t.machine

    @property
    def scope(self) -> PrismScope:
        return self.making.scope

    def made(self, verdict: int) -> PrismUpdate:
        """The value is there, and right or wrong."""
        return PrismUpdate(self.making.done).setting(self.making.own, verdict)

    def made_anew(self, verdict: int) -> PrismUpdate:
        """The same without verdicts that a later answer could repeat."""
        memory = self.making.memory
        return self.made(verdict) if memory is None else self.made(verdict).setting(memory, 0)

    def pay(self, place: int, agent: p.Agent | None = None, turn: int = 1) -> None:
        """Every visit of a place costs one attempt, at a turn of an agent: more where a gate's
        feedback is in the prompt.
        """
        if self.free or self.tier is None:
            return
        step, prices, told = self.making.step, self.scope.frame.prices, self.making.told
        means = []
        for again in (False, told is not None):
            if agent is None:
                cost = attempt_cost(prices, step, self.link, self.tier, again)
            else:
                cost = turn_cost(prices, step, self.link, agent, self.tier, turn, again)
            means.append(self.t.priced(cost, step, self.tier))
        first, second = means
        if first is None or second is None:
            return
        if told is None or first == second:
            self.t.pay(place, first)
        else:
            self.t.pay(place, first, is_(told, 0))
            self.t.pay(place, second, is_(told, 1))

    def tool_dollars(self, agent: p.Agent) -> str:
        """The mean price of one tool call of an agent."""
        return plain(Decimal(repr(tools_cost(self.scope.frame.prices, agent))))
