"""Results of runs as JSON, for stores and for whoever asks over a wire."""

from __future__ import annotations

from typing import Any

from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.values import to_json


def result_json(result: Result) -> dict[str, Any]:
    """The result of a run, for whoever asks for it."""
    match result:
        case Answered():
            return {"value": to_json(result.value)}
        case Escalated():
            return {
                "role": result.role,
                "reason": result.reason,
                "text": result.text,
                "handoff": result.handoff,
            }
        case Rejected():
            return {"reason": result.reason, "text": result.text}
        case Failed():
            return {
                "code": result.code,
                "reason": result.reason,
                "text": result.text,
                "partial": result.partial,
            }
