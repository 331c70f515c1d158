"""The state of the walk: the paths to here, by the state of the monitor, within one run of a
pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.analysis.claims.formulas import Formula
from pipelang.analysis.claims.paths import Path, PathEvent, extend, meet
from pipelang.analysis.claims.values import Cases
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

State = dict[int, Path]
"""Paths by the state of the monitor."""

Answers = list[tuple[State, Cases | None]]
"""Ways in which something was answered, each with its value; None stands for any value of its type.
"""


@dataclass(slots=True)
class SymbolicFrame:
    """One run of a pipeline within the walk. `prefix` stands before the names of its variables.
    `entries` are the states and values before each segment of a block, by its first item, where
    calls are counted. `level` is how many times strands of runs around it lie side by side.
    """

    pipeline: p.Pipeline
    prefix: str
    values: dict[str, Cases]
    root: bool
    redoing: bool = False
    timed: bool = False
    level: int = 0
    answers: list[tuple[State, Cases]] = field(default_factory=list)
    failed: list[State] = field(default_factory=list)
    cuts: dict[int, list[Path]] = field(default_factory=dict)
    entries: dict[tuple[int, int], tuple[State, dict[str, Cases]]] = field(default_factory=dict)


def step_to(state: State, formula: Formula, event: PathEvent | None = None) -> State:
    """Add a condition to all paths of a state."""
    found = {key: extend(path, formula, event) for key, path in state.items()}
    return {key: path for key, path in found.items() if path is not None}


def met(paths: Mapping[int, list[Path | None]] | Mapping[int, list[Path]]) -> State:
    """Merge paths, by their monitor's state, into one state."""
    found = {key: meet(ways) for key, ways in paths.items()}
    return {key: path for key, path in found.items() if path is not None}


def join(*states: State, picks: int = 0) -> State:
    """Merge several states into one; `picks` as in `meet`."""
    paths: dict[int, list[Path | None]] = {}
    for state in states:
        for key, path in state.items():
            paths.setdefault(key, []).append(path)
    found = {key: meet(ways, picks) for key, ways in paths.items()}
    return {key: path for key, path in found.items() if path is not None}
