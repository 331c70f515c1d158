"""Runs that budgets cut, against brute force with explicit spending.

Every run of the interpreter is played within the budget, and an adversary says what each attempt
takes: nothing, all that it reserved, or anything between. However it plays, the shares of outcomes
lie within the bounds of the report; where the bounds are one figure, all of its plays come to that.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.runs.prices_of_attempts import Means, spending
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.worlds.simulation.frames import DrawnPrompt
from pipelang.semantics import program as p

from . import model as m
from .enumerate_runs import TooManyRunsError
from .every_run import Played, every_run, load, share
from .generate import generate
from .generate_wide import generate_wide
from .subject import whole_report
from .test_budgets import dollars, fallible, slow
from .write_pipe import write_pipe

SEEDS = 400 if os.environ.get("ORACLE_LONG") else 24
BATCH = 8
FIRST = 150_000
MOST_RUNS = 250
MAKERS: dict[str, Callable[[int], m.Program]] = {"plain": generate, "wide": generate_wide}
OUTCOMES = ("success", "silent_error", "escalation", "rejection", "failure")
ELSE = ("", " else reject", ' else fail "spent"', ' else escalate to boss "no more"')


class Adversary:
    """Takes of each reservation what it likes, in every run alike by the number of the attempt. It
    reserves the most that a prompt may take.
    """

    def __init__(
        self, play: str, seed: int, counts: Means, number: list[int] | None = None
    ) -> None:
        self.play, self.seed, self.counts = play, seed, counts
        self.number = [0] if number is None else number

    def begun(self) -> None:
        self.number[0] = 0

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnPrompt
    ) -> tuple[float, float]:
        self.number[0] += 1
        money, tokens = self.reserved(step, link, tier, turn, told, False)
        part = {"nothing": 0.0, "all": 1.0}.get(self.play)
        if part is None:
            part = random.Random(f"{self.seed} {self.number}").choice([0.0, 0.25, 0.5, 1.0])
        return float(money) * part, float(int(tokens * part))

    def reserved(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, again: bool
    ) -> tuple[Decimal, int]:
        return self.counts.reserved(step, link, tier, turn, told, again)

    def child(self, action: p.RunPipeline) -> Adversary:
        return Adversary(self.play, self.seed, self.counts.child(action), self.number)


def adversary(loaded: LoadedProgram, play: str, seed: int = 0) -> Adversary:
    return Adversary(play, seed, spending(loaded.program, loaded.program.pipelines["main"]))


def budgeted(text: str, budget: str, otherwise: str) -> str:
    """The text with a budget in its main pipeline, and a role that it may hand over to."""
    head, main = text.split("pipeline main(", 1)
    line, body = main.split("\n", 1)
    role = "role boss { accuracy 99% }\n"
    return f"{role}{head}pipeline main({line}\n  budget {budget}{otherwise}\n{body}"


def off(report: dict[str, Any], runs: list[Played], play: str) -> list[str]:
    """The shares that lie outside their bounds."""
    shares = {kind: share(runs, kind) for kind in OUTCOMES}
    bounds = {kind: report["outcomes"][kind] for kind in OUTCOMES}
    for name, number in report["escalations"].items():
        bounds[f"escalation.{name}"] = number
        shares[f"escalation.{name}"] = float(sum(r.chance for r in runs if r.reason == name))
    for name in {run.reason for run in runs if run.reason} - set(report["escalations"]):
        bounds[f"escalation.{name}"] = {"low": 0.0, "high": 0.0}
        shares[f"escalation.{name}"] = float(sum(r.chance for r in runs if r.reason == name))
    bounds["wrong_effect"] = report["wrong_effect"]
    shares["wrong_effect"] = float(sum(run.chance for run in runs if run.wrong_effect))
    found = []
    for kind, seen in shares.items():
        low, high = bounds[kind]["low"], bounds[kind]["high"]
        if low is None or high is None or not low - 1e-9 <= seen <= high + 1e-9:
            found.append(f"{play}: {kind} is {seen!r}, and the bounds are {low!r} to {high!r}")
    return found


def compared(
    program: m.Program, folder: Path, rng: random.Random
) -> tuple[list[str], float] | None:
    """What is wrong, and how wide the bounds of the outcomes are; None where something is measured,
    of which the report has a central interval, and not bounds.
    """
    path = write_pipe(program, folder)
    text = slow(path.read_text(encoding="utf-8"))
    if re.search(r'from "evidence|accuracy (\w+ )?\d+ of \d+', text):
        return None
    path.write_text(text, encoding="utf-8")
    loaded = load(path)
    runs = every_run(loaded, "main", MOST_RUNS, adversary(loaded, "all"))
    cost, tokens = max(one.cost for one in runs), max(one.tokens for one in runs)
    budget = dollars(max(cost * rng.choice([0.3, 0.6, 0.9]), 1e-9))
    if not cost or rng.random() < 0.3:
        budget = f"{max(1, int(tokens * rng.choice([0.3, 0.6, 0.9])))} tokens"
    if rng.random() < 0.2:
        budget = f"{rng.choice([1, 2, 3, 4])} steps"
    path.write_text(budgeted(text, budget, rng.choice(ELSE)), encoding="utf-8")
    report = whole_report(path)["pipelines"]["main"]
    loaded, found = load(path), []
    for play in ("nothing", "all", "some", "some"):
        takes = adversary(loaded, play, rng.randrange(10**6))
        played = every_run(loaded, "main", 4 * MOST_RUNS, takes, budget=True, begun=takes.begun)
        found += off(report, played, f"{budget}, {play}")
    wide = max(one["high"] - one["low"] for one in report["outcomes"].values())
    return found, wide


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_outcomes_lie_within_their_bounds(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    widths = []
    spare = range(FIRST + 1_000 + first, FIRST + 1_000 + first + 4 * BATCH)
    for seed in (*range(FIRST + first, FIRST + first + BATCH), *spare):
        if seed in spare and widths:
            break  # others are taken only where none of these could be judged
        program = fallible(MAKERS[maker](seed), seed)
        folder = tmp_path / f"seed_{seed}"
        try:
            judged = compared(program, folder, random.Random(seed))
        except TooManyRunsError:
            continue
        if judged is None:
            continue
        found, wide = judged
        widths.append(wide)
        if found:
            text = (folder / "main.pipe").read_text(encoding="utf-8")
            failures += [f"{maker}, seed {seed}", *found, text]
    assert not failures, "\n".join(failures)
    assert widths
    assert min(widths) < 0.99, "bounds from 0 to 1 say nothing"


@pytest.mark.parametrize(
    ("maker", "seed"),
    [("wide", 150_342), ("plain", 150_344), ("wide", 150_369), ("wide", 150_391)],
)
def test_what_runs_beside_an_ending_may_pass_a_limit_first(
    maker: str, seed: int, tmp_path: Path
) -> None:
    """Found by the long run: a step that ends the run had ended it for certain, whatever a step
    beside it, written after it, had spent by then.
    """
    judged = compared(fallible(MAKERS[maker](seed), seed), tmp_path / "one", random.Random(seed))
    assert judged is not None
    assert not judged[0]
