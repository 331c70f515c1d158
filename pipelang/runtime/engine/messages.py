"""Messages through the seam: attempts, turns, questions, decisions, and regions that were left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.outcomes import Ended
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import Type

Subjects = tuple[expr.Expr, ...]
"""The expressions by which the matches around a link decided, outermost first."""

UNDECLARED_TIMEOUT = 600.0
"""Seconds that an attempt may take whose step declares no timeout: the default of the makers' SDKs.
No longer wait is granted to a server that asks for one."""


class AttemptFailed(Exception):
    """An attempt without an answer; the chain goes on with a retry or a fallback.

    `kind` names the cause for traces. `retryable` False says that the same attempt again is
    pointless; `retry_after` is how many seconds the other side asks to wait; `misfit` says what of
    an answer did not fit its type, and is shown to the model in the next attempt. `quotes` says
    that the message is foreign code's, which may quote what it worked on.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "failed",
        retryable: bool = True,
        retry_after: float | None = None,
        misfit: str | None = None,
        quotes: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.retry_after = retry_after
        self.misfit = misfit
        self.quotes = quotes


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt of an ask or a call. `arguments` are values; `number` counts from 0; `feedback`
    is the text of a gate that redoes the step, `misfit` that of the former attempt. `part` says
    which part of the step this is where it has several, for idempotency keys: `:else1` for its
    second link, `:vote2` for the third call of a vote, `:turn0.1` for the second call of an agent's
    first turn.

    Who makes one completes it; from then on nobody changes it, but for a call, which lets go of its
    arguments once the tool has them, save those that may be secret: these are looked for in what a
    failure says. Every run that waits for a tool would hold them.
    """

    step: p.Step
    link: p.Link
    action: p.AskTier | p.AskRole | p.Call
    tier: str | None
    arguments: Mapping[str, Any]
    number: int
    feedback: str | None
    misfit: str | None
    subjects: Subjects = ()
    """The expressions by which the matches around this link decided."""
    part: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that an agent's model asks for; `id` is the model's own name for it."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call for an agent: a JSON value, or the reason of its failure."""

    call: ToolCall
    value: Any
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an agent's model: its answer, or the calls that it asks for with their results.

    `said` is the turn in the provider's own format, as JSON, to be sent back with the next request.
    """

    answer: Any = None
    calls: tuple[ToolCall, ...] = ()
    said: Any = None
    results: tuple[ToolResult, ...] = ()


class Nothing:
    """The type of `NOTHING`, which says that there is no value where None would be a value."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a person: an approval or a hold of a run.

    `person` is the declaration: its `name`, its `kind` ("approve" or "hold"), the `role` that is
    asked and the `seconds` for which the run waits (None: without limit). `shown` is a JSON value:
    what `showing` says, or else all values of the run so far. `text` explains the question. `place`
    is where in the run it is asked: the same question of the same run has the same.
    """

    person: p.Person
    shown: Any
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer to a `Question`.

    `yes` False is a no or a veto. `by` is who decided and `reason` why; both are recorded in the
    trace, the audit log and the handoff. `heard` False says that nobody could be asked.
    """

    yes: bool
    by: str = ""
    reason: str = ""
    heard: bool = True


@dataclass(frozen=True, slots=True)
class Sampled:
    """An answer that people of a role are to judge, of a step or of one element of its list: what
    was `given` to be answered and the `answer`, as JSON, of a `type` that a corrected one must fit.
    `name` says which answer it is, `place` is where in the run it was given, and `about` says of
    what program, prompt and model it is (`sampling.about`).
    """

    step: p.Step
    name: str
    type: Type
    role: str
    place: str
    given: Any
    answer: Any
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """The values of a region's items when it was left, and its end: None where the run goes on, how
    an item ended the run, or the `BudgetSpent` or `Halted` that cut it short.
    """

    values: Mapping[str, Any]
    end: Ended | Exception | None
