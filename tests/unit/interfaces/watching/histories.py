"""Histories of runs in memory, drawn day by day with a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pipelang.interfaces.observation.records import DAY, ObservedRun
from pipelang.runtime.engine.events import Event
from pipelang.runtime.inbox.cases import Case, Verdict

START = 20_000 * DAY


class MemorySource:
    """Runs, cases and what a watch keeps, with a clock that a test sets."""

    shown = "memory"

    def __init__(self) -> None:
        self.clock = START
        self.every: list[ObservedRun] = []
        self.all_cases: list[Case] = []
        self.kept: dict[str, str] = {}
        self.asked: list[float] = []
        self.releases: dict[str, str] = {}

    def now(self) -> float:
        return self.clock

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        self.asked.append(since)
        return [
            run
            for run in self.every
            if run.pipeline == pipeline
            and run.started <= self.clock
            and (run.ended is None or run.ended >= since)
        ]

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        for run in runs:
            yield run, ()

    def cases(self, pipeline: str) -> list[Case]:
        return [one for one in self.all_cases if one.opened_at.timestamp() <= self.clock]

    def release(self, pipeline: str, version: str) -> str | None:
        return self.releases.get(version)

    def recall(self, name: str) -> str | None:
        return self.kept.get(name)

    def keep(self, name: str, value: str) -> None:
        self.kept[name] = value

    def turn(self, name: str, wait: bool = True) -> AbstractContextManager[bool]:
        return nullcontext(True)


class History:
    """Fills a source day by day."""

    def __init__(self, seed: int, program: str, pipeline: str = "desk") -> None:
        self.source = MemorySource()
        self.random = np.random.default_rng(seed)
        self.program = program
        self.pipeline = pipeline
        self.day = 0
        self._number = 0

    def add_day(
        self,
        runs: int = 500,
        escalated: float = 0.2,
        slow: float = 0.01,
        cost: float = 0.01,
        labels: tuple[int, float] | None = None,
        sure: float = 0.9,
        failed: float = 0.0,
        **more: Any,
    ) -> None:
        """A day of runs: the share that is escalated, that takes over 30 s, the mean cost, and so
        many labels with this accuracy. The clock stands at its end, ten minutes later.
        """
        begin = START + self.day * DAY
        at = np.sort(self.random.uniform(0, DAY - 120, runs))
        draws = self.random.random((3, runs))
        costs = self.random.exponential(cost, runs)
        for n in range(runs):
            ends = "escalated" if draws[0, n] < escalated else "answered"
            if ends == "answered" and draws[2, n] < failed:
                ends = "failed"
            seconds = 60.0 if draws[1, n] < slow else 5.0 + 10 * draws[1, n]
            started = begin + float(at[n])
            self._number += 1
            self.source.every.append(
                ObservedRun(
                    id=f"r{self._number}",
                    pipeline=self.pipeline,
                    program=self.program,
                    tenant=None,
                    thread=None,
                    started=started,
                    ended=started + seconds,
                    outcome=ends,
                    role="staff" if ends == "escalated" else None,
                    reason="sure" if ends == "escalated" else None,
                    cost=float(costs[n]),
                    tokens=100,
                    seconds=seconds,
                    **more,
                )
            )
        for n in range(0 if labels is None else labels[0]):
            assert labels is not None
            self._label(begin + DAY / 2 + n, bool(self.random.random() < labels[1]), sure)
        self.day += 1
        self.source.clock = START + self.day * DAY + 700

    def label_list(self, of_day: int, step: str, right: list[bool], pipeline: str) -> None:
        """Judge all elements of a step in a run of the day that was added last."""
        run = self.source.every[-1 - of_day].id
        middle = START + (self.day - 0.5) * DAY
        for number, one in enumerate(right):
            about = {"pipeline": pipeline, "step": step, "path": f"{step}[{number}]/", "visit": 0}
            self._label(middle, one, 0.9, run, f"{step}[{number}]", about)

    def _label(
        self,
        at: float,
        right: bool,
        sure: float,
        run: str | None = None,
        name: str = "kind",
        about: dict[str, Any] | None = None,
    ) -> None:
        moment = datetime.fromtimestamp(at, UTC)
        self._number += 1
        self.source.all_cases.append(
            Case(
                id=f"{self._number:012x}",
                run_id=run or f"r{self._number}",
                pipeline=self.pipeline,
                kind="label",
                name=name,
                role="staff",
                opened_at=moment,
                shown={"input": None, "answer": None},
                state="decided",
                verdict=Verdict(yes=right, by="ada", at=moment, seconds=60.0),
                closed_at=moment,
                about={
                    "program": self.program,
                    "pipeline": self.pipeline,
                    "step": "kind",
                    "path": "",
                    "visit": self._number,
                    "share": 0.05,
                    "draw": 0.01,
                    "confidence": sure,
                    **(about or {}),
                },
            )
        )
