"""Answers what the page asks: runs a command of pipelang on its text, here in the browser.

A question and an answer are JSON. The commands are those of the command line, so what the page
shows is what `pipelang` would print.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
import time
from asyncio import base_events, events
from collections.abc import Coroutine
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

EXAMPLES = Path(os.environ.get("PLAYGROUND_EXAMPLES", "/playground/examples"))
RUNS = 500
REPORT, PICTURE = Path("/tmp/report.html"), Path("/tmp/graph.svg")


LIBRARIES = frozenset({"numpy"})
"""Libraries that the page loads when an answer first imports them."""


class _Wanted:
    """Notes the libraries that an answer looked for before the page had loaded them."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in LIBRARIES and PathFinder.find_spec(name, path) is None:
            self.names.add(name)


_wanted = _Wanted()


def answer(question: str) -> str:
    """The answer to a question of the page, whatever happens. Both are JSON. Where it came to
    libraries that are not loaded yet it `needs` them, and is to be asked once more.
    """
    asked = json.loads(question)
    _wanted.names.clear()
    if _wanted not in sys.meta_path:
        sys.meta_path.insert(0, _wanted)
    try:
        found = _ANSWERS[asked["command"]](asked)
    except Exception as error:  # the page must hear of it, and go on
        found = {"code": 3, "text": f"internal error: {type(error).__name__}: {error}"}
    return json.dumps({"needs": sorted(_wanted.names)} if _wanted.names else found)


def menu(_: Any) -> dict[str, Any]:
    """The files of the gallery and the examples, and the words of the language."""
    from pipelang.syntax.tables import tables
    from pipelang.version import __version__

    files = sorted(EXAMPLES.glob("gallery/*.pipe")) + sorted(EXAMPLES.glob("[!g]*/*.pipe"))
    files += [file for file in sorted(EXAMPLES.glob("g*/*.pipe")) if file not in files]
    rows = [{"name": str(f.relative_to(EXAMPLES)), "text": f.read_text("utf-8")} for f in files]
    return {"files": rows, "words": sorted(tables().keywords), "version": __version__}


def check(asked: dict[str, Any]) -> dict[str, Any]:
    """The findings, by place, and the report as a page."""
    file = _written(asked)
    code, said = _run("check", file, "--format", "json")
    try:
        findings = json.loads(said)["diagnostics"]
    except ValueError:
        return {"code": code, "text": said, "findings": []}
    REPORT.unlink(missing_ok=True)
    _run("check", file, "--format", "html", "--output", str(REPORT))
    report = REPORT.read_text("utf-8") if REPORT.exists() else ""
    for found in findings:
        found["here"] = found.get("file") in (None, file)
    return {"code": code, "findings": findings, "report": report}


def fmt(asked: dict[str, Any]) -> dict[str, Any]:
    """The text in the one layout; what stands in the way of it, if it does not parse."""
    file = _written(asked)
    code, said = _run("fmt", file)
    return {"code": code, "text": said, "formatted": Path(file).read_text("utf-8")}


def graph(asked: dict[str, Any]) -> dict[str, Any]:
    """A picture of each pipeline."""
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.semantics.build import build

    file = _written(asked)
    program = build(file, DiskLoader(), {}).program
    if program is None:
        return {"code": 1, "text": "The file has errors; mend them first.", "pictures": []}
    pictures = []
    for name in program.pipelines:
        PICTURE.unlink(missing_ok=True)
        code, said = _run("graph", file, name, "--format", "svg", "--output", str(PICTURE))
        if code:
            return {"code": code, "text": said, "pictures": []}
        pictures.append({"name": name, "svg": PICTURE.read_text("utf-8")})
    return {"code": 0, "text": "", "pictures": pictures}


def simulate(asked: dict[str, Any]) -> dict[str, Any]:
    """Some hundred runs of the real interpreter, beside the prediction."""
    code, said = _run("simulate", _written(asked), "--runs", str(asked.get("runs", RUNS)))
    return {"code": code, "text": said}


_ANSWERS = {"menu": menu, "check": check, "fmt": fmt, "graph": graph, "simulate": simulate}


def _written(asked: dict[str, str]) -> str:
    """The name of the file, in its folder, with the page's text in it."""
    place = (EXAMPLES / asked["name"]).resolve()
    if not place.is_relative_to(EXAMPLES.resolve()) or place.suffix != ".pipe":
        raise ValueError(f"no place for a file: {asked['name']}")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(asked["text"], encoding="utf-8")
    os.chdir(place.parent)
    return place.name


def _run(*words: str) -> tuple[int, str]:
    """A command's exit code, and all that it printed."""
    from pipelang.interfaces.cli.main import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(list(words))
    return code, said.getvalue()


# ------------------------------------------------------------------------- asyncio, without a loop


class _Nothing:
    """A selector in which nothing ever happens: the page has no sockets."""

    def select(self, timeout: float | None) -> list[Any]:
        time.sleep(min(timeout or 0, 1.0))
        return []


class PageLoop(base_events.BaseEventLoop):
    """An event loop for work that waits for nothing outside: the browser's own cannot wait."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Nothing()

    def _process_events(self, event_list: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def run(work: Coroutine[Any, Any, Any], **_: Any) -> Any:
    """Run a coroutine to its end, as `asyncio.run` does where the browser's loop does not run."""
    outer = events._get_running_loop()
    events._set_running_loop(None)
    loop = PageLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
        events._set_running_loop(outer)


def begin() -> None:
    """Make this interpreter the page's: no colours, a loop of its own."""
    os.environ.update(NO_COLOR="1", COLUMNS="90")
    asyncio.run = run  # type: ignore[assignment]
