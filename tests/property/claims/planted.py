"""Faults that the claims once had, to be put back: the judges must find each of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from pipelang.analysis.claims import beside, elements, equality, ordering, symbols, variables
from pipelang.analysis.claims.formulas import TRUE, Formula, all_of
from pipelang.analysis.claims.states import step_to
from pipelang.analysis.claims.values import Cases, Known, Sum, Symbol, one
from pipelang.analysis.claims.walk import ClaimWalk
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import BOOL, JSON, Type, present

Plant = Callable[[pytest.MonkeyPatch], None]


def equality_demands_presence(patch: pytest.MonkeyPatch) -> None:
    """`none == none` was false."""

    def equal(known: Any, left: Symbol, right: Symbol, level: int = 0) -> Formula:
        there = known.is_there(left), known.is_there(right)
        return all_of((*there, equality._same(known, left, right, level)))

    patch.setattr(equality, "equal", equal)


def json_is_a_bool(patch: pytest.MonkeyPatch) -> None:
    """A field of a json was a bool that is always there."""
    before = variables.Variables.field

    def field(self: Any, symbol: Any, name: str, type: Type) -> Cases:
        if getattr(symbol, "type", None) is not None and present(symbol.type) == JSON:
            return one(self.there(self.free(f"{getattr(symbol, 'name', '')}.{name}", BOOL)))
        return before(self, symbol, name, type)

    patch.setattr(variables.Variables, "field", field)


def arithmetic_is_exact(patch: pytest.MonkeyPatch) -> None:
    """Sums and quotients of money and numbers were exact fractions."""

    def rounded(known: Any, exact: Sum, op: str, type: Type, name: str) -> Symbol:
        return exact if exact.terms or exact.constant else Known(Decimal(0), type)

    patch.setattr(ordering, "_rounded", rounded)


def names_are_source_texts(patch: pytest.MonkeyPatch) -> None:
    """A value with too many cases was named by its text in the file."""

    def cases(self: Any, node: expr.Expr, values: Any) -> Cases:
        found = self._cases(node, values)
        if len(found) > 4:
            return one(self.opaque(expr.show(node), node.type, "", frozenset()))
        return found

    patch.setattr(symbols.SymbolicExpressions, "cases", cases)


def readings_are_one(patch: pytest.MonkeyPatch) -> None:
    """What is left of a budget was named by its place in the file."""

    def reading(self: Any, name: str, type: Type, why: str) -> Any:
        return self.opaque(name, type, why, frozenset())

    patch.setattr(variables.Variables, "reading", reading)


def lists_are_full(patch: pytest.MonkeyPatch) -> None:
    """A short list had all the elements that its type allows."""
    before = variables.Variables.listed

    def listed(self: Any, symbol: Symbol) -> Any:
        found = before(self, symbol)
        return None if found is None else [(TRUE, element) for _, element in found]

    patch.setattr(variables.Variables, "listed", listed)


def thirds_have_few_digits(patch: pytest.MonkeyPatch) -> None:
    """Every number had so few digits that it is not rounded."""
    patch.setattr(ordering, "_decimals", lambda value: 0)


def readings_in_lists_are_one(patch: pytest.MonkeyPatch) -> None:
    """A list that reads what is left of a budget was named by its text."""

    def unknown(symbols: Any, node: expr.Expr, values: Any) -> Any:
        return symbols.opaque(expr.show(node), node.type, "", frozenset())

    patch.setattr(elements, "unknown", unknown)


def a_cut_ends_everything(patch: pytest.MonkeyPatch) -> None:
    """Behind a sub-pipeline that a budget has cut, no value was made any more."""
    before = ClaimWalk._cut

    def cut(self: Any, frame: Any, state: Any, *, always: bool = False) -> None:
        if not frame.root:
            state = step_to(state, self._not_yet_made())
        before(self, frame, state, always=always)

    patch.setattr(ClaimWalk, "_cut", cut)


def the_last_in_the_text_is_the_latest(patch: pytest.MonkeyPatch) -> None:
    """Of runs side by side the last one in the text was taken for the latest."""
    patch.setattr(beside, "next_strand", lambda state: state)


OF_EXPRESSIONS: tuple[Plant, ...] = (
    equality_demands_presence,
    json_is_a_bool,
    arithmetic_is_exact,
    names_are_source_texts,
    lists_are_full,
    thirds_have_few_digits,
)
OF_RUNS: tuple[Plant, ...] = (readings_are_one, readings_in_lists_are_one)
OF_STRANDS: tuple[Plant, ...] = (a_cut_ends_everything, the_last_in_the_text_is_the_latest)
