"""`check` of 200 lines, as a multiple of `python -c pass`: nothing changed, or the first time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks import sources
from benchmarks.commands import command, missing
from benchmarks.model import Contender, Row, Target, Unavailable
from benchmarks.peers import ROOT, Place

FLOOR = "python -c pass"
UNCHANGED, FINDINGS, REPORT = (
    "check, nothing changed",
    "check, first time, an error",
    "check, first",
)


def rows(place: Place) -> list[Row]:
    """The row of whole processes."""
    python = place.ours()
    pipelang = place.script("pipelang", "pipelang")
    folder = place.folder / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    desk = sources.DESK
    mistaken, counted = folder / "mistaken.pipe", folder / "counted.pipe"
    mistaken.write_text(sources.with_a_mistake(), encoding="utf-8")
    counted.write_text(sources.counted(), encoding="utf-8")
    caches = place.folder / "said"

    def check(name: str, file: Path, warm: bool = False, code: int = 0) -> Contender:
        """A check with a cache of its own: as it was left, or empty each time."""
        own = caches / ("warm" if warm else file.stem)
        line = (pipelang, "check", file)
        extra = {"XDG_CACHE_HOME": str(own)}
        empty = None if warm else lambda: shutil.rmtree(own, ignore_errors=True)
        return command(name, "us", line, extra=extra, codes=(code,), prepare=empty)

    contenders = (
        command(FLOOR, "floor", (python, "-c", "pass")),
        check(UNCHANGED, desk, warm=True),
        check(FINDINGS, mistaken, code=1),
        check(REPORT, desk),
        check("check, first, counted shares", counted),
        *_peers(place),
        command("python -c 'import lark'", "peer", (python, "-c", "import lark")),
        command("python -c 'import click'", "peer", (python, "-c", "import click")),
        command("python -c 'import numpy'", "peer", (python, "-c", "import numpy")),
    )
    return [
        Row(
            key="check",
            title="`check` of a 200-line file, from the start of the process to its end",
            base=FLOOR,
            contenders=contenders,
            targets=(
                Target(UNCHANGED, 2, FLOOR, "≤ 2 × `python -c pass`"),
                Target(FINDINGS, 9, FLOOR, "≤ 9 × `python -c pass`"),
                Target(REPORT, 20, FLOOR, "≤ 20 × `python -c pass`"),
            ),
            rounds=40,
            note=(
                "`counted shares` is the same file with two shares that were counted, so that a "
                "posterior is sampled and numpy loaded; the target of a full report is held "
                "against the file without them. `baml-cli` runs in Node, whose own start is "
                "beside it."
            ),
        )
    ]


def _peers(place: Place) -> list[Contender]:
    project = sources.DATA / "baml_src"
    script = ROOT / "pipelang" / "syntax" / "parse.py"
    return [
        _tried(
            "baml-cli check",
            lambda: command(
                "baml-cli check",
                "peer",
                (place.node("baml", "baml-cli"), "check", "--from", project),
                note="200 lines of BAML",
            ),
        ),
        command("node -e 0", "peer", ("node", "-e", "0")),
        _tried(
            "ruff check --no-cache",
            lambda: command(
                "ruff check --no-cache",
                "peer",
                (place.script("ruff", "ruff"), "check", "--isolated", "--no-cache", script),
                codes=(0, 1),
                note="about 200 lines of Python; native code",
            ),
        ),
    ]


def _tried(name: str, make: Callable[[], Contender]) -> Contender:
    try:
        return make()
    except Unavailable as why:
        return missing(name, "peer", str(why))
