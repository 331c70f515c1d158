"""Outcomes where budgets cut runs: certain, impossible, and bounds between, worked out by hand.

An attempt at `z` reserves $0.003 (300 tokens out at $10 a million) and takes between nothing and
that; what it reads is free. So whatever a test says of its dollars can be counted on fingers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

HEAD = """
provider host { kind simulated available 100% }
tier z { provider host model "m" price $0 in, $10 out transient 10% context 100k tokens
  latency 1s median, 1s p95 }
role desk { accuracy 100% }
tool pay(x: text max 9 tokens) -> text max 9 tokens {
  python "tools:pay"  effect read  timeout 2s  cost $0.003  succeeds 100%  latency 1s median, 1s p95
}
prompt a(x: text) \"\"\"{{ x }}\"\"\"
"""
ASK = "ask a(x) by z { accuracy 90% timeout 5s output 300 tokens max }"
TWICE = "ask a(x) by z { accuracy 90% timeout 5s retry 1 output 300 tokens max }"


def of(tmp_path: Path, body: str, before: str = "") -> dict[str, Any]:
    path = tmp_path / "p.pipe"
    text = f"{HEAD}{before}pipeline p(x: text max 9 tokens) -> text max 9 tokens {{\n{body}\n}}\n"
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = report_json([check_file(str(path))])["pipelines"]["p"]
    return found


def step(name: str, action: str) -> str:
    return f"step {name}: text max 9 tokens = {action}\n"


def bounds(found: dict[str, Any], outcome: str) -> tuple[float, float]:
    number = found["outcomes"][outcome]
    return number["low"], number["high"]


def near(low: float, high: float) -> Any:
    return pytest.approx((low, high), abs=1e-12)


def test_no_run_is_cut_that_fits(tmp_path: Path) -> None:
    found = of(tmp_path, f"budget $0.006 else reject\n{step('s', TWICE)}return s")
    assert "cut" not in found
    assert found["outcomes"]["success"]["value"] == pytest.approx(0.99 * 0.9)


def test_a_first_call_beyond_the_budget_cuts_every_run(tmp_path: Path) -> None:
    found = of(
        tmp_path, f"budget $0.002 else reject\nslo {{ success >= 1% }}\n{step('s', ASK)}return s"
    )
    assert found["outcomes"]["rejection"]["value"] == 1
    assert found["outcomes"]["success"]["value"] == 0
    assert found["cut"]["value"] == 1
    assert found["slo"][0]["holds"] is False


def test_between_the_bounds_both_ways_are_taken(tmp_path: Path) -> None:
    """The second attempt fits only if the first took less than it had reserved: 10% of runs."""
    found = of(tmp_path, f"budget $0.005 else reject\n{step('s', TWICE)}return s")
    assert bounds(found, "success") == near(0.9 * 0.9, 0.99 * 0.9)
    assert bounds(found, "rejection") == near(0, 0.1)
    assert bounds(found, "failure") == near(0, 0.01)
    assert (found["cut"]["low"], found["cut"]["high"]) == near(0, 0.1)
    assert found["outcomes"]["success"]["basis"] == "bound"


def test_a_cost_that_is_certain_decides(tmp_path: Path) -> None:
    """A tool's $0.003 is spent when the model is asked, so $0.005 never carries the call."""
    body = f"{step('t', 'call pay(x)')}{step('s', ASK.replace('(x)', '(t)'))}return s"
    found = of(tmp_path, f"budget $0.005 else reject\n{body}")
    assert found["outcomes"]["rejection"]["value"] == pytest.approx(1)
    assert found["cut"]["value"] == pytest.approx(1)
    found = of(tmp_path, f"budget $0.006 else reject\n{body}")
    assert "cut" not in found


def test_side_by_side_no_order_is_certain(tmp_path: Path) -> None:
    """Beside the tool the model may be asked first, and then nothing is cut if it takes little."""
    body = f"{step('t', 'call pay(x)')}{step('s', ASK)}{step('u', 'call pay(s)')}return u"
    found = of(tmp_path, f"budget $0.008 else reject\n{body}")
    assert bounds(found, "rejection") == near(0, 0.9)
    assert bounds(found, "success") == near(0, 0.81)


