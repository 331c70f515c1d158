"""The watch of a server: its pipelines' lines are looked at every so often, and alerts are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelang.records import dataclass

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import RunSource
    from pipelang.interfaces.service.backend import Backend
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.watching.alerts import AlertTarget

LOG = logging.getLogger("pipelang.serve")

PAUSE = 1.0
"""Seconds between two tries to look where somebody else is about it."""


@dataclass(frozen=True, slots=True)
class ServiceWatch:
    """Looks every so many seconds, and tells alerts to these targets. Servers on one store may all
    watch: what is kept there says who was told.
    """

    every: float
    targets: Sequence[AlertTarget]

    async def run(self, backend: Backend, pipelines: Mapping[str, Deployed]) -> None:
        """Look for ever; what goes wrong is logged, and tried again the next time."""
        while True:
            source = await backend.source()
            for one in pipelines.values():
                try:
                    await self._looked(source, one)
                except Exception as error:
                    LOG.warning("`%s` could not be watched: %s", one.name, error)
            await asyncio.sleep(self.every)

    async def _looked(self, source: RunSource, one: Deployed) -> None:
        """Look, once nobody else does. Waited for in the loop and not in a thread, which would hold
        up a server that stops.
        """
        while True:
            if await asyncio.to_thread(self._look, source, one):
                return
            await asyncio.sleep(PAUSE)

    def _look(self, source: RunSource, one: Deployed) -> bool:
        """Look, and tell alerts; False where somebody else is about it."""
        from pipelang.interfaces.watching.alerts import alert_words, tell_all
        from pipelang.interfaces.watching.evaluation import LineState, evaluate, name_of

        program, kept = one.loaded.program, name_of(one.name, one.program)
        with source.turn(kept, wait=False) as mine:
            if not mine:
                return False
            statuses, state = evaluate(program, one.pipeline, source, one.program)
            for status in statuses:
                if status.new and status.state in (LineState.ALERT, LineState.RECOVERED):
                    LOG.warning("%s: %s", one.name, alert_words(status))
            for problem in tell_all(statuses, self.targets, one.program, source.shown):
                LOG.warning("%s", problem)
            source.keep(kept, state.text())
        return True
