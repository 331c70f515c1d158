"""Analysing a large pipeline, after parsing, beside Storm's explicit engine on the same chain."""

from __future__ import annotations

import json
from dataclasses import asdict

from benchmarks import jani, sources
from benchmarks.commands import missing, worker
from benchmarks.model import Contender, Row, Target, Unavailable
from benchmarks.peers import WORKERS, Place

OURS, STORM = "pipelang", "Storm, explicit"
BACK = "pipelang, all importances"
FORWARD = "pipelang, forward sweep alone"
WHOLE = "`analyse`, as in `check`: outcomes, costs, importances, the dearest run, a row a step"
NOTE = (
    "The target of 0.3 s for all importances of 100,000 steps is held against a formula that is "
    "there, worked out and read backwards. Storm works out no importances, and builds more states "
    "from JANI than the chain that it checks alone has."
)


def rows(place: Place, quick: bool) -> list[Row]:
    """Ten and a hundred thousand steps; only the former if it is to be quick."""
    made = [
        _row(place, "analysis-10k", 10_000, 0.15, "≤ 150 ms", rounds=3),
        _own_row(place, "analysis-own-1k", 1_000, 0.06, "≤ 60 ms", rounds=3),
    ]
    if not quick:
        made.append(_own_row(place, "analysis-own-10k", 10_000, 0.4, "≤ 400 ms", rounds=3))
        made.append(_row(place, "analysis-100k", 100_000, 1.5, "≤ 1.5 s", rounds=1))
    return made


def _own_row(place: Place, key: str, steps: int, limit: float, words: str, rounds: int) -> Row:
    """The same graph, each step with a tool of its own, whose rates and cost no other has."""
    folder = place.folder / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    pipe = folder / f"{key}.pipe"
    pipe.write_text(sources.with_own_rates(sources.series_parallel(steps)), encoding="utf-8")
    python, ours = place.ours(), WORKERS / "analysis.py"
    return Row(
        key=key,
        title=f"the same of {steps:,} steps with rates of their own",
        base=FORWARD,
        contenders=(
            worker(OURS, "us", (python, ours, pipe, "whole"), note=WHOLE),
            worker(BACK, "us", (python, ours, pipe, "back"), note="from a formula that is there"),
            worker(FORWARD, "us", (python, ours, pipe, "forward")),
        ),
        targets=(Target(OURS, limit, None, words),),
        rounds=rounds,
        note="As in real files: no two steps share a rate or a cost.",
    )


def _row(place: Place, key: str, steps: int, limit: float, words: str, rounds: int) -> Row:
    graph = sources.series_parallel(steps)
    folder = place.folder / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    pipe, chain, model = (folder / f"{key}.{kind}" for kind in ("pipe", "json", "jani"))
    pipe.write_text(sources.as_pipe(graph), encoding="utf-8")
    rates = {
        "succeeds": sources.SUCCEEDS,
        "accuracy": sources.ACCURACY,
        "catches": sources.CATCHES,
        "false_alarms": sources.FALSE_ALARMS,
        "cost": sources.COST,
    }
    given = {"rates": rates, "graph": [asdict(one) for one in graph]}
    chain.write_text(json.dumps(given), encoding="utf-8")
    model.write_text(json.dumps(jani.as_jani(graph, rates), ensure_ascii=False), encoding="utf-8")
    python = place.ours()
    ours = WORKERS / "analysis.py"
    return Row(
        key=key,
        title=f"outcomes, cost, importances of {steps:,} series-parallel steps, once parsed",
        base=STORM,
        contenders=(
            _storm(place, STORM, str(model), "build", "outcomes, mean cost; from parsed JANI"),
            _storm(place, "Storm, check alone", str(chain), "check", "of a chain that is there"),
            worker(OURS, "us", (python, ours, pipe, "whole"), note=WHOLE),
            worker(BACK, "us", (python, ours, pipe, "back"), note="from a formula that is there"),
            worker(FORWARD, "us", (python, ours, pipe, "forward")),
        ),
        targets=(
            Target(OURS, limit, None, words),
            Target(OURS, 1 / 20, STORM, "20 times as fast as Storm"),
            *([Target(BACK, 0.3, None, "< 0.3 s")] if steps >= 100_000 else []),
        ),
        rounds=rounds,
        note=NOTE,
    )


def _storm(place: Place, name: str, chain: str, what: str, note: str) -> Contender:
    try:
        python = place.python("storm")
    except Unavailable as why:
        return missing(name, "peer", str(why))
    return worker(name, "peer", (python, WORKERS / "storm.py", chain, what), note=note)