def test_steps_are_counted_exactly(tmp_path: Path) -> None:
    found = of(tmp_path, f"budget 1 steps else reject\n{step('s', TWICE)}return s")
    assert found["outcomes"]["rejection"]["value"] == pytest.approx(0.1)
    assert found["outcomes"]["success"]["value"] == pytest.approx(0.81)
    assert found["outcomes"]["failure"]["value"] == 0
    assert found["cut"]["value"] == pytest.approx(0.1)


def test_tokens_have_bounds_too(tmp_path: Path) -> None:
    """An attempt reserves at most 9 tokens of input and 300 of output, 200 more once one failed."""
    found = of(tmp_path, f"budget 600 tokens else reject\n{step('s', TWICE)}return s")
    assert bounds(found, "rejection") == near(0, 0.1)
    found = of(tmp_path, f"budget 300 tokens else reject\n{step('s', ASK)}return s")
    assert bounds(found, "rejection") == near(0, 1)
    found = of(tmp_path, f"budget 299 tokens else reject\n{step('s', ASK)}return s")
    assert found["outcomes"]["rejection"]["value"] == 1


def test_time_cuts_no_more_than_are_late(tmp_path: Path) -> None:
    """Attempts take a second each: two of them are late after 1.5 s, one never."""
    found = of(tmp_path, f"budget 1500ms else reject\n{step('s', TWICE)}return s")
    assert bounds(found, "rejection") == pytest.approx((0, 0.1), abs=1e-6)
    assert bounds(found, "success") == pytest.approx((0.891 - 0.1, 0.891), abs=1e-6)
    found = of(tmp_path, f"budget 3s else reject\n{step('s', TWICE)}return s")
    assert "cut" not in found


REDONE = """budget 4500ms else reject
step s: text max 9 tokens = ask a(x) by z { accuracy 90% timeout 5s output 30 tokens max MORE }
gate g: len(s) > 3 { catches 80% ALARMS } else redo s up to 2 else fail "bad"
step t: text max 9 tokens = TOOL
return t"""


SHARES = (0, 15, 66.66667, 100)


def test_time_cuts_no_more_than_are_late_whatever_is_unknown(tmp_path: Path) -> None:
    """The most over all values of what is unknown: no less than at any of them. Late is only who
    answers in the third round (3 s) and then asks the tool twice (2 s).
    """
    before = "tool two(x: text max 9 tokens) -> text max 9 tokens {\n"
    before += '  python "tools:two"  effect read  timeout 2s  succeeds SUCCEEDS\n'
    before += "  latency 1s median, 1s p95 retry 1 }\n"

    def cut(more: str, alarms: str, succeeds: str) -> float:
        body = REDONE.replace("MORE", more).replace("ALARMS", alarms)
        tool = before.replace("succeeds SUCCEEDS", succeeds)
        found = of(tmp_path, body.replace("TOOL", "call two(s)"), tool)
        return float(found["cut"]["high"]) if "cut" in found else 0.0

    declared = [
        cut(f"correlation {again}%", f"false_alarms {alarms}%", "succeeds 90%")
        for again in SHARES
        for alarms in SHARES
    ]
    assert 0.01 < max(declared) < 0.02
    most = cut("", "", "succeeds 90%")
    assert max(declared) - 1e-9 <= most <= max(declared) * 1.005  # near the worst of the grid
    assert cut("", "", "succeeds 90 of 100") > max(declared) * 1.2
    assert cut("", "", "succeeds 90 of 100") < 2 * max(declared)
    assert cut("", "", "") == pytest.approx(10 * most, abs=1e-6)  # if the tool never answers


@pytest.mark.parametrize(
    ("otherwise", "ends"),
    [("", "failure"), ("else reject", "rejection"), ('else fail "f"', "failure")],
)
def test_a_cut_ends_as_the_budget_says(tmp_path: Path, otherwise: str, ends: str) -> None:
    found = of(tmp_path, f"budget $0.002 {otherwise}\n{step('s', ASK)}return s")
    assert found["outcomes"][ends]["value"] == 1


