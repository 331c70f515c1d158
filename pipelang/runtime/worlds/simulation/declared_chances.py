"""Inputs of a simulation: declared chances as numbers, and the traffic of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, assert_never

from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import (
    ByCase,
    Chance,
    CountedShare,
    Declared,
    MeasuredShare,
    Undeclared,
)
from pipelang.semantics.evidence_rows import EvidenceRows
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.lengths import mean_lengths
from pipelang.semantics.walk import all_items, judged_links


class UnknownChance(ValueError):
    """Something is undeclared, and nobody said whether to take it as low or high."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Chances as numbers, in the runs of one class of cases (`hard`). `unknown` is what undeclared
    ones count as, None refuses them. `never` remembers what was found never to answer.
    """

    program: p.Program
    unknown: float | None
    hard: bool = False
    never: set[tuple[Any, ...]] = field(default_factory=set, compare=False)

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
            case ByCase():
                return self.of(chance.of(self.hard))
            case _:
                assert_never(chance)

    def open(self, site: str) -> float:
        if self.unknown is None:
            raise UnknownChance(site)
        return self.unknown


@dataclass(slots=True)
class DeclaredChances:
    """The declared traffic and steps of a pipeline, prepared for all runs of a simulation."""

    pipeline: p.Pipeline
    odds: Odds
    lets: dict[str, expr.Expr] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, bool], EvidenceRows] = field(default_factory=dict)
    paths: dict[expr.Expr, p.PathShares] = field(default_factory=dict)
    conditions: dict[expr.Expr, p.ConditionShare] = field(default_factory=dict)
    names: Mapping[str, p.NamedShare] = field(default_factory=dict)
    means: Mapping[tuple[str, ...], Decimal] = field(default_factory=dict)
    opened: dict[int, tuple[expr.Expr, expr.Expr]] = field(default_factory=dict)
    mentioned: dict[int, tuple[expr.Expr, frozenset[str]]] = field(default_factory=dict)
    named: dict[expr.Expr, tuple[str, ...]] = field(default_factory=dict)
    folded: dict[expr.Expr, tuple[Any] | None] = field(default_factory=dict)
    handed: dict[int, tuple[p.RunPipeline, dict[str, expr.Expr]]] = field(default_factory=dict)
    asked: dict[tuple[Any, ...], expr.Expr] = field(default_factory=dict)
    inner: dict[int, DeclaredChances] = field(default_factory=dict)

    @classmethod
    def of(cls, program: p.Program, pipeline: p.Pipeline, odds: Odds) -> DeclaredChances:
        facts = cls(pipeline, odds)
        for item in all_items(pipeline.block):
            if isinstance(item, p.Let):
                facts.lets[item.name] = expr.substitute(item.value, facts.lets)
            elif isinstance(item, p.Step):
                for link in judged_links(item):
                    if isinstance(link.accuracy, MeasuredShare):
                        facts.files.setdefault(item.name, link.accuracy.file)
        for name, file in program.evidence.items():
            for right in (True, False):
                facts.rows[name, right] = file.columns.of_kind(right)
        traffic = pipeline.traffic
        facts.paths = {facts.open(line.path): line for line in traffic.paths}
        facts.conditions = {facts.open(line.condition): line for line in traffic.conditions}
        facts.names = {line.name: line for line in traffic.names}
        facts.means = mean_lengths(pipeline)
        return facts

    def inside(self, program: p.Program, pipeline: p.Pipeline) -> DeclaredChances:
        """The same of a pipeline that this one runs, prepared once for all who run it."""
        known = self.inner.get(id(pipeline))
        if known is None:
            known = self.inner[id(pipeline)] = DeclaredChances.of(program, pipeline, self.odds)
            known.inner = self.inner
        return known

    def open(self, node: expr.Expr) -> expr.Expr:
        """The expression with its lets looked through, and thresholds that differ by case apart."""
        known = self.opened.get(id(node))
        if known is None:
            known = self.opened[id(node)] = (node, expr.substitute(node, self.lets))
        return known[1]

    def mentions(self, node: expr.Expr) -> frozenset[str]:
        """The names that an expression mentions, those in its lets in their place. Every run asks
        this of the same expressions.
        """
        known = self.mentioned.get(id(node))
        if known is None:
            known = self.mentioned[id(node)] = (node, expr.mentions(self.open(node)))
        return known[1]

    def names_in(self, opened: expr.Expr) -> tuple[str, ...]:
        """The names that an expression mentions in which no let is left, in order."""
        known = self.named.get(opened)
        if known is None:
            known = self.named[opened] = tuple(sorted(expr.mentions(opened)))
        return known

    def constant(self, node: expr.Expr) -> tuple[Any] | None:
        """The value of an expression that is a constant, in a tuple; None for any other."""
        if node not in self.folded:
            try:
                self.folded[node] = (fold(node),)
            except NotConstant:
                self.folded[node] = None
        return self.folded[node]

    def arguments(self, action: p.RunPipeline) -> dict[str, expr.Expr]:
        """The arguments of a `run` by parameter; the same mapping each time."""
        known = self.handed.get(id(action))
        if known is None:
            known = self.handed[id(action)] = (action, dict(action.arguments))
        return known[1]

    def about(self, node: expr.Expr, arguments: Mapping[str, expr.Expr]) -> expr.Expr:
        """An expression over parameters as one over `arguments`, which are those of an action."""
        key = (id(arguments), node, node.span)
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = expr.substitute(node, arguments)
        return known
