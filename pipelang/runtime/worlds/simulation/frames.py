"""Frames: what a simulated run knows of the values of one pipeline, sub-pipeline or element.

A sub-pipeline has a frame of its own. What is said there of its parameters alone is said of the
caller's arguments, so the caller draws it, once per version, by its own shares if it has some. An
element of a list has a frame as well, which leaves everything that is not about the element to the
frame around it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from pipelang.records import dataclass, field
from pipelang.runtime.engine.world import Arms
from pipelang.runtime.worlds.simulation.declared_chances import DeclaredChances, UnknownChance
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.arms import OTHER, arm_test, is_closed, is_drawn_whole
from pipelang.semantics.fold import fold
from pipelang.semantics.kernels.agent import reads_budget
from pipelang.semantics.lengths import place_of
from pipelang.semantics.types import BOOL, EnumType


@dataclass(slots=True)
class Chances:
    """The state that all frames of a run share: the random source, and which providers are out."""

    source: random.Random
    outages: dict[str, bool] = field(default_factory=dict)

    def flip(self, share: float) -> bool:
        return self.source.random() < share


@dataclass(slots=True)
class LatentVerdicts:
    """The verdicts behind a step's answers: of its walk before this one, and of the last answer of
    the link that answers now.
    """

    former: tuple[bool, bool] | None = None
    last: tuple[bool, bool] | None = None
    link: p.Link | None = None


@dataclass(slots=True)
class SimulatedFrame:
    """`right` says of every value whether it is right, `versions` how often it was made, `drawn`
    what was drawn about them, `latents` the verdicts behind the answers of steps, `elements`
    whether each element of a list is right.

    `around` says whether what the whole frame hangs on is right. A sub-pipeline knows its `caller`
    and the `arguments`; an element knows the frame `outside` and its own `variable`. `left` works
    out what mentions no value but what is left of a budget.

    `free`: it plays what an earlier run has left in a cache, for nothing, and no outage of this run
    is one of that. `asked` are then the answers that the caller gave about the arguments.
    """

    facts: DeclaredChances
    chances: Chances
    spending: Any
    right: dict[str, bool] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    drawn: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    latents: dict[str, LatentVerdicts] = field(default_factory=dict)
    elements: dict[str, list[bool]] = field(default_factory=dict)
    around: bool = True
    caller: SimulatedFrame | None = None
    arguments: Mapping[str, expr.Expr] = field(default_factory=dict)
    outside: SimulatedFrame | None = None
    variable: str | None = None
    left: Callable[[expr.Expr], Any] | None = None
    free: bool = False
    asked: dict[expr.Expr, Any] | None = None

    # ------------------------------------------------------------------------- rightness

    def is_right_by_name(self, name: str) -> bool:
        """Whether a value is right; one that was never made is."""
        if self.outside is not None and name != self.variable:
            return self.outside.is_right_by_name(name)
        return self.right.get(name, True)

    def is_right(self, node: expr.Expr) -> bool:
        """Whether everything that an expression mentions is right; the root's inputs always are."""
        return all(self.is_right_by_name(name) for name in self.facts.mentions(node))

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

    def _key(self, kind: str, node: expr.Expr) -> tuple[Any, ...]:
        versions = self.versions
        names = self.facts.names_in(node)
        return (kind, node, *[(name, versions.get(name, 0)) for name in names])

    def holds(self, test: expr.Expr, right: float, wrong: float) -> bool:
        """A test by its rates: how often it holds given that what it mentions is right, or not. One
        of what is left of a budget is drawn anew at each place that asks.
        """
        key = self._key("test", test)
        if reads_budget(test):
            key = (*key, test.span.start)
        if key not in self.drawn:
            self.drawn[key] = self.chances.flip(right if self.is_right(test) else wrong)
        return bool(self.drawn[key])

    def forget_left(self, node: expr.Expr) -> None:
        """Forget how the tests of what is left of a budget came out in an expression: the next time
        they are drawn anew.
        """
        node = self.facts.open(node)
        tests = [part for part in expr.walk(node) if part.type == BOOL and reads_budget(part)]
        tests += [opposite for part in tests if (opposite := _opposite(part)) is not None]
        places = {test.span.start for test in tests}
        frame: SimulatedFrame | None = self
        while frame is not None:
            for key in list(frame.drawn):
                if key[0] == "test" and key[1] in tests and key[-1] in places:
                    del frame.drawn[key]
            frame = frame.outside

    def judge(self, test: expr.Expr, name: str | None, evidence: p.TestEvidence | None) -> bool:
        """Draw the verdict of a gate or branch."""
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

    def value(self, node: expr.Expr, own: str | None = None) -> Any:
        """The value of an expression over bools, enums and tiers, from draws."""
        constant = self.facts.constant(node)
        if constant is not None:
            return constant[0]
        if self.outside is not None and self.variable not in self.facts.names_in(node):
            return self.outside.value(node, own)
        facts = self.facts
        if node in facts.conditions:
            return self._condition(node, facts.conditions[node])
        if node in facts.paths and drawable(node):
            return self._path(node, facts.paths[node])
        match node:
            case expr.Not():
                return not self.value(node.operand, own)
            case expr.Logic(op="and"):
                return self.value(node.left, own) and self.value(node.right, own)
            case expr.Logic():
                return self.value(node.left, own) or self.value(node.right, own)
            case expr.Choice():
                taken = node.then if self.value(node.condition, own) else node.otherwise
                return self.value(taken, own)
            case expr.Select():
                seen = self.subject(node.subject, [taken for taken, _ in node.arms], own)
                for values, arm in node.arms:
                    if values is None or seen in values:
                        return self.value(arm, own)
                raise LookupError(f"no arm takes {seen!r}")
            case expr.Member() if isinstance(node.collection, expr.MakeList) and drawable(
                node.item
            ):
                item = self.value(node.item, own)
                return item in [self.value(part, own) for part in node.collection.items]
            case expr.Compare():
                return self._compare(node, own)
            case expr.Builtin() if (lowest := self._lowest(node, own)) is not None:
                return lowest
            case _ if is_drawn_whole(node):
                return self._path(node, facts.paths.get(node))
            case _:
                return self._unknown(node)

    def subject(self, node: expr.Expr, arms: Arms, own: str | None = None) -> Any:
        """The value of a match's subject, or one that the arm it takes has."""
        if is_closed(node):
            return self.value(node, own)
        constant = self.facts.constant(node)
        if constant is not None:
            return constant[0]
        for taken in arms:
            if taken and self.value(arm_test(node, taken), own):
                return taken[0]
        return OTHER

    def _compare(self, node: expr.Compare, own: str | None) -> Any:
        facts = self.facts
        if node.op == "==" and drawable(node.left):
            return self.value(node.left, own) == self.value(node.right, own)
        opposite = _opposite(node)
        if opposite is not None:
            if opposite in facts.conditions:
                return not self.value(opposite, own)
            sides = [self._confidence(node.left, own), self._confidence(node.right, own)]
            if None not in sides:
                left, right = sides
                return left < right if node.op == "<" else left <= right
        return self._unknown(node)

    def _lowest(self, node: expr.Builtin, own: str | None) -> bool | None:
        """Whether the lowest confidence of a list's elements passes a test of all of them: each is
        that of a row of the evidence. None for another test.
        """
        compare = expr.of_lowest(node)
        if compare is None:
            return None
        read = next(part for part in expr.walk(compare) if isinstance(part, expr.Read))
        file = own or self.facts.files.get(read.name)
        if file is None or read.name not in self.elements:
            return None
        key = self._key(f"lowest {file}", read)
        if key not in self.drawn:
            choice = self.chances.source.choice
            rows = [self.facts.rows[file, right] for right in self.elements[read.name]]
            if not all(rows):
                raise UnknownChance(f"{file}: no rows of this kind")
            sure = [row for one in rows if (row := choice(one).confidence) is not None]
            self.drawn[key] = min(sure, default=None)
        lowest = self.drawn[key]
        if lowest is None:
            return node.function == "all"
        left, right = (
            lowest if isinstance(side, expr.Field) else fold(side)
            for side in (compare.left, compare.right)
        )
        return bool(left < right if compare.op == "<" else left <= right)

    def _confidence(self, node: expr.Expr, own: str | None) -> Any:
        """A constant, or a step's confidence: that of a row of its evidence."""
        if isinstance(node, expr.Const):
            return node.value
        path = expr.path_of(node)
        if path is None or len(path) != 2 or path[1] != "confidence":
            return None
        file = own or self.facts.files.get(path[0])
        if file is None:
            return None
        key = self._key(f"confidence {file}", node)
        if key not in self.drawn:
            rows = self.facts.rows[file, self.is_right_by_name(path[0])]
            if not rows:
                raise UnknownChance(f"{file}: no rows of this kind")
            self.drawn[key] = self.chances.source.choice(rows).confidence
        return self.drawn[key]

    # -------------------------------------------------------------------- atoms and callers

    def _about_arguments(self, node: expr.Expr) -> bool:
        """Whether an atom is about parameters alone, so that the caller draws it."""
        if self.caller is None:
            return False
        names = self.facts.names_in(node)
        return bool(names) and all(name in self.arguments for name in names)

    def _condition(self, node: expr.Expr, share: p.ConditionShare | None) -> Any:
        if self._about_arguments(node):
            return self._inherited(node, share)
        assert share is not None
        odds = self.facts.odds
        return self.holds(node, odds.of(share.right), odds.of(share.wrong))

    def _path(self, node: expr.Expr, share: p.PathShares | None) -> Any:
        if self._about_arguments(node):
            return self._inherited(node, share)
        key = self._key("path", node)
        if key not in self.drawn:
            odds = self.facts.odds
            if share is None:
                odds.open(expr.show(node))
                members = node.type.members if isinstance(node.type, EnumType) else (True, False)
                self.drawn[key] = members[0 if odds.unknown else -1]
            else:
                values = [value for value, _ in share.shares]
                weights = [odds.of(part) for _, part in share.shares]
                self.drawn[key] = self.chances.source.choices(values, weights)[0]
        return self.drawn[key]

    def _unknown(self, node: expr.Expr) -> Any:
        if self.left is not None and is_of_budget(node):
            return self.left(node)
        if self._about_arguments(node):
            return self._inherited(node, None)
        unknown = self.facts.odds.open(expr.show(node))
        return self.holds(node, unknown, unknown)

    def _inherited(self, node: expr.Expr, share: p.PathShares | p.ConditionShare | None) -> Any:
        """Ask the caller about its arguments."""
        assert self.caller is not None
        found = self.caller.inherit(self.facts.about(node, self.arguments), share)
        if self.asked is not None:
            self.asked[node] = found
        return found

    def inherit(self, node: expr.Expr, share: p.PathShares | p.ConditionShare | None) -> Any:
        """Draw what a sub-pipeline asks about its argument: from facts here, else by its share."""
        node = self.facts.open(node)
        if self.outside is not None and self.variable not in self.facts.names_in(node):
            return self.outside.inherit(node, share)
        if share is None or self.knows(node):
            return self.value(node)
        if isinstance(share, p.PathShares):
            return self._path(node, share)
        return self._condition(node, share)

    def knows(self, node: expr.Expr) -> bool:
        """Whether somebody said here how an expression comes out."""
        facts = self.facts
        if facts.constant(node) is not None:
            return True
        if node in facts.conditions or node in facts.paths:
            return True
        match node:
            case expr.Not() | expr.Logic() | expr.Choice() | expr.Select():
                return all(map(self.knows, expr.parts(node)))
            case expr.Member(collection=expr.MakeList() as listed):
                return all(map(self.knows, (node.item, *listed.items)))
            case expr.Compare(op="==") if drawable(node.left):
                return self.knows(node.left) and self.knows(node.right)
            case expr.Compare():
                if _opposite(node) in facts.conditions:
                    return True
            case _:
                pass
        if self._about_arguments(node):
            assert self.caller is not None
            return self.caller.knows(self.caller.facts.open(self.facts.about(node, self.arguments)))
        return False

    # ------------------------------------------------------------------------------ lists

    def length(self, elements: expr.Expr, most: int, known_mean: Any = None) -> int:
        """Draw the length of a list: as it is written, by the mean that is known here or
        `known_mean` by a sub-pipeline about its argument, else by the chance of unknowns.
        """
        elements = self.facts.open(elements)
        if isinstance(elements, expr.MakeList):
            return len(elements.items)
        if self.outside is not None and self.variable not in self.facts.names_in(elements):
            return self.outside.length(elements, most, known_mean)
        path = place_of(elements, self.facts.lets if self.facts.means else {})
        mean = known_mean if path is None else self.facts.means.get((*path, "length"), known_mean)
        if self._about_arguments(elements):
            assert self.caller is not None
            length = self.caller.length(self.facts.about(elements, self.arguments), most, mean)
            if self.asked is not None:
                self.asked[elements] = length
            return length
        return self._length(elements, most, mean)

    def _length(self, elements: expr.Expr, most: int, mean: Any) -> int:
        key = self._key("length", elements)
        if key not in self.drawn:
            if mean is None:
                unknown = self.facts.odds.open(f"{expr.show(elements)}.length")
                self.drawn[key] = 0 if unknown else most
            else:
                low = int(mean)
                self.drawn[key] = low + self.chances.flip(float(mean - low))
        return int(self.drawn[key])


