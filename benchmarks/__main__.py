"""`python -m benchmarks [NAME]... [--quick]`: measure, print, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import analysing, machine, parsing, report, running, startup
from benchmarks.measure import measure
from benchmarks.model import Outcome, Row, Unavailable
from benchmarks.peers import ROOT, Place

PAGE = ROOT / "docs" / "benchmarks.md"
SUITES = {
    "startup": ("check",),
    "parsing": ("parse", "parser"),
    "running": ("chain", "fan", "many", "memory"),
    "analysing": ("analysis-10k", "analysis-own-1k", "analysis-own-10k", "analysis-100k"),
}
"""The rows of each suite: making some ready takes seconds, so it is done only for those wanted."""


def main(arguments: list[str] | None = None) -> int:
    """Run what is named, or everything; the exit code. A missed target is told, and no failure."""
    names = [key for keys in SUITES.values() for key in keys]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds")
    parser.add_argument("--cache", type=Path, default=ROOT / ".bench", help="where peers live")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"there is no row `{unknown[0]}`; the rows: {', '.join(names)}")
    wanted = options.names or names
    try:
        rows = _rows(Place(options.cache.resolve()), wanted, options.quick)
    except Unavailable as why:
        print(f"pipelang itself: {why}", file=sys.stderr)
        return 1
    outcomes: list[Outcome] = []
    for row in rows:
        outcome = measure(
            row, min(row.rounds, max(3, row.rounds // 5)) if options.quick else row.rounds
        )
        print(report.as_text(outcome), end="\n\n", flush=True)
        outcomes.append(outcome)
    if options.names or options.quick:
        print(f"{PAGE.name} is left as it is: it holds a whole run")
        return 0
    page = report.as_markdown(outcomes, machine.described(), "python -m benchmarks")
    PAGE.write_text(page, encoding="utf-8")
    print(f"written: {PAGE}")
    return 0


def _rows(place: Place, wanted: list[str], quick: bool) -> list[Row]:
    rows: list[Row] = []
    if set(SUITES["startup"]) & set(wanted):
        rows += startup.rows(place)
    if set(SUITES["parsing"]) & set(wanted):
        rows += parsing.rows(place)
    if set(SUITES["running"]) & set(wanted):
        rows += running.rows(place)
    if set(SUITES["analysing"]) & set(wanted):
        large = {"analysis-own-10k", "analysis-100k"}
        rows += analysing.rows(place, quick and not large & set(wanted))
    return [row for row in rows if row.key in wanted]


if __name__ == "__main__":
    sys.exit(main())
