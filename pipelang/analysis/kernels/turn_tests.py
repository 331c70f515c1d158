"""Tests of what is left of a budget, before each turn of an agent: at which turns they are certain.

A test of one amount against a fixed one comes out otherwise once at most where nothing else spends
meanwhile: what is left gets less with every turn. Before the turn at which little may be left at
the soonest, the greatest amounts that may be spent leave more; from the one at which it must be,
the fewest calls that are made leave less. In between nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from pipelang.analysis.kernels.costs import rendered_cost
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.kernels.agent import CALLS_A_TURN, reads_budget
from pipelang.semantics.kernels.prices import MISFIT_TOKENS, dearest_input
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.walk import all_items, all_steps, blocks, inner_links, tiers_of

ROUNDED = Decimal("1.000000001")
"""Sums of dollars are floats: so much more is taken as possible."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """The turns (from 1) at which a test is known: it comes out as `little` from `last` on and not
    before `first`. `once`: it changes at most once on the way.
    """

    little: bool
    first: int
    last: int
    once: bool


@dataclass(frozen=True, slots=True)
class _Spent:
    """The most that is spent, of each dimension that adds up; None where nothing bounds it."""

    money: Decimal | None = Decimal(0)
    tokens: int | None = 0
    steps: int | None = 0

    def __add__(self, other: _Spent) -> _Spent:
        return _Spent(
            None if self.money is None or other.money is None else self.money + other.money,
            None if self.tokens is None or other.tokens is None else self.tokens + other.tokens,
            None if self.steps is None or other.steps is None else self.steps + other.steps,
        )

    def times(self, count: int) -> _Spent:
        return _Spent(
            None if self.money is None else self.money * count,
            None if self.tokens is None else self.tokens * count,
            None if self.steps is None else self.steps * count,
        )

    def of(self, what: str) -> Decimal | int | None:
        return {"money": self.money, "tokens": self.tokens, "steps": self.steps}.get(what)


NOTHING, ANYTHING = _Spent(), _Spent(None, None, None)


def certainty(
    model: PipelineModel, step: p.Step, link: p.Link, agent: p.Agent, test: expr.Expr, turns: int
) -> Certainty | None:
    """The turns of an agent at which a test is known; None for one that may come out any way."""
    read = _comparison(test)
    if read is None:
        return None
    left, amount, below, little = read
    once = left.what in ("time", "steps") or _alone(model.pipeline, step, link)
    budget = model.pipeline.budget
    limits = {
        "money": None if budget is None else budget.money,
        "tokens": None if budget is None else budget.tokens,
        "steps": None if budget is None else budget.steps,
    }
    if left.what not in limits:
        return Certainty(little, 1, turns + 1, once)
    limit = limits[left.what]
    if limit is None:
        return Certainty(little, turns + 1, turns + 1, once)  # of what has no limit all is left

    def is_little(spent: Decimal | int) -> bool:
        rest = limit - spent
        return rest < amount if below else rest <= amount

    most = _before_each_turn(model, step, link, agent, turns)
    first = next(
        (
            turn
            for turn, spent in enumerate(most, 1)
            if (so_much := spent.of(left.what)) is None or is_little(so_much)
        ),
        turns + 1,
    )
    last = turns + 1
    if left.what == "steps":
        last = next((turn for turn in range(1, turns + 1) if is_little(turn - 1)), last)
    return Certainty(little, first, last, once)


def _comparison(test: expr.Expr) -> tuple[expr.BudgetLeft, Decimal, bool, bool] | None:
    """A test taken apart: the amount that is left, the one that it is compared with, whether little
    is below that (or just as much, too), and how it comes out then; None for another test.
    """
    if not isinstance(test, expr.Compare) or test.op not in ("<", "<="):
        return None
    for left, other, little in ((test.left, test.right, True), (test.right, test.left, False)):
        if isinstance(left, expr.BudgetLeft) and not reads_budget(other):
            try:
                amount = fold(other)
            except NotConstant:
                return None
            return left, Decimal(amount), (test.op == "<") is little, little
    return None


def _before_each_turn(
    model: PipelineModel, step: p.Step, link: p.Link, agent: p.Agent, turns: int
) -> Iterator[_Spent]:
    """The most that a run has spent before each turn of an agent."""
    spent = _elsewhere(model, step, link)
    between = _most(_of_tool(model.program.tools[name]) for name in agent.tools)
    if agent.pipelines:
        between = ANYTHING
    for turn in range(1, turns + 1):
        yield spent
        asked = _most(_asked(model, step, link, agent, tier, turn) for tier in tiers_of(agent))
        spent = spent + asked + between.times(CALLS_A_TURN)


def _most(amounts: Iterable[_Spent]) -> _Spent:
    money: Decimal | None = Decimal(0)
    tokens: int | None = 0
    steps: int | None = 0
    for one in amounts:
        money = None if money is None or one.money is None else max(money, one.money)
        tokens = None if tokens is None or one.tokens is None else max(tokens, one.tokens)
        steps = None if steps is None or one.steps is None else max(steps, one.steps)
    return _Spent(money, tokens, steps)


def _asked(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    ask: p.AskTier | p.Agent,
    tier: str,
    turn: int,
) -> _Spent:
    """All attempts of a link at a tier."""
    cost = rendered_cost(model, step, link, ask, tier, turn, True)
    retries = link.retry.count
    money = tokens = None
    if cost.priced and cost.worst is not None:
        more = dearest_input(model.program.tiers[tier]) * MISFIT_TOKENS / 1_000_000
        money = Decimal(repr(cost.worst)) * ROUNDED * (retries + 1) + more * retries
    if cost.tokens_in.bound is not None and cost.tokens_out.bound is not None:
        bound = cost.tokens_in.bound + cost.tokens_out.bound
        tokens = bound * (retries + 1) + MISFIT_TOKENS * retries
    return _Spent(money, tokens, retries + 1)


def _of_tool(tool: p.Tool) -> _Spent:
    count = tool.retry.count + 1
    return _Spent(tool.cost * count, 0, count)


def _elsewhere(model: PipelineModel, step: p.Step, link: p.Link) -> _Spent:
    """The most that the rest of a pipeline spends, or may have spent when a link is tried."""
    pipeline = model.pipeline
    if link.vote is not None or not any(one is link for one in _plain_links(step.chain)):
        return ANYTHING
    if any(
        isinstance(item, (p.Gate, p.Person)) and redo_of(item) is not None
        for item in all_items(pipeline.block)
    ):
        return ANYTHING
    total = NOTHING
    for other in all_steps(pipeline):
        if other.name != step.name and _comes_after(pipeline, other, step):
            continue
        for one in inner_links(other.chain):
            if one is not link:
                total = total + _of_link(model, other, one)
    return total


def _plain_links(chain: p.Chain) -> Iterator[p.Link]:
    """The links of a chain, and those in a match over actions; not those of a list's elements."""
    todo = list(chain.links)
    while todo:
        one = todo.pop()
        yield one
        if isinstance(one.action, p.Choose):
            todo += [arm for _, arm in one.action.arms]


