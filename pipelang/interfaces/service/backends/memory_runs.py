"""A run in memory: its state, its events, and whoever waits for it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.service.backend import (
    CaseFilter,
    CasePage,
    Occurrence,
    RunFilter,
    RunJson,
    RunOrder,
    place_of,
)
from pipelang.runtime.engine.event_payloads import plain_cost
from pipelang.runtime.tools.under_way import CallsUnderWay

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run
    from pipelang.runtime.inbox.cases import Case


class MemoryRun:
    """A run in memory. `heard` wakes whoever follows it."""

    def __init__(self, id: str, order: RunOrder, program: str, created: float) -> None:
        self.id = id
        self.order = order
        self.program = program
        self.created = created
        self.begins = created + order.delay
        self.status = "delayed" if order.delay > 0 else "queued"
        self.started: float | None = None
        self.ended: float | None = None
        self.result: dict[str, Any] | None = None
        self.cost: str | None = "0"
        self.tokens = 0
        self.seconds: float | None = None
        self.events: list[Occurrence] = []
        self.asking: dict[str, str] = {}
        self.heard: asyncio.Event | None = None
        self.task: asyncio.Task[None] | None = None
        self.run: Run | None = None
        self.under_way = CallsUnderWay()

    @property
    def over(self) -> bool:
        return self.ended is not None

    def took(self, cost: Decimal | None, tokens: int) -> None:
        """Note what the run took in the end."""
        self.cost, self.tokens = plain_cost(cost), tokens

    def wake(self) -> None:
        """Wake whoever follows the run."""
        if self.heard is not None:
            self.heard.set()
            self.heard = None

    async def change(self, seconds: float) -> bool:
        """Wait until something happens in the run; whether anything did in so many seconds."""
        if self.heard is None:
            self.heard = asyncio.Event()
        heard = self.heard
        try:
            async with asyncio.timeout(seconds):
                await heard.wait()
        except TimeoutError:
            return False
        return True

    @property
    def asked_role(self) -> str | None:
        """The role that the run waits for, None while it waits for nobody."""
        return next(iter(self.asking.values()), "") if self.status == "waiting" else None

    def as_json(self, due: float | None) -> RunJson:
        """The run, as the API gives it; `due` is until when it waits for people."""
        waiting: dict[str, Any] | None = None
        if self.status == "waiting":
            waiting = {"kind": "person", "name": self.asked_role, "due": moment(due)}
        elif self.status == "delayed":
            waiting = {"kind": "time", "name": self.order.pipeline, "due": moment(self.begins)}
        budget = None if self.run is None else self.run.budget
        return {
            "id": self.id,
            "pipeline": self.order.pipeline,
            "program": self.program,
            "tenant": self.order.tenant,
            "thread": self.order.thread,
            "status": self.status,
            "result": self.result,
            "waiting_for": waiting,
            "cost": self.cost if budget is None else plain_cost(budget.cost),
            "tokens": self.tokens if budget is None else budget.tokens,
            "started": moment(self.started),
            "ended": moment(self.ended),
            "attempts": 0 if self.started is None else 1,
        }


def hash_of(row: Mapping[str, Any]) -> str:
    """The hash of an input."""
    text = json.dumps(row, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def is_in(name: str, step: str) -> bool:
    """Whether a name is of a step, of what it runs, or of an element of its list."""
    return name == step or name.startswith((f"{step}/", f"{step}["))


def is_older(one: MemoryRun, place: tuple[float, str]) -> bool:
    """Whether a run comes after a place in a list that begins with the newest."""
    return (-one.created, one.id) > (-place[0], place[1])


def fits(one: MemoryRun, wanted: RunFilter) -> bool:
    """Whether a run is one of those that are wanted."""
    order = one.order
    reason = None if one.result is None else one.result.get("reason")
    return (
        (wanted.all_tenants or order.tenant == wanted.tenant)
        and wanted.pipeline in (None, order.pipeline)
        and wanted.status in (None, one.status)
        and wanted.thread in (None, order.thread)
        and wanted.reason in (None, reason)
        and (wanted.since is None or one.created >= wanted.since.timestamp())
    )


def moment(seconds: float | None) -> str | None:
    """A time as RFC 3339 in UTC."""
    if seconds is None:
        return None
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page_of_cases(cases: Iterable[Case], wanted: CaseFilter) -> CasePage:
    """A page of cases in memory."""
    found = sorted(
        (
            case
            for case in cases
            if (wanted.all_tenants or case.tenant == wanted.tenant)
            and wanted.role in (None, case.role)
            and wanted.run in (None, case.run_id)
            and (wanted.after is None or place_of(case) > wanted.after)
        ),
        key=place_of,
    )
    return CasePage(tuple(found[: wanted.limit]), len(found) > wanted.limit)
