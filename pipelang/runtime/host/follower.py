"""Following a run from its host: its events and partial answers as updates, in their order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.host.progress import Progress, Update
from pipelang.semantics import program as p


class Follower:
    """Hears a run (`event` is a sink of it, `partial` its listener) and tells it as updates."""

    def __init__(self, pipeline: p.Pipeline) -> None:
        self._queue: asyncio.Queue[Update | None] = asyncio.Queue()
        self._progress = Progress(pipeline)

    def event(self, run_id: str, event: Event) -> None:
        """Take an event of the run."""
        update = self._progress.update(event)
        if update is not None:
            self._queue.put_nowait(update)

    def partial(self, step: str, value: Any) -> None:
        """Take what a model has written of a step's answer so far."""
        self._queue.put_nowait(self._progress.writing(step, value))

    async def updates(self, playing: Coroutine[Any, Any, Result]) -> AsyncGenerator[Update, None]:
        """Play the run, and give its updates up to the one with the result. Leaving early cancels
        the run.
        """
        task = asyncio.ensure_future(playing)
        task.add_done_callback(lambda done: self._queue.put_nowait(None))
        try:
            while (update := await self._queue.get()) is not None:
                yield update
            yield self._progress.last(await task)
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
