"""Expressions to closures: compiled once for a program, evaluated over the values of a run."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, assert_never

from pydantic import BaseModel

from pipelang.runtime.values import Types
from pipelang.semantics import expressions as ir
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.types import INT, NUMBER, RecordType, Scalar, Type

Values = Mapping[str, Any]
Compiled = Callable[[Values], Any]

BUDGET = "budget.remaining"
"""The name under which a run keeps a function from a dimension to what is left of it."""


class Expressions:
    """Compiles the expressions of a program. `functions` are the program's `fn`s by name."""

    def __init__(
        self,
        types: Types,
        matches: Callable[[str, str], bool],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self._types = types
        self._matches = matches
        self._functions = functions
        self._known: dict[int, tuple[ir.Expr, Compiled]] = {}

    def evaluate(self, expr: ir.Expr, values: Values) -> Any:
        """The value of an expression."""
        return self.compile(expr)(values)

    def compile(self, expr: ir.Expr) -> Compiled:
        """The closure of an expression."""
        known = self._known.get(id(expr))
        if known is None:
            known = self._known[id(expr)] = (expr, self._compile(expr))
        return known[1]

    def _compile(self, expr: ir.Expr) -> Compiled:
        match expr:
            case ir.Const():
                value = self._constant(expr)
                return lambda values: value
            case ir.Read():
                name = expr.name
                return lambda values: values[name]
            case ir.Field():
                return self._field(expr)
            case ir.At():
                return self._at(expr)
            case ir.IsPresent():
                target = self.compile(expr.target)
                return lambda values: target(values) is not None
            case ir.Apply():
                function = self._functions[expr.function]
                arguments = [self.compile(part) for part in expr.arguments]
                return lambda values: function(*(argument(values) for argument in arguments))
            case ir.Builtin():
                return self._builtin(expr)
            case ir.MakeList():
                items = [self.compile(item) for item in expr.items]
                return lambda values: [item(values) for item in items]
            case ir.MakeRecord():
                return self._record(expr)
            case ir.Not():
                operand = self.compile(expr.operand)
                return lambda values: not operand(values)
            case ir.Negate():
                operand = self.compile(expr.operand)
                return lambda values: -operand(values)
            case ir.Logic():
                left, right = self.compile(expr.left), self.compile(expr.right)
                if expr.op == "and":
                    return lambda values: left(values) and right(values)
                return lambda values: left(values) or right(values)
            case ir.Compare():
                compare = {"==": operator.eq, "<": operator.lt, "<=": operator.le}[expr.op]
                left, right = self.compile(expr.left), self.compile(expr.right)
                return lambda values: compare(left(values), right(values))
            case ir.Member():
                item, collection = self.compile(expr.item), self.compile(expr.collection)
                return lambda values: item(values) in collection(values)
            case ir.Matches():
                text, name, matches = self.compile(expr.text), expr.patterns, self._matches
                return lambda values: matches(name, text(values))
            case ir.Arithmetic():
                return self._arithmetic(expr)
            case ir.Choice():
                test = self.compile(expr.condition)
                then, otherwise = self.compile(expr.then), self.compile(expr.otherwise)
                return lambda values: then(values) if test(values) else otherwise(values)
            case ir.Select():
                return self._select(expr)
            case ir.BudgetLeft():
                what = expr.what
                return lambda values: values[BUDGET](what)
            case _:
                assert_never(expr)

    def _constant(self, expr: ir.Const) -> Any:
        value, type = expr.value, expr.type
        if type == NUMBER and value is not None:
            return float(value)
        if isinstance(value, (dict, list)) or isinstance(type, RecordType):
            return self._types.check(type, value)
        return value

    def _field(self, expr: ir.Field) -> Compiled:
        target, name = self.compile(expr.target), expr.name

        def read(values: Values) -> Any:
            found = target(values)
            if isinstance(found, BaseModel):
                return getattr(found, name)
            return found.get(name) if isinstance(found, Mapping) else None

        return read

    def _at(self, expr: ir.At) -> Compiled:
        target, index = self.compile(expr.target), self.compile(expr.index)

        def read(values: Values) -> Any:
            found, at = target(values), index(values)
            if isinstance(found, Mapping):
                return found.get(at)
            return found[at] if 0 <= at < len(found) else None

        return read

    def _record(self, expr: ir.MakeRecord) -> Compiled:
        fields = [(name, self.compile(value)) for name, value in expr.fields]
        type = expr.type
        if not isinstance(type, RecordType):
            return lambda values: {name: value(values) for name, value in fields}
        model = self._types.model(type)
        return lambda values: model.model_construct(
            **{name: value(values) for name, value in fields}
        )

    def _select(self, expr: ir.Select) -> Compiled:
        subject = self.compile(expr.subject)
        arms = [(taken, self.compile(arm)) for taken, arm in expr.arms]

        def select(values: Values) -> Any:
            seen = subject(values)
            for taken, arm in arms:
                if taken is None or seen in taken:
                    return arm(values)
            raise LookupError(f"no arm takes {seen!r}")

        return select

    def _arithmetic(self, expr: ir.Arithmetic) -> Compiled:
        compute = {
            "+": operator.add,
            "-": operator.sub,
            "*": operator.mul,
            "/": operator.truediv,
        }[expr.op]
        left, right = self.compile(expr.left), self.compile(expr.right)
        type = expr.type
        if type == INT:
            return lambda values: compute(left(values), right(values))
        if type == NUMBER:
            return lambda values: float(compute(_exact(left(values)), _exact(right(values))))
        if _is_time(expr.left.type):
            return lambda values: _shift(compute, left(values), right(values))
        return lambda values: compute(_exact(left(values)), _exact(right(values)))

    def _builtin(self, expr: ir.Builtin) -> Compiled:
        arguments = [self.compile(part) for part in expr.arguments]
        first = arguments[0]
        match expr.function:
            case "len":
                return lambda values: len(first(values))
            case "sum":
                zero: Any = 0 if expr.type in (INT, NUMBER) else Decimal(0)
                return lambda values: sum(first(values), zero)
            case "min" | "max":
                pick: Callable[..., Any] = min if expr.function == "min" else max
                if len(arguments) == 1:
                    return lambda values: pick(first(values), default=None)
                return lambda values: pick(argument(values) for argument in arguments)
            case "round":
                if len(arguments) == 1:
                    return lambda values: round(first(values))
                return lambda values: float(round(first(values), arguments[1](values)))
            case _:
                return lambda values: _first(first(values), arguments[1](values))


def _is_time(type: Type) -> bool:
    return isinstance(type, Scalar) and type.kind.value == "time"


def _exact(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _shift(compute: Any, left: Any, right: Any) -> Any:
    import datetime

    if isinstance(right, datetime.datetime):
        return Decimal(str((left - right).total_seconds()))
    return compute(left, datetime.timedelta(seconds=float(right)))


def _first(value: Any, limit: int) -> Any:
    """The first elements of a list, or as much of a text as fits into so many tokens."""
    if not isinstance(value, str):
        return value[: max(limit, 0)]
    if count_tokens(value) <= limit:
        return value
    return value.encode()[: max(limit, 0) * 3].decode(errors="ignore")


