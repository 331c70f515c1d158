"""Routes of an agent's turns, where what is left of the budget decides before each of them.

What hangs on anything else is drawn once, as in every route. Of a test of what is left, `traffic`
may say how often it holds: then each turn draws it anew. Where nobody says, it is unknown: at which
turn little is left for the first time is one draw of unknown shares, and where more may be left
again (others spend side by side) each turn has a share of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import Draw, expression_plan
from pipelang.analysis.kernels.turn_tests import Certainty, certainty
from pipelang.analysis.model.model import RIGHT, PipelineModel
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import reads_budget
from pipelang.semantics.types import EnumType

Odds = tuple[tuple[int, Any, bool], ...]
"""Tests with what they come to, and whether what they are about is right: by their places."""

TurnMix = tuple[tuple[str, Odds], ...]
"""The tiers that may be asked at a turn, each with how the tests come out then."""


@dataclass(frozen=True, slots=True)
class LeftTest:
    """A test of what is left that may come out any way at every turn, but for those at which it is
    `known`. `draw` says how often it comes to what, or is None where nobody does.
    """

    key: Key
    values: tuple[Any, ...]
    site: str
    known: Certainty | None
    draw: Draw | None = None

    def at(self, turn: int, right: bool) -> list[tuple[Any, bool]]:
        """Return what it may come to at a turn, if what it is about is right or not."""
        if not self.is_certain(turn):
            return [(value, right) for value in self.values]
        assert self.known is not None
        return [((turn >= self.known.last) is self.known.little, True)]

    def is_certain(self, turn: int) -> bool:
        return self.known is not None and not self.known.first <= turn < self.known.last


@dataclass(frozen=True, slots=True)
class LeftSwitch:
    """A test of what is left that changes once: `key` is the draw of the turn at which it does,
    None where that turn is certain.
    """

    test: Key
    known: Certainty
    key: Key | None


@dataclass(slots=True)
class TurnRoute:
    """The route of an agent by turn; `draws` are those that are made before its loop begins, and
    it `reads` those that are not about what is left. `mixes` are known by what they hang on.
    """

    model: PipelineModel
    compute: Callable[[dict[Key, Any]], Any]
    draws: list[Draw] = field(default_factory=list)
    tests: list[LeftTest] = field(default_factory=list)
    switches: list[LeftSwitch] = field(default_factory=list)
    reads: tuple[Key, ...] = ()
    mixes: dict[tuple[Any, ...], TurnMix] = field(default_factory=dict)

    def asked(self, values: dict[Key, Any], turns: int) -> tuple[TurnMix, ...]:
        """Return who may be asked at each of so many turns, given what was drawn."""
        read = tuple(values[key] for key in self.reads)
        rights = tuple(_is_right(test, values) for test in self.tests)
        changes = [
            switch.known.first if switch.key is None else values[switch.key]
            for switch in self.switches
        ]
        found = []
        for turn in range(1, turns + 1):
            changed = tuple(turn >= at for at in changes)
            certain = tuple(test.is_certain(turn) for test in self.tests)
            key = (read, rights, changed, certain, turn if any(certain) else None)
            mix = self.mixes.get(key)
            if mix is None:
                mix = self.mixes[key] = self._mix(values, turn, rights, changed)
            found.append(mix)
        return tuple(found)

    def _mix(
        self,
        values: dict[Key, Any],
        turn: int,
        rights: tuple[bool, ...],
        changed: tuple[bool, ...],
    ) -> TurnMix:
        here = dict(values)
        for switch, has in zip(self.switches, changed, strict=True):
            here[switch.test] = has is switch.known.little
        ways: dict[str, list[Odds]] = {}
        outcomes = [test.at(turn, right) for test, right in zip(self.tests, rights, strict=True)]
        for taken in product(*outcomes):
            mine = dict(here)
            for test, (value, _) in zip(self.tests, taken, strict=True):
                mine[test.key] = value
            odds = tuple((at, value, right) for at, (value, right) in enumerate(taken))
            ways.setdefault(self.compute(mine), []).append(odds)
        if len(ways) == 1:
            return ((next(iter(ways)), ()),)
        return tuple((tier, odds) for tier, found in ways.items() for odds in found)

    def weight(self, odds: Odds, turn: int) -> Any:
        """Return the chance that tests come out so at a turn."""
        total: Any = 1.0
        for at, value, right in odds:
            test = self.tests[at]
            if not test.is_certain(turn):
                total = total * self._shares(test, turn, right)[value]
        return total

    def _shares(self, test: LeftTest, turn: int, right: bool) -> dict[Any, Any]:
        if test.draw is not None:
            return dict(test.draw.outcomes(right))
        shares = self.model.parameters.stick(f"{test.site}@{turn}", len(test.values))
        return dict(zip(test.values, shares, strict=True))


def _is_right(test: LeftTest, values: dict[Key, Any]) -> bool:
    given = () if test.draw is None else test.draw.given
    return all(values[key] in (RIGHT, None) for key in given)


def turn_route(
    model: PipelineModel, step: p.Step, link: p.Link, agent: p.Agent, place: str
) -> TurnRoute:
    """The route of an agent that is chosen by turn; `place` names it in sites."""
    plan = expression_plan(model, agent.who)
    made = TurnRoute(model, plan.compute)
    turns = agent.turns or agent.steps
    for draw in plan.draws:
        node = draw.key[1]
        if not isinstance(node, expr.Expr) or not reads_budget(node):
            made.draws.append(draw)
            continue
        site = f"{place}.left:{expr.brief(node)}"
        if draw.known:
            values = tuple(value for value, _ in draw.outcomes(True))
            made.tests.append(LeftTest(draw.key, values, site, None, draw))
            continue
        known = certainty(model, step, link, agent, node, turns)
        if known is None or not known.once:
            values = node.type.members if isinstance(node.type, EnumType) else (True, False)
            made.tests.append(LeftTest(draw.key, values, site, known))
            continue
        switch: Key | None = None
        if known.first < known.last:
            switch = ("switch", site)
            made.draws.append(_when(model, switch, site, known))
        made.switches.append(LeftSwitch(draw.key, known, switch))
    drawn = {switch.key for switch in made.switches}
    made.reads = tuple(draw.key for draw in made.draws if draw.key not in drawn)
    return made


def _when(model: PipelineModel, key: Key, site: str, known: Certainty) -> Draw:
    """The draw of the first turn at which little is left."""
    count = known.last - known.first + 1

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        return list(enumerate(model.parameters.stick(site, count), known.first))

    return Draw(key, (), outcomes, known=False)
