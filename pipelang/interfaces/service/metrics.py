"""Metrics in OpenMetrics: what happened since the server began, and how it stands now.

Labels are the pipeline, the outcome, the reason and the tool: names of the program, never a tenant,
a run, or text of a model.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelang.interfaces.service.health import Depth, Health
    from pipelang.runtime.engine.events import Event

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

RUN_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
"""Seconds of machine time of a run."""
WAIT_BUCKETS = (10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 259_200.0, 604_800.0)
"""Seconds that a case waits for a person."""
MOST_REASONS = 500
"""Reasons that are told apart; those beyond count as `other`."""

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """Counts of values up to some limits."""

    def __init__(self, limits: tuple[float, ...]) -> None:
        self.limits = limits
        self.counts = [0] * (len(limits) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.limits, value)] += 1
        self.sum += value


class ServiceMetrics:
    """Counts what happens. May be told from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: defaultdict[Labels, int] = defaultdict(int)
        self._escalations: defaultdict[Labels, int] = defaultdict(int)
        self._failures: defaultdict[Labels, int] = defaultdict(int)
        self._started: defaultdict[Labels, int] = defaultdict(int)
        self._cost: defaultdict[Labels, float] = defaultdict(float)
        self._tokens: defaultdict[Labels, int] = defaultdict(int)
        self._tools: defaultdict[Labels, int] = defaultdict(int)
        self._seconds: dict[Labels, Histogram] = {}
        self._waits: dict[Labels, Histogram] = {}
        self._breakers: dict[Labels, str] = {}

    # ---------------------------------------------------------------------------------- telling

    def started(self, pipeline: str) -> None:
        """A run was started here."""
        with self._lock:
            self._started[(("pipeline", pipeline),)] += 1

    def ended(
        self,
        pipeline: str,
        outcome: str,
        reason: str | None,
        cost: str | None,
        tokens: int,
        seconds: float | None,
    ) -> None:
        """A run has ended. `reason` is the gate or step that decided."""
        here = ("pipeline", pipeline)
        with self._lock:
            self._outcomes[here, ("outcome", outcome)] += 1
            self._cost[here,] += float(cost or 0)  # what is known
            self._tokens[here,] += tokens
            if outcome in ("escalated", "failed") and reason is not None:
                counts = self._escalations if outcome == "escalated" else self._failures
                labels = here, ("reason", reason)
                if labels not in counts and len(counts) >= MOST_REASONS:
                    labels = here, ("reason", "other")
                counts[labels] += 1
            if seconds is not None:
                found = self._seconds.setdefault((here,), Histogram(RUN_BUCKETS))
                found.add(seconds)

    def event(self, pipeline: str, event: Event) -> None:
        """Something happened in a run that is done here."""
        tool = event.data.get("tool")
        if event.kind in ("result", "failed") and isinstance(tool, str):
            how = "answered" if event.kind == "result" else "failed"
            with self._lock:
                self._tools[("pipeline", pipeline), ("tool", tool), ("outcome", how)] += 1
        elif event.kind == "breaker":
            with self._lock:
                self._breakers[("pipeline", event.name),] = str(event.data.get("state", ""))

    def waited(self, pipeline: str, seconds: float) -> None:
        """A case was decided here after so many seconds."""
        with self._lock:
            found = self._waits.setdefault((("pipeline", pipeline),), Histogram(WAIT_BUCKETS))
            found.add(seconds)

    # -------------------------------------------------------------------------------- rendering

    def render(self, depths: Mapping[str, Depth], health: Health) -> str:
        """The metrics as text, with what is so now."""
        lines: list[str] = []
        with self._lock:
            _counter(lines, "pipelang_runs_started", "Runs started here.", self._started)
            _counter(lines, "pipelang_runs", "Runs that have ended.", self._outcomes)
            _counter(
                lines, "pipelang_escalations", "Escalations, by what decided.", self._escalations
            )
            _counter(lines, "pipelang_failures", "Failures, by where.", self._failures)
            _counter(lines, "pipelang_cost_dollars", "Cost of ended runs.", self._cost, "dollars")
            _counter(lines, "pipelang_tokens", "Tokens of ended runs.", self._tokens)
            _counter(lines, "pipelang_tool_calls", "Calls of tools, here.", self._tools)
            _histogram(
                lines, "pipelang_run_duration_seconds", "Machine time of runs.", self._seconds
            )
            _histogram(
                lines,
                "pipelang_people_wait_seconds",
                "Time until people decided, here.",
                self._waits,
            )
            breakers = {labels: float(state == "open") for labels, state in self._breakers.items()}
        _gauge(lines, "pipelang_breaker_open", "Whether a breaker is open.", breakers)
        _gauge(
            lines,
            "pipelang_queue_depth",
            "Runs that wait to begin.",
            _each(depths, lambda one: one.queued),
        )
        _gauge(
            lines,
            "pipelang_runs_active",
            "Runs at work.",
            _each(depths, lambda one: one.running),
        )
        _gauge(
            lines,
            "pipelang_runs_waiting",
            "Runs that wait for people or a time.",
            _each(depths, lambda one: one.waiting),
        )
        _gauge(lines, "pipelang_cases_open", "Cases.", _each(depths, lambda one: one.cases))
        _gauge(
            lines,
            "pipelang_oldest_case_seconds",
            "How long the oldest case has waited.",
            _each(depths, lambda one: one.oldest_case),
            "seconds",
        )
        _gauge(
            lines,
            "pipelang_clock_skew_seconds",
            "This machine's clock against the store's.",
            {(): health.skew},
            "seconds",
        )
        _gauge(lines, "pipelang_ready", "Whether it is ready.", {(): float(health.late is None)})
        return "\n".join([*lines, "# EOF", ""])


def _each(depths: Mapping[str, Depth], read: Callable[[Depth], float]) -> dict[Labels, float]:
    return {(("pipeline", name),): float(read(one)) for name, one in depths.items()}


def _head(lines: list[str], name: str, kind: str, about: str, unit: str | None) -> None:
    lines.append(f"# TYPE {name} {kind}")
    if unit is not None:
        lines.append(f"# UNIT {name} {unit}")
    lines.append(f"# HELP {name} {about}")


def _counter(
    lines: list[str],
    name: str,
    about: str,
    counts: Mapping[Labels, float],
    unit: str | None = None,
) -> None:
    _head(lines, name, "counter", about, unit)
    lines += [f"{name}_total{_labels(labels)} {value}" for labels, value in counts.items()]


def _gauge(
    lines: list[str],
    name: str,
    about: str,
    values: Mapping[Labels, float],
    unit: str | None = None,
) -> None:
    _head(lines, name, "gauge", about, unit)
    lines += [f"{name}{_labels(labels)} {value}" for labels, value in values.items()]


def _histogram(
    lines: list[str], name: str, about: str, histograms: Mapping[Labels, Histogram]
) -> None:
    _head(lines, name, "histogram", about, "seconds")
    for labels, one in histograms.items():
        count = 0
        limits: Iterable[float] = (*one.limits, float("inf"))
        for limit, more in zip(limits, one.counts, strict=True):
            count += more
            shown = "+Inf" if limit == float("inf") else repr(limit)
            lines.append(f"{name}_bucket{_labels((*labels, ('le', shown)))} {count}")
        lines.append(f"{name}_sum{_labels(labels)} {one.sum}")
        lines.append(f"{name}_count{_labels(labels)} {count}")


def _labels(labels: Labels) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{said}}}" if said else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
