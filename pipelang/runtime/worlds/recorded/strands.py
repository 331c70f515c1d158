"""Strands and units: who does what in a run in which many things go on side by side.

A *strand* is work that goes on in one order, whatever happens beside it: a run outside its steps, a
step, an element of a list, a call of a vote. So the events that it tells and the inputs that it
takes can be counted, and mean the same in every process. A *unit* is what is recorded as a whole
when it is over, and done again as a whole if a crash comes before that: one call, one question, one
region of pure and reading work.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.records import dataclass, field
from pipelang.runtime.engine.budget import Reservation, RunBudget

Amount = tuple[Decimal | None, int, int]
"""Dollars (None where a call had no price), tokens and steps."""

NONE: Amount = (Decimal(0), 0, 0)


def plus(one: Amount, other: Amount) -> Amount:
    money = one[0] + other[0] if one[0] is not None and other[0] is not None else None
    return money, one[1] + other[1], one[2] + other[2]


@dataclass(slots=True, eq=False)
class WorkUnit:
    """`used` is what its calls used, with what was charged for a former process that was cut off in
    it; `ahead` what they may use at most, by the place of the budget. `muted` events are recorded
    with its intent, `told` so many were told in this process. `begun` says that its intent is
    recorded. `calls` are the asks of each prompt before it. A `whole` one is a region, of whose
    parts nothing is recorded. `call` are the tool and the key of one that acts, for whoever ends
    the run while it is under way.
    """

    place: str
    calls: dict[str, int]
    call: dict[str, str] | None = None
    begun: bool = False
    ahead: dict[str, Amount] = field(default_factory=dict)
    used: Amount = NONE
    told: int = 0
    muted: int = 0
    whole: bool = False

    def reserve(self, budget: RunBudget, held: Reservation) -> bool:
        """Add a call to what is used ahead; whether that has to be written down."""
        amount = held.money, held.tokens, 1
        counts = held.money != 0 or held.tokens > 0
        for at in budget.chain():
            self.ahead[at.place] = plus(self.ahead.get(at.place, NONE), amount)
            counts = counts or (at.limits is not None and at.limits.steps is not None)
        return counts


@dataclass(slots=True, eq=False)
class Strand:
    """`outer` is the strand that it is a part of, `unit` what is done in it now. `told` events were
    told here in this process, `inputs` taken; `used` is what its units used.
    """

    place: str
    outer: Strand | None = None
    unit: WorkUnit | None = None
    told: int = 0
    inputs: int = 0
    used: Amount = NONE
    calls: dict[str, int] = field(default_factory=dict)

    def add(self, used: Amount) -> None:
        """Count what a unit used, here and in the strands around."""
        at: Strand | None = self
        while at is not None:
            at.used = plus(at.used, used)
            at = at.outer

    def next_input(self) -> str:
        """The place of the next input."""
        place = self.place_of_next()
        self.inputs += 1
        return place

    def place_of_next(self) -> str:
        """The place that the next input will have."""
        return f"{self.place}?{self.inputs}"


def is_inside(place: str, outer: str) -> bool:
    """Whether a place is that of something inside a region or a step."""
    return place.startswith(outer) and not place[len(outer) : len(outer) + 1].isdigit()


def amount_json(amount: Amount) -> list[object]:
    return [None if amount[0] is None else str(amount[0]), amount[1], amount[2]]


def amount_from(data: list[object]) -> Amount:
    money, tokens, steps = data
    assert isinstance(tokens, int)
    assert isinstance(steps, int)
    return None if money is None else Decimal(str(money)), tokens, steps
