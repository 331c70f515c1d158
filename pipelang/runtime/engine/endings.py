"""The end of a run: from the outcome that was reached to the result that its host gets."""

from __future__ import annotations

from typing import Any, assert_never

from pipelang.diagnostics import Span
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import (
    Answered,
    Ended,
    Escalated,
    Failed,
    Rejected,
    Result,
    Spent,
)
from pipelang.runtime.engine.redaction import hide, hide_json
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import shown
from pipelang.runtime.engine.world import AttemptFailed
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import CHAIN_EXHAUSTED
from pipelang.semantics.walk import all_steps


async def conclude(run: Run, outcome: p.Outcome) -> Ended:
    """Evaluate the value of an outcome that was reached."""
    match outcome:
        case p.Return():
            return Ended(outcome, await run.world.value(run, outcome.value))
        case p.Escalate():
            with_it = outcome.value
            return Ended(outcome, None if with_it is None else await run.world.value(run, with_it))
        case p.Reject() | p.Fail():
            return Ended(outcome, None)
        case _:
            assert_never(outcome)


def without_value(name: str, span: Span, why: Exception | str) -> Ended:
    """The end of a run in which something has no value and nothing stands behind it."""
    quotes = isinstance(why, NoValue) and why.raised is not None
    quotes = quotes or (isinstance(why, AttemptFailed) and why.quotes)
    return Ended(p.Fail(CHAIN_EXHAUSTED, name, span), None, detail=str(why), quotes=quotes)


def inputs_of(run: Run) -> dict[str, Any]:
    """The inputs as JSON."""
    return {q.key: shown(q.type, run.values.get(q.name)) for q in run.pipeline.parameters}


def values_of(run: Run) -> dict[str, Any]:
    """Every value that the run made, as JSON, and the elements that an unfinished list has. In
    writing order: which of them came first says nothing.
    """
    known = {**run.notes.partial, **run.made}
    return {
        name: shown(run.made[name].type, run.values[name]) if name in run.made else known[name]
        for name in dict.fromkeys(step.name for step in all_steps(run.pipeline))
        if name in known
    }


def so_far(run: Run) -> dict[str, Any]:
    """Everything that a run knows, as JSON: its inputs, the values that it made, the decisions of
    people, and by step the values of sub-pipelines that were cut short.
    """
    known = {"input": inputs_of(run), "values": values_of(run)}
    if run.notes.decided:
        known["decided"] = run.notes.decided
    cut = {name: part for name, part in run.notes.unfinished.items() if name not in run.made}
    return {**known, "unfinished": cut} if cut else known


def handoff(run: Run, ended: Ended) -> dict[str, Any]:
    """The JSON that a person needs to go on; the handoff of a sub-pipeline is under `inside`."""
    outcome = ended.outcome
    assert isinstance(outcome, p.Escalate)
    handed = {
        "pipeline": run.pipeline.name,
        "run": run.id,
        "reason": outcome.reason,
        "text": outcome.text,
        **so_far(run),
    }
    if ended.inside is not None:
        handed["inside"] = ended.inside
    elif outcome.value is not None:
        handed["with"] = shown(outcome.value.type, ended.value)
    return handed


def result_of(run: Run, ended: Ended) -> Result:
    """The result of a run, for its host, with secrets taken out."""
    outcome = ended.outcome
    spent = Spent(run.budget.cost, run.budget.tokens, run.world.elapsed(run))
    match outcome:
        case p.Return():
            return Answered(run_id=run.id, spent=spent, value=ended.value)
        case p.Escalate():
            return Escalated(
                run_id=run.id,
                spent=spent,
                role=outcome.role,
                reason=outcome.reason,
                text=outcome.text,
                handoff=hide_json(run, handoff(run, ended)),
            )
        case p.Reject():
            return Rejected(run_id=run.id, spent=spent, reason=outcome.reason, text=outcome.text)
        case p.Fail():
            return Failed(
                run_id=run.id,
                spent=spent,
                code=outcome.code,
                reason=outcome.reason,
                text=None if ended.detail is None else hide(run, ended.detail),
                partial=hide_json(run, so_far(run)),
            )
        case _:
            assert_never(outcome)
