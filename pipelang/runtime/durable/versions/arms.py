"""Runs of a canary and of what is current beside it, as they end and as people judge them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.durable.case_rows import cases_of
from pipelang.runtime.durable.history.costs import cost_from
from pipelang.runtime.durable.store import Store
from pipelang.runtime.engine.event_payloads import dollars
from pipelang.runtime.engine.outcomes import is_stopped
from pipelang.runtime.inbox.cases import Case

OVERLAP = 60.0
"""Seconds that each look goes back: a transaction may end after one that began later."""


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run that has ended: by the canary or not, with what every run shows."""

    run: str
    canary: bool
    status: str
    reason: str | None
    cost: float | None
    seconds: float | None
    ended: float


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run of which every sampled answer has a verdict that counts: whether it answered wrongly,
    and nobody in it noticed.
    """

    run: str
    canary: bool
    silent_error: bool
    at: float


class ReleaseRuns:
    """Reads the runs of two programs since a time, each once. `latest` is the time of the last."""

    def __init__(
        self, store: Store, pipeline: str, current: str, canary: str, since: float
    ) -> None:
        self._store = store
        self._pipeline, self._current, self._canary = pipeline, current, canary
        self._since = since
        self._cursor = since
        self._status: dict[str, tuple[bool, str]] = {}
        self._cases: dict[str, Case] = {}
        self._judged: set[str] = set()

    def ended(self) -> list[ShownRun]:
        """The runs that have ended since the last look, in that order. Those that people stopped
        say nothing about either program.
        """
        # A run that ended while the store's clock ran ahead keeps none of those after it away.
        now = self._store.now()
        self._cursor = min(self._cursor, now)
        # Nor does a canary that was put out then: runs count from now on.
        self._since = min(self._since, now)
        rows = self._store.rows(
            """SELECT run, program, status, outcome, cost, ended FROM pipelang_runs
            WHERE pipeline = :pipeline AND program IN (:current, :canary) AND created >= :since
                AND status IS NOT NULL AND ended >= :cursor ORDER BY ended, run""",
            pipeline=self._pipeline,
            current=self._current,
            canary=self._canary,
            since=self._since,
            cursor=self._cursor - OVERLAP,
        )
        # By their ids, which are kept for verdicts anyway: the clock may be put back.
        new = [row for row in rows if row["run"] not in self._status]
        for row in rows:
            self._status[row["run"]] = row["program"] == self._canary, row["status"]
            self._cursor = max(self._cursor, min(row["ended"], now))
        return [run for run in map(self._read, new) if run is not None]

    def _read(self, row: dict[str, Any]) -> ShownRun | None:
        outcome = json.loads(row["outcome"])
        if is_stopped(row["status"], outcome["result"].get("code")):
            return None
        return ShownRun(
            row["run"],
            row["program"] == self._canary,
            row["status"],
            outcome["result"].get("reason"),
            dollars(cost_from(row["cost"])),
            outcome.get("duration"),
            row["ended"],
        )

    def judged(self) -> list[JudgedRun]:
        """The runs that are judged whole since the last look, by the time of the last verdict."""
        rows = self._store.rows(
            """SELECT c.id, c.run FROM pipelang_cases c JOIN pipelang_runs r ON r.run = c.run
            WHERE r.pipeline = :pipeline AND r.program IN (:current, :canary)
                AND r.created >= :since AND r.status IS NOT NULL AND c.state = 'decided'""",
            pipeline=self._pipeline,
            current=self._current,
            canary=self._canary,
            since=self._since,
        )
        fresh = {row["id"]: row["run"] for row in rows if row["id"] not in self._cases}
        for case in self._read_cases(list(fresh)):
            self._cases[case.id] = case
        open_runs = {
            row["run"]
            for row in self._store.rows(
                """SELECT c.run FROM pipelang_cases c WHERE c.state = 'open'
                AND c.value LIKE '%"kind": "label"%'"""
            )
        }
        by_run: dict[str, list[Case]] = {}
        for case in self._cases.values():
            if case.kind == "label" and case.run_id not in self._judged:
                by_run.setdefault(case.run_id, []).append(case)
        found = []
        for run, cases in by_run.items():
            if run in open_runs or run not in self._status:
                continue
            verdict = silently_wrong(self._status[run][1], cases)
            self._judged.add(run)
            if verdict is not None:
                last = max(one.closed_at.timestamp() for one in cases if one.closed_at is not None)
                found.append(JudgedRun(run, self._status[run][0], verdict, last))
        return sorted(found, key=lambda one: (one.at, one.run))

    def _read_cases(self, ids: list[str]) -> Iterator[Case]:
        for first in range(0, len(ids), 200):
            names = {f"c{n}": id for n, id in enumerate(ids[first : first + 200])}
            listed = ", ".join(f":{name}" for name in names)
            asked = f"SELECT id, value FROM pipelang_cases WHERE id IN ({listed})"
            for case in cases_of(self._store.rows(asked, **names)):
                if case.verdict is not None:
                    yield case


def silently_wrong(status: str, cases: list[Case]) -> bool | None:
    """Whether a run that answered has an answer among its last ones that people say is wrong; None
    if no verdict counts.
    """
    last: dict[str, tuple[int, float]] = {}
    for case in cases:
        assert case.verdict is not None
        about = case.about or {}
        weight = _weight(case, about)
        if weight is None:
            continue
        visit = int(about.get("visit", 0))
        before, sum_ = last.get(case.name, (visit, 0.0))
        if visit < before:
            continue
        if visit > before:
            sum_ = 0.0
        last[case.name] = visit, sum_ + (weight if case.verdict.yes else -weight)
    settled = [sum_ for _, sum_ in last.values() if sum_ != 0]
    if not settled:
        return None
    return status == "answered" and any(sum_ < 0 for sum_ in settled)


def _weight(case: Case, about: dict[str, Any]) -> float | None:
    """The weight of a verdict; None if it was given in a hurry."""
    assert case.verdict is not None
    rushed = about.get("rushed")
    if rushed is not None and (case.verdict.seconds is None or case.verdict.seconds < rushed):
        return None
    return float(about.get("weight", 1.0))