def _of_link(model: PipelineModel, step: p.Step, link: p.Link) -> _Spent:
    calls = 1 if link.vote is None else link.vote.calls
    match link.action:
        case p.AskTier() as ask:
            asked = (_asked(model, step, link, ask, tier, 1) for tier in tiers_of(ask))
            return _most(asked).times(calls)
        case p.Call():
            cost = model.program.tools[link.action.tool].cost
            count = calls * (link.retry.count + 1)
            return _Spent(cost * count, 0, count)
        case p.Value() | p.Recall() | p.AskRole() | p.Choose():
            return NOTHING
        case _:
            return ANYTHING


def _comes_after(pipeline: p.Pipeline, step: p.Step, first: p.Step) -> bool:
    """Whether a step surely begins after another one is over."""
    for block in blocks(pipeline.block):
        for segment in block.segments:
            if isinstance(segment, p.Region):
                names = [block.items[index] for index in segment.members]
                if _has(names, step) and _has(names, first):
                    return first.name in _behind(names)[step.name]
    order = [item.name for item in all_items(pipeline.block) if isinstance(item, p.Step)]
    return step.name in order and order.index(step.name) > order.index(first.name)


def _has(items: Iterable[p.Item], step: p.Step) -> bool:
    return any(isinstance(item, p.Step) and item.name == step.name for item in items)


def _behind(items: Sequence[p.Item]) -> dict[str, frozenset[str]]:
    """The items of a region that each of its items waits for, directly or not."""
    found: dict[str, frozenset[str]] = {}
    for item in items:
        assert isinstance(item, (p.Step, p.Let))
        direct = [name for name in item.reads if name in found]
        found[item.name] = frozenset(direct).union(*(found[name] for name in direct))
    return found


def _alone(pipeline: p.Pipeline, step: p.Step, link: p.Link) -> bool:
    """Whether nothing else of a pipeline spends while a link is tried."""
    if link.vote is not None and not isinstance(link.vote, p.Lead):
        return False
    for one in step.chain.links:
        lists = isinstance(one.action, p.Each) and not one.action.ordered
        if lists and any(inner is link for inner in inner_links(p.Chain((one,), None))):
            return False
    for block in blocks(pipeline.block):
        for segment in block.segments:
            if not isinstance(segment, p.Region):
                continue
            items = [block.items[index] for index in segment.members]
            if not _has(items, step):
                continue
            behind = _behind(items)
            return all(
                item.name == step.name
                or item.name in behind[step.name]
                or step.name in behind[item.name]
                for item in items
                if isinstance(item, p.Step)
            )
    return True
