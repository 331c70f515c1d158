"""A store whose legs are handed out by hand, as DBOS would, and tools that count."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from secrets import token_hex
from typing import Any

import sqlalchemy as sa

import pipelang
from pipelang.runtime.durable.cases import inbox_of
from pipelang.runtime.durable.doing import LegWork
from pipelang.runtime.durable.legs import Fenced, Legs, LegToken
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import Submission, queue_of, submit

from ....durable.acting import PIPE


class Died(BaseException):
    """The process is dead."""


class MortalLegs(Legs):
    """Legs of a process that dies before or after its row number `at`."""

    def __init__(self, store: Store, at: int, side: str) -> None:
        super().__init__(store)
        self.at, self.side = at, side
        self.written, self.dead = 0, False

    def write(self, *what: Any) -> None:
        if self.dead:
            raise Died
        self.written += 1
        if self.written == self.at and self.side == "before":
            self.dead = True
            raise Died
        super().write(*what)
        if self.written == self.at:
            self.dead = True
            raise Died


class Stage:
    """A store, the program of the harness, and what its tools were called for."""

    def __init__(self, url: str, folder: Path, timeout: str = "20s") -> None:
        file = folder / "acts.pipe"
        text = "\n".join(line for line in PIPE.split("\n") if "python" not in line)
        file.write_text(text.replace("timeout 20s", f"timeout {timeout}"), encoding="utf-8")
        self.url = url
        self.store = Store.open(url, make=True)
        self.loaded = pipelang.load(file)
        self.performed: Counter[str] = Counter()
        self.legs = MortalLegs(self.store, 0, "")
        self.inbox = inbox_of(self.store)
        self.runtime = pipelang.Runtime(
            tools={"put": self.put, "pay": self.pay, "look": self.look}, people=self.inbox
        )

    async def put(self, x: str, idempotency_key: str) -> str:
        return await self._act("put", x, idempotency_key)

    async def pay(self, x: str, idempotency_key: str) -> str:
        return await self._act("pay", x, idempotency_key)

    async def look(self, x: str) -> str:
        return f"seen {x}"

    async def _act(self, tool: str, x: str, key: str) -> str:
        if self.legs.dead:
            raise Died
        self.performed[f"{tool} {key}"] += 1
        await asyncio.sleep(0)
        return f"{tool} {x}"

    def submit(self, pipeline: str = "acts", **options: Any) -> str:
        given: dict[str, Any] = {"input": {"x": "x"}, **options}
        return submit(self.store, Submission(pipeline=pipeline, program=self.loaded.hash, **given))

    def take(self, run: str) -> LegToken:
        """Take the leg of a run that is to be begun, from whomever."""
        leg = int(self.row(run)["leg"])
        owner = token_hex(8)
        with self.store.transaction() as connection:
            connection.execute(
                sa.text(
                    f"UPDATE {self.store.legs.table} SET status = 'PENDING', owner_xid = :owner "
                    "WHERE workflow_uuid = :id"
                ),
                {"owner": owner, "id": f"{run}:{leg}"},
            )
        return LegToken(run, leg, owner)

    def do(self, token: LegToken, at: int = 0, side: str = "") -> bool:
        """Do a leg in a process that dies at a row (0: never); whether it lived."""
        self.legs = MortalLegs(self.store, at, side)
        names = self.loaded.pipelines
        handles = {
            queue_of(self.loaded.hash, name): self.loaded.pipeline(name, runtime=self.runtime)
            for name in names
        }
        try:
            asyncio.run(LegWork(self.legs, handles).do(token))
        except (Died, Fenced):
            return False
        return not self.legs.dead

    def row(self, run: str) -> dict[str, Any]:
        return self.store.rows("SELECT * FROM pipelang_runs WHERE run = :run", run=run)[0]

    def leg(self, run: str) -> dict[str, Any]:
        """The row of a run's present leg."""
        id = f"{run}:{self.row(run)['leg']}"
        asked = f"SELECT * FROM {self.store.legs.table} WHERE workflow_uuid = :id"
        return self.store.rows(asked, id=id)[0]
