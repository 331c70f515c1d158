"""Quantiles of dollars and seconds under counts, against brute force: shares drawn from their
posteriors, and the whole distribution of what runs take worked out for each draw.

Tools that are tried again and have a fallback, one after the other: what a run takes is one of a
few amounts, so a quantile jumps. `check` works to first order in the share of runs below an amount.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from .subject import analyse

SEEDS = 200 if os.environ.get("ORACLE_LONG") else 20
BATCH = 5
DRAWS = 2_000
NEAR = 0.06
"""Draws leave two hundredths open, and the first order as much."""
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
HEAD = """
prompt q(x: text max 10 tokens) \"\"\"hi {{ x }}\"\"\"
"""


@dataclass(frozen=True)
class Tried:
    """A tool that succeeded so often, at a price, with retries and what stands in for it."""

    good: int
    total: int
    cents: int
    retry: int
    instead: int

    def amounts(self, share: float) -> dict[int, float]:
        """What it takes in how many runs, in cents, if this share of its attempts succeeds."""
        found: dict[int, float] = {}
        left = 1.0
        for attempt in range(1, self.retry + 2):
            found[attempt * self.cents] = left * share
            left *= 1 - share
        last = (self.retry + 1) * self.cents + self.instead
        found[last] = found.get(last, 0.0) + left
        return found


def chain(seed: int) -> list[Tried]:
    """Steps whose amounts, added up, can be told apart on a lattice of 128 points."""
    for number in range(10_000):
        found = tried(random.Random(f"{seed} {number}"), 1 + seed % 3)
        amounts = sorted(drawn(found, random.Random(0)))
        if all(one * 1.08 < other for one, other in pairwise(amounts)):
            return found
    raise AssertionError("unreachable")


def tried(rng: random.Random, steps: int) -> list[Tried]:
    found = []
    for _ in range(steps):
        total = rng.choice([60, 100, 400, 1000, 5000])
        bad = max(1, round(total * rng.choice([0.01, 0.03, 0.045, 0.06, 0.2, 0.45])))
        retry = rng.choice([0, 0, 1]) if total >= 400 else 0
        found.append(
            Tried(
                total - bad, total, rng.choice([1, 10, 90]), retry, rng.choice([7, 40, 400, 2000])
            )
        )
    return found


def written(steps: list[Tried], slo: str) -> str:
    text, body = HEAD, ""
    for number, one in enumerate(steps):
        takes = "latency 1s median, 1s p95 timeout 5s"
        text += (
            f"tool t{number}(x: text max 10 tokens) -> text max 10 tokens {{ effect read "
            f'python "a:b" succeeds {one.good} of {one.total} cost ${one.cents / 100} {takes} }}\n'
            f"tool u{number}(x: text max 10 tokens) -> text max 10 tokens {{ effect read "
            f'python "a:b" succeeds 100% cost ${one.instead / 100} {takes} }}\n'
        )
        body += (
            f"  step s{number}: text max 10 tokens = call t{number}(x) {{ retry {one.retry} }}"
            f" else call u{number}(x)\n"
        )
    return (
        f"{text}pipeline main(x: text max 10 tokens) -> text {{\n"
        f"  slo {{ {slo} }}\n{body}  return x\n}}\n"
    )


def drawn(steps: list[Tried], rng: random.Random) -> dict[int, float]:
    """The dollars of runs, in cents, with shares drawn from their posteriors."""
    whole = {0: 1.0}
    for one in steps:
        share = rng.betavariate(one.good + 0.5, one.total - one.good + 0.5)
        sums: dict[int, float] = {}
        for before, chance in whole.items():
            for amount, part in one.amounts(share).items():
                sums[before + amount] = sums.get(before + amount, 0.0) + chance * part
        whole = sums
    return whole


def quantile(amounts: dict[int, float], share: float) -> int:
    below = 0.0
    for amount, chance in sorted(amounts.items()):
        below += chance
        if below >= share:
            return amount
    return max(amounts)


def off(
    report: dict[str, Any], read: str, found: list[int], targets: list[int], most: int
) -> list[str]:
    """What is said of a quantile, and is not so in the draws."""
    number, wrong = report["cost"][read], []
    low, high = (round(number[end] * 100, 4) for end in ("low", "high"))
    amounts = set(found)
    for end, said in (("low", low), ("high", high)):
        if min(abs(said - one) / one for one in amounts) > 0.02:
            wrong.append(f"{read}: {end} is {said}, which no run takes: {sorted(amounts)}")
    beyond = sum(one < low * 0.98 for one in found), sum(one > high * 1.02 for one in found)
    if max(beyond) / len(found) > 0.025 + NEAR / 2:
        wrong.append(f"{read}: {low} to {high}, and {beyond} of {len(found)} lie beyond")
    mean = sum(found) / len(found)
    if abs(number["mean"] * 100 - mean) > NEAR / 2 * most:
        wrong.append(f"{read}: the mean is {mean}, reported {number['mean'] * 100}")
    lines = [line for line in report["slo"] if line["metric"] == f"cost.{read}"]
    for line, target in zip(lines, targets, strict=True):
        share = sum(one <= target for one in found) / len(found)
        if abs(line["probability"] - share) > NEAR:
            wrong.append(f"{read} <= {target}: {share}, reported {line}")
    return wrong


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_quantiles_that_jump(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    for seed in range(first, first + BATCH):
        steps, rng = chain(seed), random.Random(seed)
        draws = [drawn(steps, rng) for _ in range(DRAWS)]
        amounts = sorted(draws[0])
        targets = sorted(rng.sample(amounts, min(2, len(amounts))))
        lines = [f"cost.{read} <= ${target / 100}" for read in SHARES for target in targets]
        path = tmp_path / f"seed_{seed}.pipe"
        path.write_text(written(steps, "\n".join(lines)), encoding="utf-8")
        report = analyse(path)["main"]
        found = []
        for read, share in SHARES.items():
            found += off(
                report, read, [quantile(one, share) for one in draws], targets, amounts[-1]
            )
        for lower, upper in (("p50", "p95"), ("p95", "p99")):
            for end in ("low", "high"):
                one, other = report["cost"][lower][end], report["cost"][upper][end]
                if one > other + 1e-6:
                    found.append(f"{end} of {lower} {one} is above that of {upper} {other}")
        if found:
            failures += [f"seed {seed}", *found, str(steps)]
    assert not failures, "\n".join(failures)
