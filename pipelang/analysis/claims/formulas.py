"""Formulas over what a run's values may be: atoms, and how they hold together.

A formula is in negation normal form: literals, `And`, `Or`. Constructors simplify as far as they
can see at once, so that what nothing depends on disappears before anybody has to decide it.
Numbers are exact rationals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, assert_never


class Holds(NamedTuple):
    """A truth value that the run finds: a bool, whether something is present, a `fn`'s verdict."""

    variable: str


class Equals(NamedTuple):
    """A variable equals a constant (`constant` True), or another variable by its name."""

    variable: str
    other: str
    constant: bool


class Linear(NamedTuple):
    """sum(factor * variable) OP bound, where OP is `<=`, `<` or `==`, and the first factor is 1.

    Factors and the bound are numerator and denominator: atoms are looked up all the time, and
    fractions are slow to hash.
    """

    factors: tuple[tuple[str, int, int], ...]
    op: str
    limit: tuple[int, int]

    @property
    def terms(self) -> list[tuple[str, Fraction]]:
        return [(name, Fraction(top, bottom)) for name, top, bottom in self.factors]

    @property
    def bound(self) -> Fraction:
        return Fraction(*self.limit)


Atom = Holds | Equals | Linear


class SignedAtom:
    """An atom or its opposite."""

    __slots__ = ("atom", "names", "positive")

    def __init__(self, atom: Atom, positive: bool) -> None:
        self.atom = atom
        self.positive = positive
        self.names = atom_names(atom)


class And:
    """All of some formulas; of none: true."""

    __slots__ = ("names", "parts")

    def __init__(self, parts: tuple[Formula, ...]) -> None:
        self.parts = parts
        self.names: frozenset[str] | None = None


class Or:
    """One of some formulas; of none: false."""

    __slots__ = ("names", "parts")

    def __init__(self, parts: tuple[Formula, ...]) -> None:
        self.parts = parts
        self.names: frozenset[str] | None = None


Formula = SignedAtom | And | Or

TRUE: Formula = And(())
FALSE: Formula = Or(())


def is_true(formula: Formula) -> bool:
    return isinstance(formula, And) and not formula.parts


def is_false(formula: Formula) -> bool:
    return isinstance(formula, Or) and not formula.parts


def literal(atom: Atom, positive: bool = True) -> Formula:
    """An atom as a formula."""
    return SignedAtom(atom, positive)


def linear(terms: Mapping[str, Fraction], op: str, bound: Fraction) -> Formula:
    """A comparison of a sum with a constant; decided at once where no variable is left.

    `a <= b` and `a > b` become one atom and its opposite.
    """
    left = sorted((name, factor) for name, factor in terms.items() if factor)
    if not left:
        holds = {"<=": bound >= 0, "<": bound > 0, "==": bound == 0}[op]
        return TRUE if holds else FALSE
    lead = left[0][1]
    positive = lead > 0 or op == "=="
    if not positive:
        op = "<" if op == "<=" else "<="
    scaled = ((name, factor / lead) for name, factor in left)
    limit = bound / lead
    factors = tuple((name, one.numerator, one.denominator) for name, one in scaled)
    return SignedAtom(Linear(factors, op, (limit.numerator, limit.denominator)), positive)


def all_of(parts: Iterable[Formula]) -> Formula:
    """All of them, flattened."""
    found: list[Formula] = []
    signs: dict[Atom, bool] = {}
    for part in parts:
        for one in part.parts if isinstance(part, And) else (part,):
            if is_false(one):
                return FALSE
            if isinstance(one, SignedAtom) and _contradicts(signs, one):
                return FALSE
            found.append(one)
    return found[0] if len(found) == 1 else And(tuple(found)) if found else TRUE


def _contradicts(signs: dict[Atom, bool], one: SignedAtom) -> bool:
    """Whether the opposite of a literal was there before; if not, it is now there itself."""
    return signs.setdefault(one.atom, one.positive) != one.positive


def _left_open(whole: And, signs: dict[Atom, bool]) -> bool:
    """Whether the opposite of every part of a conjunction is an alternative to it."""
    return all(
        isinstance(part, SignedAtom) and signs.get(part.atom) is (not part.positive)
        for part in whole.parts
    )


def any_of(parts: Iterable[Formula]) -> Formula:
    """One of them, flattened; `a or not a` is true."""
    found: list[Formula] = []
    signs: dict[Atom, bool] = {}
    for part in parts:
        for one in part.parts if isinstance(part, Or) else (part,):
            if is_true(one):
                return TRUE
            if isinstance(one, SignedAtom) and _contradicts(signs, one):
                return TRUE
            found.append(one)
    if any(isinstance(one, And) and _left_open(one, signs) for one in found):
        return TRUE
    return found[0] if len(found) == 1 else Or(tuple(found)) if found else FALSE


def opposite(formula: Formula) -> Formula:
    """What holds when it does not."""
    match formula:
        case SignedAtom():
            return SignedAtom(formula.atom, not formula.positive)
        case And():
            return any_of(map(opposite, formula.parts))
        case Or():
            return all_of(map(opposite, formula.parts))
        case _:
            assert_never(formula)


def names_of(formula: Formula) -> frozenset[str]:
    """The variables of a formula."""
    match formula:
        case SignedAtom():
            return formula.names
        case And() | Or():
            if formula.names is None:
                formula.names = frozenset[str]().union(*map(names_of, formula.parts))
            return formula.names
        case _:
            assert_never(formula)


def atom_names(atom: Atom) -> frozenset[str]:
    match atom:
        case Holds():
            return frozenset((atom.variable,))
        case Equals():
            pair = (atom.variable,) if atom.constant else (atom.variable, atom.other)
            return frozenset(pair)
        case Linear():
            return frozenset(name for name, _, _ in atom.factors)
        case _:
            assert_never(atom)
