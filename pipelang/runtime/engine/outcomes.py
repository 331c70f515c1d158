"""Results of a run: exactly one of answered, escalated, rejected and failed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.records import dataclass, field
from pipelang.runtime.engine.events import Event
from pipelang.semantics import program as p

_STOPPED = ("cancelled", "killed")


def is_stopped(status: str | None, code: str | None) -> bool:
    """Whether people stopped a run, by how it ended and its code if it failed: nobody knows how it
    would have ended.
    """
    return status == "failed" and code in _STOPPED


@dataclass(frozen=True, slots=True)
class Spent:
    """The resources that a run used.

    `cost` is US dollars, None where a call had no price; `tokens` input and output tokens together,
    `duration` seconds of machine time; waits for people do not count.
    """

    cost: Decimal | None = Decimal(0)
    tokens: int = 0
    duration: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The part that every result of a run has.

    `run_id` names the run in traces, the audit log and the inbox. `trace` is every event of the
    run, in order; it is empty with `Runtime(trace=False)`.
    """

    run_id: str = ""
    spent: Spent = field(default_factory=Spent)
    trace: tuple[Event, ...] = ()

    @property
    def cost(self) -> Decimal | None:
        """US dollars: calls of models, and of tools with a `cost`. None where a model was called
        whose tier has no price: what is unknown is not nothing.
        """
        return self.spent.cost

    @property
    def tokens(self) -> int:
        """Tokens, input and output together."""
        return self.spent.tokens

    @property
    def duration(self) -> float:
        """Seconds of machine time; waits for people do not count."""
        return self.spent.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Outcome):
    """The result of a run that reached a `return`.

    `value` fits the pipeline's type: records have attributes; money (US dollars), shares
    (0 to 1) and durations (seconds) are numbers.
    """

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated(Outcome):
    """The result of a run that was handed over to a person.

    `role` is who takes over, `reason` the gate or step that decided, `text` its explanation.
    `handoff` is JSON with `pipeline`, `run`, `reason`, `text`, `input`, `values`, and `decided`
    where people decided something in the run.
    """

    role: str
    reason: str
    text: str | None
    handoff: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Outcome):
    """The result of a run that the pipeline declined.

    `reason` is the gate or step that decided, `text` its explanation.
    """

    reason: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Outcome):
    """The result of a run that could not go on.

    `code` is `chain_exhausted`, `budget_exceeded`, `max_steps`, `timeout`, `unpriced`, `killed` or
    the text of the pipeline's own `fail`. `reason` is the step or gate where it ended. `partial` is
    JSON with the `input` and the `values` so far.
    """

    code: str
    reason: str
    text: str | None = None
    partial: dict[str, Any] = field(default_factory=dict)


Result = Answered | Escalated | Rejected | Failed


def result_json(result: Result) -> dict[str, Any]:
    """The result of a run, for whoever asks for it."""
    from pipelang.runtime.engine.values import to_json

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


@dataclass(frozen=True, slots=True)
class Ended:
    """The outcome that ended a pipeline, with its value. `inside` is the handoff of the
    sub-pipeline that decided it. `detail` says more of a failure; `quotes` says that it is foreign
    code's text, which may quote what it worked on.
    """

    outcome: p.Outcome
    value: Any
    detail: str | None = None
    inside: dict[str, Any] | None = None
    quotes: bool = False


class Halted(Exception):
    """Something outside ended the run: `code` is one of the closed codes of `failed`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
