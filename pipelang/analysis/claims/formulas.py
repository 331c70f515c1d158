"""Formulas over what a run's values may be: atoms, and how they hold together.

A formula is in negation normal form: literals, `And`, `Or`. Constructors simplify as far as they
can see at once, so that what nothing depends on disappears before anybody has to decide it.
Numbers are exact rationals.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import assert_never

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class Holds:
    """A truth value that the run finds: a bool, whether something is present, a `fn`'s verdict."""

    variable: str


@dataclass(frozen=True, slots=True)
class Equals:
    """A variable equals a constant (`constant` True), or another variable by its name."""

    variable: str
    other: str
    constant: bool


@dataclass(frozen=True, slots=True)
class Linear:
    """sum(factor * variable) OP bound, where OP is `<=`, `<` or `==`."""

    terms: tuple[tuple[str, Fraction], ...]
    op: str
    bound: Fraction


Atom = Holds | Equals | Linear


class Literal:
    """An atom or its opposite; a `Linear` stands only as it is."""

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


Formula = Literal | And | Or

TRUE: Formula = And(())
FALSE: Formula = Or(())


def is_true(formula: Formula) -> bool:
    return isinstance(formula, And) and not formula.parts


def is_false(formula: Formula) -> bool:
    return isinstance(formula, Or) and not formula.parts


def literal(atom: Atom, positive: bool = True) -> Formula:
    """An atom as a formula."""
    if isinstance(atom, Linear):
        return linear(dict(atom.terms), atom.op, atom.bound, positive)
    return Literal(atom, positive)


def linear(terms: dict[str, Fraction], op: str, bound: Fraction, positive: bool = True) -> Formula:
    """A comparison of a sum with a constant; decided at once where no variable is left."""
    terms = {name: factor for name, factor in terms.items() if factor}
    if not positive:
        less = Literal(Linear(_sorted(terms), "<", bound), True)
        opposite = {name: -factor for name, factor in terms.items()}
        if op == "==":
            more = linear(opposite, "<", -bound)
            return any_of([linear(terms, "<", bound) if not terms else less, more])
        return linear(opposite, "<" if op == "<=" else "<=", -bound)
    if not terms:
        holds = {"<=": bound >= 0, "<": bound > 0, "==": bound == 0}[op]
        return TRUE if holds else FALSE
    return Literal(Linear(_sorted(terms), op, bound), True)


def _sorted(terms: dict[str, Fraction]) -> tuple[tuple[str, Fraction], ...]:
    return tuple(sorted(terms.items()))


def all_of(parts: Iterable[Formula]) -> Formula:
    """All of them, flattened."""
    found: list[Formula] = []
    signs: dict[Atom, bool] = {}
    for part in parts:
        for one in part.parts if isinstance(part, And) else (part,):
            if is_false(one):
                return FALSE
            if isinstance(one, Literal) and _contradicts(signs, one):
                return FALSE
            found.append(one)
    return found[0] if len(found) == 1 else And(tuple(found)) if found else TRUE


def _contradicts(signs: dict[Atom, bool], one: Literal) -> bool:
    """Whether the opposite of a literal was there before; if not, it is now there itself."""
    return signs.setdefault(one.atom, one.positive) != one.positive


def any_of(parts: Iterable[Formula]) -> Formula:
    """One of them, flattened; `a or not a` is true."""
    found: list[Formula] = []
    signs: dict[Atom, bool] = {}
    for part in parts:
        for one in part.parts if isinstance(part, Or) else (part,):
            if is_true(one):
                return TRUE
            if isinstance(one, Literal) and _contradicts(signs, one):
                return TRUE
            found.append(one)
    return found[0] if len(found) == 1 else Or(tuple(found)) if found else FALSE


def opposite(formula: Formula) -> Formula:
    """What holds when it does not."""
    match formula:
        case Literal(atom=Linear() as atom):
            return linear(dict(atom.terms), atom.op, atom.bound, False)
        case Literal():
            return Literal(formula.atom, not formula.positive)
        case And():
            return any_of(map(opposite, formula.parts))
        case Or():
            return all_of(map(opposite, formula.parts))
        case _:
            assert_never(formula)


def names_of(formula: Formula) -> frozenset[str]:
    """The variables of a formula."""
    match formula:
        case Literal():
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
            return frozenset(name for name, _ in atom.terms)
        case _:
            assert_never(atom)
