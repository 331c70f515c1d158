"""The analysis of sub-pipelines, lists, agents, memories and caches against brute force.

First the answers worked out by hand, then random programs: every number of every pipeline of each,
to 1e-12. By default those of the first 240 are tried in which every two constructs that stand
together in five of them do so twice (`chosen_seeds`). `ORACLE_WIDE_SEEDS=20000` looks further,
`ORACLE_LONG=1` at 6,000.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from . import cases_asked, cases_each, cases_run  # noqa: F401
from . import model as m
from .cases import CASES
from .chosen_seeds import (
    AMONG_WIDE,
    CHOSEN_WIDE,
    LEAST_WIDE,
    MOST_RUNS_WIDE,
    TIMES_WIDE,
    pairs_wide,
)
from .compare import differences
from .constructs_wide import wide_constructs
from .coverage import counted
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate_wide import THEMES, generate_wide, pipelines_of
from .subject import analyse
from .values import OpenReadingError
from .write_pipe import pipe_text, write_pipe

WHOLE = int(os.environ.get("ORACLE_WIDE_SEEDS", "6000" if os.environ.get("ORACLE_LONG") else "0"))
SEEDS: Sequence[int] = range(WHOLE) if WHOLE else CHOSEN_WIDE


@pytest.mark.parametrize("name", CASES)
def test_known_answers(name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    report = analyse(write_pipe(case.program, tmp_path))["main"]
    found = differences(enumerate_runs(case.program), report)
    assert not found, "\n".join([*map(str, found), "", pipe_text(case.program)])


def test_an_escalation_of_a_child_is_named_after_the_child_and_its_gate(tmp_path: Path) -> None:
    case = CASES["decisions_propagate"]()
    report = analyse(write_pipe(case.program, tmp_path))["main"]
    named = {name for name, p in report["escalations"].items() if p["value"]}
    assert named == {"child.g"}


def disagreements(program: m.Program, folder: Path) -> tuple[int, list[str]]:
    """How many pipelines were compared, and what is off."""
    exact = {}
    for pipeline in pipelines_of(program):
        child = None if pipeline is program.pipeline else pipeline.name
        try:
            exact[pipeline.name] = enumerate_runs(program, limit=MOST_RUNS_WIDE, child=child)
        except (TooManyRunsError, OpenReadingError):
            continue
    try:
        reports = analyse(write_pipe(program, folder))
        found = [
            f"{name}: {difference}"
            for name, reliability in exact.items()
            for difference in differences(reliability, reports[name])
        ]
    except Exception as error:  # one seed's crash must not hide the others
        found = [f"{type(error).__name__}: {error}"]
    return len(exact), found


# One theme a test: what fails together has something in common.
@pytest.mark.parametrize("theme", THEMES)
def test_report_is_exact(theme: str, tmp_path: Path) -> None:
    failures: list[str] = []
    texts: list[str] = []
    number = list(THEMES).index(theme)
    seeds = [seed for seed in SEEDS if seed % len(THEMES) == number]
    compared = 0
    for seed in seeds:
        program = generate_wide(seed)
        number, found = disagreements(program, tmp_path / f"seed_{seed}")
        compared += number
        if found:
            failures.append(f"seed {seed}: {', '.join(sorted(wide_constructs(program)))}")
            failures += [f"    {line}" for line in found]
            texts.append(pipe_text(program))
    assert compared >= len(seeds) // 2
    # The shortest of the failing programs is shown, to start with.
    assert not failures, "\n".join([*failures, "", min(texts, key=len)])


def test_random_programs_cover_the_constructs() -> None:
    """At least one program in three hundred for each; `coverage` prints the shares."""
    number = 600
    found = counted((generate_wide(seed) for seed in range(number)), wide_constructs)
    rare = [name for name, n in found.items() if n < number / 300 and "open:" not in name]
    assert not rare
    assert len(found) >= 112, "a construct is not generated at all any more"


def test_constructs_that_often_stand_together_do_in_the_chosen_programs() -> None:
    """Often is three times `LEAST_WIDE`: some stand mostly in programs that are not compared."""
    there = Counter(pair for seed in range(AMONG_WIDE) for pair in pairs_wide(seed))
    tried = Counter(pair for seed in CHOSEN_WIDE for pair in pairs_wide(seed))
    rarely = [pair for pair in there if there[pair] >= 3 * LEAST_WIDE and tried[pair] < TIMES_WIDE]
    assert not rarely
