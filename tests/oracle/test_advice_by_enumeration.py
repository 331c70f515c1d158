"""Advice against brute force: each change is made in the text, and all runs are played again.

The figures that are printed beside a change must be those of the changed file. They are read off
every run of the interpreter, which knows nothing of what advised it.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.advice import with_advice
from pipelang.interfaces.check.check import check_file, report_json

from . import model as m
from .enumerate_runs import TooManyRunsError
from .every_run import Played, every_run, load, mean, share, timed, uncached
from .generate import generate
from .generate_wide import generate_wide
from .write_pipe import write_pipe

SEEDS = 400 if os.environ.get("ORACLE_LONG") else 24
BATCH = 12
FIRST = 150_000
MOST_RUNS = 300
MAKERS: dict[str, Callable[[int], m.Program]] = {"plain": generate, "wide": generate_wide}


def edited(path: Path, edits: Sequence[dict[str, Any]], folder: Path) -> Path:
    """A copy of a program's folder with edits made, the last ones first."""
    shutil.copytree(path.parent, folder)
    text = path.read_text(encoding="utf-8")
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))

    def at(edit: dict[str, Any], kind: str) -> int:
        return lines[edit[f"{kind}line"] - 1] + edit[f"{kind}column"] - 1

    ordered = sorted(enumerate(edits), key=lambda one: (at(one[1], ""), one[0]), reverse=True)
    for _, edit in ordered:
        text = text[: at(edit, "")] + edit["replacement"] + text[at(edit, "end_") :]
    changed = folder / path.name
    changed.write_text(text, encoding="utf-8")
    return changed


def off(advice: dict[str, Any], before: Sequence[Played], after: Sequence[Played]) -> list[str]:
    """The figures of a change that no enumeration finds."""
    found = []
    for name, figure in advice["figures"].items():
        for side, runs in (("from", before), ("to", after)):
            exact = share(runs, name)
            if figure[side] != pytest.approx(exact, abs=1e-11):
                found.append(f"{name} {side}: {exact!r}, reported {figure[side]!r}")
    cost = mean(after, lambda one: one.cost) - mean(before, lambda one: one.cost)
    if advice["cost_delta"] != pytest.approx(cost, abs=1e-11):
        found.append(f"cost_delta: {cost!r}, reported {advice['cost_delta']!r}")
    named = advice["figures"][advice["metric"]]
    if (advice["from"], advice["to"]) != (named["from"], named["to"]):
        found.append(f"{advice['metric']} from {advice['from']} to {advice['to']}")
    return found


def compared(maker: str, seed: int, folder: Path, kinds: Counter[str]) -> list[str]:
    """The differences between what advice says and what the changed file does."""
    path = write_pipe(MAKERS[maker](seed), folder / f"{maker}_{seed}")
    text = timed(uncached(path.read_text(encoding="utf-8")))
    path.write_text(text, encoding="utf-8")
    before = every_run(load(path), "main", MOST_RUNS)
    (checked,) = with_advice([check_file(str(path))])
    failures = []
    for number, advice in enumerate(report_json([checked])["pipelines"]["main"]["advice"]):
        if not advice["edits"]:
            continue  # what other evidence would have to show
        changed = edited(path, advice["edits"], folder / f"{maker}_{seed}_{number}")
        try:
            after = every_run(load(changed), "main", 4 * MOST_RUNS)
        except TooManyRunsError:
            continue
        kinds[advice["kind"]] += 1
        found = off(advice, before, after)
        if found:
            shown = changed.read_text(encoding="utf-8")
            failures += [f"{maker}, seed {seed}: {advice['change']}", *found, shown]
    return failures


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_change_does_what_is_said(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    kinds: Counter[str] = Counter()
    for seed in range(FIRST + first, FIRST + first + BATCH):
        try:
            failures += compared(maker, seed, tmp_path, kinds)
        except TooManyRunsError:
            continue
    assert kinds
    assert not failures, "\n".join(failures)
