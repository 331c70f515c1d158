"""Translation of expressions into symbolic values and formulas.

It is exact for truth values, enums, texts under `==` and `in`, presence, lengths and sums of whole
numbers; other sums are rounded as in a run (`ordering`). The result of a `fn` in Python, a match
with a pattern and the product of two unknown numbers are `opaque`: the same question about the same
values has one answer, which is not known. What is left of a budget is another value at each
reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, assert_never

from pipelang.analysis.claims import elements, equality, ordering
from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Formula,
    all_of,
    any_of,
    is_false,
    linear,
    names_of,
    opposite,
)
from pipelang.analysis.claims.inequalities import NumericRange
from pipelang.analysis.claims.values import (
    MOST_CASES,
    Cases,
    Free,
    Known,
    Listed,
    Symbol,
    SymbolicRecord,
    Truth,
    is_made,
    name_of,
    one,
    under,
    variables,
)
from pipelang.analysis.claims.variables import (
    COMPUTED,
    Variables,
    is_json,
    is_number,
)
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.types import (
    TEXT,
    EnumType,
    MapType,
    OptionalType,
    Type,
    optional,
    present,
)

Values = Mapping[str, Cases]

MATCHES = "a pattern is not looked into"
PYTHON = "what a `fn` in Python says is only known while running"


class SymbolicExpressions:
    """Translates the expressions of a program, and collects facts about their variables.

    With `turned` a setting is any value of its type, because operators may change it.
    """

    def __init__(self, program: p.Program, *, turned: bool = False) -> None:
        self.program = program
        self.turned = turned
        self.patterns = Patterns(program.patterns)
        self.known = Variables()
        self.facts = self.known.facts
        self.types = self.known.types
        self.free = self.known.free
        self.opaque = self.known.opaque
        self.length = self.known.length

    def equal(self, left: Symbol, right: Symbol) -> Formula:
        """Return the formula under which two values are equal."""
        return equality.equal(self.known, left, right)

    # ----------------------------------------------------------------------------- formulas

    def truth(self, node: expr.Expr, values: Values) -> Formula:
        """Return the formula under which an expression of type bool is true."""
        match node:
            case expr.Not():
                return opposite(self.truth(node.operand, values))
            case expr.Logic():
                sides = (self.truth(node.left, values), self.truth(node.right, values))
                return all_of(sides) if node.op == "and" else any_of(sides)
            case expr.Compare():
                return self._compare(node, values)
            case expr.Member():
                return self._member(node, values)
            case expr.Matches():
                return self._matches(node, values)
            case expr.IsPresent():
                cases = self.cases(node.target, values)
                return any_of(all_of((g, self.known.is_there(s))) for g, s in cases)
            case _:
                cases = self.cases(node, values)
                return any_of(all_of((g, self.known.is_true(s))) for g, s in cases)

    def _compare(self, node: expr.Compare, values: Values) -> Formula:
        left, right = self.cases(node.left, values), self.cases(node.right, values)
        if node.op == "==":
            return equality.cases_equal(self.known, left, right)
        return any_of(
            all_of((g1, g2, self._ordered(node.op, s1, s2))) for g1, s1 in left for g2, s2 in right
        )

    def _ordered(self, op: str, left: Symbol, right: Symbol) -> Formula:
        there = self.known.is_there(left), self.known.is_there(right)
        return all_of((*there, ordering.ordered(self.known, op, left, right)))

    def _member(self, node: expr.Member, values: Values) -> Formula:
        items, ways = self.cases(node.item, values), list[Formula]()
        found = elements.listed(self, node.collection, values)
        if found is not None:
            for guard, element in found:
                same = equality.cases_equal(self.known, items, element, level=1)
                ways.append(all_of((guard, same)))
            return any_of(ways)
        if isinstance(node.collection, expr.Concatenation):
            sides = (node.collection.left, node.collection.right)
            return any_of(self._member(replace(node, collection=side), values) for side in sides)
        lists = self.cases(node.collection, values)
        for g1, item in items:
            for g2, collection in lists:
                written = self.known.items(collection)
                if written is None:
                    so = self._in_unknown(item, collection)
                else:
                    so = any_of(
                        equality.cases_equal(self.known, one(item), other, level=1)
                        for other in written
                    )
                ways.append(all_of((g1, g2, so)))
        return any_of(ways)

    def _in_unknown(self, item: Symbol, collection: Symbol) -> Formula:
        """Return the question whether a value is in a list or map of which little is known: if so,
        that is not empty.
        """
        words = f"({name_of(one(item))}) in ({name_of(one(collection))})"
        found = self.known.asked(words, item, collection)
        length = self.known.sum(self.length(collection))
        if length is not None and f"?{words}" not in self.facts.axioms:
            terms = {name: -factor for name, factor in length.terms}
            filled = linear(terms, "<=", length.constant - 1)
            self.known.axiom(any_of((opposite(found), filled)), f"?{words}")
            if isinstance(collection, Free) and isinstance(present(collection.type), MapType):
                self._same_key(item, collection, found)
        return found

    def _same_key(self, key: Symbol, map: Free, found: Formula) -> None:
        """Relate the question whether a map has a key to the value that it has there."""
        inner = present(map.type)
        assert isinstance(inner, MapType)
        value = self._value_at(map, key, inner.value)
        there = self.known.is_there(value)
        self.known.axiom(any_of((found, opposite(there))))
        if not isinstance(inner.value, OptionalType) and not is_json(inner.value):
            self.known.axiom(any_of((opposite(found), there)))

    def _value_at(self, target: Symbol, index: Symbol, type: Type) -> Free:
        words = f"({name_of(one(target))})[{name_of(one(index))}]"
        about = variables(((TRUE, target), (TRUE, index)))
        return self.opaque(words, optional(type), COMPUTED, about)

    def _matches(self, node: expr.Matches, values: Values) -> Formula:
        ways = []
        for guard, text in self.cases(node.text, values):
            if isinstance(text, Known) and isinstance(text.value, str):
                found = TRUE if self.patterns.matches(node.patterns, text.value) else FALSE
            else:
                words = f"({name_of(one(text))}) matches {node.patterns}"
                is_new = f"?{words}" not in self.types
                found = self.known.asked(words, text, why=MATCHES)
                if is_new and isinstance(text, Free):
                    answer = partial(self.patterns.matches, node.patterns)
                    self.known.matches(text.name, found, answer)
            ways.append(all_of((guard, found)))
        return any_of(ways)

    # ------------------------------------------------------------------------------- values

    def cases(self, node: expr.Expr, values: Values) -> Cases:
        """Return the possible values of an expression, each with its guard."""
        return self._few(self._cases(node, values), node.type)

    def _few(self, found: Cases, type: Type, most: int = MOST_CASES) -> Cases:
        """Return a value with too many cases as a variable of its own, which an axiom says to be
        what the cases say; an opaque one where they hang on what is opaque. One of the cases always
        holds, unless they speak of values that a run may not have made.
        """
        if len(found) <= most:
            return found
        name = name_of(found)
        names = variables(found).union(*(names_of(guard) for guard, _ in found))
        if not self.facts.opaque.keys().isdisjoint(names) or not self._is_plain(found, type):
            return one(self.opaque(name, type, COMPUTED, variables(found)))
        value = self.free(f"?{name}", type)
        if value.name not in self.facts.axioms:
            ways = [all_of((guard, self.equal(value, symbol))) for guard, symbol in found]
            if any(is_made(name) for guard, _ in found for name in names_of(guard)):
                ways.append(all_of(opposite(guard) for guard, _ in found))
            self.known.axiom(any_of(ways), value.name, f"{value.name}?")
            self._keep_range(value.name, found)
        return one(value)

    def _keep_range(self, name: str, found: Cases) -> None:
        """Note between which bounds all cases of a number are."""
        sums = [self.known.sum(symbol) for _, symbol in found]
        ends = [self.known.range_of(own) for own in sums if own is not None]
        if len(ends) == len(found):
            lows, highs = [low for low, _ in ends], [high for _, high in ends]
            whole = self.facts.ranges[name].whole
            low = None if None in lows else min(low for low in lows if low is not None)
            high = None if None in highs else max(high for high in highs if high is not None)
            self.facts.ranges[name] = NumericRange(low, high, whole)

    def _is_plain(self, found: Cases, type: Type) -> bool:
        """Whether all cases are texts or enum members, or numbers of one class."""
        if isinstance(present(type), EnumType) or present(type) == TEXT:
            return all(isinstance(symbol, (Free, Known)) for _, symbol in found)
        if isinstance(type, OptionalType) or not is_number(type):
            return False
        own = ordering.number_class(self.known, Free("", type))
        return all(
            self.known.sum(symbol) is not None and ordering.number_class(self.known, symbol) == own
            for _, symbol in found
        )

    def _cases(self, node: expr.Expr, values: Values) -> Cases:
        match node:
            case expr.Const(setting=str() as setting) if self.turned:
                return one(self.free(f"setting {setting}", node.type))
            case expr.Const():
                return one(Known(node.value, node.type))
            case expr.Read():
                known = values.get(node.name)
                return one(self.free(node.name, node.type)) if known is None else known
            case expr.Field():
                target = self.cases(node.target, values)
                return tuple(
                    part
                    for guard, symbol in target
                    for part in under(guard, self.known.field(symbol, node.name, node.type))
                )
            case expr.At():
                return self._at(node, values)
            case expr.Apply():
                return self._apply(node, values)
            case expr.Builtin():
                return self._builtin(node, values)
            case expr.MakeList():
                return one(Listed(tuple(self.cases(item, values) for item in node.items)))
            case expr.ElementRead():
                return values[node.name]
            case expr.Concatenation() | expr.Comprehension():
                return elements.made_list(self, node, values)
            case expr.MakeRecord():
                fields = tuple((n, self.cases(v, values)) for n, v in node.fields)
                return one(SymbolicRecord(fields, node.type))
            case expr.Choice():
                test = self.truth(node.condition, values)
                then = under(test, self.cases(node.then, values))
                return (*then, *under(opposite(test), self.cases(node.otherwise, values)))
            case expr.Select():
                return self._select(node, values)
            case expr.Negate():
                return tuple(
                    (guard, ordering.negated(self.known, symbol, node.type))
                    for guard, symbol in self.cases(node.operand, values)
                )
            case expr.Arithmetic():
                return self._arithmetic(node, values)
            case expr.BudgetLeft():
                words = f"budget.remaining.{node.what}"
                return one(self.known.reading(words, node.type, elements.LEFT))
            case expr.IsPresent() | expr.Not() | expr.Logic() | expr.Compare() | expr.Member():
                return one(Truth(self.truth(node, values)))
            case expr.Matches():
                return one(Truth(self.truth(node, values)))
            case _:
                assert_never(node)

    def _at(self, node: expr.At, values: Values) -> Cases:
        found: list[tuple[Formula, Symbol]] = []
        indices = self.cases(node.index, values)
        for g1, target in self.cases(node.target, values):
            for g2, index in indices:
                guard = all_of((g1, g2))
                found += under(guard, self._element(node, target, index))
        return tuple(found)

    def _element(self, node: expr.At, target: Symbol, index: Symbol) -> Cases:
        items = self.known.items(target)
        at = index.value if isinstance(index, Known) else None
        if items is not None and isinstance(at, int):
            return items[at] if 0 <= at < len(items) else one(Known(None, node.type))
        if isinstance(target, Free) and isinstance(at, int):
            return one(self.known.element(target, at, node.type))
        if isinstance(target, SymbolicRecord) and isinstance(at, str):
            return self.known.field(target, at, node.type)
        return one(self._value_at(target, index, node.type))

    def _apply(self, node: expr.Apply, values: Values) -> Cases:
        function = self.program.functions[node.function]
        given = [self.cases(argument, values) for argument in node.arguments]
        if function.body is not None:
            names = (parameter.name for parameter in function.parameters)
            return self.cases(function.body, dict(zip(names, given, strict=False)))
        words = f"{node.function}({', '.join(map(name_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        return one(self.opaque(words, node.type, f"{PYTHON}: `{node.function}`", about))

    def _builtin(self, node: expr.Builtin, values: Values) -> Cases:
        over = elements.over_elements(self, node, values)
        if over is not None:
            return over
        given = [self.cases(argument, values) for argument in node.arguments]
        if node.function == "len":
            return tuple((guard, self.length(symbol)) for guard, symbol in given[0])
        if node.function in ("min", "max") and len(given) > 1:
            return self.extreme(node.function, given, node.type)
        words = f"{node.function}({', '.join(map(name_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        found = self.opaque(words, node.type, COMPUTED, about)
        if node.function in ("any", "all", "sum", "min", "max"):
            elements.keep_empty(self, node, values, found)
        return one(found)

    def extreme(self, function: str, given: list[Cases], type: Type) -> Cases:
        """Return the least or the greatest of some numbers."""
        best = given[0]
        for cases in given[1:]:
            found: list[tuple[Formula, Symbol]] = []
            for g1, s1 in best:
                for g2, s2 in cases:
                    less = ordering.ordered(self.known, "<=", s1, s2)
                    first, second = (s1, s2) if function == "min" else (s2, s1)
                    found += under(all_of((g1, g2, less)), one(first))
                    found += under(all_of((g1, g2, opposite(less))), one(second))
            best = self._few(tuple(found), present(type))
        return best

    def _select(self, node: expr.Select, values: Values) -> Cases:
        found: list[tuple[Formula, Symbol]] = []
        for guard, (_, arm) in zip(
            self.arms(node.subject, [taken for taken, _ in node.arms], values),
            node.arms,
            strict=True,
        ):
            found += under(guard, self.cases(arm, values))
        return tuple(found)

    def arms(
        self, subject: expr.Expr, patterns: Iterable[tuple[Any, ...] | None], values: Values
    ) -> list[Formula]:
        """Return for each arm of a match the formula under which it is taken."""
        cases = self.cases(subject, values)
        left: Formula = TRUE
        found: list[Formula] = []
        for taken in patterns:
            if taken is None:
                found.append(left)
                left = FALSE
                continue
            known = [one(Known(value, present(subject.type))) for value in taken]
            test = any_of(equality.cases_equal(self.known, cases, value) for value in known)
            found.append(all_of((left, test)))
            left = all_of((left, opposite(test)))
        return found

    # ------------------------------------------------------------------------------ numbers

    def _arithmetic(self, node: expr.Arithmetic, values: Values) -> Cases:
        left, right = self.cases(node.left, values), self.cases(node.right, values)
        if len(left) * len(right) > MOST_CASES:
            left = self._few(left, node.left.type, MOST_CASES // 8)
            right = self._few(right, node.right.type, MOST_CASES // 8)
        return tuple(
            (guard, ordering.computed(self.known, node.op, node.type, s1, s2))
            for g1, s1 in left
            for g2, s2 in right
            if not is_false(guard := all_of((g1, g2)))
        )
