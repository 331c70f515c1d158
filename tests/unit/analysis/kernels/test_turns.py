"""Agents whose tier is chosen before every turn, against sums by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

HEAD = """
role desk { accuracy 98% }
provider px { kind simulated available 100% }
provider py { kind simulated available 90% }
tier dear {
  provider px price $10 in, $50 out latency 1s median, 1s p95 transient 2% context 200k tokens
}
tier cheap {
  provider py price $1 in, $5 out latency 3s median, 3s p95 transient 10% context 200k tokens
}
tier reads {
  provider px price $1 in, $500 out latency 1s median, 1s p95 transient 2% context 200k tokens
}
tier writes {
  provider px price $60 in, $5 out latency 1s median, 1s p95 transient 2% context 200k tokens
}
prompt work(q: text max 60 tokens) \"\"\"ABCDEFGH{{ q }}\"\"\"
tool look(q: text max 20 tokens) -> text max 20 tokens {
  effect read succeeds 100% timeout 3s latency 1s median, 1s p95
}
"""
ACCURACY = {"dear": 0.9, "cheap": 0.6}
WORKS = {"dear": 0.98, "cheap": 0.9}
OPTIONS = (
    "steps 5 turns 3 accuracy dear 90%, cheap 60% correlation 0%"
    " timeout 10s output 10 tokens mean, 50 tokens max"
)


def report(
    folder: Path,
    by: str,
    budget: str = "$9, 900 steps",
    traffic: str = "",
    options: str = OPTIONS,
    beside: str = "",
) -> dict[str, Any]:
    text = (
        f"pipeline main(q: text max 60 tokens) -> text max 50 tokens {{\n  budget {budget}\n"
        f"  traffic {{ {traffic} }}\n{beside}"
        f"  step a: text max 50 tokens = agent work(q) by {by} with look {{ {options} }}\n"
        "    else escalate to desk\n  return a\n}\n"
    )
    path = folder / "m.pipe"
    path.write_text(HEAD + text, encoding="utf-8")
    found = report_json([check_file(str(path))])
    errors = [d["message"] for d in found["diagnostics"] if d["severity"] == "error"]
    assert not errors
    main: dict[str, Any] = found["pipelines"]["main"]
    return main


def right(tiers: list[str]) -> float:
    """How often a loop by these tiers answers right; in an outage of `py` no cheap turn answers."""
    chance = 1.0
    for tier in tiers:
        chance *= WORKS[tier]
    return chance * ACCURACY[tiers[-1]] * (0.9 if "cheap" in tiers else 1.0)


@pytest.mark.parametrize(
    ("by", "same"),
    [
        ("(if budget.remaining < $0.01 then cheap else dear)", "dear"),
        ("(if budget.remaining.steps < 10 then cheap else dear)", "dear"),
        ("(if budget.remaining.steps > 899 then dear else dear)", "dear"),
        ("(if budget.remaining.steps <= 900 then cheap else dear)", "cheap"),
        ("(if budget.remaining.tokens >= 1k tokens then cheap else dear)", "cheap"),
    ],
)
def test_what_is_certain_is_no_unknown(by: str, same: str, tmp_path: Path) -> None:
    """Too little is spent, or it is little from the first turn on, or nothing limits it."""
    (tmp_path / "one").mkdir()
    found, whole = report(tmp_path, by), report(tmp_path / "one", same)
    for name, number in whole["outcomes"].items():
        assert found["outcomes"][name]["value"] == pytest.approx(number["value"], rel=1e-12)
    for family, read in (("cost", "mean"), ("cost", "p95"), ("latency", "p95")):
        assert found[family][read]["value"] == pytest.approx(
            whole[family][read]["value"], rel=1e-12
        )


def test_it_changes_at_a_turn_that_nobody_knows(tmp_path: Path) -> None:
    """The worst of a turn is 9 calls, so 899 steps are left at the second turn at the most, and 891
    at the least: the change is before the second turn or before the third.
    """
    found = report(tmp_path, "(if budget.remaining.steps <= 898 then cheap else dear)")
    ways = [["dear", *["dear"] * (at - 2), *["cheap"] * (4 - at)] for at in (2, 3)]
    success = found["outcomes"]["success"]
    assert success["value"] is None
    assert success["low"] == pytest.approx(min(map(right, ways)), rel=1e-9)
    assert success["high"] == pytest.approx(max(map(right, ways)), rel=1e-9)
    assert success["basis"] == "unknown"


def test_nobody_knows_whether_it_changes(tmp_path: Path) -> None:
    found = report(tmp_path, "(if budget.remaining.time < 899s then cheap else dear)", "900s")
    ways = [["dear"] * before + ["cheap"] * (3 - before) for before in range(4)]
    success = found["outcomes"]["success"]
    assert success["low"] == pytest.approx(min(map(right, ways)), rel=1e-9)
    assert success["high"] == pytest.approx(max(map(right, ways)), rel=1e-9)


def test_a_declared_share_is_drawn_at_every_turn(tmp_path: Path) -> None:
    test = "budget.remaining < $0.01"
    by = f"(if {test} then cheap else dear)"
    found = report(tmp_path, by, traffic=f"{test}: 30%")
    up = {"dear": 0.7 * 0.98, "cheap": 0.3 * 0.9}
    out = {"dear": 0.7 * 0.98, "cheap": 0.0}

    def success(works: dict[str, float]) -> float:
        goes_on = sum(works.values())
        return goes_on**2 * sum(works[tier] * ACCURACY[tier] for tier in works)

    expected = 0.9 * success(up) + 0.1 * success(out)
    assert found["outcomes"]["success"]["value"] == pytest.approx(expected, rel=1e-12)


def test_beside_others_more_may_be_left_again(tmp_path: Path) -> None:
    """What a call side by side has reserved and not used is given back."""
    other = (
        "  step o: text max 50 tokens = ask work(q) by dear"
        " { accuracy 100% timeout 10s output 50 tokens max } else q\n"
    )
    by, budget = "(if budget.remaining < $0.01 then cheap else dear)", "$0.03"
    alone = report(tmp_path, by, budget, options=f"{OPTIONS} retry 1")
    beside = report(tmp_path, by, budget, options=f"{OPTIONS} retry 1", beside=other)
    for name in ("success", "silent_error", "escalation"):
        assert beside["outcomes"][name]["low"] <= alone["outcomes"][name]["low"] + 1e-12
        assert beside["outcomes"][name]["high"] >= alone["outcomes"][name]["high"] - 1e-12


def test_the_dearest_run_takes_the_dearest_tier_at_each_turn(tmp_path: Path) -> None:
    """The first turn is dearest by what it writes, the last by what it reads."""
    options = OPTIONS.replace("dear 90%, cheap 60%", "reads 90%, writes 60%")
    by = "(if budget.remaining < $1 then reads else writes)"
    turns = report(tmp_path, by, options=options)["cost"]["worst"]["value"]
    ends = [
        report(tmp_path, tier, options=options)["cost"]["worst"]["value"]
        for tier in ("reads", "writes")
    ]
    assert turns > max(ends) * 1.02
    assert turns < sum(ends)