def test_a_cut_may_escalate(tmp_path: Path) -> None:
    body = f'budget $0.005 else escalate to desk "spent"\n{step("s", TWICE)}return s'
    found = of(tmp_path, body)
    assert bounds(found, "escalation") == near(0, 0.1)
    assert found["escalations"]["budget"]["high"] == pytest.approx(0.1)


def test_unknowns_keep_their_bounds(tmp_path: Path) -> None:
    action = TWICE.replace("accuracy 90% ", "")
    found = of(tmp_path, f"budget $0.005 else reject\n{step('s', action)}return s")
    assert bounds(found, "success") == near(0, 0.99)
    assert bounds(found, "rejection") == near(0, 0.1)


def test_counts_keep_their_interval(tmp_path: Path) -> None:
    action = TWICE.replace("accuracy 90%", "accuracy 900 of 1000")
    slo = "slo { success >= 70%  success >= 85% }\n"
    found = of(tmp_path, f"budget $0.005 else reject\n{slo}{step('s', action)}return s")
    low, high = bounds(found, "success")
    assert 0.9 * 0.87 < low < 0.9 * 0.9 < 0.99 * 0.9 < high < 0.99 * 0.93
    assert [line["holds"] for line in found["slo"]] == [True, None]


CHILD = "pipeline c(x: text max 9 tokens) -> text max 9 tokens {{\n{body}\n}}\n"


def test_a_child_that_is_surely_cut_is_an_attempt_that_failed(tmp_path: Path) -> None:
    child = CHILD.format(body=f"budget $0.002\n{step('s', ASK)}return s")
    found = of(tmp_path, f"{step('r', f'run c(x) else {ASK}')}return r", child)
    assert found["outcomes"]["success"]["value"] == pytest.approx(0.81)
    assert found["outcomes"]["failure"]["value"] == pytest.approx(0.1)


def test_a_child_that_is_perhaps_cut_leaves_its_runs_open(tmp_path: Path) -> None:
    child = CHILD.format(body=f"budget $0.005\n{step('s', TWICE)}return s")
    found = of(tmp_path, f"{step('r', f'run c(x) else {ASK}')}return r", child)
    low, high = bounds(found, "success")
    assert low == pytest.approx(0.81)
    assert high == pytest.approx(0.81 + 0.1)


DEAR = """
tier y { provider host model "n" price $0 in, $1000 out transient 0% context 100k tokens
  latency 1s median, 1s p95 }
"""
GOES_ON = {
    "a caller with another way": ("", "return s", "", f"else {ASK.replace(' by z', ' by y')}"),
    "a child that answers": (
        "else return x",
        "gate no: s == x { catches 100% false_alarms 100% } else reject return s",
        step("t", ASK.replace(" by z", " by y")),
        "",
    ),
}


@pytest.mark.parametrize("where", GOES_ON)
@pytest.mark.parametrize("budget", ["", "budget $0.004\n"])
def test_a_caller_that_goes_on_may_spend_more_than_without_cuts(
    where: str, budget: str, tmp_path: Path
) -> None:
    otherwise, ends, behind, chain = GOES_ON[where]
    child = CHILD.format(body=f"budget $0.005 {otherwise}\n{step('s', TWICE)}{ends}")
    promised = """
      slo { cost.mean <= $0.02  cost.p99 <= $0.02  cost.worst <= $1
            cost.mean <= $0.02 when x == "a"  latency.p99 <= 12s  tokens.mean <= 700 }
    """
    body = f"{budget}{promised}{step('r', f'run c(x) {chain}')}{behind}return r"
    found = of(tmp_path, body, DEAR + child)
    mean, dearest = found["cost"]["mean"], found["cost"]["worst"]["value"]
    assert dearest == pytest.approx(0.306)  # two attempts at `z`, one at `y`
    holds = [line["holds"] for line in found["slo"]]
    if budget:  # the caller's own is what no run passes
        assert mean["high"] == found["cost"]["p50"]["high"] == 0.004
        assert holds[:4] == [True, True, True, True]
        return
    assert mean["value"] is None
    assert mean["high"] >= 0.9 * 0.003 + 0.1 * (0.003 + 0.3)  # every first failure is cut
    if chain:  # else all that is known of how many are cut is that they are some
        assert found["cut"]["high"] == pytest.approx(0.1)
        assert mean["high"] == pytest.approx(0.0033 + 0.01 * 0.3 + 0.1 * dearest)
        assert found["cost"]["p50"]["high"] < dearest
    assert found["cost"]["p99"]["high"] == pytest.approx(dearest)
    assert holds[:4] == [None, None, True, None]
    assert found["latency"]["p99"]["high"] == found["latency"]["worst"]["value"]


