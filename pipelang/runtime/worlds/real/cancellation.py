"""Kill switches as a run meets them: before its next call or effect, and while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from pipelang.runtime.engine.interruption import foreign
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.run import Run
from pipelang.runtime.shared.kill_switches import Switches


class OutOfTime(Exception):
    """A wait took longer than it may. No TimeoutError: that may be one of what was waited for."""


def check_not_killed(switches: Switches, run: Run, tool: str | None = None) -> None:
    """Raise `Halted` if the run, or the tool that it is about to call, is switched off."""
    if switches.idle():
        return
    reason = switches.why(_pipelines(run), tool)
    if reason is not None:
        raise Halted("killed", reason)


async def pause(switches: Switches, run: Run, seconds: float, tool: str | None = None) -> None:
    """Let time pass before a tool is called, or before anything. Raises `Halted` as soon as the run
    or the tool is switched off.
    """
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    watching = switches.watch(_pipelines(run), tool)
    try:
        await asyncio.wait([watching], timeout=seconds)
        if watching.done():
            raise Halted("killed", watching.result())
    finally:
        switches.unwatch(watching)


async def unless_killed(
    switches: Switches,
    run: Run,
    work: Awaitable[Any],
    seconds: float | None = None,
    tool: str | None = None,
) -> Any:
    """Wait for something that may take days. Raises `Halted` as soon as the run or the tool is
    switched off, and `OutOfTime` if it takes longer than `seconds`.
    """
    watching = switches.watch(_pipelines(run), tool)
    waiting = asyncio.ensure_future(foreign(work))
    try:
        both = [watching, waiting]
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if watching.done():
            raise Halted("killed", watching.result())
        raise OutOfTime
    finally:
        switches.unwatch(watching)
        if not waiting.done():
            waiting.cancel()
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                waiting.exception()  # read, so that nobody misses it


def _pipelines(run: Run) -> tuple[str, ...]:
    """The pipeline of a run and those around it, outermost first."""
    names: list[str] = []
    at: Run | None = run
    while at is not None:
        names.append(at.pipeline.name)
        at = at.parent
    return tuple(reversed(names))
