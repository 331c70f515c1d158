"""Differences between two pipelines: against hand calculation, shared draws, shared unknowns."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.metrics.differences import Changes, differences
from pipelang.analysis.model.coupled_posterior import Side, coupled
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.model.posterior import posterior
from pipelang.analysis.sweep.sweep import sweep
from pipelang.interfaces.check.check import Checked, check_file

from ....memory import MemoryLoader

WORLD = """
provider here { kind simulated available 100% }
tier small { provider here model "x" price $1 in, $5 out transient 0% context 100k tokens }
role desk { }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(q: text max 20 tokens) \"\"\"{{ q }}\"\"\"
"""
ROWS = [(0.4, True, 5), (0.75, True, 20), (0.95, True, 60), (0.4, False, 9), (0.75, False, 4)]


def evidence(rows: list[tuple[float, bool, int]]) -> str:
    lines = (
        json.dumps({"confidence": c, "correct": r}) + "\n" for c, r, n in rows for _ in range(n)
    )
    return "".join(lines)


def checked(items: str, rows: Any = ROWS, head: str = "", name: str = "p") -> Checked:
    pipeline = f"pipeline {name}(q: text max 20 tokens) -> text max 20 tokens {{\n{items}\n}}"
    files = {"e.pipe": f"{head}{WORLD}{pipeline}", "e.jsonl": evidence(rows)}
    found = check_file("e.pipe", MemoryLoader(files))
    assert found.program is not None, [one.message for one in found.diagnostics]
    return found


def step(name: str, reads: str, accuracy: str) -> str:
    body = f"{reads}.body" if reads != "q" else "q"
    accuracy = f"accuracy {accuracy}" if accuracy else ""
    return f"  step {name}: Answer = ask say({body}) by small {{ {accuracy} timeout 1s }}\n"


def changes(old: Checked, new: Checked) -> Changes:
    assert old.program is not None
    assert new.program is not None
    return differences(old.program, old.analyses[0], new.program, new.analyses[0])


RETURN = "  return a.body"
GATE = "  gate sure: a.confidence >= {} else escalate to desk\n"


def test_declared_figures_differ_for_certain() -> None:
    found = changes(
        checked(step("a", "q", "90%") + RETURN),
        checked(step("z", "q", "80%") + step("a", "z", "90%") + RETURN),
    ).metrics["success"]
    assert found.how == "certain"
    assert found.direction == "down"
    assert found.change.value == found.change.low == pytest.approx(0.72 - 0.9)


def test_evidence_that_did_not_change_is_no_reason_for_a_difference() -> None:
    """The same file in front of a step that is a little better: the difference is known far better
    than either figure.
    """
    old = checked(step("z", "q", 'from "e.jsonl"') + step("a", "z", "95%") + RETURN)
    head = "## Everything stands elsewhere now.\n\n"
    new = checked(step("z", "q", 'from "e.jsonl"') + step("a", "z", "96%") + RETURN, head=head)
    found = changes(old, new).metrics["success"]
    assert found.how == "paired"
    assert found.direction == "up"
    assert found.change.value == pytest.approx(0.01 * 85 / 98)
    assert found.change.low is not None
    assert found.change.high is not None
    assert found.change.high - found.change.low < 0.002
    before, after = found.before, found.after
    assert before is not None
    assert after is not None
    assert after.low < before.high  # by themselves, the two ranges overlap


def test_a_month_is_that_of_the_traffic_of_each_side() -> None:
    """How often the second step is asked is counted, so the difference has an interval."""
    gate = GATE.format("70%").replace("a.", "z.")
    steps = step("z", "q", 'from "e.jsonl"') + gate + step("a", "z", "90%")
    few, many = (checked(f"  traffic {n}/day {{ }}\n{steps}{RETURN}") for n in (100, 300))
    found = changes(few, many).metrics
    mean, month = found["cost.mean"], found["cost.month"]
    assert mean.direction == "same"
    assert month.direction == "up"
    assert month.before is not None
    assert month.change.value == pytest.approx(2 * month.before.value)
    assert month.change.low == pytest.approx(2 * month.before.low, rel=1e-3)
    assert month.change.high == pytest.approx(2 * month.before.high, rel=1e-3)


@pytest.mark.parametrize("form", ["40 of 50", 'from "e.jsonl"'])
def test_the_same_program_has_no_difference(form: str) -> None:
    text = step("a", "q", form) + (GATE.format("70%") if "from" in form else "") + RETURN
    moved = checked(text, head="## moved\n")
    for name, part in changes(checked(text), moved).metrics.items():
        # Of quantiles and times only the ranges of both sides are known.
        assert part.direction == "same" or part.how == "ranges", name
    assert changes(checked(text), moved).metrics["success"].how != "ranges"


def test_counts_that_changed_are_independent() -> None:
    old, new = (checked(step("a", "q", counts) + RETURN) for counts in ("40 of 50", "80 of 100"))
    found = changes(old, new).metrics["success"]
    assert (found.how, found.direction) == ("independent", "unsure")
    assert found.change.value == pytest.approx(0.0, abs=1e-12)
    # Two Betas: the variance of the difference is the sum of theirs.
    spread = np.sqrt(0.8 * 0.2 / 51 + 0.8 * 0.2 / 101)
    assert found.change.high - found.change.low == pytest.approx(2 * 1.96 * spread, rel=0.05)


@pytest.mark.parametrize("counted_first", [False, True])
def test_a_certain_side_moves_the_range_of_the_other(counted_first: bool) -> None:
    """Nothing of a declared figure is drawn, so the change is as open as the counted one, no more:
    both were drawn anew, and the two ranges were off by a part of a point.
    """
    sides = [checked(step("a", "q", accuracy) + RETURN) for accuracy in ("83%", "30 of 34")]
    sides = sides[::-1] if counted_first else sides
    for name, found in changes(*sides).metrics.items():
        was, now = found.before, found.after
        if was is None or now is None or None in (was.value, now.value, was.low, now.low):
            continue
        assert found.change.value == pytest.approx(now.value - was.value, abs=1e-12), name
        assert found.change.low == pytest.approx(now.low - was.high, abs=1e-12), name
        assert found.change.high == pytest.approx(now.high - was.low, abs=1e-12), name
        assert found.change.mean == pytest.approx(now.mean - was.mean, abs=1e-12), name


def test_a_threshold_that_moved() -> None:
    """More is held back; the answers that pass both are the same answers."""
    old, new = (checked(step("a", "q", 'from "e.jsonl"') + GATE.format(cut) + RETURN)
                for cut in ("70%", "90%"))  # fmt: skip
    found = changes(old, new)
    coverage = found.metrics["coverage"]
    assert coverage.how == "paired"
    assert coverage.change.value == pytest.approx((60 - 84) / 98)
    assert coverage.direction == "down"
    assert found.escalations["sure"].change.value == pytest.approx(24 / 98)
    assert found.escalations["sure"].direction == "up"


def test_a_threshold_that_moves_where_no_row_lies_may_still_do_something() -> None:
    old, new = (
        checked(step("a", "q", 'from "e.jsonl"') + GATE.format(cut) + RETURN)
        for cut in ("80%", "90%")
    )
    found = changes(old, new).metrics["coverage"]
    assert found.change.value == 0
    assert found.change.low is not None
    assert -0.05 < found.change.low < -0.005
    assert found.direction == "unsure"


def test_coupled_draws_have_the_posterior_of_each_side() -> None:
    """Means and variances of all draws against the closed forms, with thresholds that differ: the
    bins are those between all of them, added up.
    """
    sides = []
    for cuts in (["70%"], ["50%", "70%", "90%"]):
        gates = "".join(
            GATE.format(cut).replace("sure", f"g{number}") for number, cut in enumerate(cuts)
        )
        one = checked(step("a", "q", 'from "e.jsonl"') + gates + RETURN)
        program = one.program
        assert program is not None
        pipeline = program.pipelines["p"]
        point = point_parameters(program)
        model = make_model(program, pipeline, point)
        sweep(model)
        sides.append(Side("p", point, model.thresholds))
    first, second, common = coupled(sides[0], sides[1], 200_000)
    assert common
    assert np.array_equal(first.measured["e.jsonl"], second.measured["e.jsonl"])
    for side, drawn, merged in zip(sides, (first, second), ([2, 2], [1, 1, 1, 1]), strict=True):
        plain = posterior(side.point)
        assert drawn.bins.keys() == plain.bins.keys()
        for key, counts in side.point.counted_bins.items():
            alphas = [count + parts / 2 for count, parts in zip(counts, merged, strict=True)]
            total = sum(alphas)
            for alpha, draws in zip(alphas, drawn.bins[key], strict=True):
                mean = alpha / total
                spread = mean * (1 - mean) / (total + 1)
                assert np.mean(draws) == pytest.approx(mean, abs=6 * np.sqrt(spread / 200_000))
                assert np.var(draws) == pytest.approx(spread, rel=0.03)
    for key, fine in second.bins.items():
        low, high = first.bins[key]
        assert np.allclose(fine[0] + fine[1], low)
        assert np.allclose(fine[2] + fine[3], high)


def test_what_nobody_declared_is_the_same_on_both_sides() -> None:
    """success = u and 0.9 u: the difference is -0.1 u, in [-0.1, 0], and not in [-1, 1]."""
    old = checked(step("a", "q", "") + RETURN)
    new = checked(step("a", "q", "") + step("b", "a", "90%") + RETURN.replace("a.body", "b.body"))
    found = changes(old, new).metrics["success"]
    assert found.how == "paired"
    assert found.change.value is None
    assert found.change.low == pytest.approx(-0.1, abs=1e-9)
    assert found.change.high == pytest.approx(0.0, abs=1e-9)


def test_evidence_beside_what_is_undeclared_has_the_widest_range() -> None:
    old = checked(step("a", "q", "40 of 50") + step("b", "a", "") + "  return b.body")
    new = checked(step("a", "q", "40 of 50") + step("b", "a", "90%") + "  return b.body")
    found = changes(old, new).metrics["success"]
    assert (found.how, found.direction) == ("ranges", "unsure")
    assert found.change.low is not None
    assert found.change.low < 0 < found.change.high


def test_files_with_the_same_rows_are_the_same_evidence() -> None:
    one, two = (checked(step("a", "q", 'from "e.jsonl"') + RETURN) for _ in range(2))
    other = checked(step("a", "q", 'from "e.jsonl"') + RETURN, rows=ROWS[:2])
    assert one.program is not None
    assert two.program is not None
    assert other.program is not None
    file = two.program.evidence["e.jsonl"]
    mine = EvidenceTable(one.program.evidence)
    assert mine.same_files(EvidenceTable({"copy.jsonl": file})) == {"e.jsonl": "copy.jsonl"}
    both = {"copy.jsonl": file, "e.jsonl": file}
    assert mine.same_files(EvidenceTable(both)) == {"e.jsonl": "e.jsonl"}
    assert mine.same_files(EvidenceTable(other.program.evidence)) == {}


def test_a_way_to_people_that_is_new() -> None:
    old = checked(step("a", "q", 'from "e.jsonl"') + RETURN)
    new = checked(step("a", "q", 'from "e.jsonl"') + GATE.format("70%") + RETURN)
    found = changes(old, new).escalations["sure"]
    assert found.before is not None
    assert found.before.value == 0
    assert found.change.value == pytest.approx(14 / 98)
    assert found.direction == "up"
