"""Sub-pipelines that run others, against brute force: outcomes, costs, and importances by two
kernels.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .compare import differences
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate_nested import generate_nested
from .subject import analyse
from .test_importance_by_enumeration import OUTCOMES, movable, slopes
from .values import OpenReadingError
from .write_pipe import pipe_text, write_pipe

SEEDS = 400 if os.environ.get("ORACLE_LONG") else 16
BATCH = 16
FIRST = 250_000
MOST_RUNS = 2_000


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_report_is_of_all_runs(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = importances = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        program = generate_nested(seed)
        try:
            exact = enumerate_runs(program, limit=MOST_RUNS)
        except (TooManyRunsError, OpenReadingError):
            continue
        compared += 1
        report = analyse(write_pipe(program, tmp_path / f"seed_{seed}"))["main"]
        found = [str(one) for one in differences(exact, report)]
        told = {step["name"]: step["importance"] for step in report["steps"]}
        for name, step in movable(program):
            if "." not in name or name not in told:
                continue
            try:
                slope = slopes(program, step)
            except (TooManyRunsError, OpenReadingError):
                continue
            importances += 1
            for outcome in OUTCOMES:
                value = told[name][outcome]["value"]
                if value is None or abs(value - float(slope[outcome])) > 1e-9:
                    found.append(
                        f"{name}, {outcome}: {float(slope[outcome])!r}, reported {value!r}"
                    )
        if found:
            failures += [f"seed {seed}", *found, pipe_text(program)]
    assert compared >= BATCH // 3
    assert importances
    assert not failures, "\n".join(failures)
