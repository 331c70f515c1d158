"""Kernels of votes and cascades: several answers, of which one is taken.

Every call's answer has latent verdicts (right with right arguments, right with a wrong one); with
the link's correlation it copies those of the answer just before. Wrong answers of a vote agree with
one another. Both kernels go through the calls one by one and carry the tally and the last latents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from pipelang.analysis.frontier.states import is_zero, share_of
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.kernels.vote import Open, verdict

Latent = tuple[bool, bool]
"""Would the answer be right with right arguments, and with a wrong one."""

Draw = Callable[[Latent | None], Iterable[tuple[Latent, Any]]]
"""The latents of a new answer with their probabilities, given those of the answer before."""


@dataclass(slots=True)
class LinkOutcome:
    """The outcome distribution of a link: answers `(right, latents) -> probability`, P(none), and
    its cost. `work` counts the states gone through.
    """

    answers: dict[tuple[bool, Latent | None], Any] = field(default_factory=dict)
    fails: Any = 0.0
    cost: Any = 0.0
    tokens: Any = 0.0
    work: int = 1

    def answer(self, right: bool, latent: Latent | None, weight: Any) -> None:
        key = (right, latent)
        self.answers[key] = self.answers[key] + weight if key in self.answers else weight

    def spend(self, weight: Any, call: CallKernel) -> None:
        if not is_zero(call.cost):
            self.cost = self.cost + share_of(call.cost, weight)
        if not is_zero(call.tokens):
            self.tokens = self.tokens + share_of(call.tokens, weight)


@dataclass(frozen=True, slots=True)
class CallKernel:
    """One call with its retries: P(it fails), P(it answers), and what it costs on average.
    `forgets`: its answers never copy the one before. `mixed`: whose answer it is decides how often
    it is right, so `draw` has the chances that there is one as well, and `answers` is 1.
    """

    fails: Any
    answers: Any
    cost: Any
    tokens: Any
    draw: Draw
    forgets: bool = False
    mixed: bool = False


_Firsts = tuple[Latent | None, Latent | None]
"""The first right and the first wrong answer of a vote, for a step whose latents matter afterwards.
"""

_Counted = tuple[int, int, Latent | None, _Firsts]
"""A vote on its way: right and wrong answers so far, what the next answer may copy, and the first
ones. Plain, since a long vote goes through many of them.
"""


def _verdicts(latents: Iterable[tuple[Latent, Any]], arguments_right: bool) -> Draw:
    """Return the same answers, reduced to their verdict."""
    chances: dict[Latent, Any] = {}
    for latent, chance in latents:
        good = latent[0] if arguments_right else latent[1]
        same = (good, good)
        chances[same] = chances[same] + chance if same in chances else chance
    listed = list(chances.items())
    return lambda former: listed


@dataclass(slots=True)
class _Ballots:
    """The answers of a vote, one after the other. An answer copies the one before as a whole, so
    that what is right with other arguments matters of the first answer on each side alone: of what
    is copied after that only the verdict does.
    """

    call: CallKernel
    draw: Draw
    side: int
    keeps: bool
    _known: dict[Any, list[tuple[bool, _Firsts, Any]]] = field(default_factory=dict)

    def after(self, last: Latent | None, firsts: _Firsts) -> list[tuple[bool, _Firsts, Any]]:
        """The verdicts of the next answer, with the first answers then, and how likely."""
        known = self._known.get((last, firsts))
        if known is None:
            sums: dict[tuple[bool, _Firsts], Any] = {}
            for latent, chance in self.draw(last):
                good = latent[self.side]
                right, wrong = firsts
                if self.keeps and good:
                    right = right or latent
                elif self.keeps:
                    wrong = wrong or latent
                key = good, (right, wrong)
                sums[key] = sums[key] + chance if key in sums else chance
            known = [(good, then, chance) for (good, then), chance in sums.items()]
            self._known[last, firsts] = known
        return known

    def copied(self, good: bool) -> Latent | None:
        """The latents that the answer after one with this verdict may copy."""
        return None if self.call.forgets else (good, good)


def voted(
    vote: p.Vote, call: CallKernel, arguments_right: bool, former: Latent | None, keeps: bool
) -> LinkOutcome:
    """A vote. `keeps` says whether the latents of the answer that won matter afterwards."""
    drawn = call.draw
    if call.forgets and not keeps:  # only the verdict matters, and not for what comes after
        former, drawn = None, _verdicts(call.draw(None), arguments_right)
    ballots = _Ballots(call, drawn, 0 if arguments_right else 1, keeps)
    match vote:
        case p.Majority():
            return _by_majority(vote, ballots, former)
        case p.Lead():
            return _by_lead(vote, ballots, former)
        case _:
            assert_never(vote)


def _by_majority(vote: p.Majority, ballots: _Ballots, former: Latent | None) -> LinkOutcome:
    """All calls are made whatever the first ones answer, so that how many of them answer is drawn
    apart from what the answers are; a side that has enough has won.
    """
    made, call, calls = LinkOutcome(), ballots.call, vote.calls
    made.spend(float(calls), call)
    answering = _answering(call, calls)
    # As many answers and more; those after a decision only have to come.
    every: Any = sum(chance for _, chance in call.draw(None)) if call.mixed else 1.0
    at_least: list[Any] = [0.0] * (calls + 2)
    for number in range(calls, -1, -1):
        more = at_least[number + 1]
        at_least[number] = answering[number] + (more * every if call.mixed else more)
    enough = next(n for n in range(1, calls + 1) if verdict(vote, (n, 0), calls) == 0)
    states: dict[_Counted, Any] = {(0, 0, former, (None, None)): 1.0}
    for number in range(calls + 1):
        made.work += 4 * len(states)
        if not is_zero(answering[number]):
            for weight in states.values():
                made.fails = made.fails + weight * answering[number]
        if is_zero(at_least[number + 1]):
            break
        after: dict[_Counted, Any] = {}
        for (right, wrong, last, firsts), weight in states.items():
            for good, then, chance in ballots.after(last, firsts):
                gain = weight * chance
                count = (right if good else wrong) + 1
                if count == enough:
                    made.answer(good, then[not good], gain * at_least[number + 1])
                    continue
                tally = (count, wrong) if good else (right, count)
                counted = (*tally, ballots.copied(good), then)
                after[counted] = after[counted] + gain if counted in after else gain
        states = after
    return made


def _answering(call: CallKernel, calls: int) -> list[Any]:
    """The probabilities of 0, 1, ... answers from some calls; the chances of `mixed` answers, which
    their draw has, are left out.
    """
    if is_zero(call.fails):
        whole: Any = 1.0
        for _ in range(calls):
            whole = whole * call.answers
        return [*([0.0] * calls), whole]
    row: list[Any] = [1.0]
    for _ in range(calls):
        failed = [weight * call.fails for weight in row]
        if is_zero(call.answers):
            row = [*failed, 0.0]
            continue
        answered = [weight * call.answers for weight in row]
        both = (one + other for one, other in zip(failed[1:], answered, strict=False))
        row = [failed[0], *both, answered[-1]]
    return row


def _by_lead(vote: p.Lead, ballots: _Ballots, former: Latent | None) -> LinkOutcome:
    """One call after the other, until one side leads: only by how much decides."""
    made, call = LinkOutcome(), ballots.call
    states: dict[_Counted, Any] = {(0, 0, former, (None, None)): 1.0}
    may_fail, may_answer = not is_zero(call.fails), not is_zero(call.answers)
    number = 0
    while states:
        made.work += 4 * len(states)
        made.spend(sum(states.values()), call)
        after: dict[_Counted, Any] = {}
        for state, weight in states.items():
            if may_fail:
                lost = weight * call.fails
                after[state] = after[state] + lost if state in after else lost
            if not may_answer:
                continue
            right, wrong, last, firsts = state
            answers = weight * call.answers
            for good, then, chance in ballots.after(last, firsts):
                ahead = right - wrong + (1 if good else -1)
                counted = (max(ahead, 0), max(-ahead, 0), ballots.copied(good), then)
                gain = answers * chance
                after[counted] = after[counted] + gain if counted in after else gain
        number += 1
        states = {}
        for state, weight in after.items():
            right, wrong, _, firsts = state
            won = verdict(vote, (right, wrong), number)
            if won is Open.GOES_ON:
                states[state] = weight
            elif won is Open.FAILED:
                made.fails = made.fails + weight
            else:
                made.answer(won == 0, firsts[won], weight)
    return made


def cascaded(
    calls: list[CallKernel],
    holds: Callable[[bool], Any],
    arguments_right: bool,
    former: Latent | None,
    keeps: bool,
) -> LinkOutcome:
    """A cascade: the first answer that its test accepts, with probability `holds(right)`."""
    made = LinkOutcome()
    states: dict[Latent | None, Any] = {former: 1.0}
    for call in calls:
        made.work += 4 * len(states)
        after: dict[Latent | None, Any] = {}
        for last, weight in states.items():
            made.spend(weight, call)
            missed = weight * call.fails
            after[last] = after[last] + missed if last in after else missed
            answers = weight * call.answers
            if is_zero(answers):
                continue
            for latent, chance in call.draw(last):
                right = latent[0] if arguments_right else latent[1]
                accepted = holds(right)
                gain = answers * chance
                made.answer(right, latent if keeps else None, gain * accepted)
                refused = gain * (1 - accepted)
                after[latent] = after[latent] + refused if latent in after else refused
        states = {last: weight for last, weight in after.items() if not is_zero(weight)}
    made.fails = sum(states.values()) if states else 0.0
    return made
