"""Results of a run: exactly one of answered, escalated, rejected and failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pipelang.runtime.engine.events import Event
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Spent:
    """Usage of a run: dollars, tokens, and seconds of machine time, without waits for people."""

    cost: Decimal = Decimal(0)
    tokens: int = 0
    duration: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The base of all results. `trace` has every event of the run, in order."""

    run_id: str = ""
    spent: Spent = field(default_factory=Spent)
    trace: tuple[Event, ...] = ()

    @property
    def cost(self) -> Decimal:
        return self.spent.cost

    @property
    def tokens(self) -> int:
        return self.spent.tokens

    @property
    def duration(self) -> float:
        return self.spent.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Outcome):
    """The pipeline's answer; `value` fits the pipeline's type."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated(Outcome):
    """A person goes on. `handoff` is everything that the run knows, as JSON; `reason` is the name
    of the item that decided.
    """

    role: str
    reason: str
    text: str | None
    handoff: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Outcome):
    """The pipeline declined."""

    reason: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Outcome):
    """The run could not go on. `code` is of the closed list or the pipeline's own; `partial` has
    what the run knew, as JSON; `reason` names the step.
    """

    code: str
    reason: str
    text: str | None = None
    partial: dict[str, Any] = field(default_factory=dict)


Result = Answered | Escalated | Rejected | Failed


@dataclass(frozen=True, slots=True)
class Ended:
    """The outcome that ended a pipeline, with its value. `inside` is the handoff of the
    sub-pipeline that decided it.
    """

    outcome: p.Outcome
    value: Any
    detail: str | None = None
    inside: dict[str, Any] | None = None


class Halted(Exception):
    """Something outside ended the run: `code` is one of the closed codes of `failed`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
