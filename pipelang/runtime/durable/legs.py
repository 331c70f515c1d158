"""Legs: the part of a run that one process does, from when it takes it to its end or a long wait.

Whatever a leg writes is written in a transaction that locks the leg and looks whether it is still
this process that owns it. Who lost it writes nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipelang.records import dataclass
from pipelang.runtime.durable.address import NotPossible, UnknownRun
from pipelang.runtime.durable.history.chain import ChainHead, hash_of, is_there
from pipelang.runtime.durable.history.costs import cut_by, used_by
from pipelang.runtime.durable.media import keep, kept
from pipelang.runtime.durable.shared.quotas import QuotaRows, Spent
from pipelang.runtime.durable.shared.tenants import HELD, RECHECK, TenantPlaces
from pipelang.runtime.durable.store import Store
from pipelang.runtime.media.medium import Media
from pipelang.runtime.media.rows import as_text
from pipelang.runtime.tools.under_way import Calls, with_calls
from pipelang.runtime.worlds.recorded.record import Kind

MOST_BARREN = 5
"""Legs without a new row after which a run counts as crashed."""
FOREVER = 100 * 365 * 86_400.0
"""Seconds that stand for no due time."""


class Fenced(BaseException):
    """Another process has the run. No `Exception`: nothing in a run may go on after it."""


@dataclass(frozen=True, slots=True)
class LegToken:
    """A leg, and the proof of who owns it."""

    run: str
    leg: int
    owner: str


@dataclass(frozen=True, slots=True)
class BegunLeg:
    """A leg that begins: its run, the rows of former legs, and the time of the store. `poked`
    counts the decisions of people so far. `permits` None are all that its pipeline has,
    `head` is the end of the chain of its rows.
    """

    token: LegToken
    pipeline: str
    program: str
    queue: str
    input: dict[str, Any]
    tenant: str | None
    thread: str | None
    rows: dict[str, tuple[Kind, Any]]
    now: float
    poked: int
    permits: tuple[str, ...] | None
    head: ChainHead


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The outcome of a run as it is stored. `spent` is what its pipelines took of their quotas, by
    their places; what is not in it is told by the journal. None: its program has no quota.
    """

    status: str
    outcome: dict[str, Any]
    cost: str = "0"
    tokens: int = 0
    spent: Spent | None = None


def locked_run(store: Store, connection: sa.Connection, run: str) -> Any:
    """The row of a run, whose leg nobody begins or writes until the transaction ends. Raises
    `UnknownRun`.
    """
    asked = sa.text("SELECT * FROM pipelang_runs WHERE run = :run")
    for _ in range(100):
        found = connection.execute(asked, {"run": run}).first()
        if found is None:
            raise UnknownRun(f"there is no run `{run}` in {store.address.shown}")
        store.legs.lock(connection, run, found.leg)
        again = connection.execute(asked, {"run": run}).first()
        if again is not None and again.leg == found.leg:
            return again
    raise NotPossible(f"run {run} does not hold still")


def crashed(cost: str, tokens: int, calls: Calls) -> RunEnd:
    """The end of a run that workers took in vain; `calls` were under way."""
    text = f"{MOST_BARREN} times a worker took the run and recorded nothing new"
    result = {
        "code": "crashed",
        "reason": "worker",
        "text": with_calls(text, calls),
        "partial": {},
    }
    return RunEnd("failed", {"result": result}, cost, tokens, spent={})


_READ = sa.text(
    "SELECT place, kind, value, number, hash FROM pipelang_journal WHERE run = :run ORDER BY number"
)
_WRITE = sa.text(
    """INSERT INTO pipelang_journal (run, place, kind, value, written, number, hash)
    VALUES (:run, :place, :kind, :value, :written, :number, :hash)
    ON CONFLICT (run, place) DO UPDATE
    SET kind = excluded.kind, value = excluded.value, written = excluded.written"""
)
_END = sa.text(
    """UPDATE pipelang_runs SET status = :status, outcome = :outcome, cost = :cost,
        tokens = :tokens, ended = :now, waiting = NULL
    WHERE run = :run AND status IS NULL"""
)


