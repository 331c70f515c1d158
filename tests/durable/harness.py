"""The harness from outside: it submits runs, starts and kills workers, and counts what was done."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pipelang
from pipelang.runtime.durable import listing
from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.durable.cases import inbox_of
from pipelang.runtime.durable.history import auditing
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import Submission, submit
from pipelang.runtime.inbox.cases import InboxBroken, Refused

from ..warm import Process, start
from .acting import COSTS, KEYS, PIPE, write_into
from .outages import Clock

LEASE = 2.0


@dataclass
class Harness:
    """A store, a program, and the workers on it. `kills` counts workers that were killed.
    `expected` are the keys of the effects of a whole run, by pipeline; `limits` what a run may
    spend. Runs may be rejected in time where `jumps` are made.
    """

    url: str
    folder: Path
    slow: float = 0.05
    kills: int = 0
    text: str = PIPE
    jumps: bool = False
    workers: list[Process] = field(default_factory=list)
    expected: dict[str, set[str]] = field(default_factory=dict)
    limits: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file = write_into(self.folder, self.text)
        self.effects = self.folder / "effects"
        self.log = self.folder / "workers.log"
        self.hash = pipelang.load(self.file).hash
        self.store = Store.open(self.url, make=True)
        self.expected |= {name: set(keys) for name, keys in KEYS.items()}
        self.clock = Clock(self.folder / "clock")
        self._ended: dict[str, Any] = {}
        self._changed: list[str] = []

    def submit(self, count: int, pipeline: str = "acts") -> list[str]:
        made = [
            Submission(pipeline=pipeline, program=self.hash, input={"x": f"x{n}"})
            for n in range(count)
        ]
        return [submit(self.store, one) for one in made]

    def learn(self, pipeline: str) -> None:
        """Do one run of a pipeline undisturbed: its effects are those of every whole run."""
        run = self.submit(1, pipeline)
        worker = self.worker()
        (ended,) = self.wait(run, 60)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        self.workers.remove(worker)
        if ended["status"] == "answered":
            mine = [key for _, key in self.performed() if key.startswith(run[0])]
            self.expected[pipeline] = {key.partition("/")[2] for key in mine}

    def worker(self, at: int = 0, side: str = "after", *more: str) -> Process:
        """Start a worker, which kills itself at its row number `at` unless that is 0."""
        line = [str(at), side, str(LEASE)]
        line += ["worker", str(self.file), "--store", self.url, "--no-cache", *more]
        environment = {
            **os.environ,
            "EFFECTS": str(self.effects),
            "SLOW": str(self.slow),
        }
        if self.jumps:
            environment["CLOCK"] = str(self.clock.file)
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
        """Wait for the end of runs. They are lost when nothing was recorded for so many seconds,
        however long a slow machine takes for them as a whole.
        """
        found, rows, since = None, -1, time.monotonic()
        while found is None and time.monotonic() - since < seconds:
            with suppress(StoreProblem):  # a look that came when the database hung up
                found = listing.wait_for(self.store, runs, 5)
                now = self.store.rows("SELECT count(*) AS n FROM pipelang_journal")[0]["n"]
                if now != rows:
                    rows, since = now, time.monotonic()
        ends = [worker.poll() for worker in self.workers]
        assert found is not None, f"{self.open_runs()} runs are lost; {ends}\n{self.said()}"
        return found

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def performed(self) -> list[tuple[str, str]]:
        """The effects that were performed: tool and key."""
        if not self.effects.exists():
            return []
        lines = self.effects.read_text(encoding="utf-8").split("\n")[:-1]
        return [(tool, key) for tool, _, key in (line.partition(" ") for line in lines)]

    def look(self) -> None:
        """Look at the outcomes that there are: none may ever become another one."""
        with suppress(StoreProblem):
            for row in self.store.rows(
                "SELECT run, status, outcome FROM pipelang_runs WHERE status IS NOT NULL"
            ):
                outcome = row["status"], row["outcome"]
                if self._ended.setdefault(row["run"], outcome) != outcome:
                    self._changed.append(f"{row['run']} has two outcomes")

    def problems(self, runs: list[dict[str, Any]]) -> list[str]:
        """What is wrong with runs that have ended, by what was done outside."""
        self.look()
        performed = self.performed()
        done = Counter(key for tool, key in performed if tool == "pay")
        wrong = self._changed + [
            f"{key} was performed {n} times" for key, n in done.items() if n > 1
        ]
        seen = {key for _, key in performed}
        for run in runs:
            id, status, result, name = run["id"], run["status"], run["result"], run["pipeline"]
            if status == "answered":
                mine = {f"{id}/{key}" for key in self.expected[name]}
                wrong += [f"{key} is missing" for key in mine - seen]
            elif status == "rejected" and self.jumps:
                pass  # nobody answered in time, by a clock that jumped
            elif status == "failed" and result["code"] == "budget_exceeded" and name in self.limits:
                pass
            elif status != "failed" or result["code"] != "effect_unknown":
                wrong.append(f"{id} ended {status}: {result}")
            elif not self._was_cut(id):
                wrong.append(f"{id}: an effect is called unknown that is known")
            spent = sum(COSTS[tool] for tool, key in set(performed) if key.startswith(id))
            if spent > self.limits.get(name, Decimal(1)):
                wrong.append(f"{id} spent {spent}")
            twice = Counter(
                entry["name"]
                for entry in auditing.entries(self.store, id, None)
                if entry["kind"] == "approve" and entry["data"].get("passed")
            )
            wrong += [f"{id}: `{at}` passed {n} times" for at, n in twice.items() if n > 1]
        found = auditing.verify(self.store)
        return wrong + (
            [f"a link is broken: {found}"] if isinstance(found, auditing.BrokenRow) else []
        )

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


class Approver(threading.Thread):
    """Somebody who says yes to all that waits, from two sides at once. `twice` are cases to which
    both yeses counted.
    """

    def __init__(self, harness: Harness) -> None:
        super().__init__(daemon=True)
        self._inboxes = [inbox_of(harness.store), inbox_of(harness.store)]
        self._over = threading.Event()
        self._counted: Counter[str] = Counter()

    @property
    def twice(self) -> list[str]:
        return [f"case {id} was decided {n} times" for id, n in self._counted.items() if n > 1]

    def run(self) -> None:
        while not self._over.wait(0.3):
            with suppress(StoreProblem, InboxBroken):
                cases = [case.id for case in self._inboxes[0].cases()]
                if cases:
                    asyncio.run(self._decide(cases))

    async def _decide(self, cases: list[str]) -> None:
        await asyncio.gather(*(self._yes(inbox, id) for id in cases for inbox in self._inboxes))

    async def _yes(self, inbox: Any, id: str) -> None:
        with suppress(StoreProblem, InboxBroken, Refused):
            await inbox.decide(id, yes=True, by="ada")
            self._counted[id] += 1

    def stop(self) -> None:
        self._over.set()
        self.join(30)


def until(what: Any, seconds: float) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "the time is up"
        time.sleep(0.05)
