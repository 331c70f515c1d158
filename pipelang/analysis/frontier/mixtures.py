"""Mixtures of distributions: the weights of a walk, of which only the shares are numbers.

What an attempt, a wait or a person takes is a distribution; what follows one another, what runs
side by side and what is either one or the other are distributions made of others. A weight says how
likely each of some distributions is, so that states which took the same amounts share them, however
likely the states are. A walk writes distributions down, each once; what they come to is worked out
afterwards, on the lattices that are asked for (`latency.spectra`).
"""

from __future__ import annotations

from enum import IntEnum
from math import inf
from typing import Any

from pipelang.analysis.frontier.lattice import NONE, Amount
from pipelang.analysis.frontier.meter import Measure, amounts_of, answering, unit_of
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

DIGITS = 13
"""Digits of shares by which mixtures are told apart."""

Shares = dict["Distribution", float]


class Made(IntEnum):
    """The making of a distribution. The distribution function of a maximum is the product of those
    of its parts: `ASIDE` is the function of a distribution, `TOGETHER` the distribution of a
    function.
    """

    NOTHING = 0
    TAKEN = 1
    WAITED = 2
    JOINED = 3
    EITHER = 4
    ASIDE = 5
    TOGETHER = 6


class Distribution:
    """A distribution of dollars and seconds, made of others that have smaller numbers.

    `said` are the amounts that something takes, the longest wait, or the shares of the parts.
    `terms` are the most amounts that add up in it; `people`: some of it may be a wait for people.
    """

    __slots__ = ("made", "number", "parts", "people", "said", "terms")

    def __init__(
        self,
        made: Made,
        number: int,
        parts: tuple[Distribution, ...] = (),
        said: Any = None,
        people: bool = False,
        terms: int = 0,
    ) -> None:
        self.made = made
        self.number = number
        self.parts = parts
        self.said = said
        self.people: bool = people or any(part.people for part in parts)
        self.terms = terms


class Mixture:
    """A weight: how likely each of some distributions is."""

    __slots__ = ("alone", "meter", "shares")

    def __init__(self, meter: MixtureMeter, shares: Shares) -> None:
        self.meter = meter
        self.shares = shares
        self.alone: tuple[float, Distribution] | None = None

    @property
    def mass(self) -> float:
        """The probability, whatever is taken."""
        return sum(self.shares.values())

    def max(self) -> float:
        """The probability: what states are ranked by, as of an array."""
        return self.mass

    def __add__(self, other: Any) -> Mixture:
        shares = self.shares.copy()
        for one, share in self.meter.shares_of(other).items():
            shares[one] = shares.get(one, 0.0) + share
        return Mixture(self.meter, shares)

    def __radd__(self, other: Any) -> Mixture:
        return self.__add__(other)

    def __mul__(self, other: Any) -> Mixture:
        if isinstance(other, Mixture):
            return self.meter.joined(self, other)
        shares = {one: share * other for one, share in self.shares.items()} if other else {}
        return Mixture(self.meter, shares)

    def __rmul__(self, other: Any) -> Mixture:
        return self.__mul__(other)

    def __truediv__(self, other: float) -> Mixture:
        return Mixture(self.meter, {one: share / other for one, share in self.shares.items()})

    def __sub__(self, other: Any) -> Mixture:
        return self.__add__(other * -1.0)

    def __rsub__(self, other: Any) -> Mixture:
        return self.__mul__(-1.0).__add__(other)

    def __gt__(self, other: float) -> bool:
        """Whether it is likelier: what is left of a difference may be less than nothing."""
        return self.mass > other


