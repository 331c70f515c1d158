"""Votes and cascades, closed: what comes of several calls, given whether their arguments are right.

Nothing in a run can look at a single call of a vote, so the outcome may be drawn at once and the
bill replaced by its mean given the outcome. `Actions` can also play the calls one by one, and a
test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from . import model as m
from .attempts import Attempts

NOTHING = Fraction(0)


@dataclass(slots=True)
class Outcomes:
    """The chances of a right, a wrong and no answer, and the bill so far, weighted with them."""

    chances: dict[bool | None, Fraction] = field(default_factory=dict)
    bills: dict[bool | None, Fraction] = field(default_factory=dict)

    def add(self, verdict: bool | None, chance: Fraction, bill: Fraction) -> None:
        self.chances[verdict] = self.chances.get(verdict, NOTHING) + chance
        self.bills[verdict] = self.bills.get(verdict, NOTHING) + chance * bill

    def mean_bill(self, verdict: bool | None) -> Fraction:
        return self.bills[verdict] / self.chances[verdict]

    def answers(self) -> bool:
        """Whether it may answer at all: else there is nothing in its cache."""
        return bool(self.chances.get(True) or self.chances.get(False))

    def right_if_answered(self) -> Fraction:
        """What a cached answer is worth: that of a fresh one."""
        right, wrong = (self.chances.get(verdict, NOTHING) for verdict in (True, False))
        return right / (right + wrong)


def decided(vote: m.Vote, right: int, wrong: int, calls: int) -> bool | str | None:
    """The verdict of a vote after so many calls; "on" if it goes on, None if it has failed."""
    if vote.lead is not None:
        if abs(right - wrong) >= vote.lead:
            return right > wrong
        return None if calls == vote.of else "on"
    if calls < vote.of:
        return "on"
    if 2 * max(right, wrong) > vote.of:
        return right > wrong
    return None


def answers(chance: Fraction, correlation: Fraction, before: bool | None) -> Fraction:
    """The chance of a right answer after one with that verdict."""
    if before is None:
        return chance
    return correlation * before + (1 - correlation) * chance


# One program asks the same few questions in each of its thousands of runs; answers never change.
@lru_cache(maxsize=10_000)
def vote_outcomes(
    vote: m.Vote, call: Attempts, chance: Fraction, correlation: Fraction, former: bool | None
) -> Outcomes:
    """`former` is the verdict of the step's last answer, where a redo asks again."""
    result = Outcomes()

    def go(right: int, wrong: int, calls: int, last: bool | None, p: Fraction, b: Fraction) -> None:
        if not p:
            return
        verdict = decided(vote, right, wrong, calls)
        if not isinstance(verdict, str):
            result.add(verdict, p, b)
            return
        go(right, wrong, calls + 1, last, p * call.fail, b + call.cost_of_failure)
        p, b = p * (1 - call.fail), b + call.cost_of_success
        is_right = answers(chance, correlation, last)
        go(right + 1, wrong, calls + 1, True, p * is_right, b)
        go(right, wrong + 1, calls + 1, False, p * (1 - is_right), b)

    go(0, 0, 0, former, Fraction(1), NOTHING)
    return result


@lru_cache(maxsize=10_000)
def cascade_outcomes(
    calls: tuple[tuple[Attempts, Fraction], ...], rates: m.Rates, correlation: Fraction
) -> Outcomes:
    """A cascade whose `until` looks at the answer alone; each call with its chance to be right."""
    result = Outcomes()

    def go(number: int, last: bool | None, p: Fraction, b: Fraction) -> None:
        if not p:
            return
        if number == len(calls):
            result.add(None, p, b)
            return
        call, chance = calls[number]
        go(number + 1, last, p * call.fail, b + call.cost_of_failure)
        p, b = p * (1 - call.fail), b + call.cost_of_success
        is_right = answers(chance, correlation, last)
        for verdict, share in ((True, is_right), (False, 1 - is_right)):
            turned_down = rates.false_alarms if verdict else rates.catches
            result.add(verdict, p * share * (1 - turned_down), b)
            go(number + 1, verdict, p * share * turned_down, b)

    go(0, None, Fraction(1), NOTHING)
    return result
