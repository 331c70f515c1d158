"""A pipeline behind its breaker: which runs are let through, and what is counted of them."""

from __future__ import annotations

import asyncio
import time
from typing import assert_never

from pipelang.records import dataclass, field
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.run import Run
from pipelang.runtime.shared.circuit_breakers import Admission, Breakers, EndedRun, Key
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class GuardedRun:
    """An admitted run: its admission, its usage and the time when it began, and the last verdict of
    every gate that it reached, those of sub-pipelines as `PIPELINE.GATE`.
    """

    given: Admission
    cost: float
    tokens: int
    elapsed: float
    began: float
    gates: dict[str, bool] = field(default_factory=dict)


def breaker_key(run: Run) -> Key:
    """The key of the breaker that guards a run: program file, pipeline, tenant."""
    return run.program.file, run.pipeline.name, run.terms.tenant


def breaker_name(run: Run) -> str | None:
    """The name of a run that may ask its breaker again after a crash; None for any other."""
    return f"{run.id}/{run.where}" if run.world.lasting else None


async def admit_run(run: Run, breaker: p.Breaker, breakers: Breakers) -> GuardedRun | None:
    """Admit a run or not, None; an open or probing breaker is an event."""
    asked = breaker_key(run), breaker, breaker_name(run)
    if breakers.blocks:
        given = await asyncio.to_thread(breakers.admit, *asked)
    else:
        given = breakers.admit(*asked)
    if isinstance(given, str):
        run.emit("breaker", run.pipeline.name, state="open", why=given)
        return None
    if given.probe:
        run.emit("breaker", run.pipeline.name, state="half_open")
    budget = run.budget
    return GuardedRun(
        given,
        float(budget.money),
        budget.tokens,
        run.world.elapsed(run),
        time.monotonic(),
    )


async def record_end(
    run: Run, guarded: GuardedRun, ended: Ended | None, breakers: Breakers
) -> None:
    """Count the end of a run; None if it was cut short from outside, which counts for nothing."""
    seen = None if ended is None else _seen(run, guarded, ended)
    told = guarded.given, seen, run.pipeline.breaker
    if breakers.blocks:
        changed = await asyncio.to_thread(breakers.record_end, *told)
    else:
        changed = breakers.record_end(*told)
    if changed is not None:
        state, why = changed
        run.emit("breaker", run.pipeline.name, state=state, **({"why": why} if why else {}))


def _seen(run: Run, guarded: GuardedRun, ended: Ended) -> EndedRun:
    outcome = ended.outcome
    match outcome:
        case p.Return():
            kind, reason = "answered", ""
        case p.Escalate():
            kind, reason = "escalated", outcome.reason
        case p.Reject():
            kind, reason = "rejected", outcome.reason
        case p.Fail():
            kind, reason = "failed", outcome.reason
        case _:
            assert_never(outcome)
    return EndedRun(
        kind,
        reason,
        float(run.budget.money) - guarded.cost,
        run.budget.tokens - guarded.tokens,
        run.world.elapsed(run) - guarded.elapsed,
        time.monotonic() - guarded.began,
        dict(guarded.gates),
    )


def record_verdict(run: Run, gate: str, passed: bool) -> None:
    """Record the last verdict of a gate for the breakers of this run and of those around it."""
    if run.frame is not None:
        run.frame.gates[gate] = passed
    name, at = f"{run.pipeline.name}.{gate}", run.parent
    while at is not None:
        if at.frame is not None:
            at.frame.gates[name] = passed
        at = at.parent
