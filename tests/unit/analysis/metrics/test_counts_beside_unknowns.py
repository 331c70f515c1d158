"""What is counted beside what nobody declared: to declare a figure never takes an interval out of
the one before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.metrics.metrics import _within_one
from pipelang.analysis.model.intervals import Number, certain
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.semantics.chance import Basis

TEXT = """
provider lab {{ kind simulated available 100% }}
tier slow {{
  provider lab price $1 in, $5 out latency 1s median, 4s p95 transient 30 of 300 context 9k tokens
}}
role desk {{ accuracy 98% }}
tool find(q: text max 20 tokens) -> text max 20 tokens {{
  python "m:find" effect read timeout 5s latency 100ms median, 1s p95 succeeds 90% accuracy 99%
}}
tool more(q: text max 20 tokens) -> text max 20 tokens {{
  python "m:more" effect read timeout 5s latency 100ms median, 1s p95 succeeds 80% accuracy 90%
}}
prompt say(q: text max 20 tokens) \"\"\"{{{{ q }}}}\"\"\"
pipeline main(q: text max 20 tokens) -> text max 20 tokens {{
  step first = call find(q) {{ correlation 0% }}
  step said: text max 20 tokens = ask say(first) by slow {{
    accuracy 170 of 200 timeout 9s retry 1 {correlation}
  }} else q {{ accuracy 40% correlation 0% }}
  gate fine: len(said) > 3 {{ catches 10% {alarms} }} else redo first up to 1 else escalate to desk
  step last = call more(said)
  return last
}}
"""
OUTCOMES = ("success", "silent_error", "escalation", "failure")
TIMES = ("mean", "p50", "p95")


def report(folder: Path, correlation: str, alarms: str) -> dict[str, Any]:
    path = folder / "m.pipe"
    path.write_text(TEXT.format(correlation=correlation, alarms=alarms), encoding="utf-8")
    found: dict[str, Any] = report_json([check_file(str(path))])["pipelines"]["main"]
    return found


def lies_within(inner: dict[str, Any], outer: dict[str, Any], room: float) -> bool:
    within: bool = outer["low"] - room <= inner["low"] and inner["high"] <= outer["high"] + room
    return within


def test_a_figure_that_is_highest_between_the_ends(tmp_path: Path) -> None:
    """A redo fails as a first try does, but what it sends to people fails no more behind them."""
    open_ = report(tmp_path, "correlation 0%", "")["outcomes"]
    for alarms in (0, 5, 10, 20, 30, 60, 100):
        declared = report(tmp_path, "correlation 0%", f"false_alarms {alarms}%")["outcomes"]
        for name in OUTCOMES:
            assert lies_within(declared[name], open_[name], 0.002), (alarms, name)


@pytest.mark.parametrize("share", [0, 40, 80, 100])
def test_times_keep_what_the_counts_leave_open(tmp_path: Path, share: int) -> None:
    open_ = report(tmp_path, "", "false_alarms 5%")["latency"]
    declared = report(tmp_path, f"correlation {share}%", "false_alarms 5%")["latency"]
    for name in TIMES:
        assert declared[name]["low"] < declared[name]["high"]
        assert lies_within(declared[name], open_[name], 0.02 * declared[name]["high"]), name


def test_what_others_leave_of_one_is_not_below_what_it_is_at_least() -> None:
    """1 - 0.9 is below 0.1 in floats: a bound lay below its own lower one."""
    open_one = Number(None, 0.1, 1.0, None, Basis.UNKNOWN, tight=False)
    numbers = {"success": certain(0.9, Basis.ASSUMED), "failure": open_one}
    found = _within_one(numbers)["failure"]
    assert (found.low, found.high) == (0.1, 0.1)
