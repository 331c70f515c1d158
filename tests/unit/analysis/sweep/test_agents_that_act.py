"""Agents whose tools act on the world, with figures that nobody declared: bounds over them hold
what is worked out for any value of them, and are reached.
"""

from __future__ import annotations

import pytest

from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

OUTCOMES = ("success", "silent_error", "escalation", "rejection", "failure", "wrong_effect")


def analysed(options: str, behind: str, fails: str, transient: str = "") -> Analysis:
    text = f"""
provider px {{ available 99% }}
tier fast {{ provider px {transient} price $1 in, $1 out context 20k tokens }}
role help {{ }}
prompt work() \"\"\"go\"\"\"
tool act(n: int) -> int {{ python "m:f" effect write succeeds 95% idempotent }}
pipeline acts(n: int) -> int {{ step s = call act(n) else {fails}  return s }}
pipeline main() -> int {{
  step x: int = agent work() by fast with acts {{ steps 4 turns 3 accuracy 90% {options} }} {behind}
  return x
}}
"""
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines["main"])


@pytest.mark.parametrize("fails", ['fail "x"', "reject"])
@pytest.mark.parametrize("behind", ["", "else 3 { accuracy 50% }", "else escalate to help"])
@pytest.mark.parametrize("options", ["", "retry 1", "vote 3 correlation 0%"])
def test_how_often_a_model_fails_is_open(options: str, behind: str, fails: str) -> None:
    bounds = analysed(options, behind, fails).numbers
    points = [
        analysed(options, behind, fails, f"transient {share}%").numbers
        for share in (0, 10, 40, 100)
    ]
    for name in OUTCOMES:
        low, high = bounds[name].low, bounds[name].high
        lows, highs = ([getattr(one[name], end) for one in points] for end in ("low", "high"))
        assert low == pytest.approx(min(lows), abs=1e-9), name
        assert high == pytest.approx(max(highs), abs=1e-9), name
