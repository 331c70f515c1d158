"""Runs as OpenTelemetry spans and metrics, by the GenAI semantic conventions.

A run and each sub-pipeline is a span `invoke_workflow`, a step `pipelang.step`, a call of a tool
`execute_tool`, a call of a model `chat MODEL`; gates, approvals, holds, budgets and breakers are
`pipelang.KIND`, everything else an event of the span that it happened in. What was asked and
answered is in none of them.

Which span is whose parent goes by OpenTelemetry's own context, which each asyncio task inherits
from the one that started it: so it is right for runs and steps side by side, and spans that others
make (the Anthropic SDK's, an HTTP client's, a tool's own) find their place below ours.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass, field

try:
    from opentelemetry import context as contexts
    from opentelemetry import metrics, trace
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ImportError as missing:
    help = "OpenTelemetry is not installed: pip install 'pipelang-dsl[otel]'"
    raise ImportError(help) from missing

from pipelang.runtime.engine.event_payloads import added, cost_in
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.secrets import notations, redacted, secrets_behind
from pipelang.runtime.sinks import conventions as c
from pipelang.runtime.sinks.metrics import Metrics
from pipelang.version import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

_FRAME = contexts.create_key("pipelang.frame")

_OF_A_BLOCK = frozenset(
    "step gate when match approve hold budget breaker remember redo outcome".split()
)
"""Events that happen in a pipeline and never inside one of its steps."""

_SPANS = frozenset("gate approve hold budget breaker kill killed".split())
"""Events that are spans of their own, `pipelang.KIND NAME`."""


@dataclass(slots=True, eq=False)
class _Frame:
    """A span that has begun. `inside` is the context for what happens in it, `outside` the one to
    go back to; `asked` is since when (nanoseconds) people are waited for.
    """

    run_id: str
    kind: str
    span: Span
    outside: Context
    parent: _Frame | None
    root: _Frame | None
    name: str
    inside: Context
    open: list[_Frame] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    cost: float | None = 0.0
    ended: bool = False

    def holds(self, event: Event) -> bool:
        """Whether an event of a block happens in this one's."""
        return self.kind == "runs" and event.name.startswith(f"{self.name}/")


