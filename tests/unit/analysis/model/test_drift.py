"""`shift`: what was measured may be off either way, so ranges move outwards and values stay."""

from __future__ import annotations

import json
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.metrics.differences import differences
from pipelang.analysis.model.drift import bins_off, share_off
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.posterior import interval, posterior
from pipelang.analysis.sweep.sweep import sweep
from pipelang.interfaces.check.check import check_file, report_json

from ....memory import MemoryLoader
from ..one_lab import WORLD


def rows(seed: int, right: int, wrong: int) -> str:
    pick = Random(seed)
    found = [
        {"confidence": round(pick.betavariate(6 if good else 3, 2), 2), "correct": good}
        for good in [True] * right + [False] * wrong
    ]
    return "\n".join(map(json.dumps, found))


FILES = {"a.jsonl": rows(1, 180, 20), "b.jsonl": rows(2, 90, 30)}


def pipe(*items: str) -> str:
    head = "pipeline p(q: text max 200 tokens) -> text max 20 tokens {"
    return "\n".join([WORLD, head, *items, "  return b.body", "}"])


def step(name: str, reads: str, accuracy: str) -> str:
    options = f"{{ accuracy {accuracy} recovers 10% timeout 5s correlation 20% }}"
    return f"  step {name}: Answer = ask say({reads}) by model {options}"


def checked(text: str) -> Any:
    found = check_file("x.pipe", MemoryLoader({"x.pipe": text, **FILES}))
    assert not [one for one in found.diagnostics if one.severity.value == "error"]
    return found


def outcomes(text: str) -> Any:
    return report_json([checked(text)])["pipelines"]["p"]["outcomes"]


ONE = step("b", "q", 'from "b.jsonl"SHIFT')
TIER = step("b", "q", 'model from "b.jsonl"SHIFT')
TWO = "\n".join([step("a", "q", 'from "a.jsonl"SHIFT'), step("b", "a.body", 'from "b.jsonl"SHIFT')])
GATED = "\n".join(
    [
        step("a", "q", 'from "a.jsonl"SHIFT'),
        "  gate sure: a.confidence >= 60% else redo a up to 1 else escalate to desk",
        step("b", "a.body", "95%"),
    ]
)
GATE_ONLY = "\n".join(
    [
        step("b", "q", "90%"),
        '  gate sure: b.confidence >= 60% { evidence from "a.jsonl"SHIFT } else reject',
    ]
)


def shifted(items: str, shift: str) -> str:
    return pipe(items.replace("SHIFT", shift))


@pytest.mark.parametrize("items", [ONE, TIER])
def test_the_interval_of_a_share_moves_outwards_by_the_shift(items: str) -> None:
    plain, moved = outcomes(shifted(items, "")), outcomes(shifted(items, " shift 3%"))
    for name in ("success", "silent_error"):
        assert moved[name]["value"] == plain[name]["value"]
        assert moved[name]["mean"] == plain[name]["mean"]
        assert moved[name]["low"] == pytest.approx(plain[name]["low"] - 0.03, abs=1e-12)
        assert moved[name]["high"] == pytest.approx(plain[name]["high"] + 0.03, abs=1e-12)


def test_it_stays_within_0_and_1() -> None:
    moved = outcomes(shifted(ONE, " shift 60%"))["success"]
    assert (moved["high"], moved["value"]) == (1.0, 0.75)
    assert moved["low"] == pytest.approx(outcomes(shifted(ONE, ""))["success"]["low"] - 0.6)


def corners(found: Any, shift: float, names: tuple[str, ...], signs: Any) -> dict[str, Any]:
    """The least low and the most high of figures, one sweep of the draws at each corner."""
    program = found.program
    pipeline = program.pipelines["p"]
    point = point_parameters(program)
    drawn = posterior(point, sweep(make_model(program, pipeline, point)).work)
    keys: list[Any] = [*point.counted, *point.counted_bins]
    spreads: dict[str, list[Any]] = {name: [] for name in names}
    for corner in signs(len(keys)):
        by = dict(zip(keys, (shift * sign for sign in corner), strict=True))
        moved = Parameters(
            drawn.evidence,
            drawn.unknown,
            {site: share_off(values, by[site]) for site, values in drawn.measured.items()},
            {key: bins_off(parts, by[key]) for key, parts in drawn.bins.items()},
        )
        totals = sweep(make_model(program, pipeline, moved))
        for name in names:
            spreads[name].append(interval(getattr(totals, name)))
    return {
        name: (min(one.low for one in found), max(one.high for one in found))
        for name, found in spreads.items()
    }


