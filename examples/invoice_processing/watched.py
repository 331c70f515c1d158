"""Tells what `watch` says of the month in which reading gets worse, night by night.

    python examples/invoice_processing/watched.py

800 invoices a day, drawn as records by the shares that `check` predicts. From day 15 on the checks
stop three times as many. Confidence says nothing of it and nobody labels anything: what is watched
is how many go to people, `escalation <= baseline + 20% over 2d`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.observation.records import DAY, ObservedRun
from pipelang.interfaces.watching.evaluation import LineState, evaluate, name_of
from pipelang.runtime.engine.events import Event
from pipelang.runtime.inbox.cases import Case

HERE = Path(__file__).parent
NAME = "handle"
START = 20_454 * DAY  # 2026-01-01
WORSE_FROM, DAYS, A_DAY = 15, 28, 800
CHECKS = ("adds", "on_paper", "same_account", "ordered", "numbered")
TIMES = 3.0


class Month:
    """Runs in memory, with a clock that the month sets."""

    shown = "a simulated month"

    def __init__(self) -> None:
        self.clock = float(START)
        self.every: list[ObservedRun] = []
        self.kept: dict[str, str] = {}

    def now(self) -> float:
        return self.clock

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        return [run for run in self.every if (run.ended or 0) >= since]

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        for run in runs:
            yield run, ()

    def cases(self, pipeline: str) -> list[Case]:
        return []

    def release(self, pipeline: str, version: str) -> str | None:
        return None

    def recall(self, name: str) -> str | None:
        return self.kept.get(name)

    def keep(self, name: str, value: str) -> None:
        self.kept[name] = value

    def add_day(self, day: int, shares: dict[str, float], program: str, draw: random.Random) -> int:
        """Draw a day of runs; how many of them go to people."""
        begin, escalated = START + (day - 1) * DAY, 0
        for number in range(A_DAY):
            roll, reason = draw.random(), None
            for name, share in shares.items():
                roll -= share
                if roll < 0:
                    reason = name
                    break
            escalated += reason is not None
            started = begin + (number + draw.random()) * (DAY - 200) / A_DAY
            outcome = "answered" if reason is None else "escalated"
            run = ObservedRun(
                f"d{day}-{number}", NAME, program, None, None, started, started + 9.0, outcome,
                role=None if reason is None else "clerks", reason=reason, seconds=9.0,
            )  # fmt: skip
            self.every.append(run)
        self.clock = begin + DAY + 700
        return escalated


def nights(seed: int = 1) -> list[str]:
    """The month, a line a day, and what the watch says of it."""
    checked = check_file(str(HERE / "invoice_processing.pipe"))
    assert checked.program is not None
    program = checked.program
    analysis = next(one for one in checked.analyses if one.pipeline.name == NAME)
    usual = {name: number.value or 0.0 for name, number in analysis.escalations.items()}
    worse = {name: share * (TIMES if name in CHECKS else 1.0) for name, share in usual.items()}
    month, draw = Month(), random.Random(seed)
    said = ["day  to people  the watch says"]
    for day in range(1, DAYS + 1):
        shares = usual if day < WORSE_FROM else worse
        escalated = month.add_day(day, shares, program.hash, draw)
        statuses, state = evaluate(program, program.pipelines[NAME], month, program.hash)
        words = []
        for status in statuses:
            metric = status.watched.line.metric
            if status.state is LineState.ALERT and status.new and status.alert is not None:
                status.alert["told"] = ["clerks"]
                words.append(f"ALERT {metric}: {_told(status.alert)}")
        month.keep(name_of(NAME, program.hash), state.text())
        said.append(f"{day:3}{escalated / A_DAY:>11.1%}  {'; '.join(words)}".rstrip())
    return said


def _told(alert: dict[str, Any]) -> str:
    changed = alert.get("changed") or alert.get("text") or ""
    return "; ".join(map(str, changed)) if isinstance(changed, list) else str(changed)


if __name__ == "__main__":
    print("\n".join(nights(int(sys.argv[1]) if len(sys.argv) > 1 else 1)))
