"""The interpreter against the analysis: two parts that import nothing of each other, one story.

The real interpreter runs generated pipelines over the simulated world. Where it has few enough runs
it takes them all (`every_run`, without caches, whose hits the simulation draws until one fits, and
with certain times): then each share is what was predicted, to 1e-11.

Of the others, and of those with caches, thousands are drawn. Every observed share is held against
the predicted one by the bound P(share is k/n or further off) <= 2 exp(-n KL(k/n || p)) of Chernoff,
which holds for every n and p. The level is shared by all comparisons of this file, so that a sound
pair fails in one of a million runs of it; the seeds are fixed besides.

By default 24 programs of each kind run, 1,500 times where runs are drawn; the long run
(`ORACLE_LONG=1`, `make oracle`) has all 96 and 3,000.
"""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.simulate import Counts, simulate

from .enumerate_runs import TooManyRunsError
from .every_run import every_run, load, mean, share_of, timed, uncached
from .generate import generate
from .generate_wide import generate_wide
from .subject import analyse
from .write_pipe import pipe_text, write_pipe

LONG = bool(os.environ.get("ORACLE_LONG"))
SEEDS = int(os.environ.get("SIMULATED_SEEDS", "96" if LONG else "24"))
RUNS = int(os.environ.get("SIMULATED_RUNS", "3000" if LONG else "1500"))
BATCH = 8
FAMILY = 1e-6
MOST_RUNS = 500
"""Of a program of which all are played: about a third of what it takes to draw as many as wanted.
"""
MOST_COMPARISONS = 40  # of one model: outcomes, escalations, steps reached, wrong effects
MAKERS = {"plain": generate, "wide": generate_wide}
"""Where programs come from: without and with sub-pipelines, lists, agents, memories, caches."""
LEVEL = FAMILY / (len(MAKERS) * SEEDS * MOST_COMPARISONS)


def surprise(hits: int, runs: int, share: float) -> float:
    """A bound on the probability of a share at least so far off, if `share` is right."""
    if not 0 < share < 1:
        return 0.0 if hits != round(share * runs) else 1.0
    seen = hits / runs
    distance = 0.0
    if seen > 0:
        distance += seen * math.log(seen / share)
    if seen < 1:
        distance += (1 - seen) * math.log((1 - seen) / (1 - share))
    return min(1.0, 2 * math.exp(-runs * distance))


def disagreements(counts: Counts, report: dict[str, object]) -> list[str]:
    compared: list[tuple[str, int, float]] = []
    outcomes: dict[str, dict[str, float]] = report["outcomes"]  # type: ignore[assignment]
    escalations: dict[str, dict[str, float]] = report["escalations"]  # type: ignore[assignment]
    for name, number in outcomes.items():
        compared.append((name, counts.outcomes[name], number["value"]))
    for name, number in escalations.items():
        compared.append((f"escalation.{name}", counts.escalations[name], number["value"]))
    wrong: dict[str, float] = report["wrong_effect"]  # type: ignore[assignment]
    compared.append(("wrong_effect", counts.wrong_effect, wrong["value"]))
    assert len(compared) <= MOST_COMPARISONS
    unheard = set(counts.escalations) - set(escalations)
    found = [f"escalation.{name} was never predicted" for name in sorted(unheard)]
    for name, hits, share in compared:
        share = min(max(share, 0.0), 1.0)
        exactly = 0.0 if share < 1e-14 else 1.0 if share > 1 - 1e-14 else share
        if surprise(hits, counts.runs, exactly) < LEVEL:
            found.append(f"{name}: {hits} of {counts.runs}, predicted {share:.6f}")
    return found


def exactly(written: Path, name: str, folder: Path) -> list[str] | None:
    """What all runs of a pipeline come to, and a report does not say; None if they are too many."""
    shutil.copytree(written.parent, folder)
    path = folder / written.name
    path.write_text(timed(uncached(path.read_text(encoding="utf-8"))), encoding="utf-8")
    try:
        runs = every_run(load(path), name, MOST_RUNS)
    except TooManyRunsError:
        return None
    report = analyse(path)[name]
    compared = {
        outcome: (share_of(runs, lambda one, kind=outcome: one.outcome == kind), number["value"])
        for outcome, number in report["outcomes"].items()
    }
    for reason in {one.reason for one in runs if one.reason} | {*report["escalations"]}:
        predicted = report["escalations"].get(reason, {"value": 0.0})["value"]
        compared[f"escalation.{reason}"] = (
            share_of(runs, lambda one, reason=reason: one.reason == reason),
            predicted,
        )
    wrong = share_of(runs, lambda one: one.wrong_effect)
    compared["wrong_effect"] = wrong, report["wrong_effect"]["value"]
    compared["cost"] = mean(runs, lambda one: one.cost), report["cost"]["mean"]["value"]
    return [
        f"{what}: {found!r}, predicted {predicted!r}"
        for what, (found, predicted) in compared.items()
        if predicted is None or abs(found - predicted) > 1e-11
    ]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_simulated_runs_agree_with_the_analysis(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    for seed in range(first, first + BATCH):
        model = MAKERS[maker](5_000 + seed)  # not the seeds of the enumeration
        path = write_pipe(model, tmp_path / f"seed_{seed}")
        name, text = model.pipeline.name, path.read_text(encoding="utf-8")
        found = exactly(path, name, tmp_path / f"exactly_{seed}")
        if found:
            failures += [f"seed {seed}: " + "; ".join(found), pipe_text(model)]
        if found is not None and uncached(text) == text:
            continue
        report = analyse(path)[name]
        loaded = pipelang.load(path, allow=RULES)
        pipeline = loaded.program.pipelines[name]
        spend = spending(loaded.program, pipeline)
        counts = simulate(loaded, pipeline, RUNS, seed, spend)
        found = disagreements(counts, report)
        if found:
            failures += [f"seed {seed}: " + "; ".join(found), pipe_text(model)]
        worst = report["cost"]["worst"]["value"]
        assert worst is None or max(counts.costs) <= worst + 1e-9, f"seed {seed}: above the worst"
        mean = report["cost"]["mean"]["value"]
        if mean is not None and worst:  # Hoeffding, on costs in [0, worst]
            off = abs(sum(counts.costs) / counts.runs - mean)
            allowed = worst * math.sqrt(math.log(2 / LEVEL) / (2 * counts.runs))
            assert off <= allowed, f"seed {seed}: mean cost is off by {off}"
    assert not failures, "\n".join(failures)


def test_a_disagreement_is_noticed() -> None:
    """A wrong prediction fails at this size: a share of 50% told as 60% is not accepted."""
    assert surprise(750, 1500, 0.5) > LEVEL
    assert surprise(750, 1500, 0.6) < LEVEL
    assert surprise(1, 1500, 0.0) < LEVEL
