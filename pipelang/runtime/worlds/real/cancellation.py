"""What a kill stops: a run before its next call or effect, and while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.shared.services import Plugged

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


class Stopping:
    """Looks at the kill switches for a run."""

    _plugged: Plugged

    def _may(self, run: Run, tool: str | None = None) -> None:
        """Whether the run may go on, to call this tool. Raises `Halted`."""
        if self._plugged.switches.idle():
            return
        reason = self._plugged.switches.why(_pipelines(run), tool)
        if reason is not None:
            raise Halted("killed", reason)

    async def _pause(self, run: Run, seconds: float, tool: str | None = None) -> None:
        """Let time pass before this tool is called. Raises `Halted` as soon as the run is killed,
        or the tool.
        """
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        watching = self._plugged.switches.watch(_pipelines(run), tool)
        try:
            await asyncio.wait([watching], timeout=seconds)
            if watching.done():
                raise Halted("killed", watching.result())
        finally:
            self._plugged.switches.unwatch(watching)

    async def _unless_killed(self, run: Run, work: Coroutine[Any, Any, Any]) -> Any:
        """Wait for something that may take days. Raises `Halted` as soon as the run is killed."""
        watching = self._plugged.switches.watch(_pipelines(run))
        waiting = asyncio.ensure_future(work)
        try:
            await asyncio.wait([watching, waiting], return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not waiting.done():
                raise Halted("killed", watching.result())
            return waiting.result()
        finally:
            self._plugged.switches.unwatch(watching)
            if not waiting.done():
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)


def _pipelines(run: Run) -> tuple[str, ...]:
    """The pipeline of a run and those around it, outermost first."""
    names: list[str] = []
    at: Run | None = run
    while at is not None:
        names.append(at.pipeline.name)
        at = at.parent
    return tuple(reversed(names))
