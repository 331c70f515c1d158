"""Running a pipeline inside another: its own values and budget, the same world.

It reserves from its own budget and from every one around it. If it fails, that is an attempt that
failed; if it escalates or rejects, that ends the run around it too, and its handoff is nested.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.budget import BudgetSpent, RunBudget
from pipelang.runtime.engine.endings import handoff, so_far
from pipelang.runtime.engine.outcomes import Ended, Halted
from pipelang.runtime.engine.redaction import hide, hide_json
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import AttemptFailed, Subjects
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import passed_on


async def run_child(
    run: Run,
    step: p.Step,
    link: p.Link,
    action: p.RunPipeline,
    subjects: Subjects,
    part: str,
    attempt: int,
) -> Any:
    """Run a sub-pipeline: its answer, or how it ended the run; `part` says which part of the step
    this is. All attempts are one in idempotency keys.

    Raises `AttemptFailed`.
    """
    values = await run.world.recorded_arguments(run, action.arguments)
    pipeline = run.program.pipelines[action.pipeline]
    answer = await play_child(run, step, pipeline, values, subjects, part, attempt, link, action)
    if not isinstance(answer, Ended):
        run.world.child_answered(run, step, answer)
    return answer


async def play_child(
    run: Run,
    step: p.Step,
    pipeline: p.Pipeline,
    values: dict[str, Any],
    subjects: Subjects,
    part: str,
    attempt: int = 0,
    link: p.Link | None = None,
    action: p.RunPipeline | None = None,
) -> Any:
    """Play a sub-pipeline with these values; the timeout of a link bounds its machine time.

    Its answer, or how it ended the run. Raises `AttemptFailed`.
    """
    now = run.world.since_start(run)
    around = run.budget
    patience: RunBudget | None = None
    if link is not None and link.timeout is not None:
        limit = p.Budget(None, link.timeout, None, None, None, link.span)
        around = patience = RunBudget(limit, around, began=now, patience=True)
    budget = RunBudget(pipeline.budget, around, began=now)
    child = run.child(pipeline, budget, values, step.name, part, attempt, action)
    await run.world.enter_child(run, child, subjects)
    run.emit("runs", step.name, pipeline=pipeline.name)
    try:
        ended = await run.terms.play(child)
    except BudgetSpent as spent:
        if spent.budget is not patience:
            run.notes.unfinished[step.name] = hide_json(child, so_far(child))
            raise
        message = f"`{pipeline.name}` took longer than the {link.timeout if link else 0} s it has"
        run.emit("returned", step.name, pipeline=pipeline.name, outcome="timeout")
        run.emit("failed", step.name, why="timeout", message=message)
        raise AttemptFailed(message, kind="timeout") from None
    except (Halted, asyncio.CancelledError):
        run.notes.unfinished[step.name] = hide_json(child, so_far(child))
        raise
    outcome = ended.outcome
    match outcome:
        case p.Return():
            run.emit("returned", step.name, pipeline=pipeline.name, outcome="return")
            return ended.value
        case p.Fail():
            said = message = f"`{pipeline.name}` failed with `{outcome.code}`"
            content = None
            if ended.detail:
                message = hide(child, ended.detail)
                said, content = (said, message) if ended.quotes else (message, None)
            code = outcome.code
            run.emit("returned", step.name, pipeline=pipeline.name, outcome="fail", code=code)
            run.emit("failed", step.name, content=content, why=code, message=said)
            # Whoever takes over later has what was found before it failed, and why it did.
            run.notes.unfinished[step.name] = {"failed": code, **hide_json(child, so_far(child))}
            raise AttemptFailed(message, kind=code, quotes=ended.quotes)
        case p.Escalate():
            run.emit("returned", step.name, pipeline=pipeline.name, outcome="escalate")
            inside = hide_json(child, handoff(child, ended))
            return Ended(passed_on(pipeline.name, outcome), ended.value, inside=inside)
        case p.Reject():
            run.emit("returned", step.name, pipeline=pipeline.name, outcome="reject")
            return replace(ended, outcome=passed_on(pipeline.name, outcome))
