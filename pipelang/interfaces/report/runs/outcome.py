"""The outcome of a run as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.text.colours import Paint

if TYPE_CHECKING:
    from decimal import Decimal

    from pipelang.runtime.engine.outcomes import Result
    from pipelang.semantics.types import Type


def micro_dollars(cost: Decimal | float | None) -> str:
    """The cost of a run or call, to a millionth of a dollar; in words where nobody knows."""
    return "cost unknown" if cost is None else f"${cost:.6f}"


def blanked(result: Result, returns: Type) -> Result:
    """The result with what its pipeline's type labels `secret` left out of the answer."""
    from pipelang.records import replace
    from pipelang.runtime.engine.outcomes import Answered
    from pipelang.runtime.engine.values import shown

    if not isinstance(result, Answered):
        return result
    return replace(result, value=shown(returns, result.value))


def outcome_json(result: Result) -> dict[str, Any]:
    """The outcome as one JSON object."""
    from pipelang.runtime.engine.event_payloads import dollars
    from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected
    from pipelang.runtime.engine.values import to_json

    record: dict[str, Any] = {
        "outcome": type(result).__name__.lower(),
        "run_id": result.run_id,
        "cost": dollars(result.cost),
        "tokens": result.tokens,
        "duration": round(result.duration, 6),
    }
    match result:
        case Answered():
            record["value"] = to_json(result.value)
        case Escalated():
            record |= {
                "role": result.role,
                "reason": result.reason,
                "text": result.text,
                "handoff": result.handoff,
            }
        case Rejected():
            record |= {"reason": result.reason, "text": result.text}
        case Failed():
            record |= {
                "code": result.code,
                "reason": result.reason,
                "text": result.text,
                "partial": result.partial,
            }
    return record


def headline(result: Result) -> str:
    """The outcome in one line, without its value."""
    from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected

    match result:
        case Answered():
            return "answered"
        case Escalated():
            return f"escalated to {result.role} by `{result.reason}`" + _words(result.text)
        case Rejected():
            return f"rejected by `{result.reason}`" + _words(result.text)
        case Failed():
            return f"failed with `{result.code}` at `{result.reason}`" + _words(result.text)


def _words(text: str | None) -> str:
    return f": {text}" if text else ""


STYLES = {"Answered": "good", "Escalated": "unsure", "Rejected": "unsure", "Failed": "bad"}


def outcome_text(result: Result, paint: Paint) -> str:
    """The outcome with what it gives, and what it took."""
    from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed
    from pipelang.runtime.engine.values import to_json

    style = STYLES[type(result).__name__]
    lines = [paint(headline(result), style)]
    if isinstance(result, Answered):
        lines += _block(to_json(result.value))
    elif isinstance(result, Escalated):
        lines.append("handed over with it:")
        lines += _block(result.handoff)
    elif isinstance(result, Failed):
        lines.append("what there is so far:")
        lines += _block(result.partial)
    took = f"{micro_dollars(result.cost)}, {result.tokens:,} tokens, {result.duration:.2f} s"
    lines.append(paint(f"run {result.run_id}: {took}", "dim"))
    return "\n".join(lines)


def _block(value: Any) -> list[str]:
    text = dumps(value, default=str, allow_nan=True)
    lines = []
    for line in text.splitlines():
        lines.append("  " + (line if len(line) <= 98 else line[:95] + "..."))
    return lines
