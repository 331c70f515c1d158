"""The harness from outside: it submits runs, starts and kills workers, and counts what was done."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pipelang
from pipelang.runtime.durable import listing
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import Submission, submit

from ..warm import Process, start
from .acting import KEYS, write_into

LEASE = 2.0


@dataclass
class Harness:
    """A store, a program, and the workers on it. `kills` counts workers that were killed."""

    url: str
    folder: Path
    slow: float = 0.05
    kills: int = 0
    workers: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = write_into(self.folder)
        self.effects = self.folder / "effects"
        self.log = self.folder / "workers.log"
        self.hash = pipelang.load(self.file).hash
        self.store = Store.open(self.url, make=True)

    def submit(self, count: int, pipeline: str = "acts") -> list[str]:
        made = [
            Submission(pipeline=pipeline, program=self.hash, input={"x": f"x{n}"})
            for n in range(count)
        ]
        return [submit(self.store, one) for one in made]

    def worker(self, at: int = 0, side: str = "after", *more: str) -> Process:
        """Start a worker, which kills itself at its row number `at` unless that is 0."""
        line = [str(at), side, str(LEASE)]
        line += ["worker", str(self.file), "--store", self.url, "--no-cache", *more]
        environment = {
            **os.environ,
            "EFFECTS": str(self.effects),
            "SLOW": str(self.slow),
        }
        mortal = "tests.durable.mortal"
        made = start(*line, cwd=self.folder, env=environment, module=mortal, log=self.log)
        self.workers.append(made)
        return made

    def kill(self, worker: Process) -> None:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.kills += 1

    def open_runs(self) -> int:
        asked = "SELECT count(*) AS n FROM pipelang_runs WHERE status IS NULL"
        return int(self.store.rows(asked)[0]["n"])

    def wait(self, runs: list[str], seconds: float) -> list[dict[str, Any]]:
        found = listing.wait_for(self.store, runs, seconds)
        ends = [worker.poll() for worker in self.workers]
        assert found is not None, f"{self.open_runs()} runs are lost; {ends}\n{self.said()}"
        return found

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def problems(self, runs: list[dict[str, Any]]) -> list[str]:
        """What is wrong with runs that have ended, by what was done outside."""
        lines = self.effects.read_text(encoding="utf-8").split("\n")[:-1]
        done = Counter(line.split()[1] for line in lines if line.startswith("pay"))
        wrong = [f"{key} was performed {n} times" for key, n in done.items() if n > 1]
        seen = {line.split()[1] for line in lines}
        for run in runs:
            id, status, result = run["id"], run["status"], run["result"]
            mine = {f"{id}/{key}" for key in KEYS[run["pipeline"]]}
            if status == "answered":
                wrong += [f"{key} is missing" for key in mine - seen]
            elif status != "failed" or result["code"] != "effect_unknown":
                wrong.append(f"{id} ended {status}: {result}")
            elif not self._was_cut(id):
                wrong.append(f"{id}: an effect is called unknown that is known")
        return wrong

    def _was_cut(self, run: str) -> bool:
        """Whether a call that acts has an intent and no outcome."""
        rows = self.store.rows("SELECT place, kind FROM pipelang_journal WHERE run = :r", r=run)
        kinds = {row["place"]: row["kind"] for row in rows}
        return any(kind == "intent" and at[:-1] not in kinds for at, kind in kinds.items())

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        self.store.close()


def until(what: Any, seconds: float) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "the time is up"
        time.sleep(0.05)
