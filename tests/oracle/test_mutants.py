"""Changed programs: all runs of the interpreter are what the analysis says, and what is refused is
refused with a place.

`MUTANTS=2000` tries more; `python -m pytest ... --durations=5` says which take long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.check import check_file, report_json

from .generate import generate
from .generate_wide import generate_wide
from .mutants import mutated
from .test_interpreter_agrees import exactly
from .write_pipe import write_pipe

SEEDS = int(os.environ.get("MUTANTS", "40"))
BATCH = 10
FIRST = 70_000  # not the seeds of other tests


def numbers(report: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All figures of a report, by where they stand."""
    if isinstance(report, dict):
        if {"value", "low", "high", "mean"} <= report.keys():
            yield path, report
            return
        for key, part in report.items():
            yield from numbers(part, f"{path}.{key}")
    elif isinstance(report, list):
        for at, part in enumerate(report):
            yield from numbers(part, f"{path}[{at}]")


def contradictions(report: dict[str, Any]) -> Iterator[str]:
    """Figures that cannot be, whatever the program says."""
    for path, number in numbers(report):
        low, high = number["low"], number["high"]
        if low is not None and high is not None and low > high + 1e-12:
            yield f"{path}: {number}"
        if any(number[key] != number[key] for key in ("value", "low", "high", "mean")):
            yield f"{path}: {number}"
    values = [number["value"] for number in report["outcomes"].values()]
    if None not in values and abs(sum(values) - 1) > 1e-12:
        yield f"outcomes sum to {sum(values)}"


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, BATCH))
def test_a_changed_program_is_analysed_or_refused(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    for seed in range(first, first + BATCH):
        make = (generate, generate_wide)[seed % 2]
        path = write_pipe(make(seed), tmp_path / f"seed_{seed}")
        text = mutated(path.read_text(encoding="utf-8"), seed)
        path.write_text(text, encoding="utf-8")
        checked = check_file(str(path))
        for found in checked.diagnostics:
            assert as_text(found, checked.sources)
            assert found.span is not None, f"seed {seed}: {found.message}"
        for name, report in (report_json([checked]).get("pipelines") or {}).items():
            told = list(contradictions(report))
            # What is undeclared now has no value, and the simulation knows of no cut.
            if (
                not told
                and "cut" not in report
                and all(number["value"] is not None for number in report["outcomes"].values())
            ):
                told = exactly(path, name, tmp_path / f"exactly_{seed}_{name}") or []
            failures += [f"seed {seed}, {name}: {one}" for one in told]
        if failures:
            failures.append(text)
    assert not failures, "\n".join(failures)