class Legs:
    """The legs that a process does, of each tenant no more at once than `per_tenant`."""

    def __init__(self, store: Store, per_tenant: int | None = None) -> None:
        self.store = store
        self._places = TenantPlaces(store, per_tenant)

    def _fence(self, connection: sa.Connection, token: LegToken) -> None:
        if self.store.legs.owner(connection, token.run, token.leg) != token.owner:
            raise Fenced(f"another worker has run {token.run}")

    @contextmanager
    def fenced(self, token: LegToken) -> Iterator[sa.Connection]:
        """One transaction of who owns a leg that has not ended: a thread of it may be late. Raises
        `Fenced`.
        """
        with self.store.legs.database.begin() as connection:
            self._fence(connection, token)
            found = _row_of(connection, token.run)
            if found.leg != token.leg or found.status is not None:
                raise Fenced(f"the leg of run {token.run} has ended")
            yield connection

    def begin(self, token: LegToken) -> BegunLeg | None:
        """Begin a leg; None if there is nothing to do in it. Raises `Fenced`."""
        with self.store.legs.database.begin() as connection:
            self._fence(connection, token)
            found = connection.execute(
                sa.text("SELECT * FROM pipelang_runs WHERE run = :run"), {"run": token.run}
            ).first()
            if found is None or found.leg != token.leg or found.status is not None:
                return None
            now = self.store.set_clock(connection)
            rows: dict[str, tuple[Kind, Any]] = {}
            head = ChainHead(0)
            for row in connection.execute(_READ, {"run": token.run}):
                rows[row.place] = row.kind, json.loads(row.value)
                head.number, head.hash = row.number, row.hash or head.hash
            if found.started is None and self._is_paused(connection, found.pipeline):
                self._next(connection, token, found, now + FOREVER, paused=1, waiting=None)
                return None
            if not self._places.take(connection, token.run, found.tenant):
                due = now + RECHECK
                self._next(connection, token, found, due, HELD, waiting=None, seen=found.seen)
                return None
            barren = 0 if len(rows) > found.seen else found.barren + 1
            if barren >= MOST_BARREN:
                used = used_by(rows, (found.cost, found.tokens))
                self._write_end(connection, token.run, crashed(*used, cut_by(rows)), now)
                self._places.free(connection, found)
                return None
            connection.execute(
                sa.text(
                    """UPDATE pipelang_runs SET barren = :barren, seen = :seen, waiting = NULL,
                        attempts = attempts + :more, paused = 0, started = COALESCE(started, :now)
                    WHERE run = :run"""
                ),
                {
                    "run": token.run,
                    "barren": barren,
                    "seen": len(rows),
                    "more": int(found.seen >= 0 or found.started is None),
                    "now": now,
                },
            )
        return BegunLeg(
            token,
            found.pipeline,
            found.program,
            found.queue,
            json.loads(found.input),
            found.tenant,
            found.thread,
            rows,
            now,
            found.poked,
            None if found.permits is None else tuple(json.loads(found.permits)),
            head,
        )

    def _is_paused(self, connection: sa.Connection, pipeline: str) -> bool:
        asked = sa.text("SELECT 1 FROM pipelang_paused WHERE pipeline = :pipeline")
        return connection.execute(asked, {"pipeline": pipeline}).first() is not None

    def write(
        self,
        token: LegToken,
        head: ChainHead,
        place: str,
        kind: Kind,
        value: str,
        media: Mapping[str, Media] | None = None,
    ) -> None:
        """Write a row of the journal, and the pictures and documents that it tells of. Raises
        `Fenced`.
        """
        with head.lock:
            with self.store.legs.database.begin() as connection:
                self._fence(connection, token)
                if head.number is None:
                    head.look(connection, token.run)
                    if kind != "ahead" and is_there(connection, token.run, place):
                        return  # it was written, and only the answer was lost
                assert head.number is not None
                number, before, head.number = head.number + 1, head.hash, None
                hash = None if kind == "ahead" else hash_of(before, number, place, kind, value)
                keep(connection, token.run, media or {})
                row: dict[str, Any] = {
                    "run": token.run,
                    "place": place,
                    "kind": kind,
                    "value": value,
                }
                row |= {"written": self.store.now(), "number": number, "hash": hash}
                connection.execute(_WRITE, row)
            head.number, head.hash = number, hash or before

    def end(self, token: LegToken, end: RunEnd) -> None:
        """End the run. Raises `Fenced`."""
        with self.store.legs.database.begin() as connection:
            self._fence(connection, token)
            self._write_end(connection, token.run, end, self.store.set_clock(connection))
            self._places.free(connection, _row_of(connection, token.run))

    def medium(self, run: str, digest: str) -> bytes:
        """The bytes of a picture or document of a run."""
        return kept(self.store, run, digest)

    def _write_end(self, connection: sa.Connection, run: str, end: RunEnd, now: float) -> None:
        outcome, media = as_text(end.outcome, other=str)
        keep(connection, run, media)
        connection.execute(
            _END,
            {
                "run": run,
                "status": end.status,
                "outcome": outcome,
                "cost": end.cost,
                "tokens": end.tokens,
                "now": now,
            },
        )
        if end.spent is not None:
            QuotaRows(self.store, connection).settle_run(run, end.spent)

    def park(
        self,
        claim: BegunLeg,
        due: float | None,
        waiting: dict[str, Any],
        cost: str,
        tokens: int,
        spent: Spent | None = None,
    ) -> None:
        """End the leg because all that the run does is wait: the next one begins when the first of
        its waits is due, or at once if somebody decided meanwhile. Of their quotas its pipelines
        hold what they `spent`. Raises `Fenced`.
        """
        token = claim.token
        with self.store.legs.database.begin() as connection:
            self._fence(connection, token)
            now = self.store.set_clock(connection)
            found = _row_of(connection, token.run)
            cases = connection.execute(
                sa.text("SELECT value FROM pipelang_cases WHERE run = :run AND state = 'open'"),
                {"run": token.run},
            )
            dues = [due] if due is not None else []
            for row in cases:
                at = json.loads(row.value).get("due_at")
                if at is not None:
                    dues.append(datetime.fromisoformat(at).timestamp())
            first = min(dues, default=now + FOREVER)
            if waiting["kind"] == "person" and dues:
                waiting = {**waiting, "due": first}
            if found.poked != claim.poked:
                first = now
            connection.execute(
                sa.text("UPDATE pipelang_runs SET cost = :cost, tokens = :tokens WHERE run = :run"),
                {"run": token.run, "cost": cost, "tokens": tokens},
            )
            self._next(connection, token, found, first, paused=0, waiting=waiting)
            self._places.free(connection, found)
            quotas = QuotaRows(self.store, connection)
            for place, amounts in (spent or {}).items():
                quotas.rest(token.run, place, *amounts)

    def release(self, token: LegToken) -> None:
        """Put a leg back that could not be done here, if it is still this process's."""
        with self.store.legs.database.begin() as connection:
            self.store.legs.release(connection, token.run, token.leg, token.owner)

    def again(self, claim: BegunLeg, seconds: float) -> None:
        """End a leg that came to nothing; the next one begins after a while. Raises `Fenced`."""
        token = claim.token
        with self.store.legs.database.begin() as connection:
            self._fence(connection, token)
            now = self.store.set_clock(connection)
            found = _row_of(connection, token.run)
            waiting = {"kind": "worker", "name": claim.program, "due": now + seconds}
            self._next(connection, token, found, now + seconds, 0, waiting, found.seen)
            self._places.free(connection, found)

    def _next(
        self,
        connection: sa.Connection,
        token: LegToken,
        found: Any,
        due: float,
        paused: int,
        waiting: dict[str, Any] | None,
        seen: int = -1,
    ) -> None:
        leg = token.leg + 1
        connection.execute(
            sa.text(
                """UPDATE pipelang_runs SET leg = :leg, seen = :seen, paused = :paused,
                    waiting = :waiting WHERE run = :run"""
            ),
            {
                "run": token.run,
                "leg": leg,
                "seen": seen,
                "paused": paused,
                "waiting": None if waiting is None else json.dumps(waiting),
            },
        )
        self.store.legs.enqueue(
            connection, found.queue, token.run, leg, int(due * 1000), found.priority
        )


def _row_of(connection: sa.Connection, run: str) -> Any:
    """The row of a run that is there."""
    asked = sa.text("SELECT * FROM pipelang_runs WHERE run = :run")
    return connection.execute(asked, {"run": run}).one()
