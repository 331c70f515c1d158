"""Actions that make a single answer: asks of models and people, agents, calls, votes, cascades.

Two things are shortened, neither of which changes a probability: the attempts of a call, the turns
of an agent and the calls of a vote are drawn as one (see `attempts` and `several`), and hidden bits
as late as possible (see `values`). A `literal` root shortens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import assert_never

from . import model as m
from .attempts import Attempts
from .conditions import Conditions
from .facts import Facts
from .lookup import Lookup
from .root import Root
from .several import Outcomes, cascade_outcomes, decided, vote_outcomes
from .traverse import argument_exprs
from .values import Known, Latent, OpenReadingError, Value, Verdicts, all_right

NOTHING = Fraction(0)
CERTAIN = Fraction(1)


@dataclass(slots=True)
class Place:
    """Where an action stands: its step, and what the step's former run left behind."""

    name: str
    redone: bool = False  # then no cache is read
    former: Verdicts | None = None
    former_is_single: bool = True  # only single answers are copied


class SingleAnswers:
    """In one call of one pipeline. `around` is what the conditions around an action read."""

    def __init__(
        self,
        root: Root,
        lookup: Lookup,
        scope: dict[str, Value],
        conditions: Conditions,
        facts: Facts,
        around: list[Value],
        inside_redo: bool,
    ) -> None:
        self._root = root
        self._lookup = lookup
        self._scope = scope
        self._conditions = conditions
        self._facts = facts
        self._around = around
        self._inside_redo = inside_redo

    # --- single answers ---------------------------------------------------------------------

    def _single(self, link: m.Link, place: Place) -> Value | None:
        hit = self._hit(link, place)
        match link.action:
            case m.Ask(by=m.Cascade() as cascade):
                return self._cascade(link, cascade, place, hit)
            case m.Ask(by=str() as who) if who in self._lookup.roles:
                return self._person(link, self._lookup.roles[who], place)
            case m.Ask(by=by) | m.Agent(by=by):
                assert not isinstance(by, m.Cascade)
                name = self._who(by)
                accuracy = self._lookup.accuracy(link, name)
                recovers = link.recovers or NOTHING
                tier = self._lookup.tiers[name]
                if link.vote is not None:
                    return self._vote(link, link.vote, tier, place, hit)
                if hit or self._reached(link, tier):
                    return self._answer(link, accuracy, recovers, place)
                return None
            case m.Call(tool=tool_name):
                tool = self._lookup.tools[tool_name]
                if not hit and not self._succeeds(self._lookup.attempts(link, tool)):
                    return None
                value = self._answer(link, tool.accuracy, NOTHING, place)
                if tool.writes:
                    self._root.effects.append(value)
                return value
            case m.Pure():
                return self._answer(link, self._lookup.accuracy(link, ""), NOTHING, place)
            case m.RunPipeline() | m.Each() | m.Recall() | m.Pick():
                raise ValueError("not a single answer")
            case _:
                assert_never(link.action)

    def _hit(self, link: m.Link, place: Place) -> bool:
        if link.cache is None or place.redone:
            return False
        if self._inside_redo:
            return False  # a redo never reads it, nor what is run by one
        return self._root.draws.flip(link.cache.hits)

    def _who(self, by: m.Who) -> str:
        match by:
            case str():
                return by
            case m.Route(path=path, arms=arms):
                member = self._facts.path(path)
                for pattern, tier in arms:
                    if member in pattern or pattern == ("else",):
                        return tier
                raise ValueError(f"no tier for {member}")
            case m.IfRoute(condition=condition, then=then, otherwise=otherwise):
                return then if self._conditions.computed(condition) else otherwise

    def _reached(self, link: m.Link, tier: m.Tier) -> bool:
        """Whether a tier answers; no retry beats an outage."""
        if self._root.is_down(tier.provider):
            return False
        if isinstance(link.action, m.Agent) and self._root.literal:
            # Turn by turn: each is a call with retries of its own.
            one = Attempts.of(1 - tier.transient, link.retry, self._lookup.price(tier))
            return all(self._succeeds(one) for _ in range(link.action.turns))
        return self._succeeds(self._lookup.attempts(link, tier))

    def _succeeds(self, attempts: Attempts) -> bool:
        """Attempts until one succeeds or all are used; every one of them is billed."""
        if not self._root.literal:
            failed = self._root.draws.flip(attempts.fail)
            self._root.pay(attempts.cost_of_failure if failed else attempts.cost_of_success)
            return not failed
        for _ in range(attempts.number):
            self._root.pay(attempts.cost)
            if self._root.draws.flip(attempts.succeeds):
                return True
        return False

    def _person(self, link: m.Link, role: m.Role, place: Place) -> Value | None:
        self._root.ask(role.name)
        if link.timeout is not None:
            in_time = self._lookup.in_time(role, link.timeout)
            if not self._root.draws.flip(in_time):
                return None
        accuracy = role.accuracy if link.accuracy is None else self._lookup.accuracy(link, "")
        return self._answer(link, accuracy, link.recovers or NOTHING, place)

    def _made_from(self, link: m.Link) -> tuple[Value, ...]:
        arguments = [v for expr in argument_exprs(link) for v in self._conditions.values(expr)]
        return (*arguments, *self._around)

    def _former(self, link: m.Link, place: Place) -> Verdicts | None:
        if place.former is None:
            return None
        if link.correlation is None:
            raise ValueError(f"a redo needs the correlation of {place.name}")
        if link.correlation == 0:
            return None
        if not place.former_is_single:
            raise OpenReadingError("a copy of what a sub-pipeline or an `each` answered")
        return place.former

    def _answer(
        self,
        link: m.Link,
        accuracy: Fraction,
        recovers: Fraction,
        place: Place,
    ) -> Value:
        latent = Latent(
            self._root.draws,
            accuracy,
            recovers,
            self._former(link, place),
            link.correlation or NOTHING,
        )
        value = Value(latent, self._made_from(link))
        if self._root.literal:
            value.right()
        return value

    # --- several calls ----------------------------------------------------------------------

    def _correlation(self, link: m.Link) -> Fraction:
        if link.correlation is None:
            raise ValueError("several answers with an unknown correlation: not in the subset")
        return link.correlation

    def _vote(
        self, link: m.Link, vote: m.Vote, tier: m.Tier, place: Place, hit: bool
    ) -> Value | None:
        made_from = self._made_from(link)
        correlation = self._correlation(link)
        chances = {
            True: self._lookup.accuracy(link, tier.name),
            False: link.recovers or NOTHING,
        }
        call = self._lookup.attempts(link, tier)
        draws = self._root.draws
        if hit:
            side = all_right(made_from)
            kept = vote_outcomes(vote, call, chances[side], correlation, None)
            if kept.answers():
                return self._kept(kept, made_from)
        if self._root.is_down(tier.provider):
            return None
        side = all_right(made_from)
        former = self._former(link, place)
        before = None if former is None else former.verdict(side)
        verdict: bool | None
        if self._root.literal:
            verdict = self._vote_by_vote(vote, call, chances[side], correlation, before)
        else:
            outcomes = vote_outcomes(vote, call, chances[side], correlation, before)
            verdict = draws.choose([(p, x) for x, p in outcomes.chances.items()])
            self._root.pay(outcomes.mean_bill(verdict))
        return None if verdict is None else Value(Known(side, verdict), made_from)

    def _vote_by_vote(
        self,
        vote: m.Vote,
        call: Attempts,
        chance: Fraction,
        correlation: Fraction,
        last: bool | None,
    ) -> bool | None:
        counted = {True: 0, False: 0}
        calls = 0
        while (verdict := decided(vote, counted[True], counted[False], calls)) == "on":
            calls += 1
            if not self._succeeds(call):
                continue
            if last is None or not self._root.draws.flip(correlation):
                last = self._root.draws.flip(chance)
            counted[last] += 1
        assert not isinstance(verdict, str)
        return verdict

    def _cascade(self, link: m.Link, cascade: m.Cascade, place: Place, hit: bool) -> Value | None:
        if len(cascade.tiers) > 1:
            self._correlation(link)
        if hit:
            kept = self._kept_by(link, cascade)
            if kept.answers():
                return self._kept(kept, self._made_from(link))
        test = m.Test(cascade.until, cascade.rates)
        before = replace(place)
        for name in cascade.tiers:
            if not self._reached(link, self._lookup.tiers[name]):
                continue
            accuracy = self._lookup.accuracy(link, name)
            value = self._answer(link, accuracy, link.recovers or NOTHING, before)
            self._scope["it"] = value
            holds = self._conditions.holds(test)
            del self._scope["it"]
            if holds:
                return value
            before = Place(place.name, former=value.latent)
        return None

    def _kept_by(self, link: m.Link, cascade: m.Cascade) -> Outcomes:
        """What a fresh run of a cascade would come to while everything is up."""
        side = all_right(self._made_from(link))
        names = self._lookup.mentions(cascade.until)
        others = all_right(tuple(self._scope[name] for name in names if name != "it"))
        calls = []
        for name in cascade.tiers:
            accuracy = self._lookup.accuracy(link, name) if side else link.recovers or NOTHING
            calls.append((self._lookup.attempts(link, self._lookup.tiers[name]), accuracy))
        rates = cascade.rates
        if not others:
            rates = m.Rates(rates.catches, rates.catches)
        return cascade_outcomes(tuple(calls), rates, link.correlation or NOTHING)

    def _kept(self, outcomes: Outcomes, made_from: tuple[Value, ...]) -> Value:
        """An answer from the cache; what it would be of other arguments is open, as of a vote."""
        verdict = self._root.draws.flip(outcomes.right_if_answered())
        return Value(Known(all_right(made_from), verdict), made_from)
