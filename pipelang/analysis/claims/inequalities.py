"""Theory of linear arithmetic: Fourier-Motzkin elimination over exact rationals.

A variable is eliminated by adding every upper bound on it to every lower bound. The comparisons
without variables that remain decide, and substituting back gives a value for each variable. Bounds
on whole numbers are rounded where a comparison has integer variables only; where this does not
suffice, the answer is `TooHard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil, floor, gcd

from pipelang.analysis.claims.formulas import Linear
from pipelang.records import dataclass

MOST = 2000
"""The most comparisons that an elimination may produce."""


class TooHard(Exception):
    """Raised where a decision would take too long."""


@dataclass(frozen=True, slots=True)
class NumericRange:
    """The range of a numeric variable's type, and whether it is a whole number."""

    low: Fraction | None = None
    high: Fraction | None = None
    whole: bool = False


ANY = NumericRange()
ZERO = Fraction(0)
Row = tuple[dict[str, Fraction], bool, Fraction]
"""A sum that is <= a bound, or < if the flag is set."""


def values_for(
    literals: Iterable[tuple[Linear, bool]], ranges: Mapping[str, NumericRange]
) -> dict[str, Fraction] | None:
    """Return values under which each comparison holds, or does not hold where it is paired with
    False; None if there are none. Raises `TooHard`.
    """
    rows: list[Row] = []
    apart: list[tuple[dict[str, Fraction], Fraction]] = []
    for atom, positive in literals:
        terms, bound = dict(atom.terms), atom.bound
        opposite = {name: -factor for name, factor in terms.items()}
        if atom.op == "==" and not positive:
            apart.append((terms, bound))
        elif positive:
            rows.append((terms, atom.op == "<", bound))
            if atom.op == "==":
                rows.append((opposite, False, -bound))
        else:
            rows.append((opposite, atom.op == "<=", -bound))
    every = [*(row[0] for row in rows), *(terms for terms, _ in apart)]
    names = sorted({name for terms in every for name in terms})
    for name in names:
        known = ranges.get(name, ANY)
        if known.high is not None:
            rows.append(({name: Fraction(1)}, False, known.high))
        if known.low is not None:
            rows.append(({name: Fraction(-1)}, False, -known.low))
    whole = {name for name in names if ranges.get(name, ANY).whole}
    return _apart(rows, apart, names, whole, 0)


MOST_SPLITS = 64
"""The most sums that must differ from a value; each is tried below and above it."""


def _apart(
    rows: list[Row],
    apart: list[tuple[dict[str, Fraction], Fraction]],
    names: list[str],
    whole: set[str],
    depth: int,
) -> dict[str, Fraction] | None:
    """Return values that also keep some sums different from their bounds."""
    if depth > MOST_SPLITS:
        raise TooHard("too many values must differ from one another")
    never: dict[str, set[Fraction]] = {}
    for terms, bound in apart:
        if len(terms) == 1:
            ((name, factor),) = terms.items()
            never.setdefault(name, set()).add(bound / factor)
    values = _solve(rows, names, whole, never)
    if values is None:
        return None
    for terms, bound in apart:
        if sum((values[name] * factor for name, factor in terms.items()), Fraction(0)) == bound:
            above = {name: -factor for name, factor in terms.items()}
            for side in ((terms, True, bound), (above, True, -bound)):
                found = _apart([*rows, side], apart, names, whole, depth + 1)
                if found is not None:
                    return found
            return None
    return values


def _solve(
    rows: list[Row], names: list[str], whole: set[str], never: Mapping[str, set[Fraction]]
) -> dict[str, Fraction] | None:
    rows = _tightest(_tight(row, whole) for row in rows)
    stages: list[tuple[str, list[Row]]] = []
    left = list(names)
    while left:
        name = min(left, key=lambda one: _growth(rows, one))
        left.remove(name)
        touching = [row for row in rows if name in row[0]]
        stages.append((name, touching))
        uppers = [row for row in touching if row[0][name].numerator > 0]
        lowers = [row for row in touching if row[0][name].numerator < 0]
        rows = [row for row in rows if name not in row[0]]
        if len(rows) + len(uppers) * len(lowers) > MOST:
            raise TooHard("too many comparisons of several values at once")
        rows = _tightest(
            [*rows, *(_tight(_without(name, up, low), whole) for up in uppers for low in lowers)]
        )
        if _contradict(rows):
            return None
    if _contradict(rows):
        return None
    values: dict[str, Fraction] = {}
    for name, touching in reversed(stages):
        values[name] = _choose(name, touching, values, name in whole, never.get(name, _NEVER))
    return values


