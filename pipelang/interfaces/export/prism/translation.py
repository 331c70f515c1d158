"""What the parts of the translation share, and what they cannot translate."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from pipelang.analysis.model import Model
from pipelang.analysis.prices import attempt_cost
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
        cost = attempt_cost(self.prices, step, link, tier)
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
    `around` are the steps that the conditions around it read.
    """

    step: p.Step
    own: str
    scope: Scope
    around: frozenset[str]
    done: int
    memory: str | None
