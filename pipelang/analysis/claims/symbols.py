"""Expressions as formulas: what a condition says about the values that it reads.

Exact for truth values, enums, texts by `==` and `in`, presence, lengths, and sums of numbers. What
a `fn` in Python says, whether a text matches a pattern, a product of two unknown numbers are
`opaque`: the same question of the same values has one answer, and which one nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, assert_never

from pipelang.analysis.claims.deciding import Facts
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
from pipelang.analysis.claims.inequalities import Range
from pipelang.analysis.claims.values import (
    MOST_CASES,
    Cases,
    Free,
    Known,
    Listed,
    Made,
    Sum,
    Symbol,
    Truth,
    one,
    text_of,
    under,
    variables,
)
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    BOOL,
    INT,
    AnswererType,
    EnumType,
    Kind,
    ListType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
    present,
)

Values = Mapping[str, Cases]

NUMERIC = (Kind.INT, Kind.NUMBER, Kind.PROBABILITY, Kind.MONEY, Kind.DURATION)
MATCHES = "a pattern is not looked into"
PYTHON = "what a `fn` in Python says is only known while running"
COMPUTED = "this is not worked out before a run"


class Symbols:
    """Makes symbols and formulas of a program's expressions, and gathers the facts about them."""

    def __init__(self, program: p.Program) -> None:
        self.program = program
        self.facts = Facts()
        self.types: dict[str, Type] = {}

    # ------------------------------------------------------------------------------- symbols

    def free(self, name: str, type: Type) -> Symbol:
        """Any value of a type."""
        self.types.setdefault(name, type)
        inner = present(type)
        if isinstance(inner, EnumType):
            self.facts.members.setdefault(name, inner.members)
        elif isinstance(inner, AnswererType):
            pass
        elif isinstance(inner, Scalar) and inner.kind in NUMERIC:
            low = None if inner.low is None else Fraction(inner.low)
            high = None if inner.high is None else Fraction(inner.high)
            if inner.kind is Kind.PROBABILITY:
                low, high = low or Fraction(0), Fraction(1) if high is None else high
            self.facts.ranges.setdefault(name, Range(low, high, inner.kind is Kind.INT))
        return Free(name, type)

    def opaque(self, name: str, type: Type, why: str, about: frozenset[str]) -> Symbol:
        """A value of which nothing is known but that it is the same wherever it is asked for."""
        name = f"?{name}"
        self.facts.opaque.setdefault(name, (why, self.facts.around(about)))
        return self.free(name, type)

    # ----------------------------------------------------------------------------- formulas

    def truth(self, expr: ir.Expr, values: Values) -> Formula:
        """When an expression of type bool is true."""
        match expr:
            case ir.Not():
                return opposite(self.truth(expr.operand, values))
            case ir.Logic():
                sides = (self.truth(expr.left, values), self.truth(expr.right, values))
                return all_of(sides) if expr.op == "and" else any_of(sides)
            case ir.Compare():
                return self._compare(expr, values)
            case ir.Member():
                return self._member(expr, values)
            case ir.Matches():
                return self._matches(expr, values)
            case ir.IsPresent():
                cases = self.cases(expr.target, values)
                return any_of(all_of((g, self._is_there(s))) for g, s in cases)
            case _:
                cases = self.cases(expr, values)
                return any_of(all_of((g, self._is_true(s))) for g, s in cases)

    def _is_true(self, symbol: Symbol) -> Formula:
        match symbol:
            case Truth():
                return symbol.formula
            case Known():
                return TRUE if symbol.value else FALSE
            case Free():
                there = self._is_there(symbol)
                return all_of((there, literal(Holds(symbol.name))))
            case _:
                return FALSE

    def _is_there(self, symbol: Symbol) -> Formula:
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

    def _compare(self, expr: ir.Compare, values: Values) -> Formula:
        left, right = self.cases(expr.left, values), self.cases(expr.right, values)
        return any_of(
            all_of((g1, g2, self._compared(expr.op, s1, s2)))
            for g1, s1 in left
            for g2, s2 in right
        )

    def _compared(self, op: str, left: Symbol, right: Symbol) -> Formula:
        if op == "==":
            return self.equal(left, right)
        return self._summed(op, left, right)

    def _summed(self, op: str, left: Symbol, right: Symbol) -> Formula:
        first, second = self._sum(left), self._sum(right)
        if first is None or second is None:
            return self._asked(f"{text_of(one(left))} {op} {text_of(one(right))}", left, right)
        terms = dict(first.terms)
        for name, factor in second.terms:
            terms[name] = terms.get(name, Fraction(0)) - factor
        there = (self._is_there(left), self._is_there(right))
        return all_of((*there, linear(terms, op, second.constant - first.constant)))

    def equal(self, left: Symbol, right: Symbol) -> Formula:
        """When two values are equal."""
        if isinstance(right, (Known, Truth)) and not isinstance(left, (Known, Truth)):
            left, right = right, left
        match left, right:
            case Known(), Known():
                return TRUE if left.value == right.value else FALSE
            case Known(value=None), Free():
                return opposite(self._is_there(right))
            case Known(value=None), _:
                return FALSE
            case (Truth(), _) | (Known(value=bool()), _):
                first, second = self._is_true(left), self._is_true(right)
                same = any_of(
                    (all_of((first, second)), all_of((opposite(first), opposite(second))))
                )
                return all_of((self._is_there(right), same))
            case Known(value=dict() as fields), Made():
                return self._fields_equal(fields, left, right)
            case Made(), Made():
                others = dict(right.fields)
                return all_of(
                    self._cases_equal(cases, others[name])
                    for name, cases in left.fields
                    if name in others
                )
            case Known(value=str() as text), Free() if not self._number(right.type):
                if isinstance(present(right.type), RecordType):
                    return FALSE
                return all_of(
                    (self._is_there(right), literal(Equals(right.name, text, constant=True)))
                )
            case Free(), Free() if self._plain(left.type) and self._plain(right.type):
                return self._variables_equal(left, right)
            case _:
                return self._lists_equal(left, right)

    def _lists_equal(self, left: Symbol, right: Symbol) -> Formula:
        if self._sum(left) is not None and self._sum(right) is not None:
            return self._summed("==", left, right)
        first, second = self._items(left), self._items(right)
        if first is not None and second is not None:
            if len(first) != len(second):
                return FALSE
            return all_of(map(self._cases_equal, first, second))
        for items, other in ((first, right), (second, left)):
            if items == [] and isinstance(other, Free):
                length = self.length(other)
                return all_of((self._is_there(other), self._compared("==", length, _zero())))
        return self._asked(f"{text_of(one(left))} == {text_of(one(right))}", left, right)

    def _items(self, symbol: Symbol) -> list[Cases] | None:
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
            return self.equal(Truth(self._is_true(left)), right)
        first, second = sorted((left, right), key=lambda symbol: symbol.name)
        there = self._is_there(left), self._is_there(right)
        same = all_of((*there, literal(Equals(first.name, second.name, constant=False))))
        return any_of((same, all_of(map(opposite, there))))

    def _fields_equal(self, fields: dict[str, Any], left: Known, right: Made) -> Formula:
        return all_of(
            self._cases_equal(self._field(left, name), cases)
            for name, cases in right.fields
            if name in fields
        )

    def _cases_equal(self, left: Cases, right: Cases) -> Formula:
        return any_of(
            all_of((g1, g2, self.equal(s1, s2))) for g1, s1 in left for g2, s2 in right
        )

    def _plain(self, type: Type) -> bool:
        inner = present(type)
        return isinstance(inner, (EnumType, AnswererType)) or (
            isinstance(inner, Scalar) and inner.kind in (Kind.TEXT, Kind.BOOL)
        )

    def _number(self, type: Type) -> bool:
        inner = present(type)
        return isinstance(inner, Scalar) and inner.kind in NUMERIC

    def _asked(self, words: str, *symbols: Symbol, why: str = COMPUTED) -> Formula:
        """A question that is not looked into."""
        about = variables((TRUE, symbol) for symbol in symbols)
        self.opaque(words, BOOL, why, about)
        return literal(Holds(f"?{words}"))

    def _member(self, expr: ir.Member, values: Values) -> Formula:
        items, lists = self.cases(expr.item, values), self.cases(expr.collection, values)
        ways = []
        for g1, item in items:
            for g2, collection in lists:
                known = self._items(collection)
                if known is None:
                    words = f"{text_of(one(item))} in {text_of(one(collection))}"
                    ways.append(all_of((g1, g2, self._asked(words, item, collection))))
                else:
                    some = any_of(self._cases_equal(one(item), other) for other in known)
                    ways.append(all_of((g1, g2, some)))
        return any_of(ways)

    def _matches(self, expr: ir.Matches, values: Values) -> Formula:
        ways = []
        for guard, text in self.cases(expr.text, values):
            words = f"{text_of(one(text))} matches {expr.patterns}"
            ways.append(all_of((guard, self._asked(words, text, why=MATCHES))))
        return any_of(ways)

    # ------------------------------------------------------------------------------- values

    def cases(self, expr: ir.Expr, values: Values) -> Cases:
        """What an expression may be."""
        found = self._cases(expr, values)
        if len(found) > MOST_CASES:
            return one(self.opaque(ir.show(expr), expr.type, COMPUTED, variables(found)))
        return found

    def _cases(self, expr: ir.Expr, values: Values) -> Cases:
        match expr:
            case ir.Const():
                return one(Known(expr.value, expr.type))
            case ir.Read():
                known = values.get(expr.name)
                return one(self.free(expr.name, expr.type)) if known is None else known
            case ir.Field():
                target = self.cases(expr.target, values)
                return tuple(
                    part
                    for guard, symbol in target
                    for part in under(guard, self._field(symbol, expr.name))
                )
            case ir.At():
                return self._at(expr, values)
            case ir.Apply():
                return self._apply(expr, values)
            case ir.Builtin():
                return self._builtin(expr, values)
            case ir.MakeList():
                return one(Listed(tuple(self.cases(item, values) for item in expr.items)))
            case ir.MakeRecord():
                return one(Made(tuple((n, self.cases(v, values)) for n, v in expr.fields)))
            case ir.Choice():
                test = self.truth(expr.condition, values)
                then = under(test, self.cases(expr.then, values))
                return (*then, *under(opposite(test), self.cases(expr.otherwise, values)))
            case ir.Select():
                return self._select(expr, values)
            case ir.Negate():
                return self._each_sum(expr, [expr.operand], values, lambda a: _scaled(a, -1))
            case ir.Arithmetic():
                return self._arithmetic(expr, values)
            case ir.BudgetLeft():
                why = "what is left of the budget is only known while running"
                name = f"budget.remaining.{expr.what}@{expr.span.start}"
                return one(self.opaque(name, expr.type, why, frozenset()))
            case ir.IsPresent() | ir.Not() | ir.Logic() | ir.Compare() | ir.Member():
                return one(Truth(self.truth(expr, values)))
            case ir.Matches():
                return one(Truth(self.truth(expr, values)))
            case _:
                assert_never(expr)

    def _field(self, symbol: Symbol, name: str) -> Cases:
        match symbol:
            case Made():
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
        """How long a list or a text is."""
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
                return self.free(name, Scalar(Kind.INT, low=Decimal(0), high=high))
            case _:
                about = variables(one(symbol))
                return self.opaque(f"len({text_of(one(symbol))})", INT, COMPUTED, about)

    def _at(self, expr: ir.At, values: Values) -> Cases:
        found: list[tuple[Formula, Symbol]] = []
        for g1, target in self.cases(expr.target, values):
            for g2, index in self.cases(expr.index, values):
                guard = all_of((g1, g2))
                items = self._items(target)
                at = index.value if isinstance(index, Known) else None
                if items is not None and isinstance(at, int):
                    element = items[at] if 0 <= at < len(items) else one(Known(None, expr.type))
                    found += under(guard, element)
                elif isinstance(target, Free) and at is not None:
                    found.append((guard, self.free(f"{target.name}[{at}]", expr.type)))
                else:
                    words = f"{text_of(one(target))}[{text_of(one(index))}]"
                    about = variables(((TRUE, target), (TRUE, index)))
                    found.append((guard, self.opaque(words, expr.type, COMPUTED, about)))
        return tuple(found)

    def _apply(self, expr: ir.Apply, values: Values) -> Cases:
        function = self.program.functions[expr.function]
        given = [self.cases(argument, values) for argument in expr.arguments]
        if function.body is not None:
            names = (parameter.name for parameter in function.parameters)
            return self.cases(function.body, dict(zip(names, given, strict=False)))
        words = f"{expr.function}({', '.join(map(text_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        return one(self.opaque(words, expr.type, f"{PYTHON}: `{expr.function}`", about))

    def _builtin(self, expr: ir.Builtin, values: Values) -> Cases:
        given = [self.cases(argument, values) for argument in expr.arguments]
        if expr.function == "len":
            return tuple((guard, self.length(symbol)) for guard, symbol in given[0])
        if expr.function in ("min", "max") and len(given) == 2:
            found: list[tuple[Formula, Symbol]] = []
            for g1, s1 in given[0]:
                for g2, s2 in given[1]:
                    less = self._summed("<=", s1, s2)
                    first, second = (s1, s2) if expr.function == "min" else (s2, s1)
                    found.append((all_of((g1, g2, less)), first))
                    found.append((all_of((g1, g2, opposite(less))), second))
            return tuple(found)
        words = f"{expr.function}({', '.join(map(text_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        return one(self.opaque(words, expr.type, COMPUTED, about))

    def _select(self, expr: ir.Select, values: Values) -> Cases:
        found: list[tuple[Formula, Symbol]] = []
        for guard, (_, arm) in zip(
            self.arms(expr.subject, [taken for taken, _ in expr.arms], values),
            expr.arms,
            strict=True,
        ):
            found += under(guard, self.cases(arm, values))
        return tuple(found)

    def arms(
        self, subject: ir.Expr, patterns: Iterable[tuple[Any, ...] | None], values: Values
    ) -> list[Formula]:
        """When each arm of a match is the one that is taken."""
        cases = self.cases(subject, values)
        left: Formula = TRUE
        found: list[Formula] = []
        for taken in patterns:
            if taken is None:
                found.append(left)
                left = FALSE
                continue
            known = [one(Known(value, present(subject.type))) for value in taken]
            test = any_of(self._cases_equal(cases, value) for value in known)
            found.append(all_of((left, test)))
            left = all_of((left, opposite(test)))
        return found

    # ------------------------------------------------------------------------------ numbers

    def _sum(self, symbol: Symbol) -> Sum | None:
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

    def _each_sum(self, expr: ir.Expr, parts: list[ir.Expr], values: Values, make: Any) -> Cases:
        """A sum for every combination of cases; opaque where one is no number, or the result none."""
        combined: list[tuple[Formula, list[Symbol]]] = [(TRUE, [])]
        for part in parts:
            cases = self.cases(part, values)
            combined = [(all_of((g, h)), [*b, s]) for g, b in combined for h, s in cases]
        found: list[tuple[Formula, Symbol]] = []
        for guard, symbols in combined:
            sums = [self._sum(symbol) for symbol in symbols]
            made = None if None in sums else make(*sums)
            if made is None:
                about = variables((TRUE, symbol) for symbol in symbols)
                words = f"{type(expr).__name__.lower()}:{getattr(expr, 'op', '-')}" + "".join(
                    f"({text_of(one(symbol))})" for symbol in symbols
                )
                made = self.opaque(words, expr.type, COMPUTED, about)
            found.append((guard, made))
        return tuple(found)

    def _arithmetic(self, expr: ir.Arithmetic, values: Values) -> Cases:
        def make(left: Sum, right: Sum) -> Sum | None:
            match expr.op:
                case "+":
                    return _added(left, right)
                case "-":
                    return _added(left, _scaled(right, -1))
                case "*":
                    if not right.terms:
                        return _scaled(left, right.constant)
                    return None if left.terms else _scaled(right, left.constant)
                case _:
                    divides = not right.terms and right.constant
                    return _scaled(left, 1 / right.constant) if divides else None

        return self._each_sum(expr, [expr.left, expr.right], values, make)


def _zero() -> Symbol:
    return Known(0, INT)


def _scaled(value: Sum, factor: Fraction | int) -> Sum:
    terms = tuple((name, own * factor) for name, own in value.terms)
    return Sum(terms, value.constant * factor)


def _added(left: Sum, right: Sum) -> Sum:
    terms = dict(left.terms)
    for name, factor in right.terms:
        terms[name] = terms.get(name, Fraction(0)) + factor
    return Sum(tuple(sorted(terms.items())), left.constant + right.constant)
