"""Outcomes of runs as JSON, and back."""

from __future__ import annotations

from typing import Any

from pipelang.runtime.durable.history.costs import cost_from, cost_text
from pipelang.runtime.durable.legs import RunEnd
from pipelang.runtime.engine.outcomes import (
    Answered,
    Escalated,
    Failed,
    Rejected,
    Result,
    Spent,
    result_json,
)
from pipelang.runtime.engine.run import Run
from pipelang.runtime.worlds.recorded.encoding import Restoring, decode, encode
from pipelang.semantics import program as p


def end_of(run: Run, result: Result) -> RunEnd:
    """The end of a run as it is stored."""
    outcome: dict[str, Any] = {"result": result_json(result), "duration": result.duration}
    if isinstance(result, Answered):
        outcome["exact"] = encode(run.pipeline.returns, result.value)
    status = type(result).__name__.lower()
    return RunEnd(status, outcome, cost_text(result.cost), result.tokens)


def result_from(
    types: Restoring,
    pipeline: p.Pipeline,
    run: str,
    status: str,
    outcome: dict[str, Any],
    cost: str,
    tokens: int,
) -> Result:
    """The result that was stored. It has no trace."""
    spent = Spent(cost_from(cost), tokens, outcome.get("duration", 0.0))
    said = outcome["result"]
    match status:
        case "answered":
            value = decode(types, pipeline.returns, outcome["exact"])
            return Answered(run_id=run, spent=spent, value=value)
        case "escalated":
            return Escalated(run_id=run, spent=spent, **said)
        case "rejected":
            return Rejected(run_id=run, spent=spent, **said)
        case _:
            return Failed(run_id=run, spent=spent, **said)
