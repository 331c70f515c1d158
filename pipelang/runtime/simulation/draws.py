"""Draws of a simulated run: made when they are needed, once per version of what they are about."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import (
    Chance,
    CountedShare,
    Declared,
    MeasuredShare,
    Row,
    Undeclared,
)
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import BOOL, EnumType
from pipelang.semantics.walk import all_items


class UnknownChance(ValueError):
    """Something is undeclared, and nobody said whether to take it as low or high."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Chances as numbers. `unknown` is what undeclared ones count as, None refuses them."""

    program: p.Program
    unknown: float | None

    def of(self, chance: Chance) -> float:
        match chance:
            case Declared():
                return float(chance.share)
            case CountedShare():
                return chance.good / chance.total
            case MeasuredShare():
                file = self.program.evidence[chance.file]
                return file.right / len(file.rows)
            case Undeclared():
                return self.open(chance.site)
            case _:
                assert_never(chance)

    def open(self, site: str) -> float:
        if self.unknown is None:
            raise UnknownChance(site)
        return self.unknown


@dataclass(slots=True)
class Facts:
    """What a pipeline's traffic and steps say, at hand for every run of a simulation."""

    pipeline: p.Pipeline
    odds: Odds
    lets: dict[str, ir.Expr] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, bool], list[Row]] = field(default_factory=dict)
    paths: dict[ir.Expr, p.PathShares] = field(default_factory=dict)
    conditions: dict[ir.Expr, p.ConditionShare] = field(default_factory=dict)
    names: Mapping[str, p.NamedShare] = field(default_factory=dict)

    @classmethod
    def of(cls, program: p.Program, pipeline: p.Pipeline, odds: Odds) -> Facts:
        facts = cls(pipeline, odds)
        for item in all_items(pipeline.block):
            if isinstance(item, p.Let):
                facts.lets[item.name] = ir.substitute(item.value, facts.lets)
            elif isinstance(item, p.Step):
                for link in item.chain.links:
                    if isinstance(link.accuracy, MeasuredShare):
                        facts.files.setdefault(item.name, link.accuracy.file)
        for name, file in program.evidence.items():
            for right in (True, False):
                facts.rows[name, right] = [row for row in file.rows if row.correct is right]
        traffic = pipeline.traffic
        facts.paths = {facts.open(line.path): line for line in traffic.paths}
        facts.conditions = {facts.open(line.condition): line for line in traffic.conditions}
        facts.names = {line.name: line for line in traffic.names}
        return facts

    def open(self, expr: ir.Expr) -> ir.Expr:
        """The expression with its lets looked through."""
        return ir.substitute(expr, self.lets) if self.lets else expr


