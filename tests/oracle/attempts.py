"""The attempts of one call, closed: what retries come to, and what they cost.

Attempts are independent and alike, and nothing in a run can look at a single one of them. So
"does one of N + 1 attempts succeed" may be drawn at once, and their cost, which only ever enters a
mean, may be replaced by its mean given that draw. `Run` can also play them one by one, and a test
compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Attempts:
    """`succeeds` is one attempt's chance; the others are about all of them together."""

    succeeds: Fraction
    number: int
    cost: Fraction
    fail: Fraction
    cost_of_success: Fraction
    cost_of_failure: Fraction

    @classmethod
    def of(cls, succeeds: Fraction, retry: int, cost: Fraction) -> Attempts:
        number = retry + 1
        fails = 1 - succeeds
        fail = fails**number
        mean = Fraction(0)
        if fail != 1:
            first_at = [fails ** (k - 1) * succeeds for k in range(1, number + 1)]
            mean = sum((k * p for k, p in enumerate(first_at, 1)), Fraction(0)) / (1 - fail)
        return cls(succeeds, number, cost, fail, cost * mean, cost * number)

    def turns(self, number: int) -> Attempts:
        """So many calls one after another, up to the first that fails: the turns of an agent."""
        cost, spent, goes_on = Fraction(0), Fraction(0), Fraction(1)
        for _ in range(number):
            ends_here = goes_on * self.fail
            cost += ends_here * (spent + self.cost_of_failure)
            spent += self.cost_of_success
            goes_on *= 1 - self.fail
        fail = 1 - goes_on
        mean = cost / fail if fail else Fraction(0)
        return Attempts(1 - fail, 1, Fraction(0), fail, spent, mean)
