"""The seam: everything that the interpreter asks of what is outside it.

The interpreter decides what comes next; a `World` carries it out. The real world calls models,
tools and people; the world of `pipelang test` has what the test mocks; a simulated one answers from
declared numbers, in its own time. All suspension goes through here, so whoever implements it owns
the clock and the order of events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from pipelang.records import dataclass
from pipelang.runtime.engine.outcomes import Ended, Escalated
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

Subjects = tuple[expr.Expr, ...]
"""The expressions by which the matches around a link decided, outermost first."""

Arms = Iterable[tuple[Any, ...] | None]
"""What the arms of a match take; None takes what is left."""


class AttemptFailed(Exception):
    """An attempt that brought nothing. The chain goes on.

    `retryable` False says that the same attempt again is pointless; `retry_after` is how long
    (seconds) the other side asks to be left alone; `misfit` is what did not fit, for the next try.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "failed",
        retryable: bool = True,
        retry_after: float | None = None,
        misfit: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.retry_after = retry_after
        self.misfit = misfit


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of an ask or a call. `arguments` are values; `number` counts from 0."""

    step: p.Step
    link: p.Link
    action: p.AskTier | p.AskRole | p.Call
    tier: str | None
    arguments: Mapping[str, Any]
    number: int
    feedback: str | None
    misfit: str | None
    subjects: Subjects = ()
    """What the matches around this link decided by."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What an agent's model asks for; `id` is the model's own name for it."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of it: a JSON value, or why there is none."""

    call: ToolCall
    value: Any
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model said at a turn: its answer, or the calls that it asks for.

    `said` is the turn in the provider's own words, to be shown to it again.
    """

    answer: Any = None
    calls: tuple[ToolCall, ...] = ()
    said: Any = None
    results: tuple[ToolResult, ...] = ()


class Nothing:
    """In place of a value where there is none, because None is one."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: an approval or a hold, with what they are shown."""

    person: p.Person
    shown: Any
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word: who said it, and why."""

    yes: bool
    by: str = ""
    reason: str = ""


def is_being_cancelled() -> bool:
    """Whether this task was told to stop; if not, a CancelledError is somebody else's failure."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


R = TypeVar("R", contravariant=True)
"""The run, which has a world in its turn: so the protocol does not name its class."""


class World(Protocol[R]):
    """Who performs what the interpreter decides."""

    def value(self, run: R, node: expr.Expr) -> Any:
        """The value of an expression: an argument, a let, what an outcome gives."""

    def route(self, run: R, node: expr.Expr, arms: Arms = ()) -> Any:
        """The value of an expression that decides where to go: a tier, or the subject of a match
        with these arms.
        """

    def link_value(self, run: R, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        """The value of a link that is a bare value."""

    def fitted_answer(self, run: R, value: Any) -> Any:
        """What the run answers with, as its pipeline promises it. Raises `Misfit`."""

    def admit(self, run: R) -> bool:
        """A pipeline begins: whether its breaker lets it. Raises `Halted` if it is killed."""

    def leave(self, run: R, ended: Ended | None) -> None:
        """A pipeline that began is over; None: it was cut short from outside."""

    def begin(self, run: R, step: p.Step) -> None:
        """A step's chain begins, perhaps not for the first time."""

    def attempt(self, run: R, attempt: Attempt) -> Coroutine[Any, Any, Any]:
        """Carry out one attempt; its answer fits its type. Raises `AttemptFailed`."""

    async def turn(self, run: R, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]) -> Turn:
        """One attempt of an agent's next turn, after these. Raises `AttemptFailed`."""

    async def use_tool(self, run: R, attempt: Attempt, call: ToolCall) -> ToolResult:
        """Call a tool for an agent. What fails is a result too."""

    def stand_in(self, run: R, step: p.Step, action: p.Action) -> Any:
        """A value in place of a whole list, loop, sub-pipeline or memory; usually `NOTHING`."""

    def enter_child(self, run: R, child: R, subjects: Subjects) -> None:
        """A sub-pipeline begins, with its values. Raises `AttemptFailed` for one that is misfit."""

    def child_answered(self, run: R, step: p.Step, value: Any) -> None:
        """A sub-pipeline answered for a step."""

    def elements(self, run: R, step: p.Step, each: p.Each, subjects: Subjects) -> list[Any]:
        """The elements that an `each` goes through."""

    def enter_element(self, run: R, inside: R, each: p.Each, subjects: Subjects) -> None:
        """An element's walk begins."""

    def gathered(self, run: R, step: p.Step, answers: list[Any]) -> Any:
        """The answers of a list, None where one is missing, as the step's answer."""

    async def recall(self, run: R, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        """What a memory holds. Raises `AttemptFailed` if it cannot be read."""

    async def remember(self, run: R, item: p.Remember) -> None:
        """Write into a memory. Raises `AttemptFailed` if it cannot be written."""

    async def look_up(self, run: R, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        """A cached answer of a link, or `NOTHING`: `keep` or `keep_nothing` follows then. May
        wait for another run that asks for the same. Raises `AttemptFailed` if that took too long.
        """

    def keep(self, run: R, step: p.Step, link: p.Link, answer: Any) -> None:
        """Keep an answer for the cache, should the run end answered."""

    async def hand_over(self, run: R, result: Escalated) -> None:
        """The root run ends escalated: whoever goes on gets what it hands over."""

    def keep_nothing(self, run: R, step: p.Step, link: p.Link) -> None:
        """There is no answer to keep after a look into the cache."""

    def finish(self, run: R, answered: bool) -> None:
        """The root run is over."""

    async def holds(self, run: R, item: p.Gate | p.When | p.Person, test: expr.Expr) -> bool:
        """Whether a test holds."""

    def vote_decided(self, run: R, step: p.Step, answer: Any) -> None:
        """A vote was decided for this answer, which need not be the last one given."""

    async def accepts(self, run: R, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        """Whether an answer of a cascade is good enough; its test reads it as `it`."""

    async def decide(self, run: R, question: Question) -> Decision | None:
        """Ask a person; None if nobody answered in time."""

    async def sleep(self, run: R, seconds: float) -> None:
        """Let time pass."""

    def elapsed(self, run: R) -> float:
        """Seconds of machine time since the run began; waits for people do not count."""

    def jitter(self, longest: float) -> float:
        """A wait, uniform in [0, longest]."""

    def spawn(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Start work side by side."""

    async def first(self, tasks: Iterable[Any]) -> Iterable[Any]:
        """Wait until one of the tasks is done; the done ones. `task.result()` may raise."""

    async def cancel(self, tasks: Iterable[Any]) -> None:
        """Cancel tasks and wait until they are gone."""