@dataclass(frozen=True, slots=True)
class DrawnPrompt:
    """Values that a run has drawn of a prompt: the way that a branch of its template takes,
    the length of a list, the text of a gate's feedback.
    """

    frame: SimulatedFrame
    feedback: str | None

    def holds(self, path: expr.Expr) -> bool | None:
        """Whether the value at a path counts as true; None where nobody said how often."""
        node = self.frame.facts.open(path)
        if not drawable(node) or not self.frame.knows(node):
            return None
        return bool(self.frame.value(node))

    def length(self, elements: expr.Expr) -> int | None:
        """The length of a list of which a mean is declared."""
        try:
            return self.frame.length(elements, 0)
        except UnknownChance:
            return None


def is_of_budget(node: expr.Expr) -> bool:
    """Whether an expression asks for nothing but what is left of a budget."""
    return reads_budget(node) and not expr.mentions(node)


def _opposite(node: expr.Expr) -> expr.Expr | None:
    """The comparison that holds where this one does not; None for one that is no inequality."""
    flipped = {"<": "<=", "<=": "<"}.get(node.op) if isinstance(node, expr.Compare) else None
    if flipped is None or not isinstance(node, expr.Compare):
        return None
    return expr.Compare(flipped, node.right, node.left, node.type)


def drawable(node: expr.Expr) -> bool:
    """Whether an expression has one of a few values: a bool or an enum."""
    return node.type == BOOL or isinstance(node.type, EnumType)
