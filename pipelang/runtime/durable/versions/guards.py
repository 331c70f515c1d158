"""Guards of canaries: metrics in which a canary may not be worse, judged as runs end.

The guards of a canary share one error of 5%: the chance that any of them ever takes back a canary
that is no worse. What every run shows (outcomes, cost, time) is judged by an e-process at any time.
Silent errors show only in labels, which are few: most of their error (85%) is for one exact look at
a stated number of labels, 10% for one at half of it, and the rest for an e-process that goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from pipelang.records import dataclass
from pipelang.runtime.durable.history.costs import cost_from
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.versions import releases
from pipelang.runtime.durable.versions.arms import JudgedRun, ReleaseRuns, ShownRun
from pipelang.runtime.durable.versions.releases import Guard, Release
from pipelang.runtime.engine.outcomes import is_stopped
from pipelang.semantics import metrics as m
from pipelang.statistics.fisher import fisher_at_least
from pipelang.statistics.intervals import mean_interval, quantile_at
from pipelang.statistics.means import MeanProcess
from pipelang.statistics.two_samples import TwoShares

ALPHA = 0.05
SILENT_ERROR = m.SILENT_ERROR
OF_EVERY_RUN = (m.ESCALATION, m.FAILURE, m.REJECTION, m.COST_MEAN, m.LATENCY_P95)
MEASURED = (*OF_EVERY_RUN, SILENT_ERROR)
"""The metrics that can guard. `escalation.REASON` is that of one gate or step."""
LAST_LOOK, FIRST_LOOK = 0.85, 0.1
"""The parts of a guard's error that the two looks have."""
LEAST_PORTION = 10
GROWTH = 0.02
BASELINE_RUNS = 200
"""Runs of what is current that cost and time are compared with, at least."""

BY = "pipelang:guard"


@dataclass(frozen=True, slots=True)
class GuardState:
    """A guard as it stands: what both sides show, the evidence that the canary is worse (1/alpha
    takes it back), and whether it is.
    """

    guard: Guard
    current: tuple[float, int]
    canary: tuple[float, int]
    evidence: float
    needed: float
    is_worse: bool
    why: str


