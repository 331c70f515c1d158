"""The protocol of a model provider: requests, answers and faults.

One request is one attempt. A provider never retries, waits or falls back by itself: the step's
`retry`, `timeout` and `else` say how often and how long, the analysis has counted on exactly
that, and retries that multiply are how $0.02 becomes $4.50. So every failure comes back at once
as a `ModelFault` with what the interpreter needs to decide: its kind, what it cost, and how long
the provider wants to be left alone.

An answer that doesn't fit its type is such a failure too (`misfit`), not a crash: the next
attempt carries what didn't fit in `ModelRequest.misfit`, and is shown to the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pipelang import records
from pipelang.records import dataclass, field, replace

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pipelang.runtime.engine.world import ToolCall, Turn
    from pipelang.runtime.media.medium import Media

__all__ = ["ModelAnswer", "ModelFault", "ModelProvider", "ModelRequest", "ToolSchema", "Usage"]

FaultKind: TypeAlias = Literal[
    "timeout",
    "rate_limited",
    "overloaded",
    "connection",
    "server",
    "misfit",
    "refusal",
    "output_limit",
    "rejected",
    "no_recording",
]

# Asking the same again can't help: the model won't, the request is wrong, or nothing is recorded.
_FINAL: frozenset[FaultKind] = frozenset({"refusal", "rejected", "no_recording"})


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one attempt, in tokens as the provider bills them.

    The four are disjoint: `input` leaves out what was written to or read from the provider's
    prompt cache, since each has its own price. `output` includes tokens spent on thinking.
    """

    input: int
    output: int
    cache_write: int = 0
    cache_read: int = 0

    def __post_init__(self) -> None:
        if min(self.input, self.output, self.cache_write, self.cache_read) < 0:
            raise ValueError("a usage of less than no tokens")


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """A tool that an agent may call, as it is described to the model."""

    name: str
    description: str | None
    input_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One attempt at one `ask`.

    The texts and arguments are left out of the repr: they may hold a person's data, and a repr
    ends up in logs.
    """

    prompt: str
    """Name of the prompt, as declared."""
    step: str
    """Name of the step that asks."""
    tier: str
    """Name of the tier, as declared."""
    model: str
    """The provider's own name of the model."""
    system: str | None = field(repr=False)
    """The system text, the same for every call of the prompt, or None."""
    user: str = field(repr=False)
    """The user text, rendered."""
    answer: type[BaseModel] | None
    """The type to answer with; None asks for plain text."""
    arguments: Mapping[str, Any] = field(repr=False)
    """The prompt's arguments by parameter, as JSON values."""
    max_output_tokens: int | None
    """Hard limit of the output in tokens; None leaves it to the provider's own default."""
    effort: Literal["low", "medium", "high"] | None
    """The effort that the model should make; None leaves it to the model."""
    timeout: float | None
    """Seconds for the whole attempt; None leaves it to the provider's own default."""
    misfit: str | None = field(repr=False)
    """The misfit of the former attempt; shown to the model after the user text."""
    call: int
    """Counts the calls of this prompt in this run, from 0. Only replay looks at it."""
    tools: tuple[ToolSchema, ...] = ()
    """The tools that the model may call instead of answering; a provider without tools answers."""
    choices: tuple[str | bool, ...] = ()
    """The alternatives of a decision, whose answer is `{"value": ..., "confidence": ...}`. A
    provider that knows how probable each is tells that as the confidence; else it is the model's.
    """
    turns: tuple[Turn, ...] = field(default=(), repr=False)
    """The agent's turns before this one, each with its calls and their results."""
    thinking: int | None = None
    """The tokens that the model may think, which are part of `max_output_tokens`; None leaves it to
    the model. Only providers of makers that have such a limit are given one.
    """
    content: tuple[str | Media, ...] = field(default=(), repr=False)
    """The user text in parts, with pictures and documents where they stand; empty where there are
    none. `user` then tells of them in words.
    """
    partial: Callable[[str], None] | None = field(default=None, repr=False, compare=False)
    """Called with each piece of the answer's text as it comes, by a provider that streams; None
    where nobody listens. What is answered in the end is the same with it and without.
    """


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """An answer that fits."""

    value: Any = field(repr=False)
    """A JSON value that fits `ModelRequest.answer`, or the text where that is None."""
    usage: Usage
    model: str
    """The model that really answered, by the provider's own name."""
    note: str | None = None
    """A note for readers of the trace, such as that the answer was recorded."""
    calls: tuple[ToolCall, ...] = ()
    """The tools that the model wants called, in place of an answer."""
    probabilities: bool = False
    """Whether the confidence of a decision is a probability that the provider told, and not the
    model's own word.
    """
    said: Any = field(default=None, repr=False)
    """A turn with calls in the provider's own form, to be sent back to it."""
    estimated: bool = False
    """Whether the usage is the most that it can be, because the server did not count it; no more
    than what was reserved for the call is taken then.
    """


