"""Translation of expressions into symbolic values and formulas.

It is exact for truth values, enums, texts under `==` and `in`, presence, lengths and sums of
numbers. The result of a `fn` in Python, a match with a pattern and the product of two unknown
numbers are `opaque`: the same question about the same values has one answer, which is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, assert_never

from pipelang.analysis.claims.comparing import COMPUTED, Variables
from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Formula,
    all_of,
    any_of,
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
    SymbolicRecord,
    Truth,
    one,
    text_of,
    under,
    variables,
)
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import (
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
        self.known = Variables()
        self.facts = self.known.facts
        self.types = self.known.types
        self.free = self.known.free
        self.opaque = self.known.opaque
        self.equal = self.known.equal
        self.length = self.known.length

    # ------------------------------------------------------------------------------- symbols

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
        return any_of(
            all_of((g1, g2, self.known.compared(node.op, s1, s2)))
            for g1, s1 in left
            for g2, s2 in right
        )

    def _member(self, node: expr.Member, values: Values) -> Formula:
        items, lists = self.cases(node.item, values), self.cases(node.collection, values)
        ways = []
        for g1, item in items:
            for g2, collection in lists:
                known = self.known.items(collection)
                if known is None:
                    words = f"{text_of(one(item))} in {text_of(one(collection))}"
                    ways.append(all_of((g1, g2, self.known.asked(words, item, collection))))
                else:
                    some = any_of(self.known.cases_equal(one(item), other) for other in known)
                    ways.append(all_of((g1, g2, some)))
        return any_of(ways)

    def _matches(self, node: expr.Matches, values: Values) -> Formula:
        ways = []
        for guard, text in self.cases(node.text, values):
            words = f"{text_of(one(text))} matches {node.patterns}"
            ways.append(all_of((guard, self.known.asked(words, text, why=MATCHES))))
        return any_of(ways)

    # ------------------------------------------------------------------------------- values

    def cases(self, node: expr.Expr, values: Values) -> Cases:
        """Return the possible values of an expression, each with its guard."""
        found = self._cases(node, values)
        if len(found) > MOST_CASES:
            return one(self.opaque(expr.show(node), node.type, COMPUTED, variables(found)))
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
                    for part in under(guard, self.known.field(symbol, node.name))
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
                return one(
                    SymbolicRecord(tuple((n, self.cases(v, values)) for n, v in node.fields))
                )
            case expr.Choice():
                test = self.truth(node.condition, values)
                then = under(test, self.cases(node.then, values))
                return (*then, *under(opposite(test), self.cases(node.otherwise, values)))
            case expr.Select():
                return self._select(node, values)
            case expr.Negate():
                return self._each_sum(node, [node.operand], values, lambda a: _scaled(a, -1))
            case expr.Arithmetic():
                return self._arithmetic(node, values)
            case expr.BudgetLeft():
                why = "what is left of the budget is only known while running"
                name = f"budget.remaining.{node.what}@{node.span.start}"
                return one(self.opaque(name, node.type, why, frozenset()))
            case expr.IsPresent() | expr.Not() | expr.Logic() | expr.Compare() | expr.Member():
                return one(Truth(self.truth(node, values)))
            case expr.Matches():
                return one(Truth(self.truth(node, values)))
            case _:
                assert_never(node)

    def _at(self, node: expr.At, values: Values) -> Cases:
        found: list[tuple[Formula, Symbol]] = []
        for g1, target in self.cases(node.target, values):
            for g2, index in self.cases(node.index, values):
                guard = all_of((g1, g2))
                items = self.known.items(target)
                at = index.value if isinstance(index, Known) else None
                if items is not None and isinstance(at, int):
                    element = items[at] if 0 <= at < len(items) else one(Known(None, node.type))
                    found += under(guard, element)
                elif isinstance(target, Free) and at is not None:
                    found.append((guard, self.free(f"{target.name}[{at}]", node.type)))
                else:
                    words = f"{text_of(one(target))}[{text_of(one(index))}]"
                    about = variables(((TRUE, target), (TRUE, index)))
                    found.append((guard, self.opaque(words, node.type, COMPUTED, about)))
        return tuple(found)

    def _apply(self, node: expr.Apply, values: Values) -> Cases:
        function = self.program.functions[node.function]
        given = [self.cases(argument, values) for argument in node.arguments]
        if function.body is not None:
            names = (parameter.name for parameter in function.parameters)
            return self.cases(function.body, dict(zip(names, given, strict=False)))
        words = f"{node.function}({', '.join(map(text_of, given))})"
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
        words = "".join(f"({name}: {text_of(cases)})" for name, cases in sorted(given.items()))
        elements = {part.name for part in expr.walk(node) if isinstance(part, expr.ElementRead)} - {
            part.name for part in expr.walk(node) if isinstance(part, expr.Comprehension)
        }
        outer = {name: values[name] for name in sorted(elements)}
        words += "".join(f"({name}: {text_of(cases)})" for name, cases in outer.items())
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
            sums = [self.known.sum(element[0][1]) for _, element in found]
            total = Sum((), Fraction(0))
            for part in sums:
                if part is None:
                    return None
                total = _added(total, part)
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
        if node.function in ("min", "max") and len(given) == 2:
            found: list[tuple[Formula, Symbol]] = []
            for g1, s1 in given[0]:
                for g2, s2 in given[1]:
                    less = self.known.summed("<=", s1, s2)
                    first, second = (s1, s2) if node.function == "min" else (s2, s1)
                    found.append((all_of((g1, g2, less)), first))
                    found.append((all_of((g1, g2, opposite(less))), second))
            return tuple(found)
        words = f"{node.function}({', '.join(map(text_of, given))})"
        about = frozenset[str]().union(*map(variables, given))
        return one(self.opaque(words, node.type, COMPUTED, about))

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
            test = any_of(self.known.cases_equal(cases, value) for value in known)
            found.append(all_of((left, test)))
            left = all_of((left, opposite(test)))
        return found

    # ------------------------------------------------------------------------------ numbers

    def _each_sum(
        self, node: expr.Expr, parts: list[expr.Expr], values: Values, make: Any
    ) -> Cases:
        """Return a sum for every combination of cases; an opaque value where one of them is no
        number.
        """
        combined: list[tuple[Formula, list[Symbol]]] = [(TRUE, [])]
        for part in parts:
            cases = self.cases(part, values)
            combined = [(all_of((g, h)), [*b, s]) for g, b in combined for h, s in cases]
        found: list[tuple[Formula, Symbol]] = []
        for guard, symbols in combined:
            sums = [self.known.sum(symbol) for symbol in symbols]
            made = None if None in sums else make(*sums)
            if made is None:
                about = variables((TRUE, symbol) for symbol in symbols)
                words = f"{type(node).__name__.lower()}:{getattr(node, 'op', '-')}" + "".join(
                    f"({text_of(one(symbol))})" for symbol in symbols
                )
                made = self.opaque(words, node.type, COMPUTED, about)
            found.append((guard, made))
        return tuple(found)

    def _arithmetic(self, node: expr.Arithmetic, values: Values) -> Cases:
        def make(left: Sum, right: Sum) -> Sum | None:
            match node.op:
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

        return self._each_sum(node, [node.left, node.right], values, make)


def _scaled(value: Sum, factor: Fraction | int) -> Sum:
    terms = tuple((name, own * factor) for name, own in value.terms)
    return Sum(terms, value.constant * factor)


def _added(left: Sum, right: Sum) -> Sum:
    terms = dict(left.terms)
    for name, factor in right.terms:
        terms[name] = terms.get(name, Fraction(0)) + factor
    return Sum(tuple(sorted(terms.items())), left.constant + right.constant)
