"""Times and amounts against a million sampled runs, written down by hand for each pipeline.

The samples follow the words of the language (attempts, backoff, joins, people) in plain numpy and
know nothing of kernels or lattices. Quantiles agree to 1%, as they are meant to; a sample of this
size is that sure of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.metrics.analyse import analyse
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

RUNS = 1_000_000
WORLD = """
role desk { people 3  handles 5m  responds 10m median, 40m p95  accuracy 95% }
provider north { available 98% }
provider south { available 99% }
tier quick { provider north  model "m"  price $1 in, $5 out  transient 8%  context 100k tokens
  latency 600ms median, 2s p95 }
tier deep { provider south  model "n"  price $3 in, $15 out  transient 3%  context 100k tokens
  latency 3s median, 11s p95 }
tool look(q: text max 20 tokens) -> text max 20 tokens {
  python "m:f"  effect read  timeout 4s  succeeds 96%  latency 200ms median, 900ms p95 }
prompt ask_it(q: text) \"\"\"Say: {{ q }}\"\"\"
"""
OPTIONS = "accuracy 90% output 40 tokens mean, 90 tokens max"
Samples = dict[str, Any]


class Luck:
    """Draws for all runs at once."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def flip(self, chance: float) -> Any:
        return self.random.random(RUNS) < chance

    def takes(self, median: float, p95: float, most: float) -> Any:
        sigma = math.log(p95 / median) / 1.6448536269514722
        return np.minimum(median * np.exp(sigma * self.random.standard_normal(RUNS)), most)

    def waits(self, longest: float) -> Any:
        return self.random.uniform(0.0, longest, RUNS)


def a_chain(luck: Luck) -> Samples:
    """Two attempts with a wait between, then another provider."""
    north, south = luck.flip(0.02), luck.flip(0.01)
    first_fails = north | luck.flip(0.08)
    again_fails = north | luck.flip(0.08)
    time = luck.takes(0.6, 2, 8)
    time += first_fails * (luck.waits(1.0) + luck.takes(0.6, 2, 8))
    other = first_fails & again_fails
    time += other * luck.takes(3, 11, 20)
    failed = other & (south | luck.flip(0.03))
    return {"latency": time, "turnaround": time, "failure": failed}


A_CHAIN = f"""
pipeline main(q: text max 20 tokens) -> text {{
  step a: text max 90 tokens = ask ask_it(q) by quick {{
    {OPTIONS} timeout 8s retry 1 backoff 1s..10s }}
    else ask ask_it(q) by deep {{ {OPTIONS} timeout 20s }}
  return a
}}
"""


def side_by_side(luck: Luck) -> Samples:
    """A call beside an ask, both awaited by a third; it runs if both answered."""
    north, south = luck.flip(0.02), luck.flip(0.01)
    left, right = luck.takes(0.2, 0.9, 4), luck.takes(0.6, 2, 8)
    left_fails, right_fails = luck.flip(0.04), north | luck.flip(0.08)
    both = ~(left_fails | right_fails)
    time = np.maximum(left, right) + both * luck.takes(3, 11, 20)
    failed = ~both | south | luck.flip(0.03)
    return {"latency": time, "turnaround": time, "failure": failed}


SIDE_BY_SIDE = f"""
prompt join(a: text, b: text) \"\"\"{{{{ a }}}} {{{{ b }}}}\"\"\"
pipeline main(q: text max 20 tokens) -> text {{
  step a = call look(q)
  step b: text max 90 tokens = ask ask_it(q) by quick {{ {OPTIONS} timeout 8s }}
  step c: text max 90 tokens = ask join(a, b) by deep {{ {OPTIONS} timeout 20s }}
  return c
}}
"""


def with_people(luck: Luck) -> Samples:
    """A gate sends half back once; a person approves what is left, or does not in time."""
    right = luck.flip(0.9)
    first = luck.takes(0.2, 0.9, 4)
    fails = luck.flip(0.04)
    passes = luck.flip(0.95) & right | luck.flip(0.4) & ~right
    again = ~fails & ~passes
    second_fails = again & luck.flip(0.04)
    now_right = luck.flip(0.9)
    passes_now = luck.flip(0.95) & now_right | luck.flip(0.4) & ~now_right
    time = first + again * luck.takes(0.2, 0.9, 4)
    asked = (~fails & passes) | (again & ~second_fails & passes_now)
    answer = luck.takes(600, 2400, 1800)
    right_then = np.where(again, now_right, right)
    yes = asked & (answer < 1800) & (luck.flip(0.95) & right_then | luck.flip(0.05) & ~right_then)
    return {
        "latency": time,
        "turnaround": time + asked * answer,
        "failure": fails | second_fails,
        "rejection": ~yes & ~(fails | second_fails),
    }


WITH_PEOPLE = """
tool see(q: text max 20 tokens) -> text max 20 tokens {
  python "m:f"  effect read  timeout 4s  succeeds 96%  accuracy 90%
  latency 200ms median, 900ms p95 }
pipeline main(q: text max 20 tokens) -> text {
  step a = call see(q) { correlation 0% }
  gate good: len(a) > 3 { catches 60% false_alarms 5% } else redo a up to 1 else reject
  approve fine by desk within 30m else reject
  return a
}
"""

CASES: dict[str, tuple[str, Callable[[Luck], Samples]]] = {
    "a chain": (A_CHAIN, a_chain),
    "side by side": (SIDE_BY_SIDE, side_by_side),
    "with people": (WITH_PEOPLE, with_people),
}


@pytest.mark.parametrize("name", CASES)
def test_quantiles_are_those_of_a_million_runs(name: str, tmp_path: Path) -> None:
    text, sampled = CASES[name]
    file = tmp_path / "timed.pipe"
    file.write_text(WORLD + text, encoding="utf-8")
    built = build(str(file), DiskLoader())
    assert built.program is not None, built.diagnostics
    numbers = analyse(built.program, built.program.pipelines["main"]).numbers
    samples = sampled(Luck(20261121))
    for outcome in ("failure", "rejection"):
        if outcome in samples:  # the samples are of the right pipeline
            share = float(samples[outcome].mean())
            assert numbers[outcome].value == pytest.approx(share, abs=0.0025), outcome
    for clock in ("latency", "turnaround"):
        times = samples[clock]
        assert numbers[f"{clock}.mean"].value == pytest.approx(float(times.mean()), rel=0.004)
        for percent in (50, 95, 99):
            found = numbers[f"{clock}.p{percent}"].value
            assert found == pytest.approx(float(np.percentile(times, percent)), rel=0.01), percent
        most = numbers[f"{clock}.worst"].value
        assert most is not None
        assert times.max() <= most
