"""Whether a condition holds in one run: all draws that are not answers.

Three sources, each a draw of its own kind: paths with a share in `traffic` are drawn once per
version of their value and the condition is computed from them; a confidence is drawn once per
version of its step, from the rows that look like its hidden bit; a condition with rates of its own
is one draw as a whole, given whether everything that it mentions is right.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from functools import reduce
from typing import assert_never

from . import expressions as e
from . import model as m
from .draws import Draws
from .facts import Facts
from .lookup import Lookup
from .meeting import Rests, Versions
from .values import Value, all_right


class Conditions:
    """The conditions of one call of one pipeline: each call judges anew."""

    def __init__(self, lookup: Lookup, draws: Draws, scope: dict[str, Value], facts: Facts) -> None:
        self._lookup = lookup
        self._draws = draws
        self._scope = scope
        self._facts = facts
        # What has been drawn so far, by version: a redone step brings a new key.
        self._confidences: dict[Value, frozenset[e.Confidence]] = {}
        self._verdicts: dict[tuple[e.Expr, tuple[Value, ...]], bool] = {}

    def drawn(self, versions: Versions, rests: Rests) -> Hashable:
        """What has been drawn about versions that are still looked at."""
        confidences = [
            (versions.number(value), found)
            for value, found in self._confidences.items()
            if versions.lives((value,))
        ]
        verdicts = [
            (rests.expr(expr), versions.numbers(values), verdict)
            for (expr, values), verdict in self._verdicts.items()
            if versions.lives(values)
        ]
        return frozenset(confidences), frozenset(verdicts)

    def values(self, expr: e.Expr) -> tuple[Value, ...]:
        return tuple(self._scope[name] for name in self._lookup.mentions(expr))

    def holds(self, test: m.Test) -> bool:
        match test.source:
            case None | m.FromFile():
                return self.computed(test.condition)
            case m.Rates(catches=catches, false_alarms=false_alarms):
                return self._judged(test.condition, false_alarms, catches, drawn_means=False)
            case m.Share(right=right, wrong=wrong):
                return self._judged(test.condition, right, wrong, drawn_means=True)
            case _:
                assert_never(test.source)

    def _judged(
        self, condition: e.Expr, right: Fraction, wrong: Fraction, drawn_means: bool
    ) -> bool:
        """One draw, given the rightness of all that the condition mentions.

        Its chance is that of holding, or that of not holding, as `drawn_means` says. The same
        expression over the same versions is the same draw, wherever it stands.
        """
        values = self.values(condition)
        key = (self._spelled_out(condition), values)
        if key not in self._verdicts:
            drawn = self._draws.flip(right if all_right(values) else wrong)
            self._verdicts[key] = drawn == drawn_means
        return self._verdicts[key]

    def _spelled_out(self, expr: e.Expr) -> e.Expr:
        if isinstance(expr, e.Path):
            inner = self._lookup.inlined(expr)
            return expr if inner is expr else self._spelled_out(inner)
        match expr:
            case e.Not(of=of):
                return e.Not(self._spelled_out(of))
            case e.And(left=left, right=right):
                return e.And(self._spelled_out(left), self._spelled_out(right))
            case e.Or(left=left, right=right):
                return e.Or(self._spelled_out(left), self._spelled_out(right))
            case e.Quantified(word=word, elements=elements, negated=negated):
                each = [self._spelled_out(element) for element in elements]
                each = [e.Not(one) for one in each] if negated else each
                return reduce(e.Or if word == "any" else e.And, each)
            case _:
                return expr

    def computed(self, expr: e.Expr) -> bool:
        match expr:
            case e.Constant(text="true" | "false" as text):
                return text == "true"
            case e.Path():
                inner = self._lookup.inlined(expr)
                return self._facts.path(expr) == "true" if inner is expr else self.computed(inner)
            case e.Is(path=path, member=member, negated=negated):
                return (self._facts.path(path) == member) != negated
            case e.In(path=path, members=members, negated=negated):
                return (self._facts.path(path) in members) != negated
            case e.Not(of=of):
                return not self.computed(of)
            case e.And(left=left, right=right):
                return self.computed(left) and self.computed(right)
            case e.Or(left=left, right=right):
                return self.computed(left) or self.computed(right)
            case e.Quantified(word=word, elements=elements, negated=negated):
                found = [self.computed(element) != negated for element in elements]
                return any(found) if word == "any" else all(found)
            case e.Confidence():
                return expr in self._confidence(self._scope[expr.step], expr.step)
            case _:
                raise ValueError(f"not a condition of the subset: {expr}")

    def _confidence(self, value: Value, step: str) -> frozenset[e.Confidence]:
        if value not in self._confidences:
            options = self._lookup.confidences(step, value.right())
            self._confidences[value] = self._draws.choose(options)
        return self._confidences[value]
