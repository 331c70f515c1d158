"""One run: its values, counters, budget and events, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, assert_never

from pipelang.diagnostics import Span
from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.events import Event, Sink
from pipelang.runtime.engine.expressions import BUDGET, Expressions
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result, Spent
from pipelang.runtime.engine.redaction import hide, hide_json
from pipelang.runtime.engine.values import shown
from pipelang.runtime.engine.world import Arms, World
from pipelang.runtime.tools.idempotency import place_of
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import CHAIN_EXHAUSTED

if TYPE_CHECKING:
    from pipelang.runtime.engine.regions import Plans


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


@dataclass(slots=True, eq=False)
class Run:
    """One run of one pipeline, or of a sub-pipeline in it.

    `path` stands before the names of its events, `place` before those of its calls in idempotency
    keys; `granted` are the permits that it has, None for all; `parent` is the run that runs this
    one; `redoing` says that what runs now ran before; `feedback` is what gates said to steps that
    they redo; `partial` has what an unfinished `each` has so far, `decided` what people said in
    approvals and holds, `unfinished` what sub-pipelines knew that were cut short; `action` is the
    `run` that it carries out, None for the root and for an agent's; `frame` is what a world keeps
    with it; `references` are to secrets, None where nothing is real. `quiet` says that nobody wants
    its events, `traced` that the result has them.
    """

    id: str
    program: p.Program
    pipeline: p.Pipeline
    world: World
    expressions: Expressions
    plans: Plans
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

    def tell(self, kind: str, name: str, content: Any = None, **data: Any) -> None:
        """Record an event and hand it to the sinks."""
        if self.quiet:
            return
        event = Event(kind, self.path + name, self.world.elapsed(self), data, content)
        if self.traced:
            self.trace.append(event)
        for sink in self.sinks:
            sink(self.id, event)

    def evaluate(self, node: expr.Expr) -> Any:
        """An expression over the values of this run."""
        return self.world.value(self, node)

    def route(self, node: expr.Expr, arms: Arms = ()) -> Any:
        """What decides where to go."""
        return self.world.route(self, node, arms)

    def left(self, what: str) -> Any:
        """What is left of a dimension of its budget."""
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
        """A run of a sub-pipeline in this one; `at` is the step that runs it, `again` a retry."""
        child = self._copy(("trace", "calls"))
        child.pipeline, child.budget, child.values, child.action = pipeline, budget, values, action
        child.path, child.parent = f"{self.path}{at}/", self
        child.place = place_of(self, at, again)
        if self.granted is not None:
            child.granted = self.granted & {*pipeline.permits}
        child.frame = child.feedback = None
        child.values[BUDGET] = child
        return child

    def element(self, variable: str, value: Any, at: str) -> Run:
        """The same run as an element of an `each` sees it."""
        inside = self._copy(tuple(_WHEN_NEEDED))
        inside.values = {**self.values, variable: value}
        inside.path, inside.place = self.path + at, self.place + at
        return inside

    def _copy(self, shared: tuple[str, ...]) -> Run:
        """The same run again; of what is made when it is needed it shares no more than this."""
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


def without_value(name: str, span: Span, why: str) -> Ended:
    """The end of a run in which something has no value and nothing stands behind it."""
    return Ended(p.Fail(CHAIN_EXHAUSTED, name, span), None, detail=why)


def inputs_of(run: Run) -> dict[str, Any]:
    """The inputs as JSON."""
    return {q.name: shown(q.type, run.values.get(q.name)) for q in run.pipeline.parameters}


def values_of(run: Run) -> dict[str, Any]:
    """Every value that the run made, as JSON, and what an unfinished list has."""
    made = {name: shown(step.type, run.values[name]) for name, step in run.made.items()}
    return {**{name: part for name, part in run.partial.items() if name not in made}, **made}


def so_far(run: Run) -> dict[str, Any]:
    """All that a run knows, as JSON: its inputs, every value that it made, what people decided, and
    what sub-pipelines knew that were cut short, by their steps.
    """
    known = {"input": inputs_of(run), "values": values_of(run)}
    if run.decided:
        known["decided"] = run.decided
    cut = {name: part for name, part in run.unfinished.items() if name not in run.made}
    return {**known, "unfinished": cut} if cut else known


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
