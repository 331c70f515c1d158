"""Values of formulas: what a formula of a model comes to where its variables have values.

Formulas are texts in PRISM's words (`formulas`); this reads them with PRISM's precedence, for
whoever has to know before a checker does which way a run can go.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

Compute = Callable[[Mapping[str, int]], int]

_TOKEN = re.compile(r"\s*(!=|<=|>=|\w+|\S)")
_COMPARES: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SUMS: dict[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub}


def compute(text: str) -> Compute:
    """The function of a formula's variables; a condition is 1 or 0."""
    return _Reader(_TOKEN.findall(text)).choice()


class _Reader:
    """Reads tokens from the first to the last, an operator of lower precedence outside."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, ""]
        self.at = 0

    def took(self, *tokens: str) -> str:
        """The next token, if it is one of these; else an empty one."""
        token = self.tokens[self.at]
        if token not in tokens:
            return ""
        self.at += 1
        return token

    def choice(self) -> Compute:
        test = self.disjunction()
        if not self.took("?"):
            return test
        then = self.choice()
        self.took(":")
        otherwise = self.choice()
        return lambda values: then(values) if test(values) else otherwise(values)

    def disjunction(self) -> Compute:
        found = self.conjunction()
        while self.took("|"):
            found = _either(found, self.conjunction())
        return found

    def conjunction(self) -> Compute:
        found = self.comparison()
        while self.took("&"):
            found = _both(found, self.comparison())
        return found

    def comparison(self) -> Compute:
        left = self.sum()
        op = self.took(*_COMPARES)
        return _applied(_COMPARES[op], left, self.sum()) if op else left

    def sum(self) -> Compute:
        found = self.product()
        while op := self.took(*_SUMS):
            found = _applied(_SUMS[op], found, self.product())
        return found

    def product(self) -> Compute:
        found = self.atom()
        while self.took("*"):
            found = _applied(operator.mul, found, self.atom())
        return found

    def atom(self) -> Compute:
        if self.took("!"):
            inner = self.atom()
            return lambda values: not inner(values)
        if self.took("("):
            inside = self.choice()
            self.took(")")
            return inside
        token = self.tokens[self.at]
        self.at += 1
        if token in ("true", "false") or token.isdecimal():
            known = int(token) if token.isdecimal() else int(token == "true")
            return lambda values: known
        return lambda values: values[token]


def _either(left: Compute, right: Compute) -> Compute:
    return lambda values: left(values) or right(values)


def _both(left: Compute, right: Compute) -> Compute:
    return lambda values: left(values) and right(values)


def _applied(op: Callable[[int, int], int], left: Compute, right: Compute) -> Compute:
    return lambda values: op(left(values), right(values))
