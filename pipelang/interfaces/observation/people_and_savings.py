"""People and savings: cases that a pipeline gave to people, and work that it took off them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.metrics.review_queues import Load
from pipelang.interfaces.observation.records import (
    ANSWERED,
    DAY,
    ESCALATED,
    ObservedRun,
    total_cost,
)
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items, outcomes
from pipelang.statistics.intervals import quantile_at, quantile_interval

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class RoleQueue:
    """A role's cases: how many came, a day beside the prediction (None where the time is too short
    to say), how many wait, how long people took until they answered (seconds), and how busy they
    are by the role's `handles`.
    """

    role: str
    cases: int
    a_day: float | None
    predicted_a_day: float | None
    waiting: int
    median: float | None
    p95: float | None
    predicted_p95: float | None
    busy: float | None
    predicted_busy: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases,
            "a_day": {"observed": self.a_day, "predicted": self.predicted_a_day},
            "waiting": self.waiting,
            "answered_after": {
                "median": self.median,
                "p95": self.p95,
                "predicted_p95": self.predicted_p95,
            },
            "busy": {"observed": self.busy, "predicted": self.predicted_busy},
        }


@dataclass(frozen=True, slots=True)
class Savings:
    """The work that answered runs took off people: `hours` net of the time that people spent on
    those runs, at the `handles` of the role that would have done it; `dollars` are these hours at
    the role's `cost`, less the cost of all runs. None where the role does not say it.
    """

    role: str | None
    automated: int
    touched: int
    hours: float | None
    dollars: float | None
    spent: float | None
    note: str

    def as_json(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "automated": self.automated,
            "touched": self.touched,
            "hours": self.hours,
            "dollars": self.dollars,
            "spent": self.spent,
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class FirstHuman:
    """Seconds from the start of runs to the first word of a person, with the exact interval of the
    median; `waiting` runs still have none.
    """

    runs: int
    median: float | None
    low: float | None
    high: float | None
    p95: float | None
    waiting: int

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "median": self.median,
            "low": self.low,
            "high": self.high,
            "p95": self.p95,
            "waiting": self.waiting,
        }


def role_queues(
    cases: Iterable[Case],
    runs: Iterable[ObservedRun],
    loads: Sequence[Load],
    since: float,
    seconds: float | None,
) -> list[RoleQueue]:
    """The queue of each role that cases went to, or that a file predicts cases for, in `seconds`.
    A run that was escalated is a case for people where no inbox was kept, too.
    """
    came: dict[str, list[Case]] = defaultdict(list)
    kept: set[str] = set()
    for case in cases:
        if case.kind == "escalation":
            kept.add(case.run_id)
        if case.opened_at.timestamp() >= since:
            came[case.role].append(case)
    elsewhere = Counter(
        run.role for run in runs if run.outcome == ESCALATED and run.role and run.id not in kept
    )
    predicted = {load.role.name: load for load in loads}
    found = []
    for name in sorted({*came, *elsewhere, *predicted}):
        mine, load = came.get(name, []), predicted.get(name)
        took = sorted(
            max(0.0, (case.verdict.at - case.opened_at).total_seconds())
            for case in mine
            if case.verdict is not None and case.verdict.at is not None
        )
        count = len(mine) + elsewhere[name]
        a_day = None if seconds is None else count / seconds * DAY
        busy = None
        if a_day is not None and load is not None and load.role.people and load.role.handles:
            hours = float(load.role.hours or 8)
            busy = a_day * float(load.role.handles) / (load.role.people * hours * HOUR)
        found.append(
            RoleQueue(
                name,
                count,
                a_day,
                None if load is None else load.cases.value,
                sum(case.state == "open" for case in mine),
                quantile_at(took, 0.5) if took else None,
                quantile_at(took, 0.95) if took else None,
                None if load is None else load.wait_p95.value,
                busy,
                None if load is None else load.utilisation.value,
            )
        )
    return found


def first_human(runs: Sequence[ObservedRun], cases: Iterable[Case]) -> FirstHuman:
    """The time to the first human of the runs that asked one."""
    started = {run.id: run.started for run in runs}
    asked: set[str] = set()
    first: dict[str, float] = {}
    for case in cases:
        if case.run_id not in started or case.kind == "label":
            continue
        asked.add(case.run_id)
        if case.verdict is not None and case.verdict.at is not None:
            after = max(0.0, case.verdict.at.timestamp() - started[case.run_id])
            first[case.run_id] = min(after, first.get(case.run_id, after))
    took = sorted(first.values())
    if not took:
        return FirstHuman(0, None, None, None, None, len(asked))
    low, high = quantile_interval(took, 0.5)
    return FirstHuman(
        len(took),
        quantile_at(took, 0.5),
        max(low, 0.0),
        high if high < float("inf") else None,
        quantile_at(took, 0.95),
        len(asked) - len(first),
    )


def savings(
    program: p.Program,
    pipeline: p.Pipeline,
    runs: Sequence[ObservedRun],
    cases: Iterable[Case],
    asked: set[str],
) -> Savings:
    """The hours and dollars that answered runs saved. Who would have done the work is the role to
    which most of the pipeline's exits escalate.
    """
    answered = {run.id for run in runs if run.outcome == ANSWERED}
    role = _who_else(program, pipeline, runs)
    spent = total_cost(runs)
    touches: Counter[str] = Counter()
    touched = asked & answered
    for case in cases:
        # A sampled answer is judged beside the run, which waits for nobody.
        if case.run_id in answered and case.kind not in ("label", "escalation"):
            touches[case.role] += 1
            touched.add(case.run_id)
    if role is None:
        note = "it escalates to no role, so that nobody says what the work takes by hand"
        return Savings(None, len(answered), len(touched), None, None, spent, note)
    if role.handles is None:
        note = f"role `{role.name}` does not say what a case takes: `handles 4m`"
        return Savings(role.name, len(answered), len(touched), None, None, spent, note)
    by_hand = len(answered) * float(role.handles)
    by_people = sum(
        count * float(program.roles[name].handles or 0)
        for name, count in touches.items()
        if name in program.roles
    )
    hours = (by_hand - by_people) / HOUR
    if role.cost is None:
        note = f"role `{role.name}` does not say what an hour costs: `cost $40`"
        return Savings(role.name, len(answered), len(touched), hours, None, spent, note)
    if spent is None:
        note = "what the runs cost is unknown: a tier has no price"
        return Savings(role.name, len(answered), len(touched), hours, None, spent, note)
    dollars = hours * float(role.cost) - spent
    return Savings(role.name, len(answered), len(touched), hours, dollars, spent, "")


def _who_else(
    program: p.Program, pipeline: p.Pipeline, runs: Sequence[ObservedRun]
) -> p.Role | None:
    seen = Counter(run.role for run in runs if run.outcome == ESCALATED and run.role)
    written = [one.role for one in outcomes(pipeline.block) if isinstance(one, p.Escalate)]
    written += [item.role for item in all_items(pipeline.block) if isinstance(item, p.Person)]
    for name, _ in [*Counter(written).most_common(), *seen.most_common()]:
        if name in program.roles:
            return program.roles[name]
    return None
