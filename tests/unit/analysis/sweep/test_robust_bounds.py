"""Bounds that hold however many unknowns there are: never tighter than the exact ones."""

from __future__ import annotations

import random

import pytest

from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.sweep import bounds_over_unknowns, columns
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

TOOLS = """role help { }
tool one(a: int) -> int { python "m:f" effect read succeeds 99% accuracy 97% }
tool two(a: int, b: int) -> int { python "m:f" effect read succeeds 98% accuracy 90% }
tool send(a: int) -> int { python "m:f" effect irreversible succeeds 98% }
"""


def analysed(text: str) -> Analysis:
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines["main"])


def pipeline(seed: int) -> str:
    """Steps, gates and branches, some of whose figures nobody declared."""
    chance = random.Random(seed)
    lines, made = [], ["x"]
    for number in range(4):
        first, second = chance.choice(made), chance.choice(made)
        action = chance.choice([f"one({first})", f"two({first}, {second})"])
        retry = chance.choice(["", " { retry 1 }"])
        lines.append(f"step s{number} = call {action}{retry}")
        made.append(f"s{number}")
        rates = chance.choice(["", "{ false_alarms 20% }", "{ catches 70% }"])
        end = chance.choice(
            ["escalate to help", 'reject "no"', f"redo s{number} up to 1 else escalate to help"]
        )
        if chance.random() < 0.7:
            lines.append(f"gate g{number}: s{number} > {number} {rates} else {end}")
    body = "\n".join(f"  {line}" for line in lines)
    return f"{TOOLS}pipeline main(x: int) -> int {{\n{body}\n  return s3\n}}\n"


@pytest.mark.parametrize("seed", range(12))
def test_they_hold_the_exact_ones(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = analysed(pipeline(seed)).numbers
    monkeypatch.setattr(bounds_over_unknowns, "GRID_LIMIT", 1)
    robust = analysed(pipeline(seed)).numbers
    for name in ("success", "silent_error", "escalation", "rejection", "failure", "availability"):
        mine, true = robust[name], exact[name]
        assert mine.low is not None
        assert mine.high is not None
        assert true.low is not None
        assert true.high is not None
        assert mine.low <= true.low + 1e-9, name
        assert true.high <= mine.high + 1e-9, name


def gates(count: int) -> str:
    """Gates of one value, each with a share of right values that it turns down."""
    lines = "\n".join(
        f"  gate g{n}: s > {n} {{ false_alarms 20% }} else escalate to help" for n in range(count)
    )
    tool = 'tool sure(a: int) -> int { python "m:f" effect read succeeds 100% accuracy 100% }\n'
    return (
        f"{TOOLS}{tool}pipeline main(x: int) -> int {{\n  step s = call sure(x)\n  step t = call"
        f" one(s)\n{lines.replace('s >', 't >')}\n  return t\n}}\n"
    )


def test_past_the_search_limit_they_say_something() -> None:
    numbers = analysed(gates(24)).numbers
    least = 0.99 * 0.97 * (1 - 0.8**24)
    assert numbers["escalation"].low == pytest.approx(least, rel=1e-9)
    assert numbers["silent_error"].high == pytest.approx(0.99 * 0.03, rel=1e-9)
    assert numbers["escalation"].high == pytest.approx(0.99 * (1 - 0.97 * 0.8**24), rel=1e-9)


def test_some_columns_at_a_time_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pipeline(3).replace("accuracy 90%", "accuracy 90 of 100")
    whole = analysed(text).numbers
    monkeypatch.setattr(columns, "MOST_NUMBERS", 1)
    monkeypatch.setattr(columns, "LEAST_COLUMNS", 7_001)
    parts = analysed(text).numbers
    assert {name: number for name, number in parts.items() if name.startswith(("s", "e", "f"))} == {
        name: number for name, number in whole.items() if name.startswith(("s", "e", "f"))
    }