def _wait_of(told: Any) -> float | None:
    """The seconds of a wait; None for what is no time that anybody could wait."""
    try:
        known = type(told) in (int, float) and isfinite(told)
    except OverflowError:
        known = False
    return max(0.0, float(told)) if known else None


class ModelFault(Exception):
    """An attempt that brought no usable answer.

    `message` is for people, without the key and without what was asked or answered, except that
    a `misfit` names the fields that didn't fit. That one is fit to be shown to the model again.

    `usage` is what the provider said the attempt used. None says that it didn't say: an error
    status (`rate_limited`, `overloaded`, `rejected`, most of `server`) isn't billed, but an
    attempt that timed out or whose connection broke may well be, so a budget shouldn't release
    what it reserved for a `timeout`, a `connection` or a `server` fault without usage.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        usage: Usage | None = None,
        retry_after: float | None = None,
    ) -> None:
        # All of them go to `Exception.args`, from which pickle and copy make the exception anew.
        super().__init__(kind, message, usage, retry_after)
        self.kind: FaultKind = kind
        self.message = message
        self.usage = usage
        self.retry_after = _wait_of(retry_after)
        """Seconds the provider asks to be left alone, at least 0, or None."""

    @property
    def retryable(self) -> bool:
        """Whether a new attempt at the same provider may help.

        Not so for `refusal` (the model declines the content), `rejected` (the request or the
        account is at fault: key, model name, spend limit) and `no_recording` (the file won't
        change). A fallback at another provider may help with each of them.
        """
        return self.kind not in _FINAL

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def checked_answer(answer: Any) -> ModelAnswer:
    """A provider's answer with texts where texts belong. Raises TypeError for what is no answer.

    What a name or a note is made of changes nothing about an answer, so it is never its end.
    """
    if not isinstance(answer, ModelAnswer) or not isinstance(answer.usage, Usage):
        found = type(answer.usage if isinstance(answer, ModelAnswer) else answer).__name__
        raise TypeError(f"a provider answers with a ModelAnswer and its Usage, found a `{found}`")
    told = answer.usage
    sizes = (told.input, told.output, told.cache_write, told.cache_read)
    if not all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in sizes
    ):
        raise TypeError("a usage counts whole tokens, from 0 on")
    model, note = _text(answer.model), None if answer.note is None else _text(answer.note)
    if model is answer.model and note is answer.note and not answer.calls:
        return answer
    return replace(answer, model=model, note=note, calls=_calls(answer.calls))


def _calls(calls: Any) -> tuple[ToolCall, ...]:
    """The calls that a model wants, with their arguments as plain dicts."""
    return tuple(
        records.replace(
            call, id=_text(call.id), name=_text(call.name), arguments=dict(call.arguments)
        )
        for call in calls
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except Exception:
        return type(value).__name__


class ModelProvider(Protocol):
    """Answers requests. One object serves any number of runs, event loops and threads.

    It may have an attribute `takes`, which says of what is no text it can send to a model: "image",
    "document". Without it, it is asked with texts alone.

    It may have a method `async def warm(self) -> None`, awaited before every attempt: what the
    first call has to do once, and what no attempt's time limit should pay for. It raises nothing.
    """

    name: str
    """Its name in traces and updates."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """Make one attempt. Raises ModelFault; leaves nothing running when it is cancelled."""
        ...

    async def count_tokens(self, request: ModelRequest) -> int | None:
        """Tokens of the request's input by the provider's own counter.

        None where it has no counter or the counter doesn't answer: a count sharpens a
        reservation, and is never a reason to fail.
        """
        ...

    async def close(self) -> None:
        """Give back connections and files. Safe to call twice."""
        ...
