"""Frames: what a simulated run knows of the values of one pipeline, sub-pipeline or element.

A sub-pipeline has a frame of its own. What is said there of its parameters alone is said of the
caller's arguments, so the caller draws it, once per version, by its own shares if it has some. An
element of a list has a frame as well, which leaves everything that is not about the element to the
frame around it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelang.runtime.engine.world import Arms
from pipelang.runtime.worlds.simulation.declared_chances import Facts, UnknownChance
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.arms import OTHER, arm_test, is_closed
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import BOOL, EnumType


@dataclass(slots=True)
class Chances:
    """What all frames of a run share: the source of chance, and which providers are out."""

    source: random.Random
    outages: dict[str, bool] = field(default_factory=dict)

    def flip(self, share: float) -> bool:
        return self.source.random() < share


@dataclass(slots=True)
class Latents:
    """The verdicts behind a step's answers: of its walk before this one, and of the last answer of
    the link that answers now.
    """

    former: tuple[bool, bool] | None = None
    last: tuple[bool, bool] | None = None
    link: p.Link | None = None


@dataclass(slots=True)
class Frame:
    """`right` is every value's ghost, `versions` how often it was made, `drawn` what was drawn
    about them, `latents` the verdicts behind the answers of steps.

    `around` says whether what the whole frame hangs on is right. A sub-pipeline knows its `caller`
    and the `arguments`; an element knows the frame `outside` and its own `variable`.
    """

    facts: Facts
    chances: Chances
    spending: Any
    right: dict[str, bool] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    drawn: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    latents: dict[str, Latents] = field(default_factory=dict)
    around: bool = True
    caller: Frame | None = None
    arguments: Mapping[str, ir.Expr] = field(default_factory=dict)
    outside: Frame | None = None
    variable: str | None = None

    # ------------------------------------------------------------------------- rightness

    def is_right_by_name(self, name: str) -> bool:
        """Whether a value is right; one that was never made is."""
        if self.outside is not None and name != self.variable:
            return self.outside.is_right_by_name(name)
        return self.right.get(name, True)

    def is_right(self, expr: ir.Expr) -> bool:
        """Whether everything that an expression mentions is right; the root's inputs always are."""
        return all(self.is_right_by_name(name) for name in ir.mentions(self.facts.open(expr)))

    def make(self, step: str, right: bool) -> None:
        """A step's value was made (again)."""
        self.right[step] = right
        self.versions[step] = self.versions.get(step, 0) + 1

    def out(self, provider: p.Provider) -> bool:
        """Whether a provider is out during this run."""
        outages = self.chances.outages
        if provider.name not in outages:
            outages[provider.name] = not self.chances.flip(self.facts.odds.of(provider.available))
        return outages[provider.name]

    # ------------------------------------------------------------------------------ draws

    def _key(self, kind: str, expr: ir.Expr) -> tuple[Any, ...]:
        names = sorted(ir.mentions(expr))
        return (kind, expr, *((name, self.versions.get(name, 0)) for name in names))

    def holds(self, test: ir.Expr, right: float, wrong: float) -> bool:
        """A test by its rates: how often it holds given that what it mentions is right, or not."""
        key = self._key("test", test)
        if key not in self.drawn:
            self.drawn[key] = self.chances.flip(right if self.is_right(test) else wrong)
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
        if self.outside is not None and self.variable not in ir.mentions(expr):
            return self.outside.value(expr, own)
        facts = self.facts
        if expr in facts.conditions:
            return self._condition(expr, facts.conditions[expr])
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
                seen = self.subject(expr.subject, [taken for taken, _ in expr.arms], own)
                for values, arm in expr.arms:
                    if values is None or seen in values:
                        return self.value(arm, own)
                raise LookupError(f"no arm takes {seen!r}")
            case ir.Member() if isinstance(expr.collection, ir.MakeList) and drawable(expr.item):
                item = self.value(expr.item, own)
                return item in [self.value(part, own) for part in expr.collection.items]
            case ir.Compare():
                return self._compare(expr, own)
            case _ if ir.path_of(expr) is not None and drawable(expr):
                return self._path(expr, facts.paths.get(expr))
            case _:
                return self._unknown(expr)

    def subject(self, expr: ir.Expr, arms: Arms, own: str | None = None) -> Any:
        """The value of a match's subject, or one that the arm it takes has."""
        if is_closed(expr):
            return self.value(expr, own)
        try:
            return fold(expr)
        except NotConstant:
            pass
        for taken in arms:
            if taken and self.value(arm_test(expr, taken), own):
                return taken[0]
        return OTHER

    def _compare(self, expr: ir.Compare, own: str | None) -> Any:
        facts = self.facts
        if expr.op == "==" and drawable(expr.left):
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
        return self._unknown(expr)

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
            rows = self.facts.rows[file, self.is_right_by_name(path[0])]
            if not rows:
                raise UnknownChance(f"{file}: no rows of this kind")
            self.drawn[key] = self.chances.source.choice(rows).confidence
        return self.drawn[key]

    # -------------------------------------------------------------------- atoms and callers

    def _about_arguments(self, expr: ir.Expr) -> bool:
        """Whether an atom is about parameters alone, so that the caller draws it."""
        return (
            self.caller is not None
            and bool(ir.mentions(expr))
            and (ir.mentions(expr) <= self.arguments.keys())
        )

    def _condition(self, expr: ir.Expr, share: p.ConditionShare | None) -> Any:
        if self._about_arguments(expr):
            assert self.caller is not None
            return self.caller.inherit(ir.substitute(expr, self.arguments), share)
        assert share is not None
        odds = self.facts.odds
        return self.holds(expr, odds.of(share.right), odds.of(share.wrong))

    def _path(self, expr: ir.Expr, share: p.PathShares | None) -> Any:
        if self._about_arguments(expr):
            assert self.caller is not None
            return self.caller.inherit(ir.substitute(expr, self.arguments), share)
        key = self._key("path", expr)
        if key not in self.drawn:
            odds = self.facts.odds
            if share is None:
                odds.open(ir.show(expr))
                members = expr.type.members if isinstance(expr.type, EnumType) else (True, False)
                self.drawn[key] = members[0 if odds.unknown else -1]
            else:
                values = [value for value, _ in share.shares]
                weights = [odds.of(part) for _, part in share.shares]
                self.drawn[key] = self.chances.source.choices(values, weights)[0]
        return self.drawn[key]

    def _unknown(self, expr: ir.Expr) -> Any:
        if self._about_arguments(expr):
            assert self.caller is not None
            return self.caller.inherit(ir.substitute(expr, self.arguments), None)
        unknown = self.facts.odds.open(ir.show(expr))
        return self.holds(expr, unknown, unknown)

    def inherit(self, expr: ir.Expr, share: p.PathShares | p.ConditionShare | None) -> Any:
        """What a sub-pipeline asks about its argument: by what is known here, else by its share."""
        expr = self.facts.open(expr)
        if self.outside is not None and self.variable not in ir.mentions(expr):
            return self.outside.inherit(expr, share)
        if share is None or self.knows(expr):
            return self.value(expr)
        if isinstance(share, p.PathShares):
            return self._path(expr, share)
        return self._condition(expr, share)

    def knows(self, expr: ir.Expr) -> bool:
        """Whether somebody said here how an expression comes out."""
        try:
            fold(expr)
        except NotConstant:
            pass
        else:
            return True
        facts = self.facts
        if expr in facts.conditions or expr in facts.paths:
            return True
        match expr:
            case ir.Not() | ir.Logic() | ir.Choice() | ir.Select():
                return all(map(self.knows, ir.parts(expr)))
            case ir.Member(collection=ir.MakeList() as listed):
                return all(map(self.knows, (expr.item, *listed.items)))
            case ir.Compare(op="==") if drawable(expr.left):
                return self.knows(expr.left) and self.knows(expr.right)
            case ir.Compare():
                flipped = {"<": "<=", "<=": "<"}.get(expr.op, "")
                opposite = ir.Compare(flipped, expr.right, expr.left, expr.type)
                if flipped and opposite in facts.conditions:
                    return True
            case _:
                pass
        if self._about_arguments(expr):
            assert self.caller is not None
            return self.caller.knows(self.caller.facts.open(ir.substitute(expr, self.arguments)))
        return False

    # ------------------------------------------------------------------------------ lists

    def length(self, elements: ir.Expr, most: int, told: Any = None) -> int:
        """How long a list is: as it is written, by the mean that is known here or `told` by a
        sub-pipeline about its argument, else by what unknowns count as.
        """
        elements = self.facts.open(elements)
        if isinstance(elements, ir.MakeList):
            return len(elements.items)
        if self.outside is not None and self.variable not in ir.mentions(elements):
            return self.outside.length(elements, most, told)
        path = ir.path_of(elements)
        mean = told if path is None else self.facts.means.get((*path, "length"), told)
        if self._about_arguments(elements):
            assert self.caller is not None
            return self.caller.length(ir.substitute(elements, self.arguments), most, mean)
        return self._length(elements, most, mean)

    def _length(self, elements: ir.Expr, most: int, mean: Any) -> int:
        key = self._key("length", elements)
        if key not in self.drawn:
            if mean is None:
                unknown = self.facts.odds.open(f"{ir.show(elements)}.length")
                self.drawn[key] = 0 if unknown else most
            else:
                low = int(mean)
                self.drawn[key] = low + self.chances.flip(float(mean - low))
        return int(self.drawn[key])


def drawable(expr: ir.Expr) -> bool:
    """Whether an expression has one of a few values: a bool or an enum."""
    return expr.type == BOOL or isinstance(expr.type, EnumType)
