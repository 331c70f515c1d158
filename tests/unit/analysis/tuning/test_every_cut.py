"""The best that `tune` prints against every combination, worked out by hand from the rows.

It is a case of the design (`cases/truth/02`, pipeline `m`) that was once 26% too dear. Its figures
have a closed form: outages are drawn once for each provider, a retry repeats an attempt, and the
gate lets pass what the rows say. Only what an attempt costs at each tier is taken from `check`.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest

from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.tuning.tune import Tuned, tune
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

TEXT = """\
role desk { people 50 handles 4m accuracy 97% }
provider px { kind simulated available 99% }
provider py { kind simulated available 98% }
tier fa { provider px model "m" price $1 in, $5 out transient 6% context 200k tokens }
tier sl { provider px model "m2" price $3 in, $15 out transient 4% context 200k tokens }
tier ot { provider py model "m3" price $2 in, $9 out transient 3% context 200k tokens }
setting bar: probability in 50%..99% = 80%
type O { value: text max 60 tokens confidence: probability }
prompt p(q: text max 60 tokens) \"\"\"{{ q }}\"\"\"
prompt p2(q: text max 60 tokens, a: O) \"\"\"{{ q }}{{ a.value }}\"\"\"
pipeline m(q: text max 60 tokens) -> O {
  traffic 100/day { q: 40 tokens mean }
  slo { success >= 78% silent_error <= 9% cost.mean <= $0.004 }
  step a: O = ask p(q) by fa {
    accuracy fa 90%, sl 96%, ot 94% timeout 3s output 30 tokens mean, 100 tokens max
  } else escalate to desk
  step b: O = ask p2(q, a) by sl {
    accuracy fa 88%, sl 97%, ot 93% timeout 3s output 30 tokens mean, 100 tokens max
  }
  gate g: b.confidence >= bar { evidence from "f.jsonl" } else escalate to desk
  return b
}
"""
RIGHT = (
    74,
    80,
    81,
    81,
    82,
    83,
    84,
    84,
    85,
    85,
    86,
    86,
    87,
    87,
    87,
    87,
    87,
    87,
    87,
    88,
    88,
    88,
    89,
    89,
    89,
    89,
    89,
    89,
    89,
    90,
    90,
    91,
    91,
    92,
    93,
    93,
    93,
    94,
    95,
    96,
    96,
    97,
    97,
    98,
    98,
    99,
    99,
    99,
)
WRONG = (51, 57, 60, 65, 69, 69, 73, 82, 82, 86, 86, 99)
"""Confidences in percent of the 60 rows of the case."""

AVAILABLE = {"px": 0.99, "py": 0.98}
TIERS = {"fa": ("px", 0.06, 1, 5), "sl": ("px", 0.04, 3, 15), "ot": ("py", 0.03, 2, 9)}
ACCURACY = {"a": {"fa": 0.9, "sl": 0.96, "ot": 0.94}, "b": {"fa": 0.88, "sl": 0.97, "ot": 0.93}}
OUTPUT = 30


class Tried(NamedTuple):
    """A combination with what it costs, and how often runs are right and silently wrong."""

    cost: float
    bar: int
    tiers: tuple[str, str]
    retries: tuple[int, int]
    success: float
    silent: float
    sure: float
    """The posterior probability of the promise that is kept with the least."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("cuts")
    rows = [f'{{"confidence": 0.{one:02}, "correct": true}}\n' for one in RIGHT]
    rows += [f'{{"confidence": 0.{one:02}, "correct": false}}\n' for one in WRONG]
    (folder / "f.jsonl").write_text("".join(rows))
    path = folder / "m.pipe"
    path.write_text(TEXT)
    loader = DiskLoader()
    built = build(str(path), loader)
    assert built.program is not None
    return Bench(str(path), built.program, built.sources, loader)


