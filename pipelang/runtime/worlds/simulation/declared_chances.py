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
from pipelang.semantics.lengths import mean_lengths
from pipelang.semantics.sizes import value_size
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
    sizes: dict[int, tuple[expr.Expr, int]] = field(default_factory=dict)
    inside: dict[str, DeclaredChances] = field(default_factory=dict)

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

    def of_child(self, program: p.Program, pipeline: p.Pipeline) -> DeclaredChances:
        """Those of a sub-pipeline, prepared at its first run for all others."""
        known = self.inside.get(pipeline.name)
        if known is None or known.pipeline is not pipeline:
            known = self.inside[pipeline.name] = DeclaredChances.of(program, pipeline, self.odds)
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

    def size(self, node: expr.Expr) -> int:
        """The most bytes of a text that stands for a value; worked out once too."""
        known = self.sizes.get(id(node))
        if known is None:
            bound = value_size(node.type).bound
            known = self.sizes[id(node)] = (node, LONG if bound is None else min(LONG, 3 * bound))
        return known[1]


LONG = 600
"""Bytes of a text that nothing bounds: as much as a gate's feedback may have."""
