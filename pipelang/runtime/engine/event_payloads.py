"""The data of the first and the last event of a run: program, outcome and usage."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, assert_never

from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.values import to_json

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


def now() -> str:
    """The wall clock, in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def start_data(run: Run) -> dict[str, Any]:
    """The data of the first event: the program, its settings as they are in this run, and
    `started`, the wall clock from which events count.
    """
    settings = {name: to_json(setting.value) for name, setting in run.program.settings.items()}
    return {
        "program": run.program.hash[:12],
        "file": run.program.file,
        "started": now(),
        "tenant": run.terms.tenant,
        **({"settings": settings} if settings else {}),
    }


def dollars(cost: Decimal | None) -> float | None:
    """An amount as events have it; null is an unknown one."""
    return None if cost is None else float(cost)


def plain_cost(cost: Decimal | None) -> str | None:
    """An amount as the API and lists of runs have it, a text without an exponent."""
    return None if cost is None else format(cost, "f")


def cost_in(data: Mapping[str, Any]) -> float | None:
    """The dollars that an event tells, 0 where it tells none; None where nobody knows them."""
    told = data.get("cost", 0.0)
    return None if told is None else float(told)


def added(one: float | None, other: float | None) -> float | None:
    """The sum of two amounts; None if one of them is unknown."""
    return None if one is None or other is None else one + other


def spent_data(run: Run) -> dict[str, Any]:
    """The usage of a run so far: dollars (None if unknown), tokens, seconds of machine time."""
    return {
        "cost": dollars(run.budget.cost),
        "tokens": run.budget.tokens,
        "seconds": round(run.world.elapsed(run), 6),
    }


def outcome_data(result: Result) -> tuple[str, dict[str, Any]]:
    """The name of a result, and the data of the item that decided it."""
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