class ShareGuard:
    """A guard of a share of runs."""

    def __init__(self, guard: Guard, alpha: float) -> None:
        self.guard = guard
        self._alpha = alpha
        self._process_alpha = alpha
        self._looks: list[tuple[int, float]] = []
        if guard.labels is not None and not guard.tolerance:  # a look is exact for equal shares
            self._process_alpha = alpha * (1 - LAST_LOOK - FIRST_LOOK)
            self._looks = [
                (guard.labels // 2, alpha * FIRST_LOOK),
                (guard.labels, alpha * LAST_LOOK),
            ]
        self._process = TwoShares(1 + guard.tolerance)
        self._portion = [[0, 0], [0, 0]]
        self._sums = [[0, 0], [0, 0]]
        self._worse: str | None = None

    def add(self, canary: bool, hit: bool) -> None:
        """Count a run, in the order in which they came in."""
        for counts in (self._portion, self._sums):
            counts[canary][0] += hit
            counts[canary][1] += 1
        if not canary or self._worse is not None:
            return
        seen = self._sums[1][1]
        if self._portion[1][1] >= max(LEAST_PORTION, GROWTH * seen) and self._portion[0][1]:
            current, own = self._portion
            self._process.add((current[0], current[1]), (own[0], own[1]))
            self._portion = [[0, 0], [0, 0]]
            if self._process.reaches(self._process_alpha):
                self._found("at any time")
        for count, level in self._looks:
            if seen == count and self._p_value() <= level:
                self._found(f"by the look at {count} labels")

    def _p_value(self) -> float:
        (hits_a, runs_a), (hits_b, runs_b) = self._sums
        return fisher_at_least(hits_a, runs_a, hits_b, runs_b) if runs_a else 1.0

    def _found(self, how: str) -> None:
        (hits_a, runs_a), (hits_b, runs_b) = self._sums
        said = (
            f"{self.guard.metric} is worse: {hits_b} of {runs_b} ({hits_b / runs_b:.1%}), and "
            f"{hits_a} of {runs_a} ({hits_a / max(runs_a, 1):.1%}) with what is current"
        )
        self._worse = f"{said}; {how}"

    def state(self) -> GuardState:
        (hits_a, runs_a), (hits_b, runs_b) = self._sums
        return GuardState(
            self.guard,
            (hits_a / runs_a if runs_a else 0.0, runs_a),
            (hits_b / runs_b if runs_b else 0.0, runs_b),
            self._process.value,
            1 / self._process_alpha,
            self._worse is not None,
            self._worse or "",
        )


class AmountGuard:
    """A guard of mean cost, against what the runs of the current version cost before the canary."""

    def __init__(self, guard: Guard, alpha: float, before: Sequence[float]) -> None:
        self.guard = guard
        self._alpha = alpha / 2
        self._mean, _, self._high = mean_interval(before, 1 - alpha / 2)
        self._before = len(before)
        self._sum, self._runs = 0.0, 0
        limit = self._high * (1 + guard.tolerance)
        self._process = MeanProcess(limit) if limit > 0 else None
        self._free = limit <= 0

    def add(self, canary: bool, amount: float) -> None:
        if not canary:
            return
        self._sum += amount
        self._runs += 1
        if self._process is not None:
            self._process.add([amount])
        elif amount > 0:
            self._free = False

    def state(self) -> GuardState:
        mean = self._sum / self._runs if self._runs else 0.0
        value = 1.0 if self._process is None else self._process.value
        worse = value >= 1 / self._alpha if self._process is not None else not self._free
        said = f"${mean:.6f} in {self._runs} runs, and ${self._mean:.6f} in {self._before} before"
        why = f"{self.guard.metric} is worse: {said}"
        return GuardState(
            self.guard,
            (self._mean, self._before),
            (mean, self._runs),
            value,
            1 / self._alpha,
            worse,
            why if worse else "",
        )


class CanaryGuards:
    """The guards of one canary, and the runs that they have seen."""

    def __init__(self, store: Store, canary: Release, current: Release) -> None:
        self.canary, self.current = canary, current
        self._runs = ReleaseRuns(
            store, canary.pipeline, current.program, canary.program, canary.made
        )
        alpha = ALPHA / max(1, len(canary.guards))
        self._slow: float | None = None
        self.guards: list[ShareGuard | AmountGuard] = []
        for guard in canary.guards:
            if guard.metric == m.COST_MEAN:
                told = _before(store, canary, current)
                before = [float(cost) for cost, _ in told if cost is not None]
                self.guards.append(AmountGuard(guard, alpha, before))
                continue
            if guard.metric == m.LATENCY_P95:
                told = _before(store, canary, current)
                times = sorted(float(seconds) for _, seconds in told if seconds is not None)
                self._slow = quantile_at(times, 0.95) if times else None
            self.guards.append(ShareGuard(guard, alpha))

    def look(self) -> GuardState | None:
        """Count what came in since the last look: the first guard that says that it is worse."""
        for run in self._runs.ended():
            self._count(run)
        if any(one.guard.metric == SILENT_ERROR for one in self.guards):
            for judged in self._runs.judged():
                self._count_judged(judged)
        states = (guard.state() for guard in self.guards)
        return next((state for state in states if state.is_worse), None)

    def _count(self, run: ShownRun) -> None:
        for guard in self.guards:
            metric = guard.guard.metric
            if isinstance(guard, AmountGuard):
                if run.cost is not None:
                    guard.add(run.canary, run.cost)
            elif metric == m.LATENCY_P95:
                if self._slow is not None and run.seconds is not None:
                    guard.add(run.canary, run.seconds > self._slow)
            elif metric != SILENT_ERROR:
                guard.add(run.canary, _shows(run, metric))

    def _count_judged(self, judged: JudgedRun) -> None:
        for guard in self.guards:
            if isinstance(guard, ShareGuard) and guard.guard.metric == SILENT_ERROR:
                guard.add(judged.canary, judged.silent_error)


_STATUS = {m.ESCALATION: "escalated", m.FAILURE: "failed", m.REJECTION: "rejected"}


def _shows(run: ShownRun, metric: str) -> bool:
    family, _, reason = metric.partition(".")
    return run.status == _STATUS[family] and (not reason or run.reason == reason)


def _before(
    store: Store, canary: Release, current: Release
) -> list[tuple[Decimal | None, float | None]]:
    """The costs and seconds of the newest runs of what is current that had ended when the canary
    was put out, but for those that people stopped.
    """
    rows = store.rows(
        """SELECT status, cost, outcome FROM pipelang_runs WHERE pipeline = :pipeline
            AND program = :program AND status IS NOT NULL AND ended < :made
        ORDER BY ended DESC LIMIT 5000""",
        pipeline=canary.pipeline,
        program=current.program,
        made=canary.made,
    )
    ended = [(row, json.loads(row["outcome"])) for row in rows]
    return [
        (cost_from(row["cost"]), outcome.get("duration"))
        for row, outcome in ended
        if not is_stopped(row["status"], outcome["result"].get("code"))
    ]


class ReleaseGuards:
    """Looks at all canaries of a store, and takes back those that are worse."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], CanaryGuards] = {}

    def look(self) -> list[tuple[Release, str]]:
        """Take back what is worse: the versions, each with the reason."""
        found = releases.releases(self._store)
        current = {one.pipeline: one for one in found if one.state == releases.CURRENT}
        canaries = [one for one in found if one.state == releases.CANARY and one.guards]
        keys = {(one.pipeline, one.version) for one in canaries}
        self._known = {key: known for key, known in self._known.items() if key in keys}
        back = []
        for canary in canaries:
            key = canary.pipeline, canary.version
            beside = current.get(canary.pipeline)
            if beside is None:
                continue
            known = self._known.get(key)
            if known is None or known.current.version != beside.version:
                known = self._known[key] = CanaryGuards(self._store, canary, beside)
            state = known.look()
            if state is not None:
                why = state.why
                back_to = releases.roll_back(self._store, canary, BY, why, canary_only=True)
                if back_to is not None:
                    back.append((canary, why))
        return back


def guard_states(store: Store, canary: Release, current: Release) -> list[GuardState]:
    """The guards of a canary as they stand now."""
    guards = CanaryGuards(store, canary, current)
    guards.look()
    return [one.state() for one in guards.guards]
