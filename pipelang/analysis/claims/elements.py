"""Lists, and what is computed over their elements: `+`, comprehensions, `in`, `len`, `any`, `all`,
`sum`, `min` and `max`.

Where a list is written down, or its type has so few elements that they can be gone through one by
one, all of this is exact: each element has the formula under which the list has it. What is made of
a longer list is opaque; axioms say what holds of it where the list is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from pipelang.analysis.claims import ordering
from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Formula,
    all_of,
    any_of,
    is_false,
    linear,
    opposite,
)
from pipelang.analysis.claims.values import (
    MOST_CASES,
    Cases,
    Free,
    Known,
    Listed,
    Sum,
    Symbol,
    Truth,
    name_of,
    one,
    variables,
)
from pipelang.analysis.claims.variables import COMPUTED, Elements, Variables, at_least
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import INT, NUMBER, ListType, OptionalType, Type

Values = Mapping[str, Cases]


class ListTranslation(Protocol):
    """The interface of what translates expressions (`symbols`)."""

    known: Variables

    def truth(self, node: expr.Expr, values: Values) -> Formula: ...

    def cases(self, node: expr.Expr, values: Values) -> Cases: ...

    def extreme(self, function: str, given: list[Cases], type: Type) -> Cases: ...


MOST_TOGETHER = 16
"""The most elements of all cases of a list that are gone through."""
MOST_ROUNDED = 16
"""The most cases of a sum of which each is rounded several times."""
LEFT = "what is left of the budget is only known while running"


def listed(symbols: ListTranslation, node: expr.Expr, values: Values) -> Elements | None:
    """Return the elements of a list; None where they are too many, or nobody knows how many."""
    match node:
        case expr.Concatenation():
            left = listed(symbols, node.left, values)
            right = None if left is None else listed(symbols, node.right, values)
            return None if left is None or right is None else [*left, *right]
        case expr.Comprehension():
            found = listed(symbols, node.collection, values)
            if found is None:
                return None
            made = []
            for guard, element in found:
                inside = {**values, node.name: element}
                test = TRUE if node.condition is None else symbols.truth(node.condition, inside)
                taken = all_of((guard, test))
                if taken != FALSE:
                    made.append((taken, symbols.cases(node.item, inside)))
            return made
        case _:
            return _listed_cases(symbols, symbols.cases(node, values))


def _listed_cases(symbols: ListTranslation, cases: Cases) -> Elements | None:
    """Return the elements that a list may have by its cases, of which one holds."""
    if len(cases) == 1:
        return symbols.known.listed(cases[0][1])
    found: Elements = []
    for guard, symbol in cases:
        own = symbols.known.listed(symbol)
        if own is None or len(found) + len(own) > MOST_TOGETHER:
            return None
        found += [(all_of((guard, there)), element) for there, element in own]
    return found


def made_list(
    symbols: ListTranslation, node: expr.Concatenation | expr.Comprehension, values: Values
) -> Cases:
    """Return a list made of others: its elements where it is known which there are, else the same
    unknown for the same values.
    """
    made = listed(symbols, node, values)
    if made is None or any(guard != TRUE for guard, _ in made):
        found = unknown(symbols, node, values)
        length = symbols.known.sum(symbols.known.length(found))
        if length is not None and (found.name, length) not in symbols.known.kept:
            symbols.known.kept.add((found.name, length))
            _keep_length(symbols, node, values, length)
        return one(found)
    return one(Listed(tuple(element for _, element in made)))


def _keep_length(symbols: ListTranslation, node: expr.Expr, values: Values, length: Sum) -> None:
    """Add what is known of the length of a list that is made of others."""
    known, op = count(symbols, node, values), "=="
    if known is None and isinstance(node, expr.Comprehension):
        known, op = count(symbols, node.collection, values), "<="
    for guard, own in known or ():
        exact = symbols.known.sum(own)
        if exact is None or exact == length:
            continue
        terms = dict(length.terms)
        for name, factor in exact.terms:
            terms[name] = terms.get(name, Fraction(0)) - factor
        so = linear(terms, op, exact.constant - length.constant)
        symbols.known.axiom(any_of((opposite(guard), so)), *terms)


def unknown(symbols: ListTranslation, node: expr.Expr, values: Values) -> Free:
    """Return an unknown value: what nobody looks into, of the values that it mentions. What is left
    of a budget is another value each time.
    """
    inside = list(expr.walk(node))
    if any(isinstance(part, expr.BudgetLeft) for part in inside):
        return symbols.known.reading(expr.brief(node), node.type, LEFT)
    kinds = {part.name: part.type for part in inside if isinstance(part, expr.Read)}
    given = {
        name: values.get(name) or one(symbols.known.free(name, type))
        for name, type in kinds.items()
    }
    words = "".join(f"({name}: {name_of(cases)})" for name, cases in sorted(given.items()))
    elements = {part.name for part in inside if isinstance(part, expr.ElementRead)} - {
        part.name for part in inside if isinstance(part, expr.Comprehension)
    }
    outer = {name: values[name] for name in sorted(elements)}
    words += "".join(f"({name}: {name_of(cases)})" for name, cases in outer.items())
    about = frozenset[str]().union(*map(variables, (*given.values(), *outer.values())))
    return symbols.known.opaque(f"{expr.show(node)}{words}", node.type, COMPUTED, about)


def over_elements(symbols: ListTranslation, node: expr.Builtin, values: Values) -> Cases | None:
    """Return `any`, `all`, `sum`, `len`, `min` and `max` of elements that can be listed; None for
    all else.
    """
    over = node.arguments[0]
    match node.function, len(node.arguments):
        case "len", _:
            made = isinstance(over, (expr.Concatenation, expr.Comprehension))
            return count(symbols, over, values) if made else None
        case ("any" | "all" | "sum", _) | ("min" | "max", 1):
            found = listed(symbols, over, values)
        case _:
            return None
    if found is None:
        return None
    match node.function:
        case "any":
            return one(Truth(any_of(all_of((g, _holds(symbols, e))) for g, e in found)))
        case "all":
            parts = (any_of((opposite(g), _holds(symbols, e))) for g, e in found)
            return one(Truth(all_of(parts)))
        case "sum":
            return _sum(symbols, node, found)
        case _:
            if not found or any(guard != TRUE for guard, _ in found):
                return None
            return symbols.extreme(node.function, [element for _, element in found], node.type)


def _holds(symbols: ListTranslation, element: Cases) -> Formula:
    return any_of(all_of((guard, symbols.known.is_true(symbol))) for guard, symbol in element)


def _sum(symbols: ListTranslation, node: expr.Builtin, found: Elements) -> Cases | None:
    """Return a sum, rounded after each addition as in a run."""
    if node.type == NUMBER:  # rounded once more, at the end
        return None
    whole = node.type == INT
    totals = one(Known(0 if whole else Decimal(0), node.type))
    for guard, element in found:
        totals = _added(symbols, node, totals, guard, element)
        if len(totals) > (MOST_CASES if whole else MOST_ROUNDED):
            return None
    return totals


def _added(
    symbols: ListTranslation, node: expr.Expr, totals: Cases, taken: Formula, element: Cases
) -> Cases:
    """Return each total with an element that is there or not."""
    sums: list[tuple[Formula, Symbol]] = []
    for guard, total in totals:
        for own, symbol in element:
            both = all_of((guard, taken, own))
            if not is_false(both):
                added = ordering.computed(symbols.known, "+", node.type, total, symbol)
                sums.append((both, added))
        left = all_of((guard, opposite(taken)))
        if not is_false(left):
            sums.append((left, total))
    return tuple(sums)


def count(symbols: ListTranslation, node: expr.Expr, values: Values) -> Cases | None:
    """Return the length of a list; None where it depends on more elements than are listed."""
    match node:
        case expr.Concatenation():
            left = count(symbols, node.left, values)
            right = None if left is None else count(symbols, node.right, values)
            if left is None or right is None or len(left) * len(right) > MOST_CASES:
                return None
            return tuple(
                (both, ordering.computed(symbols.known, "+", INT, s1, s2))
                for g1, s1 in left
                for g2, s2 in right
                if not is_false(both := all_of((g1, g2)))
            )
        case expr.Comprehension(condition=None):
            return count(symbols, node.collection, values)
        case expr.Comprehension():
            found = listed(symbols, node, values)
            if found is None:
                return None
            totals = one(Known(0, INT))
            for guard, _ in found:
                totals = _added(symbols, _COUNT, totals, guard, one(Known(1, INT)))
                if len(totals) > MOST_CASES:
                    return None
            return totals
        case _:
            cases = symbols.cases(node, values)
            return tuple((guard, symbols.known.length(symbol)) for guard, symbol in cases)


_COUNT = expr.Const(0, INT)


def keep_empty(symbols: ListTranslation, node: expr.Builtin, values: Values, found: Free) -> None:
    """Add what holds of a value computed over elements where the list is empty."""
    over = node.arguments[0]
    sizes = count(symbols, over, values)
    if sizes is None:
        made = symbols.cases(over, values)
        sizes = tuple((guard, symbols.known.length(symbol)) for guard, symbol in made)
    length = symbols.known.sum(sizes[0][1]) if len(sizes) == 1 else None
    if length is None or (found.name, _NOTHING) in symbols.known.kept:
        return
    symbols.known.kept.add((found.name, _NOTHING))
    filled = at_least(length, 1)
    # It matters only where something is said of the length: else the list may have an element.
    places = [name for name, _ in length.terms] or [found.name, f"{found.name}?"]
    match node.function:
        case "any":
            so = any_of((opposite(symbols.known.truth_of(found)), filled))
        case "all":
            so = any_of((symbols.known.truth_of(found), filled))
        case "sum":
            so = any_of((linear({found.name: Fraction(1)}, "==", Fraction(0)), filled))
        case _:
            there = symbols.known.is_there(found)
            so = any_of((opposite(there), filled))
            type = node.arguments[0].type
            element = type.element if isinstance(type, ListType) else type
            if not isinstance(element, OptionalType):
                symbols.known.axiom(any_of((there, opposite(filled))), *places)
    symbols.known.axiom(so, *places)


_NOTHING = Sum((), Fraction(0))
