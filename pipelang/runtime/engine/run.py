"""The state of one run: its values, counters, budget and events."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.events import Event, Sink
from pipelang.runtime.engine.expressions import BUDGET, Expressions
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.region_plan import Plans
from pipelang.runtime.engine.world import Arms, World
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

Play = Callable[["Run"], Coroutine[Any, Any, Ended]]
"""Plays a pipeline to its outcome. Raises `BudgetSpent` for the budget of another pipeline."""


@dataclass(slots=True, eq=False)
class Run:
    """A run of a pipeline, or of a sub-pipeline in it.

    `values` are those of inputs, steps and lets by name, `made` the steps that have one. `path` is
    the prefix of its events' names, `place` that of its calls in idempotency keys, whose counters
    are `calls`. `parent` is the run around a sub-pipeline and `action` the `run` that it carries
    out, None for the root and for an agent's. `play` plays a sub-pipeline.

    `granted` are its permits, None for all. `redoing` says that the steps that run now ran before,
    `redos` counts the redos of each gate, and `feedback` is the text of gates to steps that they
    redo. `conditions` are those of the branches around the current item.

    For its handoff: `partial` has the elements that an unfinished `each` has so far, `decided` the
    decisions of people, `unfinished` the values of sub-pipelines that were cut short.

    `frame` belongs to the world. `references` name secrets, None where nothing is real. `quiet`
    means that no events are made, `traced` that the result has them.
    """

    id: str
    program: p.Program
    pipeline: p.Pipeline
    world: World[Run]
    expressions: Expressions
    plans: Plans
    play: Play
    budget: RunBudget
    values: dict[str, Any]
    sinks: tuple[Sink, ...] = ()
    granted: frozenset[str] | None = None
    tenant: str | None = None
    quiet: bool = False
    traced: bool = True
    path: str = ""
    place: str = ""
    parent: Run | None = None
    redoing: bool = False
    action: p.RunPipeline | None = None
    frame: Any = None
    references: tuple[str, ...] | None = None
    feedback: dict[str, str] | None = None
    trace: list[Event] = field(init=False, repr=False)
    redos: dict[str, int] = field(init=False, repr=False)
    made: dict[str, p.Step] = field(init=False, repr=False)
    calls: dict[str, int] = field(init=False, repr=False)
    conditions: list[expr.Expr] = field(init=False, repr=False)
    partial: dict[str, Any] = field(init=False, repr=False)
    decided: dict[str, Any] = field(init=False, repr=False)
    unfinished: dict[str, Any] = field(init=False, repr=False)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Ten thousand runs that wait have none of most of these: made when first asked for.
            if name not in _WHEN_NEEDED:
                raise AttributeError(name)
            made = _WHEN_NEEDED[name]()
            setattr(self, name, made)
            return made

    def emit(self, kind: str, name: str, content: Any = None, **data: Any) -> None:
        """Make an event, add it to the trace and hand it to the sinks."""
        if self.quiet:
            return
        event = Event(kind, self.path + name, self.world.elapsed(self), data, content)
        if self.traced:
            self.trace.append(event)
        for sink in self.sinks:
            sink(self.id, event)

    def evaluate(self, node: expr.Expr) -> Any:
        """The value of an expression over the values of this run."""
        return self.world.value(self, node)

    def route(self, node: expr.Expr, arms: Arms = ()) -> Any:
        """The value of an expression that chooses a tier or an arm."""
        return self.world.route(self, node, arms)

    def remaining(self, what: str) -> Any:
        """The rest of a dimension of its budget: money, time, tokens or steps."""
        return self.budget.remaining(what, self.world.elapsed(self))

    def child(
        self,
        pipeline: p.Pipeline,
        budget: RunBudget,
        values: dict[str, Any],
        at: str,
        action: p.RunPipeline | None,
        again: bool = False,
    ) -> Run:
        """Make the run of a sub-pipeline in this one; `at` is the step that runs it, `again` says
        that it is a retry.
        """
        child = self._copy(("trace", "calls"))
        child.pipeline, child.budget, child.values, child.action = pipeline, budget, values, action
        child.path, child.parent = f"{self.path}{at}/", self
        child.place = self._place_of(at, again)
        if self.granted is not None:
            child.granted = self.granted & {*pipeline.permits}
        child.frame = child.feedback = None
        child.values[BUDGET] = child
        return child

    def count(self, what: str, again: bool) -> int:
        """Count something that the run does by what it is, from 0; a retry (`again`) has the number
        of what was done last.
        """
        before = self.calls.get(what, 0)
        if again and before:
            return before - 1
        self.calls[what] = before + 1
        return before

    def _place_of(self, step: str, again: bool) -> str:
        """The place of a sub-pipeline that `step` runs; `again` says that this is a retry."""
        number = self.count(f"runs {self.place}{step}", again)
        place = f"{self.place}{step}/" if number == 0 else f"{self.place}{step}.{number}/"
        if again:  # it does the same things once more: count them from the beginning
            for what in [what for what in self.calls if what.partition(" ")[2].startswith(place)]:
                del self.calls[what]
        return place

    def element(self, variable: str, value: Any, at: str) -> Run:
        """Make the run as an element of an `each` sees it: `variable` is the element."""
        inside = self._copy(tuple(_WHEN_NEEDED))
        inside.values = {**self.values, variable: value}
        inside.path, inside.place = self.path + at, self.place + at
        return inside

    def _copy(self, shared: tuple[str, ...]) -> Run:
        """Copy the run; of the fields that are made when needed it shares those that are named."""
        copied: Run = object.__new__(Run)
        for name in (*_GIVEN, *shared):
            setattr(copied, name, getattr(self, name))
        return copied


_WHEN_NEEDED: dict[str, Callable[[], Any]] = {
    "trace": list,
    "redos": dict,
    "made": dict,
    "calls": dict,
    "conditions": list,
    "partial": dict,
    "decided": dict,
    "unfinished": dict,
}
_GIVEN = tuple(one.name for one in fields(Run) if one.init)
