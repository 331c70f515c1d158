"""The outcome distribution of a link, a chain or a sub-pipeline in one situation."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.frontier.states import add, is_zero, share_of
from pipelang.analysis.frontier.totals import Inner
from pipelang.analysis.kernels.votes import Latent, LinkOutcome
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

Answer = tuple[bool, Latent | None, bool]
"""Whether it is right, its latents where they matter, whether something was done wrongly."""

Ending = tuple[p.Outcome, bool, bool]
"""An outcome, whether what it returns is right, whether something was done wrongly."""


@dataclass(slots=True)
class Closed:
    """Probabilities of all that can come of it, and mean spending.

    `fails` is by whether something was done wrongly on the way; `ends` are the outcomes that it
    ends the run with; `cost` is in dollars, `tokens` counts input and output; `asked` is how often
    each role is, `inside` what is done in sub-pipelines; `work` counts the states that were gone
    through for it.
    """

    answers: dict[Answer, Any] = field(default_factory=dict)
    fails: dict[bool, Any] = field(default_factory=dict)
    ends: dict[Ending, Any] = field(default_factory=dict)
    cost: Any = 0.0
    tokens: Any = 0.0
    asked: dict[str, Any] = field(default_factory=dict)
    work: int = 0
    inside: dict[Inner, Any] = field(default_factory=dict)

    def spend(self, weight: Any, other: Closed) -> None:
        """Add what something else costs, so likely as it is reached."""
        if not is_zero(other.cost):
            self.cost = self.cost + share_of(other.cost, weight)
        if not is_zero(other.tokens):
            self.tokens = self.tokens + share_of(other.tokens, weight)
        self.work += other.work
        for role, often in other.asked.items():
            add(self.asked, role, weight * often)
        for place, amount in other.inside.items():
            add(self.inside, place, share_of(amount, weight))

    def take(self, weight: Any, other: Closed, wrong: bool = False) -> None:
        """Add all that comes of something else; `wrong`: something was done wrongly before it."""
        self.spend(weight, other)
        for (right, latent, also), chance in other.answers.items():
            add(self.answers, (right, latent, wrong or also), weight * chance)
        for (outcome, right, also), chance in other.ends.items():
            add(self.ends, (outcome, right, wrong or also), weight * chance)
        for also, chance in other.fails.items():
            add(self.fails, wrong or also, weight * chance)


def of_answers(made: LinkOutcome, acts: bool = False) -> Closed:
    """The closed form of answers; if it `acts`, a wrong one does something wrong."""
    closed = Closed(cost=made.cost, tokens=made.tokens, work=made.work)
    for (right, latent), chance in made.answers.items():
        add(closed.answers, (right, latent, acts and not right), chance)
    add(closed.fails, False, made.fails)
    return closed
