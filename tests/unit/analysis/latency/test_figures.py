"""Figures of what runs take: what evidence and what nobody declared do to them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipelang.analysis.latency.quantiles import FINE, ROOM
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.interfaces.check.check import check_file

PIPE = """
provider p {{ available 100% }}
tier t {{ provider p {transient} price $0 in, $10 out {latency} }}
role r {{ accuracy 95% responds 10m median, 1h p95 }}
prompt q(x: text max 10 tokens) \"\"\"hi {{{{ x }}}}\"\"\"
pipeline f(x: text max 10 tokens) -> text {{
  {traffic}
  step a: text = ask q(x) by t {{
    accuracy 90% recovers 0% {timeout} retry 2 output 100 tokens mean, 100 tokens max
  }} else escalate to r
  when long: a != "" {{ approve yes by r within 1h else reject }}
  step b: text = ask q(x) by t {{
    {accuracy} recovers 0% timeout 5s output 100 tokens mean, 100 tokens max
  }} else escalate to r
  return b
}}
"""
KNOWN = {
    "transient": "transient 5%",
    "latency": "latency 500ms median, 2s p95",
    "accuracy": "accuracy 90%",
    "timeout": "timeout 9s",
    "traffic": "traffic { long: 20% }",
}
READ = ("mean", "p50", "p95", "p99")
CELL = ROOM / FINE
"""The width of a lattice cell as a part of the quantile that is read off it: how finely two walks
with lattices of their own agree.
"""


def analysis(folder: Path, **changes: str) -> Analysis:
    path = folder / "a.pipe"
    path.write_text(PIPE.format(**{**KNOWN, **changes}), encoding="utf-8")
    checked = check_file(str(path))
    assert checked.program is not None, [found.message for found in checked.diagnostics]
    return checked.analyses[0]


def test_an_undeclared_latency_has_bounds(tmp_path: Path) -> None:
    found = analysis(tmp_path, latency="").numbers
    for metric in ("latency", "turnaround"):
        for read in READ:
            number = found[f"{metric}.{read}"]
            assert number.value is None
            assert number.low is not None
            assert number.high is not None
            assert number.low < number.high
    assert found["latency.p50"].low == 0.0
    assert found["latency.p50"].high == pytest.approx(14.0, rel=0.01)  # 9 s and 5 s
    assert found["cost.p95"].value is not None


def test_without_a_timeout_nothing_bounds_it(tmp_path: Path) -> None:
    found = analysis(tmp_path, latency="", timeout="").numbers
    assert found["latency.p95"].high is None
    assert found["latency.worst"].value is None
    assert found["latency.mean"].high is None


def test_counted_cases_leave_a_range(tmp_path: Path) -> None:
    few = analysis(tmp_path, transient="transient 3 of 60").numbers["latency.p95"]
    many = analysis(tmp_path, transient="transient 3000 of 60000").numbers["latency.p95"]
    exact = analysis(tmp_path).numbers["latency.p95"]
    assert few.value == pytest.approx(exact.value, rel=1e-3)
    for number in (few, many):
        assert number.low is not None
        assert number.value is not None
        assert number.high is not None
        assert number.low < number.value < number.high
    assert few.high - few.low > 5 * (many.high - many.low)  # type: ignore[operator]


def test_what_does_not_hang_on_an_unknown_is_known(tmp_path: Path) -> None:
    exact, found = analysis(tmp_path).numbers, analysis(tmp_path, accuracy="").numbers
    assert found["success"].value is None
    for metric in ("cost.p95", "latency.p50", "latency.p99", "turnaround.p95"):
        assert found[metric].value == pytest.approx(exact[metric].value, rel=CELL)
    other = analysis(tmp_path, accuracy="", latency="latency 505ms median, 2.02s p95").numbers
    assert other["latency.p50"].value != pytest.approx(exact["latency.p50"].value, rel=CELL)


def test_unknowns_are_enclosed(tmp_path: Path) -> None:
    """Whatever the unknown share and failure rate are, the figures are within the bounds."""
    pick = random.Random(8)
    bounds = analysis(tmp_path, transient="", traffic="").numbers
    metrics = [f"{name}.{read}" for name in ("cost", "latency", "turnaround") for read in READ]
    for _ in range(12):
        rates = {"transient": f"transient {pick.randint(0, 100)}%"}
        rates["traffic"] = f"traffic {{ long: {pick.randint(0, 100)}% }}"
        found = analysis(tmp_path, **rates).numbers
        for metric in metrics:
            bound, value = bounds[metric], found[metric].value
            assert bound.value is None, metric
            assert bound.low is not None
            assert value is not None
            assert bound.low <= value * (1 + 1e-6) + 1e-9, (metric, rates)
            assert bound.high is None or value <= bound.high * (1 + 1e-6), (metric, rates)


def test_the_critical_path(tmp_path: Path) -> None:
    found = analysis(tmp_path)
    assert found.critical == {"latency": ("a", "b"), "turnaround": ("yes",)}
