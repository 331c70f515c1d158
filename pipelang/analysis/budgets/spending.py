"""The meter of a sweep over what budgets count: what an attempt takes of each limit.

An attempt at a model takes anything from nothing to what it reserves at the greatest lengths; it
reserves at least what its fixed text and its longest answer take. A tool's cost and a call are
certain. An agent's loop counts as a whole, from its first call to the dearest of its loops.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pipelang.analysis.budgets.limits import (
    ENDLESS,
    MONEY,
    STEPS,
    TOKENS,
    SpendLimit,
    at_least,
    at_most,
)
from pipelang.analysis.budgets.sheets import NO_WAYS, Sheet, SheetColumns
from pipelang.analysis.budgets.unreservable import least_reserved
from pipelang.analysis.kernels.calls import AskedOnce
from pipelang.analysis.latency.regions import waits
from pipelang.analysis.latency.worst_calls import CallCount
from pipelang.analysis.latency.worst_case import worst_loop, worst_step
from pipelang.analysis.latency.worst_cost import DearestRun, Worst
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.kernels.prices import MISFIT_TOKENS, dearest_input

ANYTHING = "anything"
"""Stands among the ways for every end that a run may come to."""

Taken = tuple[int, int, int]
"""The least and the most that is spent, and the least that is reserved."""


@dataclass(slots=True)
class SpendingMeter:
    """Sheets of attempts, in place of a meter of times; `largest` is the most that any one call
    reserves of each limit, `loops` the dearest of agents. `bounded` is there for whoever tells a
    meter that times are bounds.
    """

    columns: SheetColumns
    largest: dict[int, int] = field(default_factory=dict)
    known: dict[Any, Any] = field(default_factory=dict)
    loops: dict[Any, tuple[PipelineModel, Worst, int]] = field(default_factory=dict)
    later: dict[Any, tuple[PipelineModel, Any]] = field(default_factory=dict)
    most: dict[Any, tuple[int, int, int]] = field(default_factory=dict)
    regions: dict[int, dict[int, dict[int, frozenset[int]]]] = field(default_factory=dict)
    bounded: bool = False

    tells_again = True
    whole_loops = True
    counts_beside = True

    # ------------------------------------------------------------------ what takes time alone

    def taken(self, dollars: float, time: Any, people: Any = None) -> float:
        return 1.0

    def wait(self, longest: float) -> float:
        return 1.0

    def asks(self, role: p.Role, limit: Any) -> tuple[float, float]:
        return 1.0, 1.0

    def aside(self, weight: Any) -> Any:
        return weight

    def back(self, weight: Any) -> Any:
        return weight

    def mass(self, weight: Any) -> Any:
        """The chance of a sheet, whatever is spent."""
        return sum(weight.entries.values()) if isinstance(weight, Sheet) else weight

    # -------------------------------------------------------------------------------- calls

    def asked(self, attempt: AskedOnce, dollars: float, time: Any) -> Any:
        """One attempt at a model; those of an agent are counted by its loop."""
        if isinstance(attempt.asked, p.Agent):
            return 1.0
        model, cost, tier = attempt.model, attempt.cost, attempt.tier
        least = least_reserved(model.program, attempt.link, attempt.asked, tier)
        more = MISFIT_TOKENS if attempt.again else 0
        tokens = ENDLESS
        if cost.tokens_in.bound is not None and cost.tokens_out.bound is not None:
            tokens = cost.tokens_in.bound + cost.tokens_out.bound + more
        worst = at_most(cost.worst) if cost.priced else ENDLESS
        money = worst + at_most(dearest_input(tier) * more / 1_000_000)
        return self._call(
            model,
            {
                MONEY: (0, money, at_least(least.money)),
                TOKENS: (0, tokens, least.tokens),
                STEPS: (1, 1, 1),
            },
        )

    def called(self, model: PipelineModel, tool: p.Tool, time: Any) -> Any:
        """One attempt at a tool, which is billed whatever comes of it."""
        cost = at_most(tool.cost)
        return self._call(model, {MONEY: (cost, cost, cost), TOKENS: (0, 0, 0), STEPS: (1, 1, 1)})

    def loop(
        self,
        model: PipelineModel,
        step: p.Step,
        link: p.Link,
        agent: p.Agent,
        tiers: Sequence[Collection[str]],
    ) -> Any:
        """An agent's loop: at least its first call, at most its dearest. `tiers` are those that may
        be asked at each turn, the last of them at all that follow.
        """
        everyone = tuple(dict.fromkeys(tier for asked in tiers for tier in asked))
        place = id(model), id(link), frozenset(everyone)
        loop = self.loops.get(place)
        if loop is None:
            dearest = worst_loop(DearestRun(), model, step, link, agent, everyone)
            calls = worst_loop(CallCount(), model, step, link, agent, everyone)
            loop = self.loops[place] = (model, dearest, calls)
        _, dearest, calls = loop
        reserved = [
            least_reserved(model.program, link, agent, model.program.tiers[tier])
            for tier in tiers[0]
        ]
        money = min(at_least(least.money) for least in reserved)
        fewest = min(least.tokens for least in reserved)
        ways = NO_WAYS
        inside = frozenset[str]().union(*(limit.inside for limit in self.columns.limits))
        if inside.intersection(agent.pipelines):
            ways = frozenset((ANYTHING,))
        tokens = ENDLESS if dearest.tokens is None else dearest.tokens
        return self._call(
            model,
            {
                MONEY: (0, at_most(dearest.cost), money),
                TOKENS: (0, tokens, fewest),
                STEPS: (1, calls, 1),
            },
            ways,
        )

    def beside(self, model: PipelineModel, block: p.Block, index: int) -> Any:
        """The sheet of the steps beside one, written after it: what they may spend before it ends
        the run. They were begun, and a limit that they pass may end it first.
        """
        if self.columns.serial:
            return 1.0
        place = id(model), id(block), index
        if place not in self.later:  # the model is kept, so that its id is nobody else's
            self.later[place] = (model, self._beside(model, block, index))
        return self.later[place][1]

    def _beside(self, model: PipelineModel, block: p.Block, index: int) -> Any:
        if id(block) not in self.regions:
            self.regions[id(block)] = _waits_by_member(block)
        behind = self.regions[id(block)].get(index, {})
        later = [block.items[at] for at in behind if at > index and index not in behind[at]]
        steps = [self._most(model, item) for item in later if isinstance(item, p.Step)]
        if not steps:
            return 1.0
        most = dict(zip((MONEY, TOKENS, STEPS), map(sum, zip(*steps, strict=True)), strict=True))
        amounts: list[int] = []
        for limit in self.columns.limits:
            amounts += (0, most[limit.dimension] if self._counts(limit, model) else 0, 0)
        return self.columns.sheet(tuple(amounts))

    def _most(self, model: PipelineModel, step: p.Step) -> tuple[int, int, int]:
        """The money, the tokens and the calls that a step takes at most."""
        place = id(model), id(step)
        known = self.most.get(place)
        if known is None:
            worst = worst_step(DearestRun(), model, step)
            tokens = ENDLESS if worst.tokens is None else worst.tokens
            calls = worst_step(CallCount(), model, step)
            known = self.most[place] = at_most(worst.cost), tokens, calls
        return known

    def _call(
        self, model: PipelineModel, takes: dict[str, Taken], ways: frozenset[str] = NO_WAYS
    ) -> Any:
        """The sheet of a call in a pipeline: it counts for the budgets of all that run it."""
        amounts: list[int] = []
        for at, limit in enumerate(self.columns.limits):
            mine = takes[limit.dimension] if self._counts(limit, model) else (0, 0, 0)
            self.largest[at] = max(self.largest.get(at, 0), mine[1])
            amounts += mine
        key = (*amounts, ways)
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = self.columns.sheet(tuple(amounts), ways)
        return known

    def _counts(self, limit: SpendLimit, model: PipelineModel) -> bool:
        return model.pipeline.name in limit.inside


def _waits_by_member(block: p.Block) -> dict[int, dict[int, frozenset[int]]]:
    """For each member of a region, what each member of that region waits for."""
    found: dict[int, dict[int, frozenset[int]]] = {}
    for segment in block.segments:
        if isinstance(segment, p.Region):
            found |= dict.fromkeys(segment.members, waits(block.items, sorted(segment.members)))
    return found