class OpenTelemetry:
    """A sink that makes OpenTelemetry spans and metrics of runs. Without providers of its own it
    uses those that are set for the process. It needs the extra `otel`: without it, access to
    `pipelang.OpenTelemetry` raises ImportError.

    `inference` says whether calls of models become spans here: None leaves those out that the
    Anthropic SDK makes itself, which it does for the process' own tracer provider. `references`
    are to secrets that stay out.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        inference: bool | None = None,
        references: tuple[str, ...] = (),
    ) -> None:
        self._tracer = trace.get_tracer(c.SCOPE, __version__, tracer_provider)
        self._metrics = Metrics(metrics.get_meter(c.SCOPE, __version__, meter_provider))
        self._own_provider = tracer_provider is not None
        self._inference = inference
        self._secrets = notations(secrets_behind(references))
        self._roots: dict[str, _Frame] = {}

    def __call__(self, run_id: str, event: Event) -> None:
        now = time.time_ns()
        if event.kind == "run":
            self._begin_run(run_id, event, now)
            return
        frame = self._frame(run_id)
        if frame is None:
            return
        if event.kind in _OF_A_BLOCK:
            # What a spent budget or a kill cut off said nothing at its end.
            while frame.parent is not None and not frame.holds(event):
                frame = self._close(frame, now, "cut")
        pipeline = (frame.root or frame).name
        self._metrics.record(event, pipeline)
        match event.kind:
            case "step":
                name = event.name.rpartition("/")[2]
                attributes = {c.STEP_NAME: event.name, c.PIPELINE: pipeline}
                self._open(frame, "step", event.name, f"{c.STEP} {name}", attributes, now)
            case "runs":
                workflow = str(event.data["pipeline"])
                attributes = {
                    c.OPERATION_NAME: c.INVOKE_WORKFLOW,
                    c.WORKFLOW_NAME: workflow,
                    c.AGENT_NAME: workflow,
                }
                name = f"{c.INVOKE_WORKFLOW} {workflow}"
                self._open(frame, "runs", event.name, name, attributes, now)
            case "returned":
                self._end(frame, "runs", event, now)
            case "done" | "ended":
                self._end(frame, "step", event, now)
            case "outcome":
                self._end_run(frame, event, now)
            case _:
                self._inside(frame, event, now)

    # ------------------------------------------------------------------------- spans that last

    def _begin_run(self, run_id: str, event: Event, now: int) -> None:
        attributes = {
            c.OPERATION_NAME: c.INVOKE_WORKFLOW,
            c.WORKFLOW_NAME: event.name,
            c.AGENT_NAME: event.name,
            c.RUN_ID: run_id,
            **self._attributes(event.data),
        }
        outside = contexts.get_current()
        name = f"{c.INVOKE_WORKFLOW} {event.name}"
        span = self._tracer.start_span(name, outside, attributes=attributes, start_time=now)
        inside = trace.set_span_in_context(span, outside)
        frame = _Frame(run_id, "run", span, outside, None, None, event.name, inside)
        self._roots[run_id] = frame
        self._enter(frame)

    def _open(
        self,
        parent: _Frame,
        kind: str,
        name: str,
        title: str,
        attributes: Mapping[str, Any],
        now: int,
    ) -> None:
        context = parent.inside
        span = self._tracer.start_span(title, context, attributes=attributes, start_time=now)
        inside = trace.set_span_in_context(span, context)
        root = parent.root or parent
        frame = _Frame(parent.run_id, kind, span, context, parent, root, name, inside)
        parent.open.append(frame)
        self._enter(frame)

    def _enter(self, frame: _Frame) -> None:
        frame.inside = contexts.set_value(_FRAME, frame, frame.inside)
        contexts.attach(frame.inside)

    def _frame(self, run_id: str) -> _Frame | None:
        """The span that this task is in; the span of the run, if it is in none of this run's."""
        found = contexts.get_value(_FRAME)
        at = found if isinstance(found, _Frame) and found.run_id == run_id else None
        while at is not None and at.ended:
            at = at.parent
        return at if at is not None else self._roots.get(run_id)

    def _end(self, frame: _Frame, kind: str, event: Event, now: int) -> None:
        """End the innermost span of this kind and name."""
        at: _Frame | None = frame
        while at is not None and not (at.kind == kind and at.name == event.name):
            at = at.parent
        if at is None:
            return
        outcome = event.data.get("outcome")
        if event.kind == "ended":
            at.span.set_status(Status(StatusCode.ERROR, "nothing answered"))
        elif kind == "runs" and outcome in ("fail", "timeout"):
            code = str(event.data.get("code") or outcome)
            at.span.set_attribute(c.ERROR_TYPE, code)
            at.span.set_status(Status(StatusCode.ERROR, code))
        self._close(at, now, str(event.data.get("outcome") or "answered"))

    def _close(self, frame: _Frame, now: int, outcome: str) -> _Frame:
        """End a span, after those left open in it; returns the one around it."""
        for left in list(frame.open):
            self._close(left, now, "cancelled")
        frame.span.set_attribute(c.OUTCOME, outcome)
        if frame.cost:
            frame.span.set_attribute(c.COST, frame.cost)
        frame.span.end(now)
        frame.ended = True
        contexts.attach(frame.outside)
        if frame.parent is None:
            return frame
        frame.parent.cost = added(frame.parent.cost, frame.cost)
        if frame in frame.parent.open:
            frame.parent.open.remove(frame)
        return frame.parent

    def _end_run(self, frame: _Frame, event: Event, now: int) -> None:
        root = self._roots.pop(frame.run_id, frame.root or frame)
        data = event.data
        root.cost = 0.0
        for left in list(root.open):
            self._close(left, now, "cancelled")
        root.span.set_attributes(self._attributes({k: v for k, v in data.items() if k != "cost"}))
        if event.name in ("failed", "broken"):
            root.span.set_attribute(c.ERROR_TYPE, str(data.get("code") or event.name))
            root.span.set_status(Status(StatusCode.ERROR, str(data.get("reason") or "")))
        root.cost = cost_in(data)
        self._close(root, now, event.name)

    # ------------------------------------------------------------------- what happens in a span

    def _inside(self, frame: _Frame, event: Event, now: int) -> None:
        data = event.data
        match event.kind:
            case "answer" | "turn" if "tier" in data:
                self._model(frame, event, now)
            case "result":
                self._tool(frame, event, now)
            case "failed" if "tool" in data:
                self._tool(frame, event, now)
            case "failed" if "tier" in data and data.get("seconds") is not None:
                self._model(frame, event, now)
            case "asks":
                frame.asked[event.name] = now
                frame.span.add_event("pipelang.asks", self._told(event), now)
            case kind if kind in _SPANS:
                start = frame.asked.pop(event.name, now)
                title = f"{c.PREFIX}{kind} {event.name.rpartition('/')[2]}"
                self._leaf(frame, title, self._told(event), start, now)
            case kind:
                frame.span.add_event(f"{c.PREFIX}{kind}", self._told(event), now)

    def _model(self, frame: _Frame, event: Event, now: int) -> None:
        data = event.data
        frame.cost = added(frame.cost, cost_in(data))
        if "confidence" in data:
            frame.span.set_attribute(c.CONFIDENCE, data["confidence"])
        frame.span.set_attribute(c.TIER, str(data["tier"]))
        if not self._makes_inference(data):
            if event.kind == "failed":
                frame.span.add_event("pipelang.failed", self._told(event), now)
            return
        attributes = self._told(event)
        attributes[c.OPERATION_NAME] = c.CHAT
        names = {
            "provider": c.PROVIDER_NAME,
            "tokens_in": c.INPUT_TOKENS,
            "tokens_out": c.OUTPUT_TOKENS,
            "cache_read": c.CACHE_READ_TOKENS,
            "cache_write": c.CACHE_WRITE_TOKENS,
            "model": c.RESPONSE_MODEL if event.kind != "failed" else c.REQUEST_MODEL,
        }
        for key, name in names.items():
            if attributes.pop(f"{c.PREFIX}{key}", None) is not None:
                attributes[name] = self._clean(data[key])
        title = f"{c.CHAT} {data['model']}" if data.get("model") else c.CHAT
        self._leaf(frame, title, attributes, now - _nanoseconds(data), now, SpanKind.CLIENT)

    def _tool(self, frame: _Frame, event: Event, now: int) -> None:
        data = event.data
        frame.cost = added(frame.cost, cost_in(data))
        attributes = self._told(event)
        attributes.pop(f"{c.PREFIX}tool", None)
        names = {c.OPERATION_NAME: c.EXECUTE_TOOL, c.TOOL_NAME: str(data["tool"])}
        attributes |= {**names, c.TOOL_TYPE: "function"}
        title = f"{c.EXECUTE_TOOL} {data['tool']}"
        self._leaf(frame, title, attributes, now - _nanoseconds(data), now)

    def _leaf(
        self,
        frame: _Frame,
        title: str,
        attributes: dict[str, Any],
        start: int,
        now: int,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        span = self._tracer.start_span(
            title, frame.inside, kind, attributes=attributes, start_time=start
        )
        if "pipelang.why" in attributes:
            kind_of = attributes.get("pipelang.error") or attributes["pipelang.why"]
            span.set_attribute(c.ERROR_TYPE, kind_of)
            said = attributes.get("pipelang.message") or kind_of
            span.set_status(Status(StatusCode.ERROR, str(said)))
        span.end(now)

    def _makes_inference(self, data: Mapping[str, Any]) -> bool:
        if self._inference is not None:
            return self._inference
        sdk = data.get("provider") == "anthropic" and "anthropic._tracing" in sys.modules
        return self._own_provider or not sdk

    # ------------------------------------------------------------------------------- attributes

    def _told(self, event: Event) -> dict[str, Any]:
        return {c.STEP_NAME: event.name, **self._attributes(event.data)}

    def _attributes(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an event as attributes: scalars, lists of scalars, else JSON."""
        return {
            f"{c.PREFIX}{key}": self._clean(value)
            for key, value in data.items()
            if value is not None
        }

    def _clean(self, value: Any) -> Any:
        if isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, (list, tuple)) and _alike(value):
            return [self._clean(item) for item in value]
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return redacted(text, self._secrets)


def _alike(values: Iterable[Any]) -> bool:
    """Whether an attribute may hold the list: scalars of one type."""
    kinds = {type(value) for value in values}
    return len(kinds) <= 1 and kinds <= {bool, int, float, str}


def _nanoseconds(data: Mapping[str, Any]) -> int:
    return int(float(data.get("seconds") or 0.0) * 1e9)