def test_no_means_are_asked_for_where_a_cut_leaves_a_promise_open(tmp_path: Path) -> None:
    child = CHILD.format(body=f"budget $0.005\n{step('s', TWICE)}return s")
    body = f"slo {{ cost.mean <= $0.02 }} {step('r', f'run c(x) else {ASK}')}return r"
    path = tmp_path / "p.pipe"
    head = "pipeline p(x: text max 9 tokens) -> text max 9 tokens"
    path.write_text(f"{HEAD}{child}{head} {{\n{body}\n}}\n", encoding="utf-8")
    found = report_json([check_file(str(path))])
    assert found["pipelines"]["p"]["slo"][0]["holds"] is True  # .0034 and a tenth of .009
    path.write_text(path.read_text(encoding="utf-8").replace("$0.02", "$0.004"), encoding="utf-8")
    told = report_json([check_file(str(path))])["diagnostics"]
    undecided = [one for one in told if one["code"] == "P502"]
    assert [one["help"] for one in undecided] == [None]


def test_a_childs_escalation_leaves_amounts_at_most_what_they_are_without_cuts(
    tmp_path: Path,
) -> None:
    body = f'budget $0.005 else escalate to desk "spent"\n{step("s", TWICE)}return s'
    found = of(
        tmp_path,
        f"slo {{ cost.mean <= $0.004 }} {step('r', 'run c(x)')}return r",
        CHILD.format(body=body),
    )
    assert found["cost"]["mean"]["value"] == pytest.approx(0.0033)
    assert found["slo"][0]["holds"] is True


def test_a_childs_escalation_ends_the_run(tmp_path: Path) -> None:
    body = f'budget $0.005 else escalate to desk "spent"\n{step("s", TWICE)}return s'
    found = of(tmp_path, f"{step('r', 'run c(x)')}return r", CHILD.format(body=body))
    assert bounds(found, "escalation") == near(0, 0.1)
    assert found["escalations"]["c.budget"]["high"] == pytest.approx(0.1)
    assert bounds(found, "rejection") == (0, 0)


def test_calls_of_a_child_count_for_its_caller(tmp_path: Path) -> None:
    child = CHILD.format(body=f"{step('s', ASK)}return s")
    body = f"budget $0.005 else reject\n{step('r', 'run c(x)')}{step('t', 'run c(r)')}return t"
    found = of(tmp_path, body, child)
    assert bounds(found, "rejection") == near(0, 0.9)


def test_each_place_asks_anew_what_is_left(tmp_path: Path) -> None:
    """The first step may find much left and the second little, so one share is not for both."""
    who = "if budget.remaining < $0.01 then z else y"
    action = f"ask a(x) by {who} {{ accuracy y 100%, z 80% timeout 5s output 300 tokens max }}"
    tier = HEAD.split("tier z")[1].split("}")[0]
    other = f"tier y{tier}}}\n".replace("10%", "0%").replace("$10 out", "$20 out")
    body = f"budget $1 else reject\n{step('s', action)}{step('t', action.replace('(x)', '(s)'))}"
    found = of(tmp_path, f"{body}return t", other)
    # Both at `y`: 1; both at `z`: (.9 x .8)^2.
    assert bounds(found, "success") == near(0.5184, 1)


def test_rare_cuts_are_bounded_by_the_mean(tmp_path: Path) -> None:
    """Markov: at most the mean over what is left by the largest call, where means are declared."""
    action = TWICE.replace("output 300", "output 1 tokens mean, 300").replace("retry 1", "retry 9")
    body = f"traffic {{ x: 1 tokens mean }}\nbudget $0.02 else reject\n{step('s', action)}return s"
    found = of(tmp_path, body)
    # The mean is 1.11 attempts at $0.00001, and $0.017 is left by the largest call.
    assert found["cut"]["high"] <= 1.2 * 0.00001 / 0.017
