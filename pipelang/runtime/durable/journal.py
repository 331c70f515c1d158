"""The journal of a leg: the record of its run, whose rows are written fenced, one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from pipelang.runtime.durable.activity import Activity
from pipelang.runtime.durable.database_errors import may_pass
from pipelang.runtime.durable.legs import BegunLeg, Legs
from pipelang.runtime.engine.events import Event
from pipelang.runtime.media.medium import Media
from pipelang.runtime.media.rows import as_text, told_of
from pipelang.runtime.worlds.recorded.record import Kind

LONGEST_PAUSE = 2.0
"""Seconds between two tries to reach a database that is away."""

T = TypeVar("T")


class JournalRecord:
    """The record of a run as a leg has it: a `RunRecord`. `live` hears events before they are
    recorded.
    """

    def __init__(
        self,
        legs: Legs,
        claim: BegunLeg,
        activity: Activity,
        live: Callable[[Event], None] | None = None,
    ) -> None:
        self.live = live
        self._legs = legs
        self._claim = claim
        self._activity = activity

    def rows(self) -> Mapping[str, tuple[Kind, Any]]:
        return self._claim.rows

    def now(self) -> float:
        return self._legs.store.now()

    async def write(self, place: str, kind: Kind, value: Any) -> None:
        text, media = as_text(value)
        token, head = self._claim.token, self._claim.head
        with self._activity.working():
            await surely(lambda: self._legs.write(token, head, place, kind, text, media))

    def medium(self, told: Mapping[str, Any]) -> Media:
        run = self._claim.token.run
        return told_of(told, lambda digest: self._legs.medium(run, digest))


async def surely(work: Callable[[], T]) -> T:
    """Do something with the database in a thread, again and again while it is away: what was
    written twice is the same row.
    """
    pause = 0.1
    while True:
        try:
            return await asyncio.to_thread(work)
        except SQLAlchemyError as error:
            if not may_pass(error):
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