@pytest.mark.parametrize("items", [TWO, GATED, GATE_ONLY])
def test_figures_are_the_worst_of_all_corners(items: str) -> None:
    found = checked(shifted(items, " shift 2.5%"))
    names = ("success", "silent_error", "escalation")
    worst = corners(found, 0.025, names, lambda count: product((-1, 0, 1), repeat=count))
    shown = report_json([found])["pipelines"]["p"]["outcomes"]
    for name in names:
        assert (shown[name]["low"], shown[name]["high"]) == pytest.approx(worst[name], abs=1e-9)


@pytest.mark.parametrize("count", [5, 12])
def test_of_many_files_the_worst_is_that_all_are_worse(count: int) -> None:
    names = "abcdefghijkl"[:count]
    files = {f"{name}.jsonl": rows(at, 95, 5) for at, name in enumerate(names)}
    steps = (
        step(name, "q" if at == 0 else f"{names[at - 1]}.body", f'from "{name}.jsonl" shift 2%')
        for at, name in enumerate(names)
    )
    text = pipe(*steps).replace("return b.body", f"return {names[-1]}.body")
    found = check_file("x.pipe", MemoryLoader({"x.pipe": text, **files}))
    worst = corners(found, 0.02, ("success",), lambda count: [(-1,) * count, (1,) * count])
    shown = report_json([found])["pipelines"]["p"]["outcomes"]["success"]
    assert (shown["low"], shown["high"]) == pytest.approx(worst["success"], abs=1e-9)


def test_bins_stay_shares() -> None:
    parts = [np.array([0.1, 0.0]), np.array([0.2, 0.0]), np.array([0.7, 1.0])]
    for by in (-0.8, -0.05, 0.05, 0.8):
        moved = bins_off(parts, by)
        assert all((part >= 0).all() for part in moved)
        assert sum(moved) == pytest.approx(np.ones(2))
        assert moved[2] == pytest.approx(np.clip(parts[2] + by, 0, 1))


def test_with_something_unknown_the_widest_counts() -> None:
    items = "\n".join([step("a", "q", 'from "a.jsonl"SHIFT'), ASKED])
    plain, moved = outcomes(shifted(items, "")), outcomes(shifted(items, " shift 4%"))
    assert moved["success"]["value"] is None
    assert moved["success"]["high"] == pytest.approx(plain["success"]["high"] + 0.04)


ASKED = "  step b: Answer = ask say(a.body) by model { timeout 5s }"


def test_times_and_costs_widen_too() -> None:
    def number(shift: str, family: str) -> Any:
        report = report_json([checked(shifted(GATED, shift))])
        return report["pipelines"]["p"][family]["mean"]

    for family in ("latency", "cost"):
        plain, moved = number("", family), number(" shift 5%", family)
        assert moved["value"] == plain["value"]
        assert moved["low"] < plain["low"] < plain["high"] < moved["high"]


def test_a_promise_is_only_kept_where_drift_keeps_it() -> None:
    def verdict(shift: str) -> Any:
        text = shifted(ONE, shift).replace("{\n", "{\n  slo { success >= 65% }\n", 1)
        text = text.replace("tokens {\n  step b", "tokens {\n  slo { success >= 65% }\n  step b", 1)
        found = check_file("x.pipe", MemoryLoader({"x.pipe": text, **FILES}))
        return report_json([found])["pipelines"]["p"]["slo"][0]

    assert verdict("")["holds"] is True
    assert verdict(" shift 20%")["holds"] is None


def test_the_same_drift_on_both_sides_is_no_change() -> None:
    old, new = (
        checked(shifted(ONE, " shift 10%")),
        checked(shifted(ONE, " shift 10%").replace("1s median", "2s median")),
    )
    one, other = (found.analyses[0] for found in (old, new))
    changes = differences(old.program, one, new.program, other)
    change = changes.metrics["success"].change
    assert (change.low, change.high) == (0.0, 0.0)


def test_the_largest_shift_of_a_file_counts() -> None:
    second = step("b", "a.body", 'from "b.jsonl"SHIFT')
    one = "\n".join([step("a", "q", 'from "b.jsonl"'), second])
    both = "\n".join([step("a", "q", 'from "b.jsonl"SHIFT'), second])
    assert outcomes(shifted(one, " shift 3%")) == outcomes(shifted(both, " shift 3%"))


def test_it_is_in_the_report() -> None:
    report = report_json([checked(shifted(ONE, " shift 3%"))])
    assert report["pipelines"]["p"]["shifts"] == {"b.jsonl": 0.03}
