"""Formulas over the values of a run: atoms, literals, `And` and `Or`, in negation normal form.

Constructors simplify where they can do so at once, so a formula that depends on nothing disappears
before it reaches a decision. Numbers are exact rationals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import assert_never

from pipelang.records import NamedTuple


class Holds(NamedTuple):
    """A boolean variable: a bool of the run, the presence of a value, the verdict of a `fn`."""

    variable: str


class Equals(NamedTuple):
    """A variable equals a constant (`constant` True), or another variable by its name."""

    variable: str
    other: str
    constant: bool


class Linear(NamedTuple):
    """sum(factor * variable) OP bound, where OP is `<=`, `<` or `==`, and the first factor is 1.

    Factors and the bound are pairs of numerator and denominator: atoms are dictionary keys, and
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
    """A literal: an atom, or its negation if `positive` is False."""

    __slots__ = ("atom", "names", "positive")

    def __init__(self, atom: Atom, positive: bool) -> None:
        self.atom = atom
        self.positive = positive
        self.names = atom_names(atom)


class And:
    """Conjunction; the empty one is true."""

    __slots__ = ("names", "parts")

    def __init__(self, parts: tuple[Formula, ...]) -> None:
        self.parts = parts
        self.names: frozenset[str] | None = None


class Or:
    """Disjunction; the empty one is false."""

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
    """Return an atom, or its negation, as a formula."""
    return SignedAtom(atom, positive)


def linear(terms: Mapping[str, Fraction], op: str, bound: Fraction) -> Formula:
    """Return the comparison of a sum with a constant; a constant formula where no variable is left.

    `a <= b` and `a > b` become one atom and its negation.
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
    """Return the conjunction, with nested ones flattened."""
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
    """Add a literal to those seen; return whether its negation was there before."""
    return signs.setdefault(one.atom, one.positive) != one.positive


def _left_open(whole: And, signs: dict[Atom, bool]) -> bool:
    """Whether the negation of each part of a conjunction is among the alternatives."""
    return all(
        isinstance(part, SignedAtom) and signs.get(part.atom) is (not part.positive)
        for part in whole.parts
    )


def any_of(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction, with nested ones flattened; `a or not a` becomes true."""
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
    """Return the negation of a formula, in negation normal form."""
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
    """Return the variables of a formula."""
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
