"""The protocol of what keeps runs for the service: in memory, or in a store.

A backend knows no rights: `Service` asks before it calls.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pipelang.interfaces.service.health import Depth, Health
from pipelang.records import dataclass

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import RunSource
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.metrics import ServiceMetrics
    from pipelang.runtime.inbox.cases import Case, Verdict
    from pipelang.runtime.shared.kill_switches import Switch

SwitchKind = Literal["pipeline", "tool"]
RunJson = dict[str, Any]
"""A run as the API gives it: `id`, `pipeline`, `program`, `tenant`, `thread`, `status`, `result`,
`waiting_for`, `cost`, `tokens`, `started`, `ended`, `attempts`.
"""

STATES = ("queued", "delayed", "running", "waiting", "answered", "escalated", "rejected", "failed")
ENDED = frozenset(STATES[4:])
NORMAL = 10
"""The priority of a run without one; of a smaller number a run begins sooner."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """A run that is asked for. `inputs` are checked values by key, `row` the same as JSON. Of two
    orders with the same `key`, tenant and pipeline there is one run. Of a smaller `priority` a run
    begins sooner, after `delay` seconds.
    """

    pipeline: str
    row: Mapping[str, Any]
    tenant: str | None = None
    key: str | None = None
    thread: str | None = None
    priority: int = NORMAL
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class RunFilter:
    """The runs that are asked for, newest first. `tenant` holds only if not `all_tenants`; `after`
    is the place where the page before ended, as its `next` said.
    """

    all_tenants: bool = False
    tenant: str | None = None
    pipeline: str | None = None
    status: str | None = None
    reason: str | None = None
    thread: str | None = None
    since: datetime | None = None
    after: tuple[float, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, and the place after the last of them; None if there are no more."""

    items: tuple[RunJson, ...]
    next: tuple[float, str] | None


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """The cases that are asked for, oldest first: the open ones, or with `closed` all. `tenant`
    holds only if not `all_tenants`; `after` is the place of the last one of the page before.
    """

    all_tenants: bool = False
    tenant: str | None = None
    role: str | None = None
    run: str | None = None
    closed: bool = False
    after: tuple[float, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CasePage:
    """Cases, and whether there are more."""

    items: tuple[Case, ...]
    more: bool


def place_of(case: Case) -> tuple[float, str]:
    """The place of a case in a list, the oldest first."""
    return case.opened_at.timestamp(), case.id


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of a run. `number` is that of a recorded one, in the run, from 0; None for one in
    progress, which may come otherwise after a crash.
    """

    number: int | None
    kind: str
    name: str
    at: float
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The data of a server-sent event."""
        return {
            "number": self.number,
            "kind": self.kind,
            "name": self.name,
            "at": round(self.at, 6),
            "data": dict(self.data),
        }


class Backend(Protocol):
    """Keeps and does runs. Raises `Problem`: 503 with the code `store` where its store is away."""

    @property
    def where(self) -> str:
        """The place of runs, in words without a secret: `in memory`, or a store's address."""

    async def open(self, deployed: Mapping[str, Deployed], metrics: ServiceMetrics) -> None:
        """Begin to work on these pipelines, by name; `metrics` hears what happens. Raises
        `StoreProblem` if where their runs are kept cannot be used.
        """

    async def close(self, grace: float) -> None:
        """Begin nothing more, finish within `grace` seconds what can be, and leave the rest."""

    async def start(self, order: RunOrder) -> tuple[str, bool]:
        """Take a run; its id, and whether it is new: the same key gives the same run. Raises
        `Problem` (409 `key_conflict`, 429 `queue_full` or `quota`).
        """

    async def run(self, id: str) -> RunJson | None:
        """A run, by its whole id."""

    async def input_of(self, id: str) -> dict[str, Any] | None:
        """The input of a run, as JSON."""

    async def runs(self, wanted: RunFilter) -> RunPage:
        """A page of runs, newest first."""

    async def wait(self, id: str, seconds: float) -> RunJson | None:
        """The run when it has ended, or as it is after so many seconds."""

    async def cancel(self, id: str) -> None:
        """End a run as failed with the code `cancelled`. Raises `Problem` (409 `ended`)."""

    async def recorded(self, id: str) -> tuple[Occurrence, ...]:
        """The events of a run that are recorded so far, in order."""

    def follow(self, id: str, after: int) -> AsyncIterator[Occurrence | None]:
        """The recorded events of a run with a number beyond `after`, in order, and what happens;
        ends when the run has ended. None now and then says that nothing happened.
        """

    async def case_page(self, wanted: CaseFilter) -> CasePage:
        """A page of cases, oldest first."""

    async def open_case_ids(self, all_tenants: bool, tenant: str | None) -> tuple[str, ...]:
        """The ids of the open cases, of a tenant or of all: cheap enough to be asked often."""

    async def open_cases_of(self, run: str) -> tuple[Case, ...]:
        """The open cases of a run, oldest first."""

    async def closed_cases(
        self, all_tenants: bool, tenant: str | None, role: str | None, most: int
    ) -> tuple[Case, ...]:
        """The closed cases of the newest runs that have some, at most so many."""

    async def case(self, id: str) -> Case | None:
        """A case, by its whole id."""

    async def decide(self, id: str, *, yes: bool, by: str, reason: str) -> Case:
        """Say yes or no to a case. Raises `Refused`."""

    async def answer(self, id: str, answer: Any, *, by: str, reason: str) -> Case:
        """Answer the ask of a case. Raises `Refused`."""

    async def look(self, id: str, by: str) -> Case:
        """Take note that somebody looks at a case; it, with that. Raises `Refused`."""

    async def label(self, id: str, verdict: Verdict) -> Case:
        """Say whether a sampled answer is right. Raises `Refused`."""

    async def source(self) -> RunSource:
        """The runs that are kept, to be observed in a thread."""

    async def switches(self) -> dict[Switch, str]:
        """Everything that is switched off, with the reason."""

    async def others(self, what: SwitchKind) -> frozenset[str]:
        """The pipelines or tools of open runs that are of other programs than those served."""

    async def kill(self, tool: str | None, pipeline: str | None, reason: str) -> None:
        """Switch off a tool, a pipeline, or everything."""

    async def restore(self, tool: str | None, pipeline: str | None) -> bool:
        """Switch it on again, and have runs of a paused pipeline begin; whether it was off."""

    async def pause(self, pipeline: str | None, reason: str) -> None:
        """Have no run of a pipeline begin, or of any that is known, served or not; new ones are
        taken and wait.
        """

    async def paused(self) -> dict[str, str]:
        """The pipelines of which no run begins, with the reasons."""

    async def health(self) -> Health:
        """Health as it was last seen. Raises nothing."""

    async def depths(self) -> dict[str, Depth]:
        """The numbers of each pipeline as they are now."""
