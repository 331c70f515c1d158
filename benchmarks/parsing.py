"""Parsing 20,000 lines, and making a parser, against plain lark on the same grammar file."""

from __future__ import annotations

from benchmarks import sources
from benchmarks.commands import missing, worker
from benchmarks.model import Contender, Row, Target, Unavailable
from benchmarks.peers import ROOT, WORKERS, Place

LINES = 20_000
GRAMMAR = ROOT / "grammar" / "pipelang.lark"
POSITIONS, UNCACHED = "lark, positions", "Lark(grammar)"


def rows(place: Place) -> list[Row]:
    """Parsing, and what comes before it."""
    python = place.ours()
    text = sources.long_text(LINES)
    file = place.folder / "inputs" / "long.pipe"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    ours, lark = WORKERS / "parse_ours.py", WORKERS / "parse_lark.py"
    size = len(text.encode()) // 1000
    parse = Row(
        key="parse",
        title=f"parsing {LINES:,} lines ({size} KB) into a tree",
        base=POSITIONS,
        contenders=(
            worker(POSITIONS, "floor", (python, lark, GRAMMAR, "positions", file)),
            worker("pipelang", "us", (python, ours, file), note="own nodes, positions, comments"),
            worker("lark, no positions", "peer", (python, lark, GRAMMAR, "plain", file)),
            _cython(place, str(file)),
        ),
        targets=(Target("pipelang", 0.5, POSITIONS, "twice as fast as lark with positions"),),
        rounds=15,
        note=(
            "Names that are keywords elsewhere got an underscore in the text, because lark has no "
            "soft keywords."
        ),
    )
    parser = Row(
        key="parser",
        title="making the parser ready",
        base=UNCACHED,
        contenders=(
            worker(UNCACHED, "floor", (python, lark, GRAMMAR, "positions")),
            worker(
                "Lark(grammar, cache=True)", "peer", (python, lark, GRAMMAR, "positions+cached")
            ),
            worker("pipelang's tables", "us", (python, ours)),
        ),
        targets=(Target("pipelang's tables", 0.2, UNCACHED, "never like lark without its cache"),),
        rounds=15,
    )
    return [parse, parser]


def _cython(place: Place, file: str) -> Contender:
    name = "lark-cython, positions"
    try:
        python = place.python("cython")
    except Unavailable as why:
        return missing(name, "peer", str(why))
    line = (python, WORKERS / "parse_lark.py", GRAMMAR, "positions+cython", file)
    return worker(name, "peer", line)
