"""Inputs of a formula: the parameters that a sweep asked for while its arithmetic was written down,
so that they can be asked of other parameters later.

What is exactly 0 or 1 decides which states a sweep goes through, so it is no input: a formula fits
parameters that are 0 or 1 in the same places. Arrays and the like are inputs whatever they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.arithmetic.terms import Term, Trace
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics.chance import ByCase, Chance

if TYPE_CHECKING:
    from pipelang.analysis.model.parameters import Parameters

Read = Callable[["Parameters"], Sequence[Any]]
"""What to ask of parameters."""

Owner = tuple[str, str]
"""A step, by its pipeline and its name."""


@dataclass(frozen=True, slots=True)
class Source:
    """Numbers that are asked for together. A place is a register, or None for what is no input
    because it is the number in `fixed`.
    """

    read: Read
    places: tuple[int | None, ...]
    fixed: tuple[Any, ...]

    def given(self, parameters: Parameters) -> list[tuple[int, Any]] | None:
        """The registers with their values; None where these parameters do not fit."""
        found: list[tuple[int, Any]] = []
        values = self.read(parameters)
        if len(values) != len(self.places):
            return None
        for at, fixed, value in zip(self.places, self.fixed, values, strict=True):
            if at is None:
                if not is_certain(value) or value != fixed:
                    return None
            elif is_certain(value):
                return None
            else:
                found.append((at, value))
        return found


@dataclass(slots=True)
class Inputs:
    """The inputs of a trace. While a step is looked at, its accuracies are inputs of its own
    (`owner`, `own`), so that derivatives by them are found; with `all_slopes` also where they are 0
    or 1.
    """

    trace: Trace
    all_slopes: bool = False
    sources: dict[Any, Source] = field(default_factory=dict)
    terms: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    owned: dict[Owner, list[int]] = field(default_factory=dict)
    fixed_accuracies: dict[Owner, None] = field(default_factory=dict)
    bounded: dict[str, None] = field(default_factory=dict)
    repeated: dict[Span, int] = field(default_factory=dict)
    runs: dict[Owner, None] = field(default_factory=dict)
    owner: Owner | None = None
    own: frozenset[str] = frozenset()

    def of_step(self, owner: Owner, sites: frozenset[str]) -> Inputs:
        """The same inputs while a step with accuracies at these sites is looked at."""
        return replace(self, owner=owner, own=sites)

    def value(self, parameters: Parameters, chance: Chance, found: Any) -> Any:
        """The input of a chance, whose value is now `found`."""
        case = parameters.hard if isinstance(chance, ByCase) else None
        owner = self.owner if chance.site in self.own else None

        def read(other: Parameters) -> Sequence[Any]:
            if case is None:
                return (other.value(chance),)
            before, other.hard = other.hard, case
            try:
                return (other.value(chance),)
            finally:
                other.hard = before

        (term,) = self.several(("value", chance, case, owner), read, (found,), owner)
        return term

    def moved(self) -> Any:
        """An input that is 0: what is added to the right answers of the step."""
        if self.owner is None:
            return 0.0
        self.runs[self.owner] = None
        if not self.all_slopes:
            return 0.0
        key = ("moved", self.owner)
        known = self.terms.get(key)
        if known is None:
            term = self.trace.new()
            known = self.terms[key] = (term,)
            self.sources[key] = Source(lambda other: (NOTHING,), (term.at,), (0.0,))
            self.owned.setdefault(self.owner, []).append(term.at)
        return known[0]

    def repeats(self, place: Span) -> Term:
        """The input of how often the link at a place is retried at most."""
        term = self.trace.new()
        self.repeated[place] = term.at
        return term

    def several(
        self, key: Any, read: Read, found: Sequence[Any], owner: Owner | None = None
    ) -> tuple[Any, ...]:
        """The inputs of numbers that are asked for together."""
        known = self.terms.get(key)
        if known is None:
            terms: list[Any] = []
            for value in found:
                if not is_certain(value) or (owner is not None and self.all_slopes):
                    terms.append(self.trace.new())
                else:
                    terms.append(float(value))
                    if owner is not None:
                        self.fixed_accuracies[owner] = None
            places = tuple([one.at if isinstance(one, Term) else None for one in terms])
            known = self.terms[key] = tuple(terms)
            free = owner is not None and self.all_slopes
            self.sources[key] = Source(_nearly(read) if free else read, places, tuple(terms))
            if owner is not None:
                self.owned.setdefault(owner, []).extend(at for at in places if at is not None)
        return known


class Moving(float):
    """A number that is an input even where it is 0 or 1."""


NOTHING = Moving(0.0)


def _nearly(read: Read) -> Read:
    """The same numbers, as inputs even if they are certain."""
    return lambda other: [Moving(one) if is_certain(one) else one for one in read(other)]


def is_certain(value: Any) -> bool:
    """Whether a number is a plain 0 or 1."""
    return type(value) in (float, int) and (value == 0 or value == 1)
