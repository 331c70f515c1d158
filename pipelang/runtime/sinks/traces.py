"""Traces: one file of JSON Lines a run, written as the events come.

The first line is a header (`trace`, the version of this format), each further one an event, the
last one the outcome. What was asked and answered is left out unless `content` is asked for.
"""

from __future__ import annotations

import json
import logging
import os
import platform
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelang.runtime.engine.event_payloads import now
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.secrets import notations, redacted, secrets_behind
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.files.private_files import append_line, make_private
from pipelang.version import __version__

_LOG = logging.getLogger(__name__)

FORMAT = 1


class TraceFiles:
    """A sink that writes `FOLDER/RUN.jsonl`, with what was asked and answered if `content`.
    `references` (`env:NAME`, `file:PATH`) are to secrets that are kept out, `thread` is what the
    runs belong to, if anything.

    A file is opened for each line: ten thousand runs in flight need no descriptor each, and what
    was told is there for whoever reads along, also after a crash. A trace that cannot be written
    raises nothing: the first OSError is kept as `problem`, and logged, and the last one as
    `failing` until a line is written again. A run whose trace is failing does not act.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        content: bool = False,
        references: tuple[str, ...] = (),
        thread: str | None = None,
    ) -> None:
        self._thread = thread
        self.folder = Path(folder)
        self.problem: OSError | None = None
        self.failing: OSError | None = None
        self._content = content
        self._secrets = notations(secrets_behind(references))

    def path(self, run_id: str) -> Path:
        """Return the file of a run's trace."""
        return self.folder / f"{quote(run_id, safe='', errors='backslashreplace')}.jsonl"

    def __call__(self, run_id: str, event: Event) -> None:
        lines = []
        if event.kind == "run":
            thread = {} if self._thread is None else {"thread": self._thread}
            lines.append({**header(run_id, event), **thread})
        line: dict[str, Any] = {"kind": event.kind, "name": event.name, "at": round(event.at, 6)}
        line |= {"time": now(), "data": event.data}
        if self._content and event.content is not None:
            line["content"] = to_json(event.content)
        lines.append(line)
        text = "".join(f"{_text(each)}\n" for each in lines)
        data = redacted(text, self._secrets).encode("utf-8", errors="backslashreplace")
        try:
            self._write(self.path(run_id), data, making=event.kind == "run")
            self.failing = None
        except OSError as error:
            self.failing = error
            if self.problem is None:
                self.problem = error
                _LOG.warning("traces cannot be written: %s", error)

    def _write(self, path: Path, data: bytes, making: bool) -> None:
        if making:
            make_private(path.parent)
        append_line(path, data)


def header(run_id: str, event: Event) -> dict[str, Any]:
    """The first line of a trace, from the first event of a run."""
    return {
        "trace": FORMAT,
        "pipelang": __version__,
        "run": run_id,
        "pipeline": event.name,
        **event.data,
        "process": {"id": os.getpid(), "host": platform.node()},
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
