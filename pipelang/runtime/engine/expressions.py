"""Expressions to closures: compiled once for a program, evaluated over the values of a run."""

from __future__ import annotations

import datetime
import operator
from collections import ChainMap
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, assert_never

from pydantic import BaseModel

from pipelang.runtime.engine.values import Types, attribute
from pipelang.semantics import expressions as expr
from pipelang.semantics.kernels import arithmetic
from pipelang.semantics.quantities import BYTES_A_TOKEN, text_bytes, text_tokens
from pipelang.semantics.types import (
    OptionalType,
    RecordType,
    Scalar,
    Type,
)

Values = Mapping[str, Any]
Compiled = Callable[[Values], Any]
Named = tuple[tuple[str, expr.Expr], ...]

BUDGET = "budget.remaining"
"""The name under which a run keeps itself, to be asked what is `remaining` of a dimension."""


class NoValue(Exception):
    """An expression that has no value here: a `fn` in Python raised, or a number left its range.

    `raised` is the class of what the `fn` raised, whose text the message quotes; None for others.
    """

    def __init__(self, message: str, raised: str | None = None) -> None:
        super().__init__(message)
        self.raised = raised


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
        self._known: dict[int, tuple[expr.Expr, Compiled]] = {}
        self._named: dict[int, tuple[Named, tuple[tuple[str, expr.Expr, Compiled], ...]]] = {}

    def evaluate(self, node: expr.Expr, values: Values) -> Any:
        """The value of an expression. Raises `NoValue`."""
        try:
            return self.compile(node)(values)
        except ArithmeticError as error:
            raise _without_value(node, error) from error

    def evaluate_all(self, named: Named, values: Values) -> dict[str, Any]:
        """The values of expressions by their names. Raises `NoValue`."""
        known = self._named.get(id(named))
        if known is None:
            compiled = tuple((name, node, self.compile(node)) for name, node in named)
            known = self._named[id(named)] = (named, compiled)
        found = {}
        for name, node, compute in known[1]:
            try:
                found[name] = compute(values)
            except ArithmeticError as error:
                raise _without_value(node, error) from error
        return found

    def fitted(self, value: Any, type: Type) -> Any:
        """A value of the run as this type, with what the type promises checked. Raises `Misfit`."""
        return self._types.check(type, value)

    def compile(self, node: expr.Expr) -> Compiled:
        """The closure of an expression."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = (node, self._compile(node))
        return known[1]

    def _compile(self, node: expr.Expr) -> Compiled:
        match node:
            case expr.Const():
                value = self._constant(node)
                return lambda values: value
            case expr.Read() | expr.ElementRead():
                name = node.name
                return lambda values: values[name]
            case expr.Field():
                return self._field(node)
            case expr.At():
                return self._at(node)
            case expr.IsPresent():
                target = self.compile(node.target)
                return lambda values: target(values) is not None
            case expr.Apply():
                function = self._functions[node.function]
                arguments = [self.compile(part) for part in node.arguments]
                return lambda values: function(*(argument(values) for argument in arguments))
            case expr.Builtin():
                return self._builtin(node)
            case expr.MakeList():
                items = [self.compile(item) for item in node.items]
                return lambda values: [item(values) for item in items]
            case expr.Comprehension():
                return self._comprehension(node)
            case expr.Concatenation():
                left, right = self.compile(node.left), self.compile(node.right)
                return lambda values: [*left(values), *right(values)]
            case expr.MakeRecord():
                return self._record(node)
            case expr.Not():
                operand = self.compile(node.operand)
                return lambda values: not operand(values)
            case expr.Negate():
                operand = self.compile(node.operand)
                return lambda values: arithmetic.negated(operand(values))
            case expr.Logic():
                left, right = self.compile(node.left), self.compile(node.right)
                if node.op == "and":
                    return lambda values: left(values) and right(values)
                return lambda values: left(values) or right(values)
            case expr.Compare():
                compare = arithmetic.comparison(node.op, node.left.type, node.right.type)
                left, right = self.compile(node.left), self.compile(node.right)
                return lambda values: compare(left(values), right(values))
            case expr.Member():
                item, collection = self.compile(node.item), self.compile(node.collection)
                among = arithmetic.membership(node.item.type, node.collection.type)
                return lambda values: among(collection(values), item(values))
            case expr.Matches():
                text, name, matches = self.compile(node.text), node.patterns, self._matches
                return lambda values: matches(name, text(values))
            case expr.Arithmetic():
                return self._arithmetic(node)
            case expr.Choice():
                test = self.compile(node.condition)
                then, otherwise = self.compile(node.then), self.compile(node.otherwise)
                return lambda values: then(values) if test(values) else otherwise(values)
            case expr.Select():
                return self._select(node)
            case expr.BudgetLeft():
                what = node.what
                return lambda values: values[BUDGET].remaining(what)
            case _:
                assert_never(node)

    def _constant(self, node: expr.Const) -> Any:
        value, type = node.value, node.type
        if isinstance(type, OptionalType) and value is not None:
            type = type.inner
        if isinstance(value, (dict, list)) or isinstance(type, RecordType):
            return self._types.check(type, value)
        return arithmetic.constant(value, type)

    def _field(self, node: expr.Field) -> Compiled:
        target, name, own = self.compile(node.target), node.name, attribute(node.name)

        def read(values: Values) -> Any:
            found = target(values)
            if isinstance(found, BaseModel):
                return getattr(found, own)
            return found.get(name) if isinstance(found, Mapping) else None

        return read

    def _at(self, node: expr.At) -> Compiled:
        target, index = self.compile(node.target), self.compile(node.index)

        def read(values: Values) -> Any:
            found, at = target(values), index(values)
            if isinstance(found, Mapping):
                return found.get(at)
            return found[at] if 0 <= at < len(found) else None

        return read

    def _comprehension(self, node: expr.Comprehension) -> Compiled:
        name, collection, item = node.name, self.compile(node.collection), self.compile(node.item)
        test = None if node.condition is None else self.compile(node.condition)

        def make(values: Values) -> list[Any]:
            found = []
            for element in collection(values):
                here = ChainMap({name: element}, values)  # type: ignore[arg-type]  # only read
                if test is None or test(here):
                    found.append(item(here))
            return found

        return make

    def _record(self, node: expr.MakeRecord) -> Compiled:
        fields = [(name, self.compile(value)) for name, value in node.fields]
        type = node.type
        if isinstance(type, OptionalType):
            type = type.inner
        if not isinstance(type, RecordType):
            return lambda values: {name: value(values) for name, value in fields}
        make = self._types.model(type).model_construct
        keys = {field.name: field.key for field in type.fields}
        fields = [(keys[name], value) for name, value in fields]
        return lambda values: make(**{name: value(values) for name, value in fields})

    def _select(self, node: expr.Select) -> Compiled:
        subject = self.compile(node.subject)
        among = arithmetic.membership(node.subject.type, node.subject.type)
        arms = [(taken, self.compile(arm)) for taken, arm in node.arms]

        def select(values: Values) -> Any:
            seen = subject(values)
            for taken, arm in arms:
                if taken is None or among(taken, seen):
                    return arm(values)
            raise LookupError(f"no arm takes {seen!r}")

        return select

    def _arithmetic(self, node: expr.Arithmetic) -> Compiled:
        left, right = self.compile(node.left), self.compile(node.right)
        if _is_time(node.left.type):
            shift = operator.add if node.op == "+" else operator.sub
            return lambda values: _shift(shift, left(values), right(values))
        compute = arithmetic.operation(node.op, node.type)
        return lambda values: compute(left(values), right(values))

    def _builtin(self, node: expr.Builtin) -> Compiled:
        arguments = [self.compile(part) for part in node.arguments]
        first = arguments[0]
        match node.function:
            case "len":
                return lambda values: len(first(values))
            case "any":
                return lambda values: any(first(values))
            case "all":
                return lambda values: all(first(values))
            case "sum":
                return lambda values: arithmetic.total(first(values), node.type)
            case "min" | "max":
                pick: Callable[..., Any] = min if node.function == "min" else max
                if len(arguments) == 1:
                    return lambda values: pick(first(values), default=None)
                return lambda values: pick(argument(values) for argument in arguments)
            case "round":
                if len(arguments) == 1:
                    return lambda values: round(first(values))
                digits = arguments[1]
                return lambda values: _rounded(first(values), digits(values))
            case _:
                return lambda values: _first(first(values), arguments[1](values))


def _without_value(node: expr.Expr, error: ArithmeticError) -> NoValue:
    by_zero = isinstance(error, ZeroDivisionError) or "Division" in str(error)
    why = "it divides by 0" if by_zero else "a number leaves its range"
    return NoValue(f"`{expr.show(node)}` has no value: {why}")


def _is_time(type: Type) -> bool:
    return isinstance(type, Scalar) and type.kind.value == "time"


def _rounded(value: Any, digits: int) -> float:
    """To so many digits, of the number as it is written; more than there are change nothing."""
    step = Decimal(1).scaleb(-max(-400, min(digits, 400)))
    exact = arithmetic.exact(value)
    return float(value) if abs(exact) > step * 10**27 else float(exact.quantize(step))


def _shift(compute: Any, left: Any, right: Any) -> Any:
    if isinstance(right, datetime.datetime):
        return Decimal(str((left - right).total_seconds()))
    return compute(left, datetime.timedelta(seconds=float(right)))


def _first(value: Any, limit: int) -> Any:
    """The first elements of a list, or as much of a text as fits into so many tokens."""
    if not isinstance(value, str):
        return value[: max(limit, 0)]
    return value if text_tokens(value) <= limit else _start(value, max(limit, 0) * BYTES_A_TOKEN)


def _start(text: str, size: int) -> str:
    """The longest start of a text that JSON writes in so many bytes."""
    low, high = 0, min(len(text), size)
    while low < high:
        middle = -(-(low + high) // 2)
        low, high = (middle, high) if text_bytes(text[:middle]) <= size else (low, middle - 1)
    return text[:low]
