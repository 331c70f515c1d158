"""Kill switches: one tool, one pipeline or everything is switched off, and back on.

A run looks at them before each call and each effect, and whoever waits (for a person, for a retry,
for a rate) is woken when one of its pipelines is switched off.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelang.records import dataclass
from pipelang.runtime.files.plain_files import read_plain
from pipelang.runtime.files.private_files import make_private
from pipelang.runtime.files.whole_files import put

EVERYTHING, PIPELINE, TOOL = "everything", "pipeline", "tool"


_Names = tuple[str, ...]
_Watched = tuple[_Names, str | None]


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: its `kind` is everything, pipeline or tool."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind == EVERYTHING else f"{self.kind} `{self.name}`"


def switch(tool: str | None = None, pipeline: str | None = None) -> Switch:
    """The switch of a tool or of a pipeline; of everything if neither is named."""
    if tool is not None and pipeline is not None:
        raise ValueError("name a tool or a pipeline, not both")
    if tool is not None:
        return Switch(TOOL, tool)
    return Switch(EVERYTHING) if pipeline is None else Switch(PIPELINE, pipeline)


class Switches:
    """Kill switches in memory: a tool, a pipeline or everything is switched off, and on again.

    A run looks at them before each call and each effect; one that is switched off fails with the
    code `killed`. May be used from several threads and event loops.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._off: dict[Switch, str] = {}
        self._waiting: dict[asyncio.AbstractEventLoop, dict[asyncio.Future[str], _Watched]] = {}

    def kill(
        self, *, tool: str | None = None, pipeline: str | None = None, reason: str = ""
    ) -> None:
        """Switch a tool or a pipeline off; everything if neither is named.

        Raises ValueError if both are named.
        """
        self._write(switch(tool, pipeline), reason)
        self._wake_all()

    def revive(self, *, tool: str | None = None, pipeline: str | None = None) -> bool:
        """Switch it on again, and return whether it was off.

        Raises ValueError if both are named.
        """
        return self._erase(switch(tool, pipeline))

    def off(self) -> dict[Switch, str]:
        """Return the switches that are off, each with its reason."""
        return dict(self._off)

    def idle(self) -> bool:
        """Whether nothing at all is switched off."""
        return not self._off

    def why(self, pipelines: Iterable[str], tool: str | None = None) -> str | None:
        """The reason why a run of these pipelines must not call this tool; None if it may."""
        return self._why(pipelines, tool) if self._off else None

    def _why(self, pipelines: Iterable[str], tool: str | None) -> str | None:
        asked = [Switch(EVERYTHING), *(Switch(PIPELINE, name) for name in pipelines)]
        if tool is not None:
            asked.append(Switch(TOOL, tool))
        for one in asked:
            reason = self._off.get(one)
            if reason is not None:
                return f"{one} is switched off" + (f": {reason}" if reason else "")
        return None

    def _write(self, switch: Switch, reason: str) -> None:
        with self._lock:
            self._off = {**self._off, switch: reason}

    def _erase(self, switch: Switch) -> bool:
        with self._lock:
            found = switch in self._off
            self._off = {one: why for one, why in self._off.items() if one != switch}
        return found

    # --------------------------------------------------------------------------------- waiting

    def watch(self, pipelines: _Names, tool: str | None = None) -> asyncio.Future[str]:
        """A future of the reason, done as soon as one of the pipelines or the tool is switched off.
        Must be given back to `unwatch`, in the same event loop.
        """
        loop = asyncio.get_running_loop()
        watching: asyncio.Future[str] = loop.create_future()
        with self._lock:
            self._waiting.setdefault(loop, {})[watching] = pipelines, tool
        reason = self.why(pipelines, tool)
        if reason is not None:
            watching.set_result(reason)
        return watching

    def unwatch(self, watching: asyncio.Future[str]) -> None:
        """Give back what `watch` returned."""
        loop = watching.get_loop()
        with self._lock:
            waiting = self._waiting.get(loop, {})
            waiting.pop(watching, None)
            if not waiting:
                self._waiting.pop(loop, None)
        watching.cancel()

    def _wake_all(self) -> None:
        with self._lock:
            loops = list(self._waiting)
        for loop in loops:
            with contextlib.suppress(RuntimeError):  # a loop that is closed waits for nothing
                loop.call_soon_threadsafe(self._wake, loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Wake the runs that must stop; whether any still waits in this loop."""
        with self._lock:
            waiting = list(self._waiting.get(loop, {}).items())
        for watching, (pipelines, tool) in waiting:
            reason = self.why(pipelines, tool)
            if reason is not None and not watching.done():
                watching.set_result(reason)
        return bool(waiting)


LOOK_EVERY = 0.2
"""Seconds between two looks at a folder of switches."""


class FolderSwitches(Switches):
    """Switches as files in a folder, for several processes: one writes, all that run look."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._looked = float("-inf")
        self._ticking: set[asyncio.AbstractEventLoop] = set()

    def off(self) -> dict[Switch, str]:
        self._look(now=True)
        return super().off()

    def idle(self) -> bool:
        self._look()
        return super().idle()

    def why(self, pipelines: Iterable[str], tool: str | None = None) -> str | None:
        self._look()
        return super().why(pipelines, tool)

    def _look(self, now: bool = False) -> None:
        """Read the folder, if the last look is old enough. What cannot be read counts as off: a
        switch that somebody threw must not be missed.
        """
        if not now and time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        found: dict[Switch, str] = {}
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            names = []
        except OSError as error:
            names = []
            # Below a file there is no folder that anybody could have written a switch into.
            if not isinstance(error, NotADirectoryError) or self._folder.exists():
                found[Switch(EVERYTHING)] = f"`{self._folder}` cannot be read: {error.strerror}"
        for name in names:
            if name.endswith(".json"):
                with contextlib.suppress(FileNotFoundError):
                    one, reason = _read(self._folder / name)
                    found[one] = reason
        with self._lock:
            self._off = found

    def _write(self, switch: Switch, reason: str) -> None:
        make_private(self._folder)
        record = {"kind": switch.kind, "name": switch.name, "reason": reason, "at": time.time()}
        put(self._file(switch), f"{json.dumps(record)}\n".encode())
        self._look(now=True)

    def _erase(self, switch: Switch) -> bool:
        try:
            self._file(switch).unlink()
        except FileNotFoundError:
            return False
        self._look(now=True)
        return True

    def _file(self, switch: Switch) -> Path:
        name = f"{switch.kind}-{quote(switch.name, safe='')}" if switch.name else switch.kind
        return self._folder / f"{name}.json"

    def watch(self, pipelines: _Names, tool: str | None = None) -> asyncio.Future[str]:
        watching = super().watch(pipelines, tool)
        loop = asyncio.get_running_loop()
        with self._lock:
            begins = loop not in self._ticking
            self._ticking.add(loop)
        if begins:
            loop.call_later(LOOK_EVERY, self._tick, loop)
        return watching

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at the folder for the runs that wait in a loop; ends with the last of them."""
        if self._wake(loop):
            loop.call_later(LOOK_EVERY, self._tick, loop)
            return
        with self._lock:
            self._ticking.discard(loop)


def _read(file: Path) -> tuple[Switch, str]:
    """The switch that a file stands for, by its name, and the reason that it gives."""
    from urllib.parse import unquote

    kind, _, name = file.name.removesuffix(".json").partition("-")
    one = Switch(kind, unquote(name)) if kind in (PIPELINE, TOOL) else Switch(EVERYTHING)
    try:
        record: Any = json.loads(read_plain(file))
        reason = str(record.get("reason") or "")
    except FileNotFoundError:
        raise
    except (OSError, ValueError, AttributeError):
        reason = f"`{file}` cannot be read"
    return one, reason
