"""Looks at lists for the pages: one look a second, for all who look at the same."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from pipelang.records import dataclass

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import RunFilter, RunJson
    from pipelang.interfaces.service.health import Depth, Health
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service
    from pipelang.runtime.inbox.cases import Case

LOOK = 1.0
"""Seconds for which a look counts."""
_MOST_LISTS = 500


class Board:
    """The lists as they were a moment ago. Belongs to one event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._looks: OrderedDict[Hashable, tuple[float, asyncio.Future[Any]]] = OrderedDict()

    async def _seen(self, key: Hashable, look: Callable[[], Awaitable[Any]]) -> Any:
        """The result of a look, at most a second old. Who comes while one looks waits for it."""
        at, looking = self._looks.get(key, (0.0, None))
        if looking is None or time.monotonic() - at >= LOOK:
            looking = asyncio.ensure_future(look())
            self._looks[key] = (time.monotonic(), looking)
            self._looks.move_to_end(key)
            while len(self._looks) > _MOST_LISTS:
                self._looks.popitem(last=False)
        try:
            return await asyncio.shield(looking)
        except asyncio.CancelledError:
            raise
        except Exception:
            self._looks.pop(key, None)
            raise

    async def open_cases(self, who: Principal) -> int:
        """The number of open cases that are shown to somebody."""
        return len(await self.cases(who))

    async def cases(self, who: Principal) -> tuple[str, ...]:
        """The ids of the open cases that are shown to somebody."""

        async def look() -> tuple[str, ...]:
            return await self._service.open_case_ids(who)

        found: tuple[str, ...] = await self._seen(("cases", _scope(who)), look)
        return found

    async def run(self, who: Principal, id: str) -> tuple[Any, ...]:
        """The parts of a run that change without an event: a case is opened after the event that
        says that somebody is asked, and a run in a store waits once its leg has ended.
        """

        async def look() -> tuple[Any, ...]:
            run = await self._service.run(who, id)
            return parts_of_run(run, await self._service.open_cases_of(who, id))

        found: tuple[Any, ...] = await self._seen(("run", id, _scope(who)), look)
        return found

    async def runs(self, who: Principal, wanted: RunFilter, key: Hashable) -> tuple[Any, ...]:
        """The parts of a page of runs that may change, with the open cases; `key` names its
        filters.
        """

        async def look() -> tuple[Any, ...]:
            return parts_of_runs((await self._service.runs(who, wanted)).items)

        return await self._seen(("runs", _scope(who), key), look), await self.cases(who)

    async def depths(self) -> Depths:
        """The numbers of the page of health."""

        async def look() -> Depths:
            backend = self._service.backend
            depths = await backend.depths()
            return Depths(await backend.health(), await paused_or_off(self._service), depths)

        found: Depths = await self._seen("depths", look)
        return found


@dataclass(frozen=True, slots=True)
class Depths:
    """The numbers of the page of health: also what is paused or off, with that word."""

    health: Health
    states: Mapping[str, str]
    depths: Mapping[str, Depth]

    @property
    def parts(self) -> tuple[Any, ...]:
        """The parts that may change."""
        numbers = [(d.queued, d.running, d.waiting, d.cases) for d in self.depths.values()]
        return self.health, self.states, numbers


def parts_of_runs(runs: Iterable[RunJson]) -> tuple[Any, ...]:
    """The parts of runs in a list that may change."""
    return tuple((one["id"], one["status"], one["cost"]) for one in runs)


def parts_of_run(run: RunJson, cases: Iterable[Case]) -> tuple[Any, ...]:
    """The parts of a run that change without an event."""
    return run["status"], run["cost"], tuple(case.id for case in cases)


def mark_of(parts: Any) -> str:
    """A mark of what a page shows, which the stream of its changes begins with."""
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()[:16]


async def paused_or_off(service: Service) -> dict[str, str]:
    """The pipelines that are paused or switched off, with that word; `` is everything."""
    found = dict.fromkeys(await service.backend.paused(), "paused")
    for one in await service.backend.switches():
        if one.kind == "pipeline":
            found[one.name] = "switched off"
        elif one.kind == "everything":
            found[""] = "switched off"
    return found


def _scope(who: Principal) -> tuple[bool, str | None]:
    return who.sees_all, None if who.sees_all else who.tenant


def board_of(request: Request) -> Board:
    """The board of a server."""
    state = request.app.state
    if not hasattr(state, "board"):
        state.board = Board(state.service)
    board: Board = state.board
    return board
