"""Simulated runs obey budgets, lie within the bounds, and bill what they rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.compare_simulation import Simulated, simulated

HEAD = """
provider host { kind simulated available 100% }
tier z { provider host model "m" price $0 in, $10 out transient 10% context 100k tokens
  latency 1s median, 1s p95 }
tier free { provider host model "n" price $1 in, $0 out transient 0% context 100k tokens
  latency 1s median, 1s p95 }
role desk { accuracy 100% }
prompt a(x: text max 9 tokens) \"\"\"{{ x }}\"\"\"
prompt b(x: text max 9 tokens, v: bool)
  \"\"\"{% if v %}eightbit{% endif %}{% if feedback %}{{ feedback }}{% endif %}\"\"\"
"""
TWICE = "timeout 5s retry 1 output 300 tokens max"


def of(tmp_path: Path, body: str, runs: int = 2_000) -> Simulated:
    path = tmp_path / "p.pipe"
    head = "pipeline p(x: text max 9 tokens, v: bool) -> text max 9 tokens"
    path.write_text(f"{HEAD}{head} {{\n{body}\n}}\n", encoding="utf-8")
    loaded = pipelang.load(path, allow=RULES)
    return simulated(loaded, loaded.program.pipelines["p"], runs, 1, None)


def ask(name: str, action: str) -> str:
    return f"step {name}: text max 9 tokens = {action}\n"


def agree(found: Simulated) -> bool:
    figures = [*found.outcomes.values(), *found.escalations.values(), *found.shares.values()]
    return all(one.agrees for one in figures)


@pytest.mark.parametrize("limit", ["$0.002", "$0.005", "1 steps", "500 tokens", "1500ms"])
def test_what_is_observed_lies_within_the_bounds(tmp_path: Path, limit: str) -> None:
    action = f"ask a(x) by z {{ accuracy 90% {TWICE} }}"
    found = of(tmp_path, f"budget {limit} else reject\n{ask('s', action)}return s")
    assert agree(found)
    # An attempt is simulated with its mean, which nobody declared: as long as it may be.
    assert found.outcomes["rejection"].observed == (
        1 if limit == "$0.002" else pytest.approx(0.1, abs=0.03)
    )


def test_a_route_reads_what_is_left(tmp_path: Path) -> None:
    """After $0.003 less than $0.004 are left of $0.005, so the second step asks the free one."""
    first = "ask a(x) by z { accuracy 100% timeout 5s output 300 tokens max }"
    who = "if budget.remaining < $0.004 then free else z"
    second = f"ask a(s) by {who} {{ accuracy z 0%, free 100% timeout 5s output 9 tokens max }}"
    body = f"budget $0.005 else reject\n{ask('s', first)}{ask('t', second)}return t"
    found = of(tmp_path, body)
    assert found.outcomes["success"].observed == pytest.approx(0.9, abs=0.03)
    assert found.outcomes["silent_error"].observed == 0
    assert agree(found)


def test_a_branch_is_billed_as_it_was_drawn(tmp_path: Path) -> None:
    """8 bytes are 2 tokens of a dollar a million, in 30% of the runs, and in those that `when` lets
    through in all.
    """
    action = "ask b(x, v) by free { accuracy 100% timeout 5s output 9 tokens max }"
    traffic = "traffic { x: 4 tokens mean  v: 30% }\n"
    found = of(tmp_path, f"{traffic}{ask('s', action)}return s", 4_000)
    assert found.cost["mean"]["observed"] == pytest.approx(0.3 * 2e-6, rel=0.15)
    assert found.cost["mean"]["expected"] == pytest.approx(0.3 * 2e-6)
    body = f"{traffic}when v {{\n{ask('s', action)}return s\n}}\nreturn x"
    found = of(tmp_path, body, 4_000)
    assert found.cost["mean"]["observed"] == pytest.approx(0.3 * 2e-6, rel=0.15)
    assert found.cost["mean"]["expected"] == pytest.approx(0.3 * 2e-6)


def test_feedback_is_billed_as_it_was_said(tmp_path: Path) -> None:
    """The gate's name is a quarter of a token; the prediction counts 200, as a bound."""
    action = "ask b(x, v) by free { accuracy 0% correlation 0% timeout 5s output 9 tokens max }"
    gate = "gate g: len(s) > 3 { catches 100% false_alarms 0% } else redo s up to 1 else reject\n"
    traffic = "traffic { x: 4 tokens mean  v: 0% }\n"
    found = of(tmp_path, f"{traffic}{ask('s', action)}{gate}return s", 100)
    assert found.cost["mean"]["observed"] == pytest.approx(0.25e-6)
    assert found.cost["mean"]["expected"] == pytest.approx(200e-6)


@pytest.mark.parametrize("price", ["", "price $0 in, $0 out"])
def test_what_a_tier_without_a_price_costs_is_unknown(tmp_path: Path, price: str) -> None:
    """The first tier fails now and then, and the second is asked: `check` calls that unknown."""
    path = tmp_path / "p.pipe"
    path.write_text(
        f"""{HEAD}
tier small {{ provider host model "o" {price} transient 0% context 100k tokens latency 1s median }}
pipeline p(x: text max 9 tokens) -> text max 9 tokens {{
  step s: text max 9 tokens = ask a(x) by z {{ accuracy 90% timeout 5s output 9 tokens max }}
    else ask a(x) by small {{ accuracy 90% timeout 5s output 9 tokens max }}
    else fail "no"
  return s
}}
""",
        encoding="utf-8",
    )
    loaded = pipelang.load(path, allow=RULES)
    cost = simulated(loaded, loaded.program.pipelines["p"], 200, 1, None).cost
    told = [*cost["mean"].values(), *cost["p95"].values(), cost["most"]]
    assert all((figure is not None) == bool(price) for figure in told), cost
    assert sorted(cost) == ["mean", "most", "p50", "p95", "p99"]
    assert sorted(cost["mean"]) == ["expected", "high", "low", "observed"]
    assert sorted(cost["p95"]) == ["expected", "observed"]


CHILD = f"""
tier dear {{ provider host model "o" price $0 in, $1000 out transient 0% context 100k tokens }}
pipeline c(x: text max 9 tokens) -> text max 9 tokens {{
  budget $0.005
  step s: text max 9 tokens = ask a(x) by z {{ accuracy 90% {TWICE} }}
  return s
}}
pipeline """


def test_what_callers_spend_behind_a_cut_lies_within_the_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.HEAD", HEAD.rstrip() + CHILD.removesuffix("pipeline "))
    found = of(
        tmp_path,
        ask("r", "run c(x) else ask a(x) by dear { accuracy 90% timeout 5s output 300 tokens max }")
        + "return r",
    )
    mean = found.cost["mean"]
    assert mean["observed"] > 0.005  # without cuts it would be $0.0063: 1% go on, not up to 10%
    assert mean["bounds"][0] <= mean["observed"] <= mean["bounds"][1]
    assert found.cost["p95"]["expected"] is None
    assert agree(found)