@dataclass(slots=True)
class Draws:
    """The draws of one run. `right` is every value's ghost, `versions` how often it was made."""

    facts: Facts
    chance: random.Random
    right: dict[str, bool] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    outages: dict[str, bool] = field(default_factory=dict)
    drawn: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def flip(self, share: float) -> bool:
        return self.chance.random() < share

    def out(self, provider: p.Provider) -> bool:
        """Whether a provider is out during this run."""
        if provider.name not in self.outages:
            self.outages[provider.name] = not self.flip(self.facts.odds.of(provider.available))
        return self.outages[provider.name]

    def is_right(self, expr: ir.Expr) -> bool:
        """Whether everything that an expression mentions is right; inputs always are."""
        return all(self.right.get(name, True) for name in ir.mentions(self.facts.open(expr)))

    def make(self, step: str, right: bool) -> None:
        """A step's value was made (again)."""
        self.right[step] = right
        self.versions[step] = self.versions.get(step, 0) + 1

    def _key(self, kind: str, expr: ir.Expr) -> tuple[Any, ...]:
        names = sorted(ir.mentions(expr))
        return (kind, expr, *((name, self.versions.get(name, 0)) for name in names))

    def holds(self, test: ir.Expr, right: float, wrong: float) -> bool:
        """A test by its rates: how often it holds given that what it mentions is right, or not."""
        key = self._key("test", test)
        if key not in self.drawn:
            self.drawn[key] = self.flip(right if self.is_right(test) else wrong)
        return bool(self.drawn[key])

    def judge(self, test: ir.Expr, name: str | None, evidence: p.TestEvidence | None) -> bool:
        """How a gate or branch comes out."""
        facts, odds = self.facts, self.facts.odds
        test = facts.open(test)
        if isinstance(evidence, p.ByRates):
            alarms, catches = odds.of(evidence.false_alarms), odds.of(evidence.catches)
            return self.holds(test, 1 - alarms, 1 - catches)
        if name is not None and name in facts.names:
            share = facts.names[name]
            return self.holds(test, odds.of(share.right), odds.of(share.wrong))
        own = evidence.file if isinstance(evidence, p.ByFile) else None
        return bool(self.value(test, own))

    def value(self, expr: ir.Expr, own: str | None = None) -> Any:
        """The value of an expression over bools, enums and tiers, from draws."""
        try:
            return fold(expr)
        except NotConstant:
            pass
        facts, odds = self.facts, self.facts.odds
        if expr in facts.conditions:
            share = facts.conditions[expr]
            return self.holds(expr, odds.of(share.right), odds.of(share.wrong))
        match expr:
            case ir.Not():
                return not self.value(expr.operand, own)
            case ir.Logic(op="and"):
                return self.value(expr.left, own) and self.value(expr.right, own)
            case ir.Logic():
                return self.value(expr.left, own) or self.value(expr.right, own)
            case ir.Choice():
                taken = expr.then if self.value(expr.condition, own) else expr.otherwise
                return self.value(taken, own)
            case ir.Select():
                seen = self.value(expr.subject, own)
                for values, arm in expr.arms:
                    if values is None or seen in values:
                        return self.value(arm, own)
                raise LookupError(f"no arm takes {seen!r}")
            case ir.Member() if isinstance(expr.collection, ir.MakeList) and self._drawable(
                expr.item
            ):
                item = self.value(expr.item, own)
                return item in [self.value(part, own) for part in expr.collection.items]
            case ir.Compare():
                return self._compare(expr, own)
            case _ if ir.path_of(expr) is not None and self._drawable(expr):
                return self._path(expr)
            case _:
                unknown = odds.open(ir.show(expr))
                return self.holds(expr, unknown, unknown)

    def _drawable(self, expr: ir.Expr) -> bool:
        return expr.type == BOOL or isinstance(expr.type, EnumType)

    def _compare(self, expr: ir.Compare, own: str | None) -> Any:
        facts = self.facts
        if expr.op == "==" and self._drawable(expr.left):
            return self.value(expr.left, own) == self.value(expr.right, own)
        flipped = {"<": "<=", "<=": "<"}.get(expr.op)
        if flipped is not None:
            opposite = ir.Compare(flipped, expr.right, expr.left, expr.type)
            if opposite in facts.conditions:
                return not self.value(opposite, own)
            sides = [self._confidence(expr.left, own), self._confidence(expr.right, own)]
            if None not in sides:
                left, right = sides
                return left < right if expr.op == "<" else left <= right
        unknown = facts.odds.open(ir.show(expr))
        return self.holds(expr, unknown, unknown)

    def _confidence(self, expr: ir.Expr, own: str | None) -> Any:
        """A constant, or a step's confidence: that of a row of its evidence."""
        if isinstance(expr, ir.Const):
            return expr.value
        path = ir.path_of(expr)
        if path is None or len(path) != 2 or path[1] != "confidence":
            return None
        file = own or self.facts.files.get(path[0])
        if file is None:
            return None
        key = self._key(f"confidence {file}", expr)
        if key not in self.drawn:
            rows = self.facts.rows[file, self.right.get(path[0], True)]
            if not rows:
                raise UnknownChance(f"{file}: no rows of this kind")
            self.drawn[key] = self.chance.choice(rows).confidence
        return self.drawn[key]

    def _path(self, expr: ir.Expr) -> Any:
        key = self._key("path", expr)
        if key not in self.drawn:
            line = self.facts.paths.get(expr)
            if line is None:
                self.facts.odds.open(ir.show(expr))
                members = expr.type.members if isinstance(expr.type, EnumType) else (True, False)
                self.drawn[key] = members[0 if self.facts.odds.unknown else -1]
            else:
                values = [value for value, _ in line.shares]
                weights = [self.facts.odds.of(share) for _, share in line.shares]
                self.drawn[key] = self.chance.choices(values, weights)[0]
        return self.drawn[key]
