"""The live display of a run: a picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pipelang.diagnostics.columns import for_people, one_line
from pipelang.interfaces.report.runs.trace import failure_text
from pipelang.records import dataclass

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, RenderableType

    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.host.progress import Update
    from pipelang.semantics import program as p

_SHOWN = 12
"""Steps that are shown at most, the last ones."""

_TOLD = frozenset(
    "step asks approve hold retry fallback failed redo effect budget runs turn".split()
)
"""Events that are worth a line where there is no terminal."""


class Live(Protocol):
    """Shows a run while it goes on; a context manager around it."""

    def __enter__(self) -> Live: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, event: Event) -> None:
        """Something happened."""

    def say(self, line: str) -> None:
        """Show a line that is no event."""


class PlainLines:
    """One line an event that is worth telling."""

    def __init__(self, pipeline: p.Pipeline, say: Callable[[str], None]) -> None:
        from pipelang.runtime.host.progress import Progress

        self._progress = Progress(pipeline)
        self._say = say

    def __enter__(self) -> PlainLines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, event: Event) -> None:
        update = self._progress.update(event)
        if update is None or event.kind not in _TOLD:
            return
        words = f"{event.at:8.3f}s  {update.progress:3d}%  {update.phase:<20}  {update.step or ''}"
        if update.needs_approval:
            words += f"  (waits for {update.needs_approval})"
        elif event.kind == "failed":
            words += f"  {event.data['why']}: {failure_text(event.data)}"
        self._say(one_line(words.rstrip()))

    def say(self, line: str) -> None:
        self._say(line)


class Silent:
    """Shows nothing of a run."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, event: Event) -> None:
        return None

    def say(self, line: str) -> None:
        self._say(line)


@dataclass(slots=True)
class _Shown:
    """A step as it is shown: since when (seconds of the clock), until when, what is said of it."""

    began: float
    ended: float | None
    said: str


class LiveDisplay:
    """Phase, steps, progress, cost, and what waits for whom, drawn over and over on a terminal."""

    def __init__(
        self, pipeline: p.Pipeline, console: Console, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from rich.live import Live as RichLive

        from pipelang.runtime.host.progress import Progress

        self._name = pipeline.name
        self._progress = Progress(pipeline)
        self._clock = clock
        self._began = clock()
        self._last: Update | None = None
        self._steps: dict[str, _Shown] = {}
        self._live = RichLive(
            get_renderable=self.render,
            console=console,
            transient=True,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveDisplay:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, event: Event) -> None:
        update = self._progress.update(event)
        if update is not None:
            self._last = update
        name, now = event.name, self._clock()
        if event.kind in ("step", "asks") and name not in self._steps:
            self._steps[name] = _Shown(now, None, "")
        shown = self._steps.get(name)
        if shown is None:
            return
        match event.kind:
            case "step":
                self._steps.pop(name)
                self._steps[name] = _Shown(now, None, "works")
            case "done" | "ended" | "approve" | "hold":
                shown.ended = now
            case "answer" if "confidence" in event.data:
                shown.said = f"confidence {event.data['confidence']:.0%}"
            case "failed":
                shown.said = f"failed: {event.data['why']}"
            case _ if update is not None:
                shown.said = update.phase
            case _:
                pass

    def say(self, line: str) -> None:
        """A line above the picture."""
        line = for_people(line, colour=False)
        self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def render(self) -> RenderableType:
        """The picture as it is now. Called by the thread that draws."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now, update = self._clock(), self._last
        head = Table.grid(padding=(0, 2))
        progress = update.progress if update is not None else 0
        cost = update.cost if update is not None else 0.0
        head.add_row(
            Text(self._name, style="bold"),
            ProgressBar(total=100, completed=progress, width=24),
            Text(f"{progress}%"),
            Text(f"{now - self._began:.1f} s"),
            Text("cost unknown" if cost is None else f"${cost:.4f}"),
            Text(one_line(update.phase) if update is not None else "starting", style="dim"),
        )
        rows = Table.grid(padding=(0, 2))
        for name, step in list(self._steps.items())[-_SHOWN:]:
            over = step.ended is not None
            took = (now if step.ended is None else step.ended) - step.began
            mark = Text("●", style="green") if over else Text("◌", style="yellow")
            rows.add_row(
                mark, Text(name), Text(one_line(step.said), style="dim"), Text(f"{took:.1f} s")
            )
        parts: list[RenderableType] = [head, rows]
        if update is not None and update.needs_approval:
            parts.append(Text(f"waits for {update.needs_approval}", style="bold cyan"))
        if update is not None and not update.can_cancel:
            parts.append(Text("acts on the world: wait before you press Ctrl-C", style="yellow"))
        return Group(*parts)
