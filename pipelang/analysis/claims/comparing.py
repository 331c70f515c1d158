"""Comparison of symbolic values: formulas for "equal", "less than" and "present".

A question that the analysis cannot look into (a `fn` in Python, a pattern) becomes an opaque
boolean variable, named by its text: the same question about the same values has one answer.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipelang.analysis.claims.deciding import VariableFacts
from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Equals,
    Formula,
    Holds,
    all_of,
    any_of,
    linear,
    literal,
    opposite,
)
from pipelang.analysis.claims.inequalities import NumericRange
from pipelang.analysis.claims.values import (
    Cases,
    Free,
    Known,
    Listed,
    Sum,
    Symbol,
    SymbolicRecord,
    Truth,
    one,
    text_of,
    variables,
)
from pipelang.semantics.types import (
    BOOL,
    INT,
    AnswererType,
    EnumType,
    ListType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    present,
)

NUMERIC = (
    ScalarKind.INT,
    ScalarKind.NUMBER,
    ScalarKind.PROBABILITY,
    ScalarKind.MONEY,
    ScalarKind.DURATION,
)
COMPUTED = "this is not worked out before a run"


class Variables:
    """Factory of the variables that symbols stand for; collects the facts about each."""

    def __init__(self) -> None:
        self.facts = VariableFacts()
        self.types: dict[str, Type] = {}

    def free(self, name: str, type: Type) -> Symbol:
        """Make a fresh value of a type, with nothing assumed about it."""
        self.types.setdefault(name, type)
        inner = present(type)
        if isinstance(inner, EnumType):
            self.facts.members.setdefault(name, inner.members)
        elif isinstance(inner, AnswererType):
            pass
        elif isinstance(inner, Scalar) and inner.kind in NUMERIC:
            low = None if inner.low is None else Fraction(inner.low)
            high = None if inner.high is None else Fraction(inner.high)
            if inner.kind is ScalarKind.PROBABILITY:
                low, high = low or Fraction(0), Fraction(1) if high is None else high
            self.facts.ranges.setdefault(
                name, NumericRange(low, high, inner.kind is ScalarKind.INT)
            )
        return Free(name, type)

    def opaque(self, name: str, type: Type, why: str, about: frozenset[str]) -> Symbol:
        """Make a value of which only one thing is known: the same question always has the same
        answer.
        """
        name = f"?{name}"
        self.facts.opaque.setdefault(name, (why, self.facts.around(about)))
        return self.free(name, type)

    def is_true(self, symbol: Symbol) -> Formula:
        match symbol:
            case Truth():
                return symbol.formula
            case Known():
                return TRUE if symbol.value else FALSE
            case Free():
                there = self.is_there(symbol)
                return all_of((there, literal(Holds(symbol.name))))
            case _:
                return FALSE

    def is_there(self, symbol: Symbol) -> Formula:
        match symbol:
            case Known():
                return FALSE if symbol.value is None else TRUE
            case Free() if isinstance(symbol.type, OptionalType):
                name = f"{symbol.name}?"
                if symbol.name in self.facts.opaque:
                    self.facts.opaque.setdefault(name, self.facts.opaque[symbol.name])
                return literal(Holds(name))
            case _:
                return TRUE

    def compared(self, op: str, left: Symbol, right: Symbol) -> Formula:
        if op == "==":
            return self.equal(left, right)
        return self.summed(op, left, right)

    def summed(self, op: str, left: Symbol, right: Symbol) -> Formula:
        first, second = self.sum(left), self.sum(right)
        if first is None or second is None:
            return self.asked(f"{text_of(one(left))} {op} {text_of(one(right))}", left, right)
        terms = dict(first.terms)
        for name, factor in second.terms:
            terms[name] = terms.get(name, Fraction(0)) - factor
        there = (self.is_there(left), self.is_there(right))
        return all_of((*there, linear(terms, op, second.constant - first.constant)))

    def equal(self, left: Symbol, right: Symbol) -> Formula:
        """Return the formula under which two values are equal."""
        if isinstance(right, (Known, Truth)) and not isinstance(left, (Known, Truth)):
            left, right = right, left
        match left, right:
            case Known(), Known():
                return TRUE if left.value == right.value else FALSE
            case Known(value=None), Free():
                return opposite(self.is_there(right))
            case Known(value=None), _:
                return FALSE
            case (Truth(), _) | (Known(value=bool()), _):
                first, second = self.is_true(left), self.is_true(right)
                same = any_of(
                    (all_of((first, second)), all_of((opposite(first), opposite(second))))
                )
                return all_of((self.is_there(right), same))
            case Known(value=dict() as fields), SymbolicRecord():
                return self._fields_equal(fields, left, right)
            case SymbolicRecord(), SymbolicRecord():
                others = dict(right.fields)
                return all_of(
                    self.cases_equal(cases, others[name])
                    for name, cases in left.fields
                    if name in others
                )
            case Known(value=str() as text), Free() if not self._number(right.type):
                if isinstance(present(right.type), RecordType):
                    return FALSE
                return all_of(
                    (self.is_there(right), literal(Equals(right.name, text, constant=True)))
                )
            case Free(), Free() if self._plain(left.type) and self._plain(right.type):
                return self._variables_equal(left, right)
            case _:
                return self._lists_equal(left, right)

    def _lists_equal(self, left: Symbol, right: Symbol) -> Formula:
        if self.sum(left) is not None and self.sum(right) is not None:
            return self.summed("==", left, right)
        first, second = self.items(left), self.items(right)
        if first is not None and second is not None:
            if len(first) != len(second):
                return FALSE
            return all_of(map(self.cases_equal, first, second))
        for items, other in ((first, right), (second, left)):
            if items == [] and isinstance(other, Free):
                length = self.length(other)
                return all_of((self.is_there(other), self.compared("==", length, _zero())))
        return self.asked(f"{text_of(one(left))} == {text_of(one(right))}", left, right)

    def items(self, symbol: Symbol) -> list[Cases] | None:
        match symbol:
            case Listed():
                return list(symbol.items)
            case Known(value=list() as items):
                element = symbol.type.element if isinstance(symbol.type, ListType) else BOOL
                return [one(Known(item, element)) for item in items]
            case _:
                return None

    def _variables_equal(self, left: Free, right: Free) -> Formula:
        if left.name == right.name:
            return TRUE
        if present(left.type) == BOOL:
            return self.equal(Truth(self.is_true(left)), right)
        first, second = sorted((left, right), key=lambda symbol: symbol.name)
        there = self.is_there(left), self.is_there(right)
        same = all_of((*there, literal(Equals(first.name, second.name, constant=False))))
        return any_of((same, all_of(map(opposite, there))))

    def _fields_equal(self, fields: dict[str, Any], left: Known, right: SymbolicRecord) -> Formula:
        return all_of(
            self.cases_equal(self.field(left, name), cases)
            for name, cases in right.fields
            if name in fields
        )

    def cases_equal(self, left: Cases, right: Cases) -> Formula:
        return any_of(all_of((g1, g2, self.equal(s1, s2))) for g1, s1 in left for g2, s2 in right)

    def _plain(self, type: Type) -> bool:
        inner = present(type)
        return isinstance(inner, (EnumType, AnswererType)) or (
            isinstance(inner, Scalar) and inner.kind in (ScalarKind.TEXT, ScalarKind.BOOL)
        )

    def _number(self, type: Type) -> bool:
        inner = present(type)
        return isinstance(inner, Scalar) and inner.kind in NUMERIC

    def asked(self, words: str, *symbols: Symbol, why: str = COMPUTED) -> Formula:
        """Return the opaque boolean variable that stands for a question."""
        about = variables((TRUE, symbol) for symbol in symbols)
        self.opaque(words, BOOL, why, about)
        return literal(Holds(f"?{words}"))

    def field(self, symbol: Symbol, name: str) -> Cases:
        match symbol:
            case SymbolicRecord():
                for field, cases in symbol.fields:
                    if field == name:
                        return cases
                return one(Known(None, BOOL))
            case Known(value=dict() as fields):
                inner = present(symbol.type)
                found = inner.field(name) if isinstance(inner, RecordType) else None
                return one(Known(fields.get(name), BOOL if found is None else found.type))
            case Free():
                inner = present(symbol.type)
                found = inner.field(name) if isinstance(inner, RecordType) else None
                path = f"{symbol.name}.{name}"
                if symbol.name in self.facts.opaque:
                    why, about = self.facts.opaque[symbol.name]
                    self.facts.opaque.setdefault(path, (why, about | {symbol.name}))
                return one(self.free(path, BOOL if found is None else found.type))
            case _:
                return one(Known(None, BOOL))

    def length(self, symbol: Symbol) -> Symbol:
        """Return the length of a list or a text as a sum."""
        match symbol:
            case Listed():
                return Known(len(symbol.items), INT)
            case Known(value=list() | str() | dict() as value):
                return Known(len(value), INT)
            case Free():
                inner = present(symbol.type)
                most = inner.max_length if isinstance(inner, ListType) else None
                high = None if most is None else Decimal(most)
                name = f"len({symbol.name})"
                if symbol.name in self.facts.opaque:
                    self.facts.opaque.setdefault(name, self.facts.opaque[symbol.name])
                return self.free(name, Scalar(ScalarKind.INT, low=Decimal(0), high=high))
            case _:
                about = variables(one(symbol))
                return self.opaque(f"len({text_of(one(symbol))})", INT, COMPUTED, about)

    def sum(self, symbol: Symbol) -> Sum | None:
        match symbol:
            case Sum():
                return symbol
            case Known(value=bool() | None):
                return None
            case Known(value=int() | Decimal() | float() as value):
                return Sum((), Fraction(str(value)))
            case Free() if self._number(symbol.type):
                return Sum(((symbol.name, Fraction(1)),), Fraction(0))
            case _:
                return None


def _zero() -> Symbol:
    return Known(0, INT)
