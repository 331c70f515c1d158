"""What running costs beside bare asyncio tasks and other runtimes, with steps that do nothing."""

from __future__ import annotations

from pathlib import Path

from benchmarks import sources
from benchmarks.commands import missing, worker
from benchmarks.model import Contender, Row, Target, Unavailable
from benchmarks.peers import WORKERS, Place

STEPS, FAN, AT_ONCE, WAITING = 100, 100, 100, 10_000
BARE, QUIET, TRACED = "bare asyncio", "pipelang, no trace", "pipelang, full trace"


def rows(place: Place) -> list[Row]:
    """Chain, fan-out, many at once, and memory of runs that wait."""
    folder = place.folder / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    chain, values = folder / "chain.pipe", folder / "values.pipe"
    fan, five = folder / "fan.pipe", folder / "five.pipe"
    chain.write_text(sources.chain(STEPS, "tool"), encoding="utf-8")
    values.write_text(sources.chain(STEPS, "value"), encoding="utf-8")
    fan.write_text(sources.fan_out(FAN), encoding="utf-8")
    five.write_text(sources.chain(5, "tool"), encoding="utf-8")
    maker = _Maker(place)
    return [
        Row(
            key="chain",
            title=f"a chain of {STEPS} steps that do nothing, a step",
            base=BARE,
            contenders=(
                maker.bare("chain", STEPS, note="a task a step"),
                maker.ours(QUIET, "steps", chain, STEPS, "quiet"),
                maker.ours(TRACED, "steps", chain, STEPS, "traced"),
                maker.ours("pipelang, values, no trace", "steps", values, STEPS, "quiet"),
                *maker.peers("chain", STEPS),
                maker.bare("loop", STEPS, name="bare loop", note="an await a step, no task"),
            ),
            targets=(
                Target(QUIET, 1.2, BARE, "≤ 1.2 × a bare task, without trace"),
                Target(TRACED, 2.5, BARE, "≤ 2.5 × a bare task, with a full trace"),
            ),
            scale=1e6,
            unit_words="µs",
        ),
        Row(
            key="fan",
            title=f"{FAN} steps side by side that do nothing, a step",
            base=BARE,
            contenders=(
                maker.bare("fan", FAN, note="gather"),
                maker.ours(QUIET, "steps", fan, FAN, "quiet"),
                maker.ours(TRACED, "steps", fan, FAN, "traced"),
                *maker.peers("fan", FAN, without=("burr",)),
            ),
            targets=(Target(QUIET, 2.5, BARE, "≤ 2.5 × gather, without trace"),),
            scale=1e6,
            unit_words="µs",
        ),
        Row(
            key="many",
            title=f"runs of 5 steps that do nothing, {AT_ONCE} at once, a run",
            base=BARE,
            contenders=(
                maker.bare("many", AT_ONCE),
                maker.ours(QUIET, "many", five, AT_ONCE, "quiet"),
                maker.ours(TRACED, "many", five, AT_ONCE, "traced"),
                *maker.peers("many", AT_ONCE),
            ),
            targets=(Target(QUIET, 125e-6, None, "≥ 8,000 runs a second (≤ 125 µs)"),),
            scale=1e6,
            unit_words="µs",
        ),
        Row(
            key="memory",
            title=f"memory of a run in flight, {WAITING:,} of 5 steps waiting in their first",
            base=BARE,
            contenders=(
                maker.bare("memory", WAITING, fresh=True, note="a task that waits"),
                maker.bare(
                    "memory-step",
                    WAITING,
                    name="bare asyncio, two tasks",
                    fresh=True,
                    note="one waits for a task that waits",
                ),
                maker.ours(QUIET, "memory", five, WAITING, "quiet", fresh=True),
                maker.ours(TRACED, "memory", five, WAITING, "traced", fresh=True),
                *maker.peers("memory", WAITING, fresh=True),
            ),
            targets=(Target(QUIET, 2.5, BARE, "≤ 2.5 × a bare task that waits"),),
            rounds=5,
            warm_up=0,
            scale=1e-3,
            unit_words="KB",
        ),
    ]


class _Maker:
    """Makes contenders out of workers."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._python = place.ours()

    def bare(
        self, what: str, count: int, *, name: str = BARE, fresh: bool = False, note: str = ""
    ) -> Contender:
        line = (self._python, WORKERS / "bare.py", what, str(count))
        return worker(name, "floor", line, fresh=fresh, note=note)

    def ours(
        self, name: str, what: str, file: Path, count: int, trace: str, fresh: bool = False
    ) -> Contender:
        line = (self._python, WORKERS / "ours.py", what, file, str(count), trace)
        return worker(name, "us", line, fresh=fresh)

    def peers(
        self, what: str, count: int, *, fresh: bool = False, without: tuple[str, ...] = ()
    ) -> list[Contender]:
        names = {"burr": "Burr", "pydantic_graph": "pydantic-graph", "langgraph": "LangGraph"}
        made = []
        for module, name in names.items():
            if module in without:
                made.append(missing(name, "peer", "has no steps side by side in a graph"))
                continue
            try:
                python = self._place.python("frameworks")
            except Unavailable as why:
                made.append(missing(name, "peer", str(why)))
                continue
            line = (python, WORKERS / f"{module}_runs.py", what, str(count))
            made.append(worker(name, "peer", line, fresh=fresh))
        return made
