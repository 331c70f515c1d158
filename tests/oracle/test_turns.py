"""Agents whose tier is chosen before each turn by what is left of the budget.

Three judges. With declared shares every run of the interpreter is enumerated with its exact chance,
and Storm works out what is exported: outcomes and the mean cost are theirs. Without, an adversary
says what attempts take, so that the interpreter itself comes to little at any turn it can, and
Storm is given any shares: all lies within the bounds of the report.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from pipelang.interfaces.runs.prices_of_attempts import spending

from .enumerate_runs import TooManyRunsError
from .every_run import every_run, load, mean, share
from .storm import Storm
from .subject import analyse, exported, whole_report
from .test_cut_runs import OUTCOMES, adversary, off
from .test_storm import Judged, disagreements
from .test_storm import storm as storm  # a fixture

SEEDS, BATCH = (200, 20) if os.environ.get("ORACLE_LONG") else (12, 4)  # few runs: some alone
FIRST = 210_000
MOST_RUNS = 3_000

HEAD = """
provider a { available 90% }
provider b { available 100% }
tier cheap { provider a transient 10% price $1 in, $5 out latency 1s median, 1s p95 }
tier mid { provider b transient 20% price $4 in, $2 out latency 1s median, 1s p95 }
tier dear { provider b transient 5% price $10 in, $50 out latency 1s median, 1s p95 }
type R { ok: bool  body: text max 9 tokens }
enum Kind { plain odd }
prompt q(x: text max 9 tokens) \"\"\"hi {{ x }}\"\"\"
tool look(x: text max 9 tokens) -> text max 9 tokens {
  python "tools:look" effect read succeeds 100% cost $0.0001
  latency 1s median, 1s p95
}
"""
READS = {
    "money": ("budget.remaining", "$0.005", "$0.01"),
    "tokens": ("budget.remaining.tokens", "900 tokens", "1400 tokens"),
    "steps": ("budget.remaining.steps", "30", "34"),
    "time": ("budget.remaining.time", "290s", "296s"),
}
BUDGET = "$0.02, 300s, 2k tokens, 40 steps"


def asked(rng: random.Random, kind: str) -> str:
    read, little, more = READS[kind]
    amount = rng.choice([little, more])
    ways = [f"{read} < {amount}", f"{read} >= {amount}", f"{read} <= {amount}"]
    return rng.choice(ways)


def route(rng: random.Random, tests: list[str]) -> str:
    """Who is asked, by one or two tests of what is left, and perhaps by what came in."""
    one, two = rng.sample(["cheap", "mid", "dear"], 2)
    if len(tests) > 1:
        other = "cheap" if "cheap" not in (one, two) else "mid"
        inner = f"(if {tests[1]} then {one} else {other})"
        return f"(if {tests[0]} then {two} else {inner})"
    if rng.random() < 0.3:
        return f"(if {tests[0]} then {one} else (match kind {{ odd => {two}  plain => {one} }}))"
    return f"(if {tests[0]} then {one} else {two})"


def program(rng: random.Random, declared: bool, cached: bool, budget: str = BUDGET) -> str:
    kinds = rng.sample(list(READS), rng.choice([1, 1, 2]))
    tests = [asked(rng, kind) for kind in kinds]
    traffic = ["kind: plain 70%, odd 30%"]
    if declared:
        traffic += [f"({test}): {rng.choice([10, 40, 80])}%" for test in tests]
    options = [
        "steps 4",
        f"turns {rng.choice([1, 2, 2, 3])}",
        "accuracy cheap 60%, mid 70%, dear 90%",
        f"recovers {rng.choice([0, 20])}%",
        f"correlation {rng.choice([0, 30])}%",
        "output 9 tokens max timeout 5s",
    ]
    if rng.random() < 0.4:
        options.append("retry 1")
    if rng.random() < 0.3:
        options.append(rng.choice(["vote 3", "vote lead 2 of 3"]))
    if cached and rng.random() < 0.5:
        options.append("cache 1h by x hits 40%")
    first = rng.random() < 0.4
    lines = [f"  budget {budget}", "  traffic {", *(f"    {line}" for line in traffic), "  }"]
    given = "x"
    if first:
        lines.append(
            "  step before: R = ask q(x) by dear { accuracy 80% output 9 tokens max timeout 5s }"
        )
        given = "before.body"
    lines += [
        f"  step made: R = agent q({given}) by {route(rng, tests)} with look {{",
        *(f"    {option}" for option in options),
        "  } else {ok: true, body: x} { accuracy 30% correlation 0% }",
    ]
    if rng.random() < 0.4:
        lines.append(
            "  gate fine: made.ok { catches 60% false_alarms 10% }"
            ' else redo made up to 1 else reject "no"'
        )
    if rng.random() < 0.2:
        lines.append(
            "  step beside: R = ask q(x) by mid { accuracy 90% output 9 tokens max timeout 5s }"
            " else {ok: true, body: x} { accuracy 30% }"
        )
    head = "pipeline main(x: text max 9 tokens, kind: Kind) -> R {"
    return "\n".join([HEAD, head, *lines, "  return made", "}", ""])


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "main.pipe"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_declared_shares_are_drawn_at_each_turn(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    tried = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        text = program(random.Random(seed), declared=True, cached=False)
        path = written(tmp_path / f"seed_{seed}", text)
        loaded, report = load(path), analyse(path)["main"]
        takes = spending(loaded.program, loaded.program.pipelines["main"])
        try:
            runs = every_run(loaded, "main", MOST_RUNS, takes)
        except TooManyRunsError:
            continue
        tried += 1
        found = {name: (share(runs, name), report["outcomes"][name]) for name in OUTCOMES}
        found["cost"] = mean(runs, lambda one: one.cost), report["cost"]["mean"]
        wrong = [
            f"{name}: {seen!r}, reported {number}"
            for name, (seen, number) in found.items()
            if not within(number, seen, exactly="cut" not in report)
        ]
        if wrong:
            failures += [f"seed {seed}", *wrong, text]
    assert not failures, "\n".join(failures)
    assert tried


def within(number: dict[str, float | None], seen: float, exactly: bool) -> bool:
    """Whether a figure is what was seen; of one with cuts, which nobody played, an upper bound."""
    value, high = number["value"], number["high"]
    if value is None:
        return not exactly and high is not None and seen <= high + 1e-9
    return value == pytest.approx(seen, rel=1e-9, abs=1e-12)


@pytest.mark.judge("Storm")
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_what_storm_finds(storm: Storm, judged: Judged, first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    for seed in range(FIRST + 500 + first, FIRST + 500 + first + BATCH):
        rng = random.Random(seed)
        declared = rng.random() < 0.6
        text = program(rng, declared, cached=True, budget="$9, 9000s, 9M tokens, 9000 steps")
        if not declared:
            text = text.replace("budget $9, 9000s, 9M tokens, 9000 steps", f"budget {BUDGET}")
        path = written(tmp_path / f"seed_{seed}", text)
        report, model = analyse(path)["main"], exported(path)["main"]
        assert not declared or not model.unknown, text
        for _ in range(1 if declared else 3):
            point = {name: rng.choice(["0", "1", "0.5", "0.125"]) for name in model.unknown}
            found = disagreements(storm, report, model.given(point), declared)
            if found:
                failures += [f"seed {seed} at {point}", *found, text]
    judged(BATCH)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whatever_attempts_take(first: int, tmp_path: Path) -> None:
    failures: list[str] = []
    tried, widths = 0, []
    for seed in range(FIRST + 900 + first, FIRST + 900 + first + BATCH):
        rng = random.Random(seed)
        budget = rng.choice([BUDGET, "$0.04, 300s, 6k tokens, 90 steps", "$0.3, 300s, 60k tokens"])
        text = program(rng, declared=False, cached=False, budget=budget)
        path = written(tmp_path / f"seed_{seed}", text)
        report = whole_report(path)["pipelines"]["main"]
        loaded, found = load(path), []
        for play in ("nothing", "all", "some", "some"):
            takes = adversary(loaded, play, rng.randrange(10**6))
            try:
                runs = every_run(loaded, "main", MOST_RUNS, takes, budget=True, begun=takes.begun)
            except TooManyRunsError:
                continue
            tried += 1
            found += off(report, runs, play)
        widths.append(max(one["high"] - one["low"] for one in report["outcomes"].values()))
        if found:
            failures += [f"seed {seed}", *found, text]
    assert not failures, "\n".join(failures)
    assert tried
    assert min(widths) < 0.99, "bounds from 0 to 1 say nothing"
