"""One run: its values, counters, budget and events, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from pipelang.runtime.budget import Budget
from pipelang.runtime.events import Event, Sink
from pipelang.runtime.expressions import BUDGET, Expressions
from pipelang.runtime.hiding import hide, hide_json
from pipelang.runtime.outcomes import Answered, Escalated, Failed, Rejected, Result, Spent
from pipelang.runtime.values import shown
from pipelang.runtime.world import Arms, World
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over: an outcome with its value worked out. `inside` is the handoff of the
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


@dataclass(slots=True)
class Run:
    """One run of one pipeline, or of a sub-pipeline in it.

    `path` stands before the names of its events; `parent` is the run that runs this one; `redoing`
    says that what runs now ran before; `begun` are the steps that were; `partial` has what an
    unfinished `each` has so far; `action` is the `run` that it carries out, None for the root and
    for an agent's; `frame` is what a world keeps with it; `references` are to secrets,
    None where nothing is real.
    """

    id: str
    program: p.Program
    pipeline: p.Pipeline
    world: World
    expressions: Expressions
    budget: Budget
    values: dict[str, Any]
    sinks: tuple[Sink, ...] = ()
    trace: list[Event] = field(default_factory=list)
    redos: dict[str, int] = field(default_factory=dict)
    feedback: dict[str, str] = field(default_factory=dict)
    made: dict[str, p.Step] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    granted: frozenset[str] | None = None
    tenant: str | None = None
    conditions: list[ir.Expr] = field(default_factory=list)
    quiet: bool = False
    path: str = ""
    parent: Run | None = None
    redoing: bool = False
    begun: set[str] = field(default_factory=set)
    partial: dict[str, Any] = field(default_factory=dict)
    action: p.RunPipeline | None = None
    frame: Any = None
    references: tuple[str, ...] | None = None

    def tell(self, kind: str, name: str, content: Any = None, **data: Any) -> None:
        """Record an event and hand it to the sinks."""
        if self.quiet:
            return
        event = Event(kind, self.path + name, self.world.elapsed(self), data, content)
        self.trace.append(event)
        for sink in self.sinks:
            sink(self.id, event)

    def evaluate(self, expr: ir.Expr) -> Any:
        """An expression over the values of this run."""
        return self.world.value(self, expr)

    def route(self, expr: ir.Expr, arms: Arms = ()) -> Any:
        """What decides where to go."""
        return self.world.route(self, expr, arms)

    def child(
        self,
        pipeline: p.Pipeline,
        budget: Budget,
        values: dict[str, Any],
        at: str,
        action: p.RunPipeline | None,
    ) -> Run:
        """A run of a sub-pipeline in this one; `at` is the step that runs it."""
        child = Run(
            id=self.id,
            program=self.program,
            pipeline=pipeline,
            world=self.world,
            expressions=self.expressions,
            budget=budget,
            values=values,
            sinks=self.sinks,
            trace=self.trace,
            calls=self.calls,
            granted=self.granted,
            tenant=self.tenant,
            quiet=self.quiet,
            path=f"{self.path}{at}/",
            parent=self,
            redoing=self.redoing,
            action=action,
            references=self.references,
        )
        child.values[BUDGET] = lambda what: budget.remaining(what, self.world.elapsed(child))
        return child

    def element(self, variable: str, value: Any, at: str) -> Run:
        """The same run as an element of an `each` sees it."""
        return replace(self, values={**self.values, variable: value}, path=f"{self.path}{at}")


def conclude(run: Run, outcome: p.Outcome) -> Ended:
    """An outcome with its value worked out now."""
    match outcome:
        case p.Return():
            return Ended(outcome, run.evaluate(outcome.value))
        case p.Escalate():
            value = None if outcome.value is None else run.evaluate(outcome.value)
            return Ended(outcome, value)
        case p.Reject() | p.Fail():
            return Ended(outcome, None)
        case _:
            assert_never(outcome)


def inputs_of(run: Run) -> dict[str, Any]:
    """The inputs as JSON."""
    return {q.name: shown(q.type, run.values.get(q.name)) for q in run.pipeline.parameters}


def values_of(run: Run) -> dict[str, Any]:
    """Every value that the run made, as JSON, and what an unfinished list has."""
    made = {name: shown(step.type, run.values[name]) for name, step in run.made.items()}
    return {**{name: part for name, part in run.partial.items() if name not in made}, **made}


def so_far(run: Run) -> dict[str, Any]:
    """All that a run knows, as JSON: its inputs and every value that it made."""
    return {"input": inputs_of(run), "values": values_of(run)}


def handoff(run: Run, ended: Ended) -> dict[str, Any]:
    """What a person needs to go on. What a sub-pipeline hands over is `inside`."""
    outcome = ended.outcome
    assert isinstance(outcome, p.Escalate)
    handed = {
        "pipeline": run.pipeline.name,
        "run": run.id,
        "reason": outcome.reason,
        "text": outcome.text,
        **so_far(run),
    }
    if ended.inside is not None:
        handed["inside"] = ended.inside
    elif outcome.value is not None:
        handed["with"] = shown(outcome.value.type, ended.value)
    return handed


def result_of(run: Run, ended: Ended) -> Result:
    """How the run ended, for its host."""
    outcome = ended.outcome
    spent = Spent(run.budget.money, run.budget.tokens, run.world.elapsed(run))
    match outcome:
        case p.Return():
            return Answered(run_id=run.id, spent=spent, value=ended.value)
        case p.Escalate():
            return Escalated(
                run_id=run.id,
                spent=spent,
                role=outcome.role,
                reason=outcome.reason,
                text=outcome.text,
                handoff=hide_json(run, handoff(run, ended)),
            )
        case p.Reject():
            return Rejected(run_id=run.id, spent=spent, reason=outcome.reason, text=outcome.text)
        case p.Fail():
            return Failed(
                run_id=run.id,
                spent=spent,
                code=outcome.code,
                reason=outcome.reason,
                text=None if ended.detail is None else hide(run, ended.detail),
                partial=hide_json(run, so_far(run)),
            )
        case _:
            assert_never(outcome)
