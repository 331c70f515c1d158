"""Cached answers of a simulation: what a fresh action would have answered, had it answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.worlds.simulation.frames import LatentVerdicts, SimulatedFrame
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.vote import Open, verdict
from pipelang.semantics.walk import agent_of

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run

MOST_TRIES = 20_000
"""After so many an action counts as one that never answers, so that nothing of it is cached."""

MOST_PLAYS = 4_000
"""The same for a sub-pipeline, which takes longer."""


def cached(
    frame: SimulatedFrame,
    run: Run,
    link: p.Link,
    tier: str | None,
    right: bool,
    by_turn: Callable[[], str] | None = None,
) -> tuple[bool, LatentVerdicts] | None:
    """Whether a cached answer is right, and what is behind it: fresh ones are drawn until one is
    given. None where none ever is. An agent may be chosen `by_turn`.
    """
    never, place = frame.facts.odds.never, (id(link), tier, right)
    if place in never:
        return None
    trial = _Trial(frame, run, link, right, by_turn)
    for _ in range(MOST_TRIES):
        answer = trial.action(tier)
        if answer is not None:
            return answer, LatentVerdicts(last=trial.last, link=link)
    never.add(place)
    return None


async def answered_before(begin: Callable[[RunBudget], Awaitable[Run]]) -> Any:
    """The answer of a sub-pipeline in an earlier run. `begin` begins one, which is played for
    nothing and under no limits, again and again until it answers. `NOTHING` where it never does: as
    its arguments are, and by what is said of them.
    """
    asked: dict[expr.Expr, Any] = {}
    for plays in range(MOST_PLAYS):
        child = await begin(RunBudget(None))
        frame: SimulatedFrame = child.frame
        frame.free, frame.asked = True, asked
        given = (*frame.right.items(), frame.around)
        ended = await child.terms.play(child)
        if isinstance(ended.outcome, p.Return):
            return ended.value
        never, place = frame.facts.odds.never, (id(child.action), given, frozenset(asked.items()))
        if place in never:
            break
        if plays == MOST_PLAYS - 1:
            never.add(place)
    return NOTHING


class _Trial:
    """Draws fresh answers of a link, without outages."""

    def __init__(
        self,
        frame: SimulatedFrame,
        run: Run,
        link: p.Link,
        right: bool,
        by_turn: Callable[[], str] | None,
    ) -> None:
        self.frame, self.run, self.link, self.right = frame, run, link, right
        self.by_turn = by_turn
        self.last: tuple[bool, bool] | None = None

    def action(self, tier: str | None) -> bool | None:
        """Whether the answer is right; None if there is none."""
        self.last = None
        if isinstance(self.link.action, p.Cascade):
            return self._cascade(self.link.action)
        if self.link.vote is not None:
            return self._vote(self.link.vote, tier)
        return self._answer(tier)

    def _vote(self, rule: p.Vote, tier: str | None) -> bool | None:
        tally, calls = [0, 0], 0
        first: dict[bool, tuple[bool, bool] | None] = {}
        while True:
            answer = self._call(tier)
            calls += 1
            if answer is not None:
                tally[0 if answer else 1] += 1
                first.setdefault(answer, self.last)
            if isinstance(rule, p.Majority) and calls < rule.calls:
                continue
            won = verdict(rule, tally, calls)
            if won is Open.FAILED:
                return None
            if not isinstance(won, Open):
                self.last = first[won == 0]
                return won == 0

    def _cascade(self, action: p.Cascade) -> bool | None:
        odds = self.frame.facts.odds
        names = self.frame.facts.mentions(action.until) - {"it"}
        others = all(map(self.frame.is_right_by_name, names))
        for tier in action.tiers:
            answer = self._call(tier)
            if answer is None:
                continue
            rates = action.rates
            refuses = odds.of(rates.false_alarms if answer and others else rates.catches)
            if not self.frame.chances.flip(refuses):
                return answer
        return None

    def _call(self, tier: str | None) -> bool | None:
        """One call with its retries, an agent with all its turns."""
        odds, flip = self.frame.facts.odds, self.frame.chances.flip
        if tier is not None or self.by_turn is not None:
            agent = agent_of(self.link.action)
            turns = 1 if agent is None else agent.turns or 1
            for _ in range(turns):
                tier = tier if self.by_turn is None else self.by_turn()
                assert tier is not None
                fails = odds.of(self.run.program.tiers[tier].transient)
                if all(flip(fails) for _ in range(self.link.retry.count + 1)):
                    return None
        return self._answer(tier)

    def _answer(self, tier: str | None) -> bool:
        odds, flip, link = self.frame.facts.odds, self.frame.chances.flip, self.link
        accuracy = link.accuracy if tier is None else link.accuracy_by_tier.get(tier, link.accuracy)
        recovers = 0.0 if isinstance(link.action, p.Call) else odds.of(link.recovers)
        if self.last is None or not flip(odds.of(link.correlation)):
            self.last = (flip(odds.of(accuracy)), flip(recovers))
        return self.last[0] if self.right else self.last[1]
