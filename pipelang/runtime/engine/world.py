"""The seam between the interpreter and everything outside it.

The interpreter decides what comes next; a `World` carries it out. The real world calls models,
tools and people; the world of `pipelang test` answers with what the test mocks; a simulated one
answers from declared numbers, in its own time. A run suspends nowhere else, so an implementation
owns the clock and the order of events.

What a run decides follows from its inputs and from what comes through this seam. So a world may
record that, and later give it to another process, which goes on from there (`worlds/recorded`). The
engine says where it stands by *places*, which are the same in every process: path, item, visit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from pipelang.runtime.engine.budget import Reservation
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.messages import NOTHING as NOTHING
from pipelang.runtime.engine.messages import UNDECLARED_TIMEOUT as UNDECLARED_TIMEOUT
from pipelang.runtime.engine.messages import Attempt as Attempt
from pipelang.runtime.engine.messages import AttemptFailed as AttemptFailed
from pipelang.runtime.engine.messages import Decision as Decision
from pipelang.runtime.engine.messages import Left as Left
from pipelang.runtime.engine.messages import Nothing as Nothing
from pipelang.runtime.engine.messages import Question as Question
from pipelang.runtime.engine.messages import Sampled as Sampled
from pipelang.runtime.engine.messages import Subjects as Subjects
from pipelang.runtime.engine.messages import ToolCall as ToolCall
from pipelang.runtime.engine.messages import ToolResult as ToolResult
from pipelang.runtime.engine.messages import Turn as Turn
from pipelang.runtime.engine.outcomes import Ended, Escalated
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

Arms = Iterable[tuple[Any, ...] | None]
"""The values that each arm of a match takes; None is the arm that takes all others."""


Arguments = tuple[tuple[str, expr.Expr], ...]

Items = tuple[p.Step | p.Let, ...]

R = TypeVar("R", contravariant=True)
"""The run, which has a world in its turn: so the protocol does not name its class."""

Waiting = Callable[[], AbstractContextManager[object]]
"""Makes a context of which somebody takes note: inside it nothing is done but wait."""


class World(Protocol[R]):
    """Carries out what the interpreter decides.

    `leave`, `finish`, `close`, `begin`, `vote_decided`, `child_answered`, `enter_element`, `keep`,
    `keep_nothing`, `leave_region`, `reserved`, `used`, `intend` and `waiting_for` report what
    happens; a world may ignore them. Whatever a world may have to look up or to write down is
    awaited. The runs of a `lasting` one go on in another process after this: it alone is told of
    regions and of what is `reserved` and `used`.
    One without `has_values` knows of answers only whether they are right.
    `told` is the number of its next event, `loop` that of its tasks, once it is known.
    """

    lasting: bool
    has_values: bool
    told: int
    loop: Any

    # ------------------------------------------------------------------------------------ pipelines

    async def admit(self, run: R) -> bool:
        """Begin a pipeline: whether its breaker admits the run. Raises `Halted` if it is killed,
        `BudgetSpent` if its quota is spent.
        """

    def fitted_answer(self, run: R, value: Any) -> Any:
        """Check the answer of a pipeline against the type that it returns. Raises `Misfit`."""

    async def leave(self, run: R, ended: Ended | None) -> None:
        """End a pipeline that began; `ended` is None if it was cut short from outside."""

    async def hand_over(self, run: R, result: Escalated) -> None:
        """Deliver the handoff of a root run that ends escalated."""

    async def finish(self, run: R, answered: bool) -> None:
        """End the root run."""

    async def close(self, run: R) -> None:
        """Take note that the last event of a root run is told."""

    # ---------------------------------------------------------------------------------- expressions

    async def value(self, run: R, node: expr.Expr) -> Any:
        """Evaluate an expression: a let, the value of an outcome."""

    def arguments(self, run: R, given: Arguments) -> dict[str, Any]:
        """Evaluate the arguments of an action, by their names."""

    async def recorded_arguments(self, run: R, given: Arguments) -> dict[str, Any]:
        """As `arguments`; where the world records, those that may be others next time are recorded.
        In a world that is not `lasting` both are the same.
        """

    async def route(self, run: R, node: expr.Expr, arms: Arms = ()) -> Any:
        """Evaluate an expression that chooses a way: a tier, or the subject of a match with these
        arms.
        """

    async def link_value(self, run: R, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        """Evaluate a link that is a bare value."""

    async def holds(self, run: R, item: p.Gate | p.When | p.Person, test: expr.Expr) -> bool:
        """Judge the condition of a gate, a branch, or a person's `when`."""

    # ------------------------------------------------------------------------------------- regions

    async def enter_region(self, run: R, place: str, items: Items, whole: bool) -> Left | None:
        """Enter a region, or a step that may act: what a former process left it with, None if it is
        to be gone through now. `whole` says that it only reads, so that nothing in it needs to be
        recorded before it is left.
        """

    async def leave_region(
        self,
        run: R,
        place: str,
        items: Items,
        values: Mapping[str, Any],
        end: Ended | Exception | None,
    ) -> None:
        """Leave a region with values of its items, and with its end as in `Left`."""

    # ---------------------------------------------------------------------------------------- steps

    def begin(self, run: R, step: p.Step) -> None:
        """Begin the chain of a step, for the first time or in a redo."""

    def attempt(self, run: R, attempt: Attempt) -> Coroutine[Any, Any, Any]:
        """Carry out one attempt: an answer that fits its type. Raises `AttemptFailed`."""

    async def turn(self, run: R, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]) -> Turn:
        """Carry out one attempt of an agent's next turn, after these. Raises `AttemptFailed`."""

    async def use_tool(self, run: R, attempt: Attempt, call: ToolCall) -> ToolResult:
        """Call a tool for an agent. A failure is a result too."""

    async def accepts(self, run: R, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        """Whether an answer of a cascade is good enough; its test reads it as `it`."""

    def vote_decided(self, run: R, step: p.Step, answer: Any) -> None:
        """Take note of the answer that won a vote, which need not be the last one given."""

    def stand_in(self, run: R, step: p.Step, action: p.Action) -> Any:
        """A value that replaces a whole `each`, agent, sub-pipeline or recall (a mock); else
        `NOTHING`.
        """

    # ---------------------------------------------------------------------- sub-pipelines and lists

    async def enter_child(self, run: R, child: R, subjects: Subjects) -> None:
        """Begin a sub-pipeline with its arguments. Raises `AttemptFailed` if one does not fit."""

    def child_answered(self, run: R, step: p.Step, value: Any) -> None:
        """Take note that a sub-pipeline answered for a step."""

    async def elements(self, run: R, step: p.Step, each: p.Each, subjects: Subjects) -> list[Any]:
        """Evaluate the list that an `each` goes through."""

    async def enter_element(self, run: R, inside: R, each: p.Each, subjects: Subjects) -> None:
        """Begin the chain of one element; `inside` is the run as the element sees it."""

    def gathered(self, run: R, step: p.Step, answers: list[Any]) -> Any:
        """Make the answer of an `each` from those of its elements, None where one is missing."""

    # -------------------------------------------------------------------------- memories and caches

    async def recall(self, run: R, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        """Read a memory. Raises `AttemptFailed` if it cannot be read."""

    async def remember(self, run: R, item: p.Remember, place: str) -> Mapping[str, Any]:
        """Write into a memory: the values of the run that are new, because what was recalled was
        another run's by then. Raises `AttemptFailed` if it cannot be written.
        """

    async def look_up(self, run: R, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        """A cached answer of a link, or `NOTHING`: `keep` or `keep_nothing` follows then. May
        wait for another run that asks for the same. Raises `AttemptFailed` if that took too long.
        """

    async def keep(self, run: R, step: p.Step, link: p.Link, answer: Any) -> None:
        """Keep an answer for the cache, to be stored if the run ends answered."""

    async def keep_nothing(self, run: R, step: p.Step, link: p.Link) -> None:
        """Say that no answer follows a look into the cache: other runs need not wait for one."""

    # --------------------------------------------------------------------------------------- people

    async def decide(self, run: R, question: Question) -> Decision | None:
        """Ask a person; None if nobody answered in time."""

    async def judge(self, run: R, sampled: Sampled) -> None:
        """Put an answer before people for a verdict. The run does not wait for it."""

    # ---------------------------------------------------------- what is used, and what is begun

    async def reserved(self, run: R, held: Reservation) -> None:
        """Take note of what a call may use, before it is made."""

    async def take_up(self, run: R) -> None:
        """Reserve from the quotas again what was given back while people were waited for. Raises
        `BudgetSpent` where one is spent by now.
        """

    def used(self, run: R, money: Decimal | None, tokens: int) -> None:
        """Take note of what a call used, whose reservation was given back; no `money` is one of
        unknown price.
        """

    async def intend(self, run: R) -> None:
        """Take note that what cannot be taken back begins now: a call that acts, a question."""

    def waiting_for(self, run: R, role: str, seconds: float | None) -> Waiting:
        """A maker of contexts, for the step that runs now: inside one it does nothing but wait for
        a person of a role, who has been asked, at most so many seconds (None: without end).
        """

    # -------------------------------------------------------------------------------------- telling

    def tell(self, run: R, event: Event) -> None:
        """Tell an event to who listens to a run."""

    # ----------------------------------------------------------------------------------------- time

    def since_start(self, run: R) -> float:
        """Seconds since the run began; waits for people count where this process has seen them."""

    def elapsed(self, run: R) -> float:
        """Seconds of machine time since the run began; waits for people do not count."""

    async def sleep(self, run: R, seconds: float) -> None:
        """Let time pass."""

    async def jitter(self, run: R, longest: float) -> float:
        """Draw a wait in seconds, uniform in [0, longest]."""

    # --------------------------------------------------------------------------------- side by side

    def spawn(self, work: Coroutine[Any, Any, Any], place: str) -> Any:
        """Start a task that runs side by side with others; where the world records, at a place that
        no other task has.
        """

    async def first(self, tasks: Iterable[Any]) -> Iterable[Any]:
        """Wait until at least one task is done; the done ones, in the order in which they came in.
        `task.result()` may raise. When a task is done decides nothing that a run keeps.
        """

    async def cancel(self, tasks: Iterable[Any]) -> None:
        """Cancel tasks and wait until they are gone."""
