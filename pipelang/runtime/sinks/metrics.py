"""Runs as OpenTelemetry metrics: escalations, confidence, latency, cost, tools, fallbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.runtime.engine.event_payloads import cost_in
from pipelang.runtime.engine.events import Event
from pipelang.runtime.sinks import conventions as c

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter


class Metrics:
    """The instruments. The rate of escalations by reason is `pipelang.escalations` over
    `pipelang.runs`; latency p95 and cost a run come out of their histograms, calibration out of the
    confidences beside what people say was right.
    """

    def __init__(self, meter: Meter) -> None:
        count, spread = meter.create_counter, meter.create_histogram
        self._runs = count(c.RUNS, "{run}", "Runs that ended, by outcome")
        self._escalations = count(c.ESCALATIONS, "{run}", "Escalated runs, by reason")
        self._tools = count(c.TOOL_CALLS, "{call}", "Calls of tools")
        self._fallbacks = count(c.FALLBACKS, "{fallback}", "Steps that went on to an `else`")
        self._retries = count(c.RETRIES, "{retry}", "Attempts that were made again")
        self._breakers = count(c.BREAKERS, "{change}", "Breakers that changed their state")
        self._gates = count(c.GATES, "{gate}", "Gates that were judged")
        self._duration = spread(
            c.RUN_DURATION,
            "s",
            "Machine time of a run",
            explicit_bucket_boundaries_advisory=c.SECONDS,
        )
        self._cost = spread(
            c.RUN_COST, "{USD}", "Dollars of a run", explicit_bucket_boundaries_advisory=c.DOLLARS
        )
        self._confidence = spread(
            c.ANSWER_CONFIDENCE,
            "1",
            "What models say of how sure they are",
            explicit_bucket_boundaries_advisory=c.CONFIDENCES,
        )
        self._operations = spread(
            c.OPERATION_DURATION,
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=c.SECONDS,
        )
        self._tokens = spread(
            c.TOKEN_USAGE,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=c.TOKEN_COUNTS,
        )

    def record(self, event: Event, pipeline: str) -> None:
        """Count an event of a run of this pipeline. Names of steps are without the way to them, so
        that a list of a thousand elements is one series.
        """
        data = event.data
        step = event.name.rpartition("/")[2]
        where = {c.PIPELINE: pipeline, c.STEP_NAME: step}
        match event.kind:
            case "outcome":
                self._ended(event, pipeline)
            case "answer" | "turn" if "tier" in data:
                self._asked(event)
                if "confidence" in data:
                    self._confidence.record(data["confidence"], {**where, c.TIER: data["tier"]})
            case "result":
                self._used(event, failed=False)
            case "failed":
                if "tool" in data:
                    self._used(event, failed=True)
                elif "tier" in data and data.get("seconds") is not None:
                    self._asked(event)
            case "fallback":
                self._fallbacks.add(1, where)
            case "retry":
                self._retries.add(1, where)
            case "gate":
                self._gates.add(1, {**where, "pipelang.passed": bool(data.get("passed"))})
            case "breaker":
                self._breakers.add(1, {**where, c.STATE: str(data.get("state", ""))})
            case _:
                pass

    def _ended(self, event: Event, pipeline: str) -> None:
        data = event.data
        which = {c.PIPELINE: pipeline, c.OUTCOME: event.name}
        self._runs.add(1, which)
        if event.name == "escalated":
            reason = {c.REASON: str(data.get("reason")), c.ROLE: str(data.get("role"))}
            self._escalations.add(1, {c.PIPELINE: pipeline, **reason})
        self._duration.record(float(data.get("seconds", event.at)), which)
        cost = cost_in(data)
        if cost is not None:
            self._cost.record(cost, which)

    def _asked(self, event: Event) -> None:
        data = event.data
        which: dict[str, str] = {c.OPERATION_NAME: c.CHAT, c.TIER: str(data["tier"])}
        for key, name in (("provider", c.PROVIDER_NAME), ("model", c.RESPONSE_MODEL)):
            if data.get(key):
                which[name] = str(data[key])
        failed = {c.ERROR_TYPE: str(data["why"])} if event.kind == "failed" else {}
        self._operations.record(float(data.get("seconds") or 0.0), {**which, **failed})
        for key, kind in (("tokens_in", "input"), ("tokens_out", "output")):
            if data.get(key) is not None:
                self._tokens.record(int(data[key]), {**which, c.TOKEN_TYPE: kind})

    def _used(self, event: Event, failed: bool) -> None:
        data = event.data
        effect = str(data.get("effect", "read"))
        which: dict[str, str | bool] = {c.TOOL_NAME: str(data["tool"]), c.EFFECT: effect}
        self._tools.add(1, {**which, c.FAILED: failed})
