"""Metrics under a condition, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.analysis.metrics.objectives import ObjectiveVerdict
from pipelang.interfaces.check.check import check_file

PIPE = """
provider p {{ available 100% }}
tier t {{ provider p transient 10% price $0 in, $10 out latency 500ms median, 2s p95 }}
tool k(q: text max 10 tokens) -> text max 10 tokens {{
  effect read python "a:b" timeout 3s latency 50ms median, 90ms p95 succeeds 99.9%
}}
role r {{ accuracy 95% }}
prompt q(x: text max 10 tokens) \"\"\"hi {{{{ x }}}}\"\"\"
type I {{ x: text max 10 tokens vip: bool }}
pipeline f(i: I) -> text {{
  slo {{ {line} }}
  traffic {{ i.vip: 10% }}
  step b = call k(i.x)
  when i.vip {{ escalate to r }}
  step reply: text = ask q(b) by t {{
    accuracy {accuracy} recovers 0% timeout 4s cache 1h by i.x hits 80%
    output 100 tokens mean, 100 tokens max
  }} else escalate to r
  return reply
}}
"""


def verdict(line: str, folder: Path, accuracy: str = "90%") -> ObjectiveVerdict:
    path = folder / "a.pipe"
    path.write_text(PIPE.format(line=line, accuracy=accuracy), encoding="utf-8")
    (analysis,) = check_file(str(path)).analyses
    return analysis.slo[0]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("success >= 1% when reply cached", 0.9),
        ("coverage >= 1% when reply cached", 1.0),
        ("cost.mean <= $1 when reply cached", 0.0),
        ("success >= 1% when i.vip", 0.0),
        ("escalation >= 1% when i.vip", 0.999),
        ("escalation.reply <= 50% when not i.vip", 0.999 * 0.2 * 0.1),
        ("failure <= 50% when not i.vip", 0.001),
        ("cost.mean <= $1 when not i.vip", 0.999 * 0.2 * 0.001),
        ("cost.p50 <= $1 when not i.vip", 0.0),
        ("cost.p95 <= $1 when not i.vip", 0.001),
    ],
)
def test_shares_and_costs(line: str, value: float, tmp_path: Path) -> None:
    found = verdict(line, tmp_path)
    assert found.number is not None
    assert found.number.value == pytest.approx(value, abs=1e-9)
    assert found.holds is (value >= 0.01 if ">=" in line else True)


def test_a_cached_answer_takes_no_time(tmp_path: Path) -> None:
    """What is left is the tool: 90 ms at the 95% quantile, almost all of it below 3 s."""
    found = verdict("latency.p95 <= 100ms when reply cached", tmp_path)
    assert found.number is not None
    assert found.number.value == pytest.approx(0.090, rel=0.01)
    assert verdict("latency.p95 <= 100ms", tmp_path).holds is False


RUN = """
pipeline answered(i: I) -> text {{
  step found = call k(i.x)
  gate vips: i.vip else reject "no"
  step made: text = ask q(found) by t {{
    accuracy 90% timeout 4s output 100 tokens mean, 100 tokens max
  }}
  return made
}}
pipeline g(i: I) -> text {{
  slo {{ {line} }}
  traffic {{ i.vip: 10% }}
  step b = call k(i.x)
  step reply = run answered(i) {{ cache 1h by i.x hits 80% }} else "" {{ accuracy 0% }}
  return reply
}}
"""


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("success >= 1% when reply cached", 0.9),
        ("rejection <= 1% when reply cached", 0.0),
        ("cost.mean <= $1 when reply cached", 0.0),
        ("latency.p95 <= 1s when reply cached", 0.090),
    ],
)
def test_runs_in_which_a_pipelines_answer_was_kept(line: str, value: float, tmp_path: Path) -> None:
    """Only of what it answers there is one, which takes the time of the tool beside it."""
    path = tmp_path / "a.pipe"
    head = PIPE[: PIPE.index("pipeline f")]
    path.write_text((head + RUN).format(line=line), encoding="utf-8")
    (analysis,) = (one for one in check_file(str(path)).analyses if one.slo)
    found = analysis.slo[0].number
    assert found is not None
    assert found.value == pytest.approx(value, rel=0.01, abs=1e-9)


def test_how_sure_that_is(tmp_path: Path) -> None:
    found = verdict("success >= 88% when reply cached", tmp_path, "900 of 1000")
    assert found.number is not None
    assert found.number.low == pytest.approx(0.881, abs=0.002)
    assert found.probability == pytest.approx(0.98, abs=0.01)


@pytest.mark.parametrize("line", ["b cached", 'reply == ""'])
def test_what_is_not_known_is_said(line: str, tmp_path: Path) -> None:
    found = verdict(f"latency.p50 <= 1s when {line}", tmp_path)
    assert found.holds is None
    assert found.why
