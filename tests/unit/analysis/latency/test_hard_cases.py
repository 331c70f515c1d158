"""Times, costs and objectives of some runs, with hard cases: mixtures, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import Checked, check_file, report_json

TEXT = """
provider host {{ kind simulated available 100% }}
tier z {{
  provider host model "m" price $1 in, $1 out transient 0% context 100k tokens
  latency 1s median, 1s p95
}}
prompt a(x: text) \"\"\"{{{{ x }}}}\"\"\"
pipeline p(x: text max 9 tokens, vip: bool) -> text max 9 tokens {{
  traffic {{ {traffic} }}
  slo {{ {slo} }}
  step s: text max 9 tokens = ask a(x) by z {{ {rates} correlation 0% output 9 tokens max }}
    else reject
  gate g: len(s) > 3 {{ catches 100% false_alarms 0% }} else redo s up to 3 else reject
  when vip {{ reject }}
  return s
}}
"""


def checked(tmp_path: Path, traffic: str, rates: str, slo: str = "success >= 0%") -> Checked:
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.format(traffic=traffic, rates=rates, slo=slo), encoding="utf-8")
    return check_file(str(path))


def of(tmp_path: Path, traffic: str, rates: str) -> dict[str, Any]:
    found: dict[str, Any] = report_json([checked(tmp_path, traffic, rates)])["pipelines"]["p"]
    return found


def value(found: dict[str, Any], family: str, read: str) -> float:
    return float(found[family][read]["value"])


@pytest.mark.parametrize("family", ["cost", "latency"])
def test_a_mean_is_the_mixture_of_both_classes(family: str, tmp_path: Path) -> None:
    easy = of(tmp_path, "vip: 10%", "accuracy 90%")
    hard = of(tmp_path, "vip: 40%", "accuracy 20%")
    both = of(tmp_path, "hard: 30% vip: 10%, 40% if hard", "accuracy 90%, 20% if hard")
    mixed = 0.7 * value(easy, family, "mean") + 0.3 * value(hard, family, "mean")
    assert value(both, family, "mean") == pytest.approx(mixed, rel=1e-6)


def test_quantiles_know_that_hard_cases_are_redone_again_and_again(tmp_path: Path) -> None:
    """Half of all answers pass, if every case is alike; here hard ones never do, others always."""
    alike = of(tmp_path, "vip: 0%", "accuracy 90%")
    apart = of(tmp_path, "hard: 10% vip: 0%", "accuracy 100%, 0% if hard")
    once = value(alike, "latency", "p50")
    assert value(alike, "latency", "p95") == pytest.approx(2 * once, rel=0.02)
    assert value(apart, "latency", "p50") == pytest.approx(once, rel=0.02)
    assert value(apart, "latency", "p95") == pytest.approx(4 * once, rel=0.02)


def test_a_promise_for_some_runs_weighs_the_classes_as_they_come_there(tmp_path: Path) -> None:
    traffic, rates = "hard: 30% vip: 10%, 40% if hard", "accuracy 90%, 20% if hard"
    slo = "success >= 50% when not vip  cost.mean <= $1 when vip"
    success, cost = (
        None if verdict.number is None else verdict.number.value
        for verdict in checked(tmp_path, traffic, rates, slo).analyses[0].slo
    )
    easy, hard = (1 - 0.1) * 0.7, (1 - 0.4) * 0.3
    right = (easy * (1 - 0.1**4) + hard * (1 - 0.8**4)) / (easy + hard)
    assert success == pytest.approx(right, abs=1e-12)
    mean = (0.07 * 1.111 + 0.12 * (1 + 0.8 + 0.64 + 0.512)) / 0.19
    attempt = value(of(tmp_path, "vip: 0%", "accuracy 100%"), "cost", "mean")
    assert cost == pytest.approx(mean * attempt, rel=1e-6)


def test_counts_of_both_classes_are_posteriors_of_their_own(tmp_path: Path) -> None:
    """Of a hard class that nobody meets, the counts say nothing."""
    some = of(tmp_path, "hard: 30% vip: 0%", "accuracy 900 of 1000, 2 of 4 if hard")
    none = of(tmp_path, "hard: 0% vip: 0%", "accuracy 900 of 1000, 2 of 4 if hard")
    plain = of(tmp_path, "vip: 0%", "accuracy 900 of 1000")
    success = some["outcomes"]["success"]
    assert none["outcomes"]["success"] == plain["outcomes"]["success"]
    assert success["high"] - success["low"] > 0.05
