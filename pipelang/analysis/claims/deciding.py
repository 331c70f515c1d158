"""Satisfiability of a formula: an exact decision, with an assignment if there is one.

Unit propagation comes first, then the alternatives of each `or` are tried in order. What remains is
a conjunction of literals, decided by small theories: signs for truth values, equivalence classes
and enum members for equalities (`equalities`), Fourier-Motzkin elimination for sums
(`inequalities`). Components that share no variable are decided separately. Nothing is guessed: a
decision that needs more than `MOST_WORK` literals raises `TooHard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import assert_never

from pipelang.analysis.claims.equalities import Groups, equalities
from pipelang.analysis.claims.formulas import (
    FALSE,
    And,
    Atom,
    Equals,
    Formula,
    Holds,
    Linear,
    Or,
    SignedAtom,
    any_of,
    is_false,
    names_of,
)
from pipelang.analysis.claims.inequalities import NumericRange, TooHard, values_for
from pipelang.records import dataclass, field, replace

MOST_WORK = 60_000
"""The most literals that one decision may inspect. Literals are counted instead of seconds, so that
every machine gives the same answer.
"""


@dataclass(slots=True)
class VariableFacts:
    """Facts about variables: enum members, numeric ranges, and the `opaque` variables, whose value
    cannot be known before a run, each with the reason and the variables that it depends on.
    `axioms` hold in every run; they are listed by the variables at which they matter.
    """

    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, NumericRange] = field(default_factory=dict)
    opaque: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    axioms: dict[str, list[Formula]] = field(default_factory=dict)

    def around(self, names: frozenset[str]) -> frozenset[str]:
        """Return these variables and all that they depend on."""
        if self.opaque.keys().isdisjoint(names) and self.axioms.keys().isdisjoint(names):
            return names
        found = set(names)
        for formula in self.axioms_of(names):
            found |= names_of(formula)
        for name in list(found):
            if name in self.opaque:
                found |= self.opaque[name][1]
        return frozenset(found)

    def axioms_of(self, names: Iterable[str]) -> list[Formula]:
        """Return the axioms about some variables, and about the variables of these axioms."""
        found: list[Formula] = []
        left, seen = list(names), set[str]()
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            for formula in self.axioms.get(name, ()):
                found.append(formula)
                left += names_of(formula)
        return found


@dataclass(frozen=True, slots=True)
class Assignment:
    """Values that make a formula true, and the literals that are responsible.

    A variable that no literal mentions has a default value of its type: false, the first member of
    an enum, the number in its range nearest to 0, a text that equals no other.
    """

    facts: VariableFacts
    truths: Mapping[str, bool]
    texts: Mapping[str, str]
    numbers: Mapping[str, Fraction]
    literals: tuple[SignedAtom, ...]
    made: dict[And | Or, bool] = field(default_factory=dict, compare=False, repr=False)
    """Answers of `makes` so far. Where branches meet, formulas share parts, and a walk that goes
    into such a part each time doubles with every branch."""

    def makes(self, formula: Formula) -> bool:
        """Whether a formula is true under this assignment."""
        if isinstance(formula, SignedAtom):
            return self._atom(formula.atom) is formula.positive
        known = self.made.get(formula)
        if known is None:
            every = all if isinstance(formula, And) else any
            known = self.made[formula] = every(map(self.makes, formula.parts))
        return known

    def support(self, formula: Formula) -> list[SignedAtom]:
        """Return literals of a true formula that suffice to make it true."""
        found: list[SignedAtom] = []
        left, seen = [formula], set[Formula]()
        while left:
            part = left.pop()
            if isinstance(part, SignedAtom):
                found.append(part)
            elif part not in seen:
                seen.add(part)
                if isinstance(part, And):
                    left.extend(reversed(part.parts))
                else:
                    left.append(next(filter(self.makes, part.parts)))
        return found

    def text(self, name: str) -> str:
        """Return the value of a text or an enum."""
        if name in self.texts:
            return self.texts[name]
        members = self.facts.members.get(name)
        return members[0] if members else f"\0{name}"

    def number(self, name: str) -> Fraction:
        """Return the value of a number."""
        if name in self.numbers:
            return self.numbers[name]
        known = self.facts.ranges.get(name)
        if known is not None and known.low is not None and known.low > 0:
            return known.low
        if known is not None and known.high is not None and known.high < 0:
            return known.high
        return Fraction(0)

    def _atom(self, atom: Atom) -> bool:
        match atom:
            case Holds():
                return self.truths.get(atom.variable, False)
            case Equals():
                other = atom.other if atom.constant else self.text(atom.other)
                return self.text(atom.variable) == other
            case Linear():
                parts = (self.number(name) * factor for name, factor in atom.terms)
                total = sum(parts, Fraction(0))
                if atom.op == "==":
                    return bool(total == atom.bound)
                return total <= atom.bound if atom.op == "<=" else total < atom.bound
            case _:
                assert_never(atom)


class Work:
    """A budget of literals: how many were inspected, and how many may be."""

    __slots__ = ("done", "most")

    def __init__(self, most: int = MOST_WORK) -> None:
        self.done = 0
        self.most = most

    def add(self, amount: int) -> None:
        self.done += amount
        if self.done > self.most:
            raise TooHard("deciding it would take too long")


def decide(
    facts: VariableFacts, parts: Iterable[Formula], work: Work | None = None
) -> Assignment | None:
    """Return an assignment that makes all parts true; None if there is none. Raises `TooHard`."""
    work = work or Work()
    truths: dict[str, bool] = {}
    texts: dict[str, str] = {}
    numbers: dict[str, Fraction] = {}
    literals: list[SignedAtom] = []
    flat = list(_flat(parts))
    if any(map(is_false, flat)):
        return None
    if facts.axioms:
        names = frozenset[str]().union(*map(names_of, flat))
        flat += _flat(facts.axioms_of(sorted(names)))
    for component in _components(facts, flat):
        case = _search(facts, component, [], work, 0)
        if case is None:
            return None
        truths.update(case.truths)
        texts.update(case.texts)
        numbers.update(case.numbers)
        literals.extend(case.literals)
    return Assignment(facts, truths, texts, numbers, tuple(literals))


def possible(facts: VariableFacts, parts: Iterable[Formula], work: Work | None = None) -> bool:
    """Whether all parts can be true at once. Raises `TooHard`."""
    return decide(facts, parts, work) is not None


def touching(facts: VariableFacts, about: Formula, others: Iterable[Formula]) -> list[Formula]:
    """Return a formula together with those of the others that share variables with it, directly or
    transitively.
    """
    names = set(facts.around(names_of(about)))
    left = [(part, facts.around(names_of(part))) for part in _flat(others)]
    found = [about]
    while True:
        near = [pair for pair in left if not pair[1].isdisjoint(names)]
        if not near:
            return found
        left = [pair for pair in left if pair[1].isdisjoint(names)]
        for part, own in near:
            found.append(part)
            names |= own


def _flat(parts: Iterable[Formula]) -> Iterator[Formula]:
    for part in parts:
        if isinstance(part, And):
            yield from _flat(part.parts)
        else:
            yield part


def _components(facts: VariableFacts, parts: list[Formula]) -> list[list[Formula]]:
    """Split formulas into components that share no variable."""
    joined = Groups()
    find = joined.find
    heads: list[str | None] = []
    for part in parts:
        names = facts.around(names_of(part)) if facts.opaque else names_of(part)
        first: str | None = None
        for name in names:
            if first is None:
                first = name
            else:
                joined.join(name, first)
        heads.append(first)
    groups: dict[str | None, list[Formula]] = {}
    for part, head in zip(parts, heads, strict=True):
        groups.setdefault(None if head is None else find(head), []).append(part)
    return list(groups.values())


MOST_DEEP = 400


def _search(
    facts: VariableFacts, parts: list[Formula], given: list[SignedAtom], work: Work, depth: int
) -> Assignment | None:
    if depth > MOST_DEEP:
        raise TooHard("too many alternatives stand one after another")
    literals = list(given)
    signs: dict[Atom, bool] = {one.atom: one.positive for one in given}
    open_parts = list(parts)
    while True:
        work.add(1 + len(open_parts))
        later: list[Formula] = []
        forced = False
        for part in open_parts:
            if isinstance(part, Or):
                part = _reduced(part, signs)
            if is_false(part):
                return None
            for one in part.parts if isinstance(part, And) else (part,):
                if not isinstance(one, SignedAtom):
                    later.append(one)
                    continue
                sign = signs.get(one.atom)
                if sign is None:
                    signs[one.atom] = one.positive
                    literals.append(one)
                    forced = True
                elif sign != one.positive:
                    return None
        open_parts = later
        if not forced:
            break
    work.add(len(literals))
    case = _together(facts, literals)
    if case is None:
        return None
    choice = next((part for part in open_parts if not case.makes(part)), None)
    if choice is None:
        support = (one for part in open_parts for one in case.support(part))
        return replace(case, literals=(*literals, *support))
    assert isinstance(choice, Or)
    rest = [part for part in open_parts if part is not choice]
    for alternative in choice.parts:
        found = _search(facts, [alternative, *rest], literals, work, depth + 1)
        if found is not None:
            return found
    return None


def _reduced(part: Or, signs: Mapping[Atom, bool]) -> Formula:
    """Remove the alternatives of an `or` that are already false."""
    left: list[Formula] = []
    for one in part.parts:
        if isinstance(one, SignedAtom):
            sign = signs.get(one.atom)
            if sign is not None:
                if sign == one.positive:
                    return And(())
                continue
        elif isinstance(one, And) and any(
            isinstance(inner, SignedAtom)
            and signs.get(inner.atom, inner.positive) != inner.positive
            for inner in one.parts
        ):
            continue
        left.append(one)
    if len(left) == len(part.parts):
        return part
    return any_of(left) if left else FALSE


def _together(facts: VariableFacts, literals: list[SignedAtom]) -> Assignment | None:
    """Return values that satisfy a conjunction of literals; None if there are none."""
    truths: dict[str, bool] = {}
    sums: list[tuple[Linear, bool]] = []
    same: list[SignedAtom] = []
    for one in literals:
        match one.atom:
            case Holds():
                truths[one.atom.variable] = one.positive
            case Linear():
                sums.append((one.atom, one.positive))
            case Equals():
                same.append(one)
    texts = equalities(facts.members, same)
    if texts is None:
        return None
    numbers = values_for(sums, facts.ranges) if sums else {}
    if numbers is None:
        return None
    return Assignment(facts, truths, texts, numbers, tuple(literals))
