"""What the parts of the translation share, and what they cannot translate."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from pipelang.analysis.model import Model
from pipelang.analysis.prices import AttemptCost, attempt_cost, tools_cost, turn_cost
from pipelang.interfaces.export.prism.constants import Constants, plain
from pipelang.interfaces.export.prism.draws import Draws
from pipelang.interfaces.export.prism.machine import Machine, Reward
from pipelang.interfaces.export.prism.scopes import Scope
from pipelang.records import dataclass, field
from pipelang.semantics import program as p


class NotExportable(Exception):
    """Something in the pipeline that has no translation yet; the message names it."""


@dataclass(slots=True)
class Translation:
    """A pipeline being translated. `repeated` are the steps that a redo may make again, `begins`
    the places where these begin. `unpriced` says why there are no costs, if there are none.
    """

    program: p.Program
    pipeline: p.Pipeline
    machine: Machine
    constants: Constants
    draws: Draws
    prices: Model
    finish: int
    repeated: set[str] = field(default_factory=set)
    begins: dict[int, str] = field(default_factory=dict)
    unpriced: list[str] = field(default_factory=list)

    def pay(self, place: int, dollars: str) -> None:
        """Every visit of a place costs so much."""
        if dollars not in ("0", "0.0"):
            self.machine.rewards.append(Reward(place, dollars))

    def dollars(self, step: p.Step, link: p.Link, tier: str) -> str | None:
        """The mean price of one attempt at a tier; None where nobody can say."""
        return self._mean(attempt_cost(self.prices, step, link, tier), step, tier)

    def turn_dollars(
        self, step: p.Step, link: p.Link, agent: p.Agent, tier: str, turn: int
    ) -> str | None:
        """The same of one attempt at a turn of an agent."""
        return self._mean(turn_cost(self.prices, step, link, agent, tier, turn), step, tier)

    def tool_dollars(self, agent: p.Agent) -> str:
        """The mean price of one tool call of an agent."""
        return plain(Decimal(repr(tools_cost(self.prices, agent))))

    def _mean(self, cost: AttemptCost, step: p.Step, tier: str) -> str | None:
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
    """A step being made: its variable `own`, where to go once it is there, what is around it.

    `memory` holds the verdicts of its last answer, None if no answer of it is ever copied.
    `around` are the steps that the conditions around it read, `again` is 1 once it was made before
    (None where nobody asks), `kept` says that the answer is one from a cache.
    """

    step: p.Step
    own: str
    scope: Scope
    around: frozenset[str]
    done: int
    memory: str | None
    again: str | None = None
    kept: bool = False
