"""Kernels of votes and cascades: several answers, of which one is taken.

Every call's answer has latent verdicts (right with right arguments, right with a wrong one); with
the link's correlation it copies those of the answer just before. Wrong answers of a vote agree with
one another. Both kernels go through the calls one by one and carry the tally and the last latents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

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


_Counted = tuple[int, int, Latent | None, Latent | None, Latent | None]
"""A vote on its way: right and wrong answers so far, the last answer, and the first of either side,
for a step whose latents matter afterwards. Plain, since a long vote goes through a million of them.
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


def voted(
    vote: p.Vote, call: CallKernel, arguments_right: bool, former: Latent | None, keeps: bool
) -> LinkOutcome:
    """A vote. `keeps` says whether the latents of the answer that won matter afterwards."""
    made = LinkOutcome()
    drawn = call.draw
    if call.forgets and not keeps:  # only the verdict matters, and not for what comes after
        former, drawn = None, _verdicts(call.draw(None), arguments_right)
    states: dict[_Counted, Any] = {(0, 0, former, None, None): 1.0}
    may_fail = not is_zero(call.fails)
    side = 0 if arguments_right else 1  # of the latents, the verdict on these arguments
    number = 0
    while states:
        made.work += 4 * len(states)
        after: dict[_Counted, Any] = {}
        for state, weight in states.items():
            made.spend(weight, call)
            if may_fail:
                lost = weight * call.fails
                after[state] = after[state] + lost if state in after else lost
            answers = weight * call.answers
            if is_zero(answers):
                continue
            right, wrong, last, first_right, first_wrong = state
            for latent, chance in drawn(last):
                kept = None if call.forgets else latent
                if latent[side]:
                    first = (first_right or latent) if keeps else first_right
                    counted = (right + 1, wrong, kept, first, first_wrong)
                else:
                    first = (first_wrong or latent) if keeps else first_wrong
                    counted = (right, wrong + 1, kept, first_right, first)
                gain = answers * chance
                after[counted] = after[counted] + gain if counted in after else gain
        number += 1
        states = {}
        for state, weight in after.items():
            right, wrong, _, first_right, first_wrong = state
            won = verdict(vote, (right, wrong), number)
            if won is Open.GOES_ON:
                states[state] = weight
            elif won is Open.FAILED:
                made.fails = made.fails + weight
            else:
                made.answer(won == 0, first_right if won == 0 else first_wrong, weight)
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