def _contradict(rows: list[Row]) -> bool:
    """Whether a comparison without variables is wrong."""
    return any(
        not terms and (bound.numerator < 0 or (strict and not bound.numerator))
        for terms, strict, bound in rows
    )


def _tightest(rows: Iterable[Row]) -> list[Row]:
    """Of the comparisons that bound the same sum, keep the strictest."""
    best: dict[tuple[tuple[str, Fraction], ...], Row] = {}
    for terms, strict, bound in rows:
        if terms:
            names = sorted(terms)
            scale = abs(terms[names[0]])
            if scale == 1:
                key, limit = tuple((name, terms[name]) for name in names), bound
            else:
                key = tuple((name, terms[name] / scale) for name in names)
                limit = bound / scale
        else:
            key, limit = (), bound
        known = best.get(key)
        if known is None or (limit, not strict) < (known[2], not known[1]):
            best[key] = (dict(key), strict, limit)
    return list(best.values())


def _growth(rows: list[Row], name: str) -> int:
    up = down = 0
    for terms, _, _ in rows:
        factor = terms.get(name)
        if factor is not None:  # the sign of a fraction is that of its numerator, and quickly told
            if factor.numerator > 0:
                up += 1
            else:
                down += 1
    return up * down - up - down


def _without(name: str, upper: Row, lower: Row) -> Row:
    first, second = 1 / upper[0][name], -1 / lower[0][name]
    if first == 1 and second == 1:
        terms = dict(upper[0])
        for key, factor in lower[0].items():
            terms[key] = terms.get(key, ZERO) + factor
        terms = {key: factor for key, factor in terms.items() if factor and key != name}
        return terms, upper[1] or lower[1], upper[2] + lower[2]
    terms = {key: factor * first for key, factor in upper[0].items()}
    for key, factor in lower[0].items():
        terms[key] = terms.get(key, Fraction(0)) + factor * second
    terms = {key: factor for key, factor in terms.items() if factor and key != name}
    return terms, upper[1] or lower[1], upper[2] * first + lower[2] * second


def _tight(row: Row, whole: set[str]) -> Row:
    """Round the bound of a comparison of whole numbers to the nearest value that the sum
    can have.
    """
    terms, strict, bound = row
    if not terms or not terms.keys() <= whole:
        return row
    common = Fraction(0)
    for factor in terms.values():
        top = gcd(common.numerator * factor.denominator, factor.numerator * common.denominator)
        common = Fraction(top, common.denominator * factor.denominator)
    limit = bound / common
    limit = Fraction(ceil(limit) - 1 if strict else floor(limit))
    return {name: factor / common for name, factor in terms.items()}, False, limit


_NEVER: set[Fraction] = set()


def _choose(
    name: str,
    rows: list[Row],
    values: dict[str, Fraction],
    whole: bool,
    never: set[Fraction],
) -> Fraction:
    """Return a simple value between the bounds that the values chosen so far leave; one outside
    `never` if there is an obvious one.
    """
    low: tuple[Fraction, bool] | None = None
    high: tuple[Fraction, bool] | None = None
    for terms, strict, bound in rows:
        rest = bound - sum(
            (factor * values.get(key, Fraction(0)) for key, factor in terms.items() if key != name),
            Fraction(0),
        )
        limit = rest / terms[name]
        if terms[name] > 0:
            if high is None or (limit, not strict) < (high[0], not high[1]):
                high = (limit, strict)
        elif low is None or (limit, strict) > low:
            low = (limit, strict)

    def fits(value: Fraction) -> bool:
        above = low is None or value > low[0] or (value == low[0] and not low[1])
        below = high is None or value < high[0] or (value == high[0] and not high[1])
        return above and below and (not whole or value.denominator == 1)

    around = [Fraction(0), Fraction(1)]
    if low is not None:
        around += [low[0], Fraction(floor(low[0]) + 1)]
    if high is not None:
        around += [high[0], Fraction(ceil(high[0]) - 1)]
    if low is not None and high is not None:
        middle = (low[0] + high[0]) / 2
        around += [round(middle, digits) for digits in (0, 1, 2, 3, 4)] + [middle]
    if never:
        start = Fraction(0) if low is None else low[0]
        step = Fraction(1)
        if not whole and low is not None and high is not None:
            step = (high[0] - low[0]) / (len(never) + 2)
        around += [Fraction(floor(start)) + count for count in range(len(never) + 3)]
        around += [start + step * count for count in range(len(never) + 3)]
    fitting = None
    for value in around:
        if fits(value):
            if value not in never:
                return value
            fitting = value
    if fitting is not None:
        return fitting
    raise TooHard("whole numbers that several comparisons leave between them")
