"""The state of one run: its values, counters, budget and events."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass, field
from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.events import Event, Sink
from pipelang.runtime.engine.expressions import BUDGET, Expressions
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.region_plan import Plans
from pipelang.runtime.engine.world import World
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

Play = Callable[["Run"], Coroutine[Any, Any, Ended]]
"""Plays a pipeline to its outcome. Raises `BudgetSpent` for the budget of another pipeline."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a run and of all in it, the same from its beginning to its end; runs of one
    handle share them.

    `play` plays a sub-pipeline. `references` name secrets, None where nothing is real. `partial` is
    told, by the step, what a model has written of its answer so far.
    """

    program: p.Program
    expressions: Expressions
    plans: Plans
    play: Play
    sinks: tuple[Sink, ...] = ()
    tenant: str | None = None
    references: tuple[str, ...] | None = None
    partial: Callable[[str, Any], None] | None = None


class Notes:
    """Notes that few runs take: each made when it is first asked for.

    `redos` counts the redos of each gate or approval by its place, `conditions` are those of the
    branches around the current item. For a handoff: `partial` has the elements that an unfinished
    `each` has so far, `decided` the decisions of people, `unfinished` the values of sub-pipelines
    that were cut short. `recalled` belongs to the world: by step and visit, what it found at which
    places of memories. Of the steps that are sampled `tiers` are those that answer now, `sources`
    say what the confidence of a decision is.
    """

    __slots__ = (
        "conditions",
        "decided",
        "partial",
        "recalled",
        "redos",
        "sources",
        "tiers",
        "unfinished",
    )

    redos: dict[Span, int]
    conditions: list[expr.Expr]
    partial: dict[str, Any]
    decided: dict[str, Any]
    unfinished: dict[str, Any]
    recalled: dict[tuple[str, int], dict[Any, Any]]
    tiers: dict[str, str]
    sources: dict[str, str]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            made = [] if name == "conditions" else {}
            setattr(self, name, made)  # raises AttributeError for any other name
            return made


@dataclass(slots=True, eq=False)
class Run:
    """A run of a pipeline, or of a sub-pipeline in it.

    `values` are those of inputs, steps and lets by name, `made` the steps that have one. `path` is
    the prefix of its events' names, `place` that of its calls in idempotency keys, `index` the
    element of an `each` that it is ("" for none). `where` is the prefix of its places in a record:
    unlike `place` it tells the attempts of a sub-pipeline apart, each of which is done and recorded
    for itself. `calls` counts the asks of each prompt. `parent` is the run around a sub-pipeline
    and `action` the `run` that it carries out, None for the root and for an agent's.

    `granted` are its permits, None for all. `sampled` says that some step of it may be put before
    people, by its pipeline or by one around it. `redoing` says that the steps that run now ran
    before, `visits` counts the redos of each item, and `feedback` is the text to steps that are
    redone.
    `frame` belongs to the world. `trace` has the events so far, None where the result is to have
    none; `quiet` means that none are made.
    """

    # One for every run in flight: what is the same for many, and what few need, stands elsewhere.
    known_id: str | None
    terms: Terms
    pipeline: p.Pipeline
    world: World[Run]
    budget: RunBudget
    values: dict[str, Any]
    granted: frozenset[str] | None = None
    quiet: bool = False
    path: str = ""
    place: str = ""
    where: str = ""
    index: str = ""
    parent: Run | None = None
    redoing: bool = False
    action: p.RunPipeline | None = None
    sampled: bool = False
    frame: Any = None
    trace: list[Event] | None = field(default=None, repr=False)
    feedback: dict[str, str] | None = None
    visits: dict[str, int] | None = None
    _made: dict[str, p.Step] | None = field(default=None, init=False, repr=False)
    _calls: dict[str, int] | None = field(default=None, init=False, repr=False)
    _notes: Notes | None = field(default=None, init=False, repr=False)

    @property
    def id(self) -> str:
        """Its id, drawn when first asked for unless it was given one."""
        if self.known_id is None:
            self.known_id = token_hex(6)
        return self.known_id

    # Ten thousand runs that wait have none of most of these: made when first asked for. Not by
    # `__getattr__`: a class that has one pays for it at every attribute.

    @property
    def made(self) -> dict[str, p.Step]:
        """The steps that have a value, by name."""
        if self._made is None:
            self._made = {}
        return self._made

    @property
    def calls(self) -> dict[str, int]:
        """The asks of each prompt so far."""
        if self._calls is None:
            self._calls = {}
        return self._calls

    @property
    def notes(self) -> Notes:
        """Notes that few runs take."""
        if self._notes is None:
            self._notes = Notes()
        return self._notes

    @property
    def program(self) -> p.Program:
        """The program that it is a run of."""
        return self.terms.program

    def emit(self, kind: str, name: str, content: Any = None, **data: Any) -> None:
        """Make an event, add it to the trace and hand it to the sinks."""
        if self.quiet:
            return
        world = self.world
        at = world.elapsed(self)
        world.tell(self, Event(kind, self.path + name, at, data, content, world.told))

    def make(self, item: p.Step | p.Let, value: Any) -> None:
        """Write the value of a step or a let: all that a run makes is written here."""
        self.values[item.name] = value
        if isinstance(item, p.Step):
            if self._made is None:
                self._made = {}
            self._made[item.name] = item

    def evaluate(self, node: expr.Expr) -> Any:
        """The value of an expression over real values, for whoever stands behind the seam."""
        return self.terms.expressions.evaluate(node, self.values)

    def remaining(self, what: str) -> Any:
        """The rest of a dimension of its budget: money, time, tokens or steps."""
        return self.budget.remaining(what, self.world.since_start(self))

    def child(
        self,
        pipeline: p.Pipeline,
        budget: RunBudget,
        values: dict[str, Any],
        at: str,
        part: str,
        attempt: int,
        action: p.RunPipeline | None,
    ) -> Run:
        """Make the run of a sub-pipeline in this one; `at` is the step that runs it, `part` which
        part of the step does.
        """
        child = self._copy()
        child._made = child._notes = None
        child.pipeline, child.budget, child.values, child.action = pipeline, budget, values, action
        child.path, child.parent = f"{self.path}{at}/", self
        child.sampled = self.sampled or bool(pipeline.samples)
        visit = self.visit(at)
        child.place = f"{self.place}{at}{f'.{visit}' if visit else ''}{part}/"
        child.where = f"{self.where}{at}/{visit}{part}@{attempt}/"
        budget.place = child.where
        if budget.parent is not None and budget.parent is not self.budget:
            budget.parent.place = f"{child.where}~"  # that of a timeout
        child.index = ""
        if self.granted is not None:
            child.granted = self.granted & {*pipeline.permits}
        child.frame = child.feedback = child.visits = None
        child.values[BUDGET] = child
        return child

    def visit(self, step: str) -> int:
        """The number of a step's visit: 0 at first, one more with every redo."""
        return self.visits.get(step, 0) if self.visits else 0

    def revisit(self, step: str) -> None:
        """Count a redo of a step."""
        self.visits = self.visits or {}
        self.visits[step] = self.visit(step) + 1

    def at(self, step: str) -> str:
        """The place of a step's visit in a record."""
        return f"{self.where}{step}/{self.visit(step)}"

    def arrive(self, name: str) -> str:
        """Come to something that no redo counts: the place of this visit in a record."""
        self.visits = self.visits or {}
        self.visits[name] = self.visits.get(name, -1) + 1
        return self.at(name)

    def element(self, variable: str, value: Any, at: str, number: int, part: str) -> Run:
        """Make the run as element `number` of an `each` sees it: `variable` is the element, `at`
        the step, `part` which part of the step the list is.
        """
        inside = self._copy()
        inside.values = {**self.values, variable: value}
        inside.path, inside.index = f"{self.path}{at}[{number}]/", f"{number}"
        inside.place = f"{self.place}{at}{part}[{number}]/"
        inside.where = f"{self.at(at)}{part}[{number}]/"
        return inside

    def _copy(self) -> Run:
        """Copy the run; what is made when needed is made now, to be shared."""
        copied: Run = object.__new__(Run)
        _ = self.id, self.made, self.calls, self.notes
        for name in _FIELDS:
            setattr(copied, name, getattr(self, name))
        return copied


_FIELDS = tuple(Run.__annotations__)