@pytest.fixture(scope="module")
def best(bench: Bench) -> Tuned:
    found = tune(bench, bench.program.pipelines["m"], 5_000, lambda done, total: None)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def every(bench: Bench) -> list[Tried]:
    """All combinations, the cheapest first."""
    analysis = analyse(bench.program, bench.program.pipelines["m"])
    spent = {row.name: row.cost_mean.value or 0.0 for row in analysis.steps}
    # As written, `a` by fa is asked unless px is out, `b` by sl if `a` has answered besides.
    reads = {
        "a": spent["a"] / 0.99 * 1e6 - 5 * OUTPUT,
        "b": (spent["b"] / (0.99 * 0.94) * 1e6 - 15 * OUTPUT) / 3,
    }
    found = []
    cuts = sorted({80, *(one for one in (*RIGHT, *WRONG) if 50 <= one <= 99)})
    for bar, first, second in product(cuts, TIERS, TIERS):
        for retries in product(range(4), range(4)):
            found.append(_tried(bar, (first, second), retries, reads))
    return sorted(found)


def _tried(
    bar: int, tiers: tuple[str, str], retries: tuple[int, int], reads: dict[str, float]
) -> Tried:
    from scipy.stats import beta  # here: each process collects this file, and one runs it

    cost = answered = 0.0
    names = sorted({TIERS[tier][0] for tier in tiers})
    for up in product((True, False), repeat=len(names)):
        state = dict(zip(names, up, strict=True))
        weight = 1.0
        for name, works in state.items():
            weight *= AVAILABLE[name] if works else 1 - AVAILABLE[name]
        for step, tier, more in zip("ab", tiers, retries, strict=True):
            provider, transient, dollars_in, dollars_out = TIERS[tier]
            if not state[provider]:
                weight = 0.0  # nothing is billed, and nothing comes after
                break
            attempts = sum(transient**tries for tries in range(more + 1))
            cost += weight * attempts * (reads[step] * dollars_in + OUTPUT * dollars_out) / 1e6
            weight *= 1 - transient ** (more + 1)
        answered += weight
    right = ACCURACY["a"][tiers[0]] * ACCURACY["b"][tiers[1]]
    passed = {kind: sum(one >= bar for one in rows) for kind, rows in KINDS.items()}
    spread = {
        kind: beta(passed[kind] + 0.5, len(rows) - passed[kind] + 0.5)
        for kind, rows in KINDS.items()
    }
    good, bad = answered * right, answered * (1 - right)
    return Tried(
        cost,
        bar,
        tiers,
        retries,
        good * passed["right"] / len(RIGHT),
        bad * passed["wrong"] / len(WRONG),
        min(spread["right"].sf(0.78 / good), spread["wrong"].cdf(0.09 / bad)),
    )


KINDS = {"right": RIGHT, "wrong": WRONG}


def test_the_cheapest_by_the_point_estimates_is_that_of_the_design(
    best: Tuned, every: list[Tried]
) -> None:
    one = next(one for one in every if one.success >= 0.78 and one.silent <= 0.09)
    assert (one.bar, one.tiers, one.retries) == (74, ("fa", "fa"), (1, 2))
    assert one.cost == pytest.approx(0.000554, abs=5e-7)
    assert best.cheaper is not None
    assert best.cheaper.figures["cost.mean"] == pytest.approx(one.cost, rel=1e-9)
    assert best.cheaper.figures["success"] == pytest.approx(one.success, rel=1e-9)
    assert one.sure < 0.3, "so it is no promise that the evidence is sure of"


def test_the_cheapest_that_the_evidence_is_sure_of_is_the_best(
    best: Tuned, every: list[Tried]
) -> None:
    one = next(one for one in every if one.sure >= 0.95)
    assert best.best is not None
    assert best.best.figures["cost.mean"] == pytest.approx(one.cost, rel=1e-9)
    assert best.best.figures["silent_error"] == pytest.approx(one.silent, rel=1e-9)
    assert best.found.complete