@dataclass(slots=True)
class MixtureMeter:
    """The meter of a walk that writes distributions down. `vague` says whether something was met
    that nobody declared, `bounded` whether something was taken as longer than it is, `took` the
    measures of which anything took some.
    """

    nothing: Distribution = field(default_factory=lambda: Distribution(Made.NOTHING, 0))
    known: dict[Any, Distribution] = field(default_factory=dict)
    vague: bool = False
    bounded: bool = False
    took: set[Measure] = field(default_factory=set)

    tells_again = False
    whole_loops = False
    counts_beside = False
    times = True

    # ------------------------------------------------------------------------------ amounts

    @property
    def unit(self) -> float:
        """The unit of all times that never vary; 0.0 if there is none."""
        return unit_of(one.said for one in self.known.values() if one.made is Made.TAKEN)

    def taken(self, dollars: float, time: Amount, people: Amount = NONE) -> Mixture:
        """The weight of something that costs dollars and takes machine time or people's."""
        key = (dollars, time, people)
        found = self.known.get(key)
        if found is None:
            for one in (time, people):
                if one.least is not one.most and one.least != one.most:
                    self.vague = True
            for measure in Measure:
                if any(one != 0.0 for one in amounts_of(measure, dollars, time, people)):
                    self.took.add(measure)
            terms = (time != NONE) + (people != NONE)
            found = self._new(key, Made.TAKEN, (), key, people != NONE, max(1, terms))
        return Mixture(self, {found: 1.0})

    def asked(self, attempt: Any, dollars: float, time: Amount) -> Mixture:
        """The weight of one attempt at a model."""
        return self.taken(dollars, time)

    def called(self, model: Any, tool: p.Tool, time: Amount) -> Mixture:
        """The weight of one attempt at a tool."""
        return self.taken(float(tool.cost), time)

    def wait(self, longest: float) -> Any:
        """The weight of a wait anywhere in [0, longest]."""
        if not longest:
            return 1.0
        found = self.known.get(longest)
        if found is None:
            self.took.update(one for one in Measure if one is not Measure.COST)
            found = self._new(longest, Made.WAITED, (), longest, False, 1)
        return Mixture(self, {found: 1.0})

    def asks(self, role: p.Role, limit: Any) -> tuple[Any, Any]:
        """The weights of an answer in time and of none."""
        return answering(self, role, inf if limit is None else float(limit))

    # ------------------------------------------------------------------------------- weights

    def mass(self, weight: Any) -> Any:
        """The probability in a weight, whatever it costs and takes."""
        return weight.mass if isinstance(weight, Mixture) else weight

    def spent(self, weight: Any, taken: Any) -> Any:
        """The weight of all that is taken where it is come to; None if it takes nothing."""
        return self.mass(weight) * taken if isinstance(taken, Mixture) else None

    def reached(self, first: Any, then: Any) -> float:
        """The probability in the product of two weights."""
        return float(self.mass(first) * self.mass(then))

    def rare(self, weight: Any, least: float) -> bool:
        """Whether a weight is of less than so many runs."""
        return isinstance(weight, Mixture) and not weight.mass > least

    def aside(self, weight: Any) -> Any:
        """The weight as a distribution function of time, of which the product is the maximum's."""
        return self._one(weight, Made.ASIDE) if isinstance(weight, Mixture) else weight

    def back(self, weight: Any) -> Any:
        """The weight of a maximum whose distribution function `aside` made."""
        return self._one(weight, Made.TOGETHER) if isinstance(weight, Mixture) else weight

    def _one(self, weight: Mixture, made: Made) -> Mixture:
        share, one = self.single(weight)
        if one is not self.nothing:
            key = (made, one.number)
            one = self.known.get(key) or self._new(key, made, (one,), None, False, one.terms)
        return Mixture(self, {one: share})

    def shares_of(self, weight: Any) -> Shares:
        """The distributions of a weight; of a number, that nothing is taken."""
        if isinstance(weight, Mixture):
            return weight.shares
        return {self.nothing: weight} if weight else {}

    def joined(self, first: Mixture, then: Mixture) -> Mixture:
        """The weight of one after the other. Each is one distribution before: so states that differ
        in how likely they are alone share what follows, too.
        """
        share, one = self.single(first)
        weight, other = self.single(then)
        return Mixture(self, {self._both(one, other): share * weight})

    def _both(self, one: Distribution, other: Distribution) -> Distribution:
        if one is self.nothing:
            return other
        if other is self.nothing:
            return one
        parts = (one, other) if one.number < other.number else (other, one)
        key = (Made.JOINED, parts[0].number, parts[1].number)
        found = self.known.get(key)
        if found is None:
            terms = one.terms + other.terms
            found = self._new(key, Made.JOINED, parts, None, False, terms)
        return found

    def single(self, weight: Mixture) -> tuple[float, Distribution]:
        """The probability of a weight, and what it takes as one distribution: the same for all
        weights that differ in how likely they are alone.
        """
        if weight.alone is None:
            weight.alone = self._single(weight.shares)
        return weight.alone

    def _single(self, shares: Shares) -> tuple[float, Distribution]:
        if len(shares) == 1:
            ((one, share),) = shares.items()
            return share, one
        some = [(one, share) for one, share in shares.items() if share]
        if not some:
            return 0.0, self.nothing
        # What is left of a difference may be nothing, or less.
        mass = sum(share for _, share in some) or 1.0
        ordered = sorted(some, key=lambda pair: pair[0].number)
        parts = tuple(one for one, _ in ordered)
        of_each = tuple(share / mass for _, share in ordered)
        key = (tuple(one.number for one in parts), tuple(round(one, DIGITS) for one in of_each))
        found = self.known.get(key)
        if found is None:
            terms = max(part.terms for part in parts)
            found = self._new(key, Made.EITHER, parts, of_each, False, terms)
        return mass, found

    def _new(
        self,
        key: Any,
        made: Made,
        parts: tuple[Distribution, ...],
        said: Any,
        people: bool,
        terms: int,
    ) -> Distribution:
        number = len(self.known) + 1
        found = self.known[key] = Distribution(made, number, parts, said, people, terms)
        return found
