"""Cases that runs send to people, where budgets may cut runs: what a budget's `else` sends is
added, and what a run that is cut has not come to any more is taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.budgets.enclosures import SAME, BudgetedRuns
from pipelang.analysis.budgets.limits import ending_of
from pipelang.analysis.metrics.cut_numbers import share_with_cuts
from pipelang.analysis.model.intervals import Number
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.kernels.run import by_pipeline, passed_on, with_inner
from pipelang.semantics.walk import all_items, outcomes

NONE = Number(0.0, 0.0, 0.0, 0.0, Basis.EXACT)


def asked_with_cuts(
    program: p.Program,
    pipeline: p.Pipeline,
    asked: Mapping[str, Number],
    escalations: Mapping[str, Number],
    runs: BudgetedRuns,
    cuts: Sequence[Cut],
    going_on: bool,
) -> dict[str, Number]:
    """Return the cases a run by role; `asked` and `escalations` are those of runs without cuts.
    `going_on`, as `cut_numbers.goes_on` says: who runs a pipeline that is cut may then ask anybody.
    """
    sent: dict[str, dict[str, None]] = {}
    for cut in cuts:
        budgeted = program.pipelines[cut.pipeline]
        outcome = ending_of(budgeted, cut.dimension)
        if isinstance(outcome, p.Escalate):
            if budgeted.name != pipeline.name:
                outcome = passed_on(budgeted.name, outcome)
            assert isinstance(outcome, p.Escalate)
            sent.setdefault(outcome.role, {})[outcome.reason] = None
    roles = dict.fromkeys((*asked, *sent, *(program.roles if going_on else ())))
    share = runs.cut().high
    found = {}
    for role in roles:
        known = asked.get(role, NONE)
        more = [_added(name, escalations.get(name, NONE), runs) for name in sent.get(role, ())]
        most = most_cases(program, pipeline, role) * (1.0 if share is None else share)
        beyond = most if going_on else 0.0
        low = max(0.0, (known.low or 0.0) - most) + sum(low for low, _ in more)
        high = None if known.high is None else known.high + sum(high for _, high in more) + beyond
        if high == 0 and role not in asked and not more:
            continue
        exact = high is not None and high - low <= SAME
        basis = known.basis if exact else max(known.basis, Basis.BOUND)
        found[role] = Number(high if exact else None, low, high, None, basis, tight=exact)
    return found


def _added(name: str, without: Number, runs: BudgetedRuns) -> tuple[float, float]:
    """The least and the most runs that a budget sends to people under a name."""
    found = share_with_cuts(f"{m.ESCALATION}.{name}", without, runs)
    low, high = found.low or 0.0, 1.0 if found.high is None else found.high
    return max(0.0, low - (without.high or 0.0)), max(0.0, high - (without.low or 0.0))


def most_cases(program: p.Program, pipeline: p.Pipeline, role: str) -> int:
    """The most cases that one run may send to a role: all that it asks, and its end."""
    asked: Inner = by_pipeline(program, partial(_questions, role))
    return asked(pipeline.name) + int(_ends_there(program, pipeline, role))


Inner = Callable[[str], int]
"""The most questions of a run of a pipeline to a role."""


def _ends_there(program: p.Program, pipeline: p.Pipeline, role: str) -> bool:
    """Whether a run may end at a role, without any budget."""
    return any(
        isinstance(end, p.Escalate) and end.role == role
        for one in with_inner(program, pipeline)
        for end in outcomes(one.block)
    )


def _questions(role: str, inner: Inner, pipeline: p.Pipeline) -> int:
    count, rounds = 0, 1
    for item in all_items(pipeline.block):
        redo = redo_of(item)
        rounds *= 1 if redo is None else redo.times + 1
        if isinstance(item, p.Person):
            count += item.role == role
        elif isinstance(item, p.Step):
            count += _of_links(inner, item.chain.links, role)
    return count * rounds


def _of_links(inner: Inner, links: Iterable[p.Link], role: str) -> int:
    return sum((1 + link.retry.count) * _of_action(inner, link.action, role) for link in links)


def _of_action(inner: Inner, action: p.Action, role: str) -> int:
    match action:
        case p.AskRole():
            return int(action.role == role)
        case p.RunPipeline():
            return inner(action.pipeline)
        case p.Choose():
            return _of_links(inner, (arm for _, arm in action.arms), role)
        case p.Each():
            return action.most * _of_links(inner, action.body.links, role)
        case _:
            return 0
