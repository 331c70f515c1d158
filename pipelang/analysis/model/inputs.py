"""Inputs of a formula: the parameters that a sweep asked for while its arithmetic was written down,
so that they can be asked of other parameters later.

What is exactly 0 or 1 decides which states a sweep goes through, so it is no input: a formula fits
parameters that are 0 or 1 in the same places. Arrays and the like are inputs whatever they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from pipelang.analysis.arithmetic.terms import Term, Trace
from pipelang.diagnostics import Span
from pipelang.records import NamedTuple, dataclass, field, replace
from pipelang.semantics.chance import ByCase, Chance
from pipelang.semantics.metrics import Unit


class Asked(Protocol):
    """Parameters, as their inputs see them."""

    hard: bool

    def value(self, chance: Chance) -> Any:
        """The value of a chance."""

    def number(self, chance: Chance) -> Any:
        """The same, where values are inputs of a formula: that of the input."""


Read = Callable[[Any], Sequence[Any]]
"""A question to parameters."""

Owner = tuple[str, str]
"""A step, by its pipeline and its name."""


@dataclass(frozen=True, slots=True)
class InputSource:
    """Numbers that are asked for together. A place is a register, or None for what is no input
    because it is the number in `fixed`.
    """

    read: Read
    places: tuple[int | None, ...]
    fixed: tuple[Any, ...]

    def given(self, parameters: Asked) -> list[tuple[int, Any]] | None:
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


class ChanceSource(NamedTuple):
    """One chance, in the class of cases `case` (None: it is the same in both). `at` None: it is no
    input, because it is the number `fixed`; a `free` one is an input even where it is 0 or 1.
    """

    chance: Chance
    case: bool | None
    at: int | None
    fixed: Any
    free: bool

    def given(self, parameters: Asked) -> list[tuple[int, Any]] | None:
        """The register with its value; None where these parameters do not fit."""
        value = _in_class(parameters, self.chance, self.case)
        if self.at is None:
            return [] if is_certain(value) and value == self.fixed else None
        if is_certain(value) and not self.free:
            return None
        return [(self.at, value)]


class BundleSource(NamedTuple):
    """The arguments of a move as one input: the values of chances, in the class of cases `case`,
    and `amounts`, which are given. What is 0 or 1 by `fixed` (None: another number) is no argument,
    unless it is `free`.
    """

    chances: tuple[Chance, ...]
    case: bool
    at: int
    amounts: tuple[float, ...]
    fixed: tuple[Any, ...]
    free: Collection[int]

    def given(self, parameters: Asked) -> list[tuple[int, Any]] | None:
        """The register with its values; None where these parameters do not fit."""
        values = [_in_class(parameters, chance, self.case) for chance in self.chances]
        for fixed, value in zip(self.fixed, values, strict=False):
            if is_certain(value) if fixed is None else not is_certain(value) or value != fixed:
                return None
        return [(self.at, arguments((*values, *self.amounts), self.fixed, self.free))]


class UsedSource(NamedTuple):
    """Chances that count as used, each in a class of cases; none of them is an input."""

    chances: tuple[tuple[Chance, bool], ...]

    def given(self, parameters: Asked) -> list[tuple[int, Any]]:
        """No register: they are asked for, that is all."""
        for chance, case in self.chances:
            _in_class(parameters, chance, case)
        return []


def arguments(
    numbers: tuple[Any, ...], fixed: tuple[Any, ...], free: Collection[int]
) -> tuple[Any, ...]:
    """The numbers but those that are `fixed` and not `free`."""
    if fixed.count(None) == len(numbers):  # as nearly always
        return numbers
    pairs = enumerate(zip(numbers, fixed, strict=True))
    return tuple([number for at, (number, known) in pairs if known is None or at in free])


Source = InputSource | ChanceSource | BundleSource | UsedSource


@dataclass(slots=True)
class FormulaInputs:
    """The inputs of a trace. While a step is looked at, its accuracies are inputs of its own
    (`owner`, `own`), so that derivatives by them are found; with `all_slopes` also where they are 0
    or 1. `singles` has the inputs of chances by their sites, which hash sooner than the decimals of
    a chance; at one there may be a share and what is left of 1. `given` are the values that they
    had while the formula was written down.
    """

    trace: Trace
    all_slopes: bool = False
    sources: list[Source] = field(default_factory=list)
    given: list[tuple[int, Any]] = field(default_factory=list)
    terms: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    singles: dict[Any, tuple[tuple[Chance, Any], ...]] = field(default_factory=dict)
    owned: dict[Owner, dict[int, None]] = field(default_factory=dict)
    fixed_accuracies: dict[Owner, None] = field(default_factory=dict)
    bounded: dict[Unit, None] = field(default_factory=dict)
    repeated: dict[Span, int] = field(default_factory=dict)
    runs: dict[Owner, None] = field(default_factory=dict)
    used: list[tuple[Chance, bool]] = field(default_factory=list)
    owner: Owner | None = None
    own: frozenset[str] = frozenset()

    @property
    def all_sources(self) -> tuple[Source, ...]:
        """The sources, and what is used besides."""
        return (*self.sources, UsedSource(tuple(self.used)))

    def of_step(self, owner: Owner, sites: frozenset[str]) -> FormulaInputs:
        """The same inputs while a step with accuracies at these sites is looked at."""
        return replace(self, owner=owner, own=sites)

    def value(self, parameters: Asked, chance: Chance, found: Any) -> Any:
        """The input of a chance, whose value is now `found`."""
        owner = self.owner if chance.site in self.own else None
        case = parameters.hard if isinstance(chance, ByCase) else None
        key = (chance.site, case) if owner is None else (chance.site, case, owner)
        if owner is not None and is_certain(found):
            self.fixed_accuracies[owner] = None
        term = self._single(key, chance, case, found, owner is not None and self.all_slopes)
        if isinstance(term, Term) and owner is not None:
            self.owned.setdefault(owner, {})[term.at] = None
        return term

    def bundle(
        self,
        parameters: Asked,
        owner: Owner | None,
        chances: tuple[Chance, ...],
        accuracies: Collection[int],
        amounts: tuple[float, ...],
    ) -> tuple[int, tuple[Any, ...]]:
        """The input of the arguments of a move, which are chances and amounts: its register, and
        for each of these the number that is no argument (None: it is one). `accuracies` says which
        chances are those of the `owner`, by which the move knows its derivative.
        """
        numbers = (*map(parameters.number, chances), *amounts)
        fixed = tuple(
            [
                float(one) if one.__class__ in PLAIN and (one == 0 or one == 1) else None
                for one in numbers
            ]
        )
        at, pattern, free = self.trace.new().at, fixed, tuple[int, ...]()
        known = fixed.count(None) < len(fixed)
        certain = [one for one in accuracies if fixed[one] is not None] if known else None
        if certain and self.all_slopes:
            free = tuple(certain)
            pattern = tuple([None if at in free else one for at, one in enumerate(fixed)])
        elif certain and owner is not None:
            self.fixed_accuracies[owner] = None
        made = (chances, parameters.hard, at, amounts, fixed, free)
        self.sources.append(tuple.__new__(BundleSource, made))  # half the time of a call
        self.given.append((at, arguments(numbers, fixed, free)))
        return at, pattern

    def moved(self) -> Any:
        """An input that is 0: what is added to the right answers of the step."""
        if self.owner is None:
            return 0.0
        self.runs[self.owner] = None
        if not self.all_slopes:
            return 0.0
        key = ("moved", self.owner)
        (term,) = self.several(key, lambda other: (NOTHING,), (0.0,), True)
        self.owned.setdefault(self.owner, {})[term.at] = None
        return term

    def repeats(self, place: Span) -> Term:
        """The input of how often the link at a place is retried at most."""
        term = self.trace.new()
        self.repeated[place] = term.at
        return term

    def _single(self, key: Any, chance: Chance, case: bool | None, found: Any, free: bool) -> Any:
        """The input of a chance; if `free`, even of 0 and 1."""
        known = self.singles.get(key, ())
        for other, value in known:
            if other is chance or other == chance:
                return value
        if is_certain(found) and not free:
            found = float(found)
            self.singles[key] = (*known, (chance, found))
            self.sources.append(ChanceSource(chance, case, None, found, free))
            return found
        term = self.trace.new()
        at = term.at
        self.singles[key] = (*known, (chance, term))
        source = (chance, case, at, None, free)
        self.sources.append(tuple.__new__(ChanceSource, source))  # half the time of a call
        self.given.append((at, found))
        return term

    def several(
        self, key: Any, read: Read, found: Sequence[Any], free: bool = False
    ) -> tuple[Any, ...]:
        """The inputs of numbers that are asked for together; if `free`, even of 0 and 1."""
        known = self.terms.get(key)
        if known is None:
            known = self.terms[key] = tuple(
                [
                    float(value) if is_certain(value) and not free else self.trace.new()
                    for value in found
                ]
            )
            places = tuple([one.at if isinstance(one, Term) else None for one in known])
            self.sources.append(InputSource(_nearly(read) if free else read, places, known))
            self.given += [
                (at, value) for at, value in zip(places, found, strict=True) if at is not None
            ]
        return known


@dataclass(slots=True)
class Arguments:
    """The inputs of a move that is being worked out: its arguments, by the chances that they stand
    for.
    """

    given: dict[Chance, Any]
    bounded: dict[Unit, None] = field(default_factory=dict)
    used: list[tuple[Chance, bool]] = field(default_factory=list)

    def of_step(self, owner: Owner, sites: frozenset[str]) -> Arguments:
        """The same: a move knows which of its arguments are accuracies."""
        return self

    def value(self, parameters: Asked, chance: Chance, found: Any) -> Any:
        """The argument that stands for a chance."""
        if chance in self.given:
            return self.given[chance]
        assert is_certain(found), f"{chance!r} is no argument of a plain item"
        return found

    def moved(self) -> Any:
        """Nothing is added to the answers of a plain item."""
        return 0.0

    def several(self, key: Any, read: Read, found: Sequence[Any]) -> tuple[Any, ...]:
        """A plain item asks for single chances only."""
        raise AssertionError(f"{key!r} is no argument of a plain item")


def _in_class(parameters: Asked, chance: Chance, case: bool | None) -> Any:
    """The value of a chance; of one that has two, in one class of cases."""
    if case is None:
        return parameters.value(chance)
    before, parameters.hard = parameters.hard, case
    try:
        return parameters.value(chance)
    finally:
        parameters.hard = before


class Moving(float):
    """A number that is an input even where it is 0 or 1."""


NOTHING = Moving(0.0)


def _nearly(read: Read) -> Read:
    """The same numbers, as inputs even if they are certain."""
    return lambda other: [Moving(one) if is_certain(one) else one for one in read(other)]


PLAIN = (float, int)


def is_certain(value: Any) -> bool:
    """Whether a number is a plain 0 or 1."""
    return value.__class__ in PLAIN and (value == 0 or value == 1)
