"""What the first and the last event of a run say: whose it is, how it ended, what it took."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, assert_never

from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.values import to_json

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


def now() -> str:
    """The wall clock, in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def start_data(run: Run) -> dict[str, Any]:
    """What is known of a run when it begins: the program, its settings as they are in this run, and
    `started`, the wall clock; events count from it.
    """
    settings = {name: to_json(setting.value) for name, setting in run.program.settings.items()}
    return {
        "program": run.program.hash[:12],
        "file": run.program.file,
        "started": now(),
        "tenant": run.tenant,
        **({"settings": settings} if settings else {}),
    }


def spent_data(run: Run) -> dict[str, Any]:
    """What a run has taken so far: dollars, tokens, seconds of machine time."""
    return {
        "cost": float(run.budget.money),
        "tokens": run.budget.tokens,
        "seconds": round(run.world.elapsed(run), 6),
    }


def outcome_data(result: Result) -> tuple[str, dict[str, Any]]:
    """How a run ended, by its name, and what decided it."""
    match result:
        case Answered():
            return "answered", {}
        case Escalated():
            return "escalated", {"role": result.role, "reason": result.reason, "text": result.text}
        case Rejected():
            return "rejected", {"reason": result.reason, "text": result.text}
        case Failed():
            return "failed", {"code": result.code, "reason": result.reason, "text": result.text}
        case _:
            assert_never(result)
