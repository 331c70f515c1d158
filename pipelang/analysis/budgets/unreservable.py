"""Calls that a budget can never carry, and attempts that its time does not hold.

The worst case of a call is reserved before it is made. A part of every reservation of a call (the
fixed text of its prompt, the schema of its answer, the longest answer) is known from the text; if
that alone is more than a limit, no run makes the call. For `budget N steps` the calls that every
run makes before it count too. A sub-pipeline reserves in the budgets around it as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelang.analysis.kernels.prompt_size import least_prompt
from pipelang.analysis.kernels.providers import tiers_of
from pipelang.diagnostics import Diagnostic, Span, codes, report
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import longest_wait
from pipelang.semantics.kernels.prices import dearest_input
from pipelang.semantics.kernels.run import run_by_link
from pipelang.semantics.quantities import dollars_beside, plain, show_duration
from pipelang.semantics.sizes import output_limit, reserved_output
from pipelang.semantics.walk import agent_of, all_steps, inner_links

HALF = Decimal("0.5")
"""The share of the price that a call in a batch reserves."""


@dataclass(frozen=True, slots=True)
class Called:
    """A link that calls something in a run of a pipeline: the step's name, with that of the
    sub-pipeline that it stands in, and the place to point to.
    """

    name: str
    link: p.Link
    span: Span


@dataclass(frozen=True, slots=True)
class Least:
    """The least that is reserved for a call, and the sums behind the dollars and the tokens."""

    money: Decimal
    tokens: int
    sum_of_money: str
    sum_of_tokens: str = ""


def budget_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Findings about the budget of a pipeline itself."""
    budget = pipeline.budget
    if budget is None:
        return
    for called in _calls(program, pipeline):
        words: dict[str, Any] = {"step": called.name, "name": pipeline.name}
        why = _never(program, budget, called.link)
        if why is not None:
            yield report(codes.NEVER_RESERVED, called.span, why=why, **words)
        if budget.seconds is not None:
            limit = show_duration(budget.seconds)
            for what in _too_long(program, called.link, budget.seconds):
                yield report(codes.BEYOND_TIME, called.span, what=what, limit=limit, **words)
    if budget.steps is not None:
        from pipelang.analysis.budgets.fewest_calls import call_beyond

        beyond = call_beyond(program, pipeline, budget.steps)
        if beyond is not None:
            item, count = beyond
            why = f"at least {count:,} calls come first, and the budget is {budget.steps:,} steps"
            words = {"step": item.name, "name": pipeline.name}
            yield report(codes.NEVER_RESERVED, item.span, why=why, **words)


def _calls(program: p.Program, pipeline: p.Pipeline) -> Iterator[Called]:
    """Every link of a pipeline, and of those that it runs: these at the place that runs them, once
    for each place.
    """
    for called in _own_calls(pipeline):
        yield called
        seen = set[str]()
        ahead = [(name, name) for name in reversed([*run_by_link(called.link)])]
        while ahead:
            name, path = ahead.pop()
            if name not in seen:
                seen.add(name)
                for inner in _own_calls(program.pipelines[name]):
                    yield Called(f"{path}.{inner.name}", inner.link, called.span)
                    further = reversed([*run_by_link(inner.link)])
                    ahead += [(one, f"{path}.{one}") for one in further]


def _own_calls(pipeline: p.Pipeline) -> Iterator[Called]:
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            yield Called(step.name, link, link.span)


# ---------------------------------------------------------------------------- money and tokens


def _never(program: p.Program, budget: p.Budget, link: p.Link) -> str | None:
    """Reason why no run reserves a call of a link; None if some may."""
    found = [_unfit(budget, least) for least in _reservations(program, link)]
    chosen_by_budget = isinstance(link.action, (p.AskTier, p.Agent)) and any(
        isinstance(part, expr.BudgetLeft) for part in expr.walk(link.action.who)
    )
    if chosen_by_budget and not all(found):
        return None
    return next((why for why in found if why), None)


def _unfit(budget: p.Budget, least: Least) -> str | None:
    if budget.money is not None and least.money > budget.money:
        needs = dollars_beside(least.money, budget.money)
        return f"it reserves at least {needs} ({least.sum_of_money}) of ${plain(budget.money)}"
    if budget.tokens is not None and least.tokens > budget.tokens:
        needs = f"{least.tokens:,} tokens"
        return f"it reserves at least {needs} ({least.sum_of_tokens}) of {budget.tokens:,}"
    return None


def _reservations(program: p.Program, link: p.Link) -> Iterator[Least]:
    """The least that each kind of call of a link reserves."""
    action = link.action
    if isinstance(action, p.Call):
        cost = program.tools[action.tool].cost
        yield Least(cost, 0, "the cost of a call")
        return
    asked = agent_of(action) or action
    if not isinstance(asked, (p.AskTier, p.Cascade, p.Agent)):
        return
    for name in tiers_of(action):
        yield least_reserved(program, link, asked, program.tiers[name])


def least_reserved(
    program: p.Program, link: p.Link, asked: p.AskTier | p.Cascade | p.Agent, tier: p.Tier
) -> Least:
    """The least that is reserved for one call of a link at a tier, whatever the values are."""
    limit = output_limit(link, asked.answers)
    tokens_out = reserved_output(link, limit)
    tokens_in, name = least_prompt(program, asked), tier.name
    price_in, price_out = dearest_input(tier), tier.prices.get("out", Decimal(0))
    money = (tokens_in * price_in + tokens_out * price_out) / 1_000_000
    priced = (
        f"at `{name}` {tokens_in:,} tokens in at ${plain(price_in)} and {tokens_out:,} out at"
        f" ${plain(price_out)} a million"
    )
    if link.batch is not None:
        money, priced = money * HALF, f"{priced}, half of it in a batch"
    counted = f"at `{name}` {tokens_in:,} in and {tokens_out:,} out"
    return Least(money, tokens_in + tokens_out, priced, counted)


# ---------------------------------------------------------------------------------------- time


def _too_long(program: p.Program, link: p.Link, seconds: Decimal) -> Iterator[str]:
    """Wait of a link that is longer than a time."""
    action = link.action
    if isinstance(action, p.AskRole):
        return  # people's time is none of the budget's
    tool = program.tools[action.tool] if isinstance(action, p.Call) else None
    timeout = link.timeout or (None if tool is None else tool.timeout)
    if timeout is not None and timeout > seconds:
        yield f"an attempt may take {show_duration(timeout)}"
    elif timeout is None:
        slow = [program.tiers[name].latency for name in tiers_of(action)]
        slow += [] if tool is None else [tool.latency]
        medians = [spread.median for spread in slow if spread is not None]
        if medians and min(medians) > seconds:
            yield f"every second attempt takes longer than {show_duration(min(medians))}"
    if link.batch is not None and link.batch > seconds:
        yield f"its batch may take {show_duration(link.batch)}"
    waits = [longest_wait(link.retry, number) for number in range(1, link.retry.count + 1)]
    if waits and max(waits) > seconds:
        yield f"the wait before a retry may be {show_duration(max(waits))}"
