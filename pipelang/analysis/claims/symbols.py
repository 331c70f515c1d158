"""Translation of expressions into symbolic values and formulas.

It is exact for truth values, enums, texts under `==` and `in`, presence, lengths and sums of whole
numbers; other sums are rounded as in a run (`ordering`). The result of a `fn` in Python, a match
with a pattern and the product of two unknown numbers are `opaque`: the same question about the same
values has one answer, which is not known. What is left of a budget is another value at each
reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, assert_never

from pipelang.analysis.claims import equality, ordering
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
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.values import (
    MOST_CASES,
    Cases,
    Free,
    Known,
    Listed,
    Symbol,
    SymbolicRecord,
    Truth,
    name_of,
    one,
    under,
    variables,
)
from pipelang.analysis.claims.variables import COMPUTED, Variables
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.types import (
    BOOL,
    INT,
    JSON,
    NUMBER,
    TEXT,
    EnumType,
    ListType,
    MapType,
    RecordType,
    Type,
    optional,
    present,
)

Values = Mapping[str, Cases]

MATCHES = "a pattern is not looked into"
LEFT = "what is left of the budget is only known while running"
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
        items, lists = self.cases(node.item, values), self.cases(node.collection, values)
        ways = []
        for g1, item in items:
            for g2, collection in lists:
                elements = self.known.items(collection)
                if elements is None:
                    found = self._in_unknown(item, collection)
                else:
                    found = any_of(
                        equality.cases_equal(self.known, one(item), other, level=1)
                        for other in elements
                    )
                ways.append(all_of((g1, g2, found)))
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
        return found

    def _matches(self, node: expr.Matches, values: Values) -> Formula:
        ways = []
        for guard, text in self.cases(node.text, values):
            if isinstance(text, Known) and isinstance(text.value, str):
                found = TRUE if self.patterns.matches(node.patterns, text.value) else FALSE
            else:
                words = f"({name_of(one(text))}) matches {node.patterns}"
                found = self.known.asked(words, text, why=MATCHES)
            ways.append(all_of((guard, found)))
        return any_of(ways)

    # ------------------------------------------------------------------------------- values

    def cases(self, node: expr.Expr, values: Values) -> Cases:
        """Return the possible values of an expression, each with its guard."""
        found = self._cases(node, values)
        if len(found) > MOST_CASES:
            return one(self.opaque(name_of(found), node.type, COMPUTED, variables(found)))
        return found

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
                return self._made_list(node, values)
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
                return one(self.known.reading(f"budget.remaining.{node.what}", node.type, LEFT))
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
        words = f"({name_of(one(target))})[{name_of(one(index))}]"
        about = variables(((TRUE, target), (TRUE, index)))
        return one(self.opaque(words, optional(node.type), COMPUTED, about))

    def _apply(self, node: expr.Apply, values: Values) -> Cases:
        function = self.program.functions[node.function]
        given = [self.cases(argument, values) for argument in node.arguments]
        if function.body is not None:
            names = (parameter.name for parameter in function.parameters)
            return self.cases(function.body, dict(zip(names, given, strict=False)))
        words = f"{node.function}({', '.join(map(name_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        return one(self.opaque(words, node.type, f"{PYTHON}: `{node.function}`", about))

    def _made_list(self, node: expr.Concatenation | expr.Comprehension, values: Values) -> Cases:
        """Return a list made of others: its elements where it is known which there are, else the
        same unknown for the same values.
        """
        made = self._elements(node, values)
        if made is None or any(guard != TRUE for guard, _ in made):
            return one(self._unknown(node, values))
        return one(Listed(tuple(element for _, element in made)))

    def _elements(self, node: expr.Expr, values: Values) -> list[tuple[Formula, Cases]] | None:
        """Return the elements that a list may have, each with the formula under which it has it;
        None where nobody can list them.
        """
        match node:
            case expr.Concatenation():
                left, right = self._elements(node.left, values), self._elements(node.right, values)
                return None if left is None or right is None else [*left, *right]
            case expr.Comprehension():
                found = self._elements(node.collection, values)
                if found is None:
                    return None
                made = []
                for guard, element in found:
                    inside = {**values, node.name: element}
                    test = TRUE if node.condition is None else self.truth(node.condition, inside)
                    taken = all_of((guard, test))
                    if taken != FALSE:
                        made.append((taken, self.cases(node.item, inside)))
                return made
            case _:
                cases = self.cases(node, values)
                items = self.known.items(cases[0][1]) if len(cases) == 1 else None
                return None if items is None else [(TRUE, item) for item in items]

    def _unknown(self, node: expr.Expr, values: Values) -> Symbol:
        """Return an unknown value: what nobody looks into, of the values that it mentions."""
        kinds = {part.name: part.type for part in expr.walk(node) if isinstance(part, expr.Read)}
        given = {
            name: values.get(name) or one(self.free(name, type)) for name, type in kinds.items()
        }
        words = "".join(f"({name}: {name_of(cases)})" for name, cases in sorted(given.items()))
        elements = {part.name for part in expr.walk(node) if isinstance(part, expr.ElementRead)} - {
            part.name for part in expr.walk(node) if isinstance(part, expr.Comprehension)
        }
        outer = {name: values[name] for name in sorted(elements)}
        words += "".join(f"({name}: {name_of(cases)})" for name, cases in outer.items())
        about = frozenset[str]().union(*map(variables, (*given.values(), *outer.values())))
        return self.opaque(f"{expr.show(node)}{words}", node.type, COMPUTED, about)

    def _over_elements(self, node: expr.Builtin, values: Values) -> Cases | None:
        """Return `any`, `all` and `sum` of elements that can be listed; None for all else."""
        if node.function not in ("any", "all", "sum"):
            return None
        found = self._elements(node.arguments[0], values)
        if found is None:
            return None
        if node.function == "sum":
            if any(guard != TRUE for guard, _ in found) or any(len(e) != 1 for _, e in found):
                return None
            if node.type == NUMBER:  # rounded once, at the end, and not after each addition
                return None
            total: Symbol = Known(0 if node.type == INT else Decimal(0), node.type)
            for _, element in found:
                total = ordering.computed(self.known, "+", node.type, total, element[0][1])
            return one(total)
        tests = [
            (guard, any_of(all_of((g, self.known.is_true(s))) for g, s in element))
            for guard, element in found
        ]
        if node.function == "any":
            return one(Truth(any_of(all_of(pair) for pair in tests)))
        return one(Truth(all_of(any_of((opposite(guard), test)) for guard, test in tests)))

    def _builtin(self, node: expr.Builtin, values: Values) -> Cases:
        over = self._over_elements(node, values)
        if over is not None:
            return over
        given = [self.cases(argument, values) for argument in node.arguments]
        if node.function == "len":
            return tuple((guard, self.length(symbol)) for guard, symbol in given[0])
        if node.function in ("min", "max") and len(given) > 1:
            return self._extreme(node.function, given)
        words = f"{node.function}({', '.join(map(name_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        return one(self.opaque(words, node.type, COMPUTED, about))

    def _extreme(self, function: str, given: list[Cases]) -> Cases:
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
            best = tuple(found)
            if len(best) > MOST_CASES:
                raise TooHard("the least or greatest of too many values")
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
        return tuple(
            (guard, ordering.computed(self.known, node.op, node.type, s1, s2))
            for g1, s1 in left
            for g2, s2 in right
            if not is_false(guard := all_of((g1, g2)))
        )

    # --------------------------------------------------------------------------- other types

    def fitted(self, cases: Cases, type: Type) -> Cases:
        """Return a value as the interpreter makes it fit a type where it is handed on: a whole
        number becomes a float where a `number` is expected, and anything may become a `json`.
        """
        return tuple(part for guard, own in cases for part in under(guard, self._fitted(own, type)))

    def _fitted(self, symbol: Symbol, type: Type) -> Cases:
        inner = present(type)
        if inner == JSON:
            return self._as_json(symbol)
        match symbol:
            case _ if inner == NUMBER:
                there = self.known.is_there(symbol)
                if there is TRUE:
                    return one(ordering.as_number(self.known, symbol))
                number = under(there, one(ordering.as_number(self.known, symbol)))
                return (*number, *under(opposite(there), one(Known(None, type))))
            case SymbolicRecord() if isinstance(inner, RecordType):
                types = {field.name: field.type for field in inner.fields}
                return one(
                    SymbolicRecord(
                        tuple((n, self.fitted(v, types.get(n, JSON))) for n, v in symbol.fields),
                        symbol.type,
                    )
                )
            case SymbolicRecord() if isinstance(inner, MapType):
                made = tuple((n, self.fitted(v, inner.value)) for n, v in symbol.fields)
                return one(SymbolicRecord(made, symbol.type))
            case Listed() if isinstance(inner, ListType):
                return one(Listed(tuple(self.fitted(v, inner.element) for v in symbol.items)))
            case _:
                return one(symbol)

    def _as_json(self, symbol: Symbol) -> Cases:
        match symbol:
            case Free() if present(symbol.type) == JSON:
                return one(symbol)
            case Free() if present(symbol.type) == BOOL or _keeps(symbol.type):
                return one(symbol)
            case Known(value=None | bool() | str() | int()):
                return one(symbol)
            case _:
                about = variables(one(symbol))
                found = self.opaque(f"json({name_of(one(symbol))})", JSON, COMPUTED, about)
                there = self.known.is_there(symbol)
                if there is TRUE:
                    return one(self.known.there(found))
                return ((there, found), (opposite(there), Known(None, JSON)))


def _keeps(type: Type) -> bool:
    """Whether values of a type are themselves as JSON: texts, enums, whole numbers."""
    inner = present(type)
    return isinstance(inner, EnumType) or inner in (TEXT, INT)
