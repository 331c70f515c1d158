"""Routes and limits of time, against brute force with explicit spending.

As in `test_cut_runs` every run of the interpreter is played while an adversary says what attempts
take. Here the tier that is asked hangs on what is left of the budget, in dollars, tokens, steps or
time, or the budget is one of time: whatever is spent, outcomes and what a run costs on the mean lie
within the bounds of the report.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from .enumerate_runs import TooManyRunsError
from .every_run import every_run, load, mean
from .subject import whole_report
from .test_budgets import dollars, fallible, slow
from .test_cut_runs import ELSE, MAKERS, adversary, budgeted, off
from .write_pipe import write_pipe

SEEDS = 400 if os.environ.get("ORACLE_LONG") else 16
BATCH = 8
FIRST = 170_000
MOST_RUNS = 120
ASKED = re.compile(r"( = ask \w+\([^\n]*\) by )(tier_\w+)( \{)")
KINDS = ("money", "tokens", "steps", "time")


def routed(text: str, tiers: list[str], left: dict[str, float], rng: random.Random) -> str:
    """The text in which asks of the main pipeline go to another tier where little is left."""
    head, main = text.split("pipeline main(", 1)

    def route(found: re.Match[str]) -> str:
        kind = rng.choice(KINDS)
        share = rng.choice([0.2, 0.5, 0.8])
        rest = left[kind] * share
        read, written = {
            "money": ("budget.remaining", dollars(max(rest, 1e-9))),
            "tokens": ("budget.remaining.tokens", f"{int(rest)} tokens"),
            "steps": ("budget.remaining.steps", str(int(rest))),
            "time": ("budget.remaining.time", f"{max(1, int(rest))}s"),
        }[kind]
        other = rng.choice(tiers)
        return f"{found[1]}(if {read} < {written} then {other} else {found[2]}){found[3]}"

    return f"{head}pipeline main({ASKED.sub(route, main)}"


def compared(seed: int, path: Path, by_route: bool) -> tuple[list[str], float] | None:
    """What is wrong, and how wide bounds are; None where no ask can be routed, or where the report
    has intervals of what was measured.
    """
    rng = random.Random(seed)
    text = slow(path.read_text(encoding="utf-8"))
    if re.search(r'from "evidence|accuracy \w+ \d|accuracy (\w+ )?\d+ of \d+', text):
        return None  # measured, or declared for tiers that the route does not name
    if by_route and not ASKED.search(text.split("pipeline main(", 1)[1]):
        return None
    path.write_text(text, encoding="utf-8")
    loaded = load(path)
    runs = every_run(loaded, "main", MOST_RUNS, adversary(loaded, "all"))
    longest = max(one.seconds for one in runs)
    share = rng.choice([0.35, 0.7, 1.5])
    limits = [f"{max(1, int(longest * share))}s"]
    if by_route:
        most = {
            "money": max(max(one.cost for one in runs), 1e-8),
            "tokens": max(max(one.tokens for one in runs), 3),
            "steps": 12.0,
            "time": max(longest, 3.0),
        }
        limits += [
            dollars(most["money"] * share),
            f"{int(most['tokens'] * share)} tokens",
            f"{rng.choice([3, 6, 12])} steps",
        ]
        tiers = re.findall(r"^tier (\w+) ", text, re.MULTILINE)
        text = routed(text, tiers, {kind: most[kind] * share for kind in KINDS}, rng)
    path.write_text(budgeted(text, ", ".join(limits), rng.choice(ELSE)), encoding="utf-8")
    report = whole_report(path)["pipelines"]["main"]
    loaded, found = load(path), []
    for play in ("nothing", "all", "some"):
        takes = adversary(loaded, play, rng.randrange(10**6))
        played = every_run(loaded, "main", 6 * MOST_RUNS, takes, budget=True, begun=takes.begun)
        found += off(report, played, f"{limits}, {play}")
        spent, bound = mean(played, lambda one: one.cost), report["cost"]["worst"]["high"]
        if bound is not None and spent > bound * (1 + 1e-9):
            found.append(f"{play}: runs cost {spent!r} on the mean, and at most {bound!r}")
    wide = max(one["high"] - one["low"] for one in report["outcomes"].values())
    return found, wide


@pytest.mark.parametrize("by_route", [True, False], ids=["routes", "time"])
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_outcomes_lie_within_their_bounds(
    first: int, maker: str, by_route: bool, tmp_path: Path
) -> None:
    failures: list[str] = []
    widths: list[float] = []
    spare = range(FIRST + 1_000 + 20 * first, FIRST + 1_000 + 20 * first + 20 * BATCH)
    for seed in (*range(FIRST + first, FIRST + first + BATCH), *spare):
        if seed in spare and widths:
            break  # others are taken only where none of these could be judged
        folder = tmp_path / f"seed_{seed}"
        path = write_pipe(fallible(MAKERS[maker](seed), seed), folder)
        try:
            judged = compared(seed, path, by_route)
        except TooManyRunsError:
            continue
        if judged is None:
            continue
        found, wide = judged
        widths.append(wide)
        if found:
            failures += [f"{maker}, seed {seed}", *found, path.read_text(encoding="utf-8")]
    assert not failures, "\n".join(failures)
    assert widths
