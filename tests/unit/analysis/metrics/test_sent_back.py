"""What an approval that sends back costs: drafts, questions to the role, and time."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.simulate import simulate

TEXT = """
provider lab { available 100% }
tier t { provider lab transient 0% price $0 in, $10 out latency 1s median, 3s p95 }
role editor { accuracy 95% responds 10m median, 1h p95 }
role people { accuracy 99% }
type R { body: text max 100 tokens }
prompt q(x: text max 100 tokens) \"\"\"{{ x }}\"\"\"
pipeline f(x: text max 100 tokens) -> R {
  step s: R = ask q(x) by t {
    accuracy 90% correlation 0% output 100 tokens max timeout 10s
  }
  step r: R = ask q(s.body) by t {
    accuracy 100% correlation 0% output 100 tokens max timeout 10s
  }
  approve good by editor within 2h showing r else redo s up to 2 else escalate to people
  return s
}
"""
DRAFT = 0.001  # 100 tokens at $10 a million
WORST_SECONDS = 3 * (2 * 10 + 7200)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sent_back") / "f.pipe"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_every_draft_is_paid_for_and_every_question_asked(path: Path) -> None:
    (analysis,) = check_file(str(path)).analyses
    late = analysis.escalations["good"].value
    questions = analysis.asked["editor"].value
    assert late is not None
    assert questions is not None
    # Of 100 answers in time 14 are sent back: .9 x .05 + .1 x .95. F is the chance of one.
    in_time = next(f / 10_000 for f in range(9_000, 10_000) if _left(f / 10_000) <= late)
    back = 0.14 * in_time
    assert questions == pytest.approx(1 + back + back * back, abs=1e-4)
    cost = analysis.numbers["cost.mean"].value
    assert cost == pytest.approx(2 * DRAFT * questions, rel=1e-9)
    assert analysis.numbers["cost.worst"].value == pytest.approx(6 * DRAFT)
    assert analysis.numbers["turnaround.worst"].value == WORST_SECONDS


def _left(in_time: float) -> float:
    """The runs that end with nobody's yes."""
    back = 0.14 * in_time
    return (1 - in_time) * (1 + back) + back * back * (1 - in_time + back)


def test_turnaround_agrees_with_simulated_runs(path: Path) -> None:
    (analysis,) = check_file(str(path)).analyses
    loaded = pipelang.load(path, allow=RULES)
    pipeline = loaded.program.pipelines["f"]
    spend = spending(loaded.program, pipeline)
    counts = simulate(loaded, pipeline, 4000, 7, spend, people=True)
    mean = analysis.numbers["turnaround.mean"].value
    assert mean is not None
    spread = statistics.stdev(counts.seconds) / len(counts.seconds) ** 0.5
    assert abs(statistics.fmean(counts.seconds) - mean) < 4 * spread
    half = analysis.numbers["turnaround.p50"].value
    assert half is not None
    below = sum(seconds <= half for seconds in counts.seconds) / len(counts.seconds)
    assert below == pytest.approx(0.5, abs=0.04)
