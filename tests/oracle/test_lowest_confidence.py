"""`all(x.confidence >= t for x in xs)` over the elements of an `each`: the table of the design, and
every way in which short lists can be right and sure, written out.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.simulate import simulate

from .subject import analyse
from .test_interpreter_agrees import disagreements

WORLD = """
provider lab {{ available 100% }}
tier t {{ provider lab transient {transient} price $0 in, $10 out }}
role people {{ accuracy 99% }}
enum Region {{ eu us }}
type R {{ body: text max 100 tokens  confidence: probability }}
prompt q(x: text max 100 tokens) \"\"\"{{{{ x }}}}\"\"\"
pipeline f(names: [text max 100 tokens] max 4, region: Region) -> [R] max 4 {{
  traffic {{ names.length: {mean} mean  region: eu 40%, us 60% }}
{items}
}}
"""
ASK = 'ask q(name) by t { accuracy from "a.jsonl" output 100 tokens max timeout 10s }'

# Of 180 right answers 171 are at least 90% sure and 90 at least 95%; of 20 wrong ones 4 and 1.
RIGHT = {Fraction(96, 100): 90, Fraction(92, 100): 81, Fraction(1, 2): 9}
WRONG = {Fraction(97, 100): 1, Fraction(91, 100): 3, Fraction(1, 3): 16}
ANSWERS = [
    (right, sure, Fraction(count, 200))
    for right, rows in ((True, RIGHT), (False, WRONG))
    for sure, count in rows.items()
]


def figures(items: str, tmp_path: Path, mean: str = "3", transient: str = "0%") -> dict[str, Any]:
    rows = [
        f'{{"confidence": {float(sure)}, "correct": {str(right).lower()}}}\n' * int(share * 200)
        for right, sure, share in ANSWERS
    ]
    (tmp_path / "a.jsonl").write_text("".join(rows), encoding="utf-8")
    path = tmp_path / "f.pipe"
    text = WORLD.format(items=items, mean=mean, transient=transient)
    path.write_text(text, encoding="utf-8")
    found = analyse(path)["f"]["outcomes"]
    return {name: found[name]["value"] for name in found}


def lists(length: int) -> Any:
    """Lists of answers: whether all are right, the lowest confidence, and the chance of it."""
    for answers in product(ANSWERS, repeat=length):
        chance = Fraction(1)
        for _, _, share in answers:
            chance *= share
        sure = min((one[1] for one in answers), default=Fraction(1))
        yield all(one[0] for one in answers), sure, chance


def passing(length: int, threshold: Fraction) -> tuple[Fraction, Fraction]:
    """The chances that a list passes and is right, and that it passes and is wrong."""
    right = wrong = Fraction(0)
    for is_right, sure, chance in lists(length):
        if sure >= threshold:
            right, wrong = (right + chance, wrong) if is_right else (right, wrong + chance)
    return right, wrong


EACH = f"step xs: [R] max 4 = each name in names {{ {ASK} }}"
GATE = "gate sure: {test} else escalate to people\n  return xs"
ALL = GATE.format(test="all(x.confidence >= 90% for x in xs)")


def test_the_table_of_the_design(tmp_path: Path) -> None:
    found = figures(f"  {EACH}\n  {ALL}", tmp_path)
    assert found["success"] == pytest.approx(0.625026375, abs=1e-12)
    assert found["silent_error"] == pytest.approx(0.0448955, abs=1e-12)
    assert found["escalation"] == pytest.approx(0.330078125, abs=1e-12)
    right, wrong = passing(3, Fraction(9, 10))
    assert (float(right), float(wrong)) == pytest.approx((0.625026375, 0.0448955), abs=1e-12)


def test_an_empty_list_passes_and_lengths_are_averaged(tmp_path: Path) -> None:
    found = figures(f"  {EACH}\n  {ALL}", tmp_path, mean="0.25")
    right, wrong = passing(1, Fraction(9, 10))
    ways = Fraction(3, 4) + right / 4, wrong / 4
    assert found["success"] == pytest.approx(float(ways[0]), abs=1e-12)
    assert found["silent_error"] == pytest.approx(float(ways[1]), abs=1e-12)


@pytest.mark.parametrize(
    "test",
    [
        "not any(x.confidence < 90% for x in xs)",
        "all(90% <= one.confidence for one in xs)",
        "all(x.confidence >= (if region == eu then 90% else 90%) for x in xs)",
    ],
)
def test_other_words_for_the_same(test: str, tmp_path: Path) -> None:
    found = figures(f"  {EACH}\n  {GATE.format(test=test)}", tmp_path)
    assert found["success"] == pytest.approx(0.625026375, abs=1e-12)


def test_two_thresholds_cut_one_lowest_confidence(tmp_path: Path) -> None:
    items = f"""  {EACH}
  gate sure: all(x.confidence >= 90% for x in xs) else escalate to people
  gate very: all(x.confidence >= 95% for x in xs) else reject
  return xs"""
    found = figures(items, tmp_path, mean="2")
    some, all_ = passing(2, Fraction(9, 10)), passing(2, Fraction(95, 100))
    assert found["success"] == pytest.approx(float(all_[0]), abs=1e-12)
    assert found["silent_error"] == pytest.approx(float(all_[1]), abs=1e-12)
    assert found["rejection"] == pytest.approx(float(sum(some) - sum(all_)), abs=1e-12)


def test_a_threshold_by_case(tmp_path: Path) -> None:
    test = "all(x.confidence >= bar for x in xs)"
    bar = "let bar = match region { eu => 95%  else => 90% }"
    items = f"  {EACH}\n  {bar}\n  {GATE.format(test=test)}"
    found = figures(items, tmp_path, mean="2")
    eu, us = passing(2, Fraction(95, 100)), passing(2, Fraction(9, 10))
    assert found["success"] == pytest.approx(float((2 * eu[0] + 3 * us[0]) / 5), abs=1e-12)
    assert found["silent_error"] == pytest.approx(float((2 * eu[1] + 3 * us[1]) / 5), abs=1e-12)


def test_a_list_of_what_may_be_wrong(tmp_path: Path) -> None:
    """Where the list is wrong every element is: all of them are as sure as wrong answers are."""
    options = "accuracy 75% output 100 tokens max timeout 10s"
    items = f"""  step found: [text max 100 tokens] max 4 = ask find(region) by t {{ {options} }}
  step xs: [R] max 4 = each name in found {{ {ASK} }}
  {ALL}"""
    prompt = 'prompt find(region: Region) """{{{{ region }}}}"""\n'
    world = WORLD.replace("pipeline f(", prompt + "pipeline f(").replace(
        "names.length", "found.length"
    )
    rows = [
        f'{{"confidence": {float(sure)}, "correct": {str(right).lower()}}}\n' * int(share * 200)
        for right, sure, share in ANSWERS
    ]
    (tmp_path / "a.jsonl").write_text("".join(rows), encoding="utf-8")
    path = tmp_path / "f.pipe"
    path.write_text(world.format(items=items, mean="2", transient="0%"), encoding="utf-8")
    found = analyse(path)["f"]["outcomes"]
    right, wrong = passing(2, Fraction(9, 10))
    all_wrong = Fraction(4, 20) ** 2
    assert found["success"]["value"] == pytest.approx(float(Fraction(3, 4) * right), abs=1e-12)
    expected = Fraction(3, 4) * wrong + Fraction(1, 4) * all_wrong
    assert found["silent_error"]["value"] == pytest.approx(float(expected), abs=1e-12)


def test_a_redo_draws_new_confidences(tmp_path: Path) -> None:
    test = "all(x.confidence >= 90% for x in xs)"
    items = (
        f"  {EACH}\n  gate sure: {test} else redo xs up to 1 else escalate to people\n  return xs"
    )
    items = items.replace("accuracy from", "correlation 0% accuracy from")
    found = figures(items, tmp_path, mean="2")
    right, wrong = passing(2, Fraction(9, 10))
    again = 2 - right - wrong
    assert found["success"] == pytest.approx(float(right * again), abs=1e-12)
    assert found["silent_error"] == pytest.approx(float(wrong * again), abs=1e-12)
    assert found["escalation"] == pytest.approx(float((1 - right - wrong) ** 2), abs=1e-12)


def test_an_empty_list_may_stand_in(tmp_path: Path) -> None:
    """One element of two fails in 19 of 100 lists; then there is none to be unsure of."""
    items = f"  {EACH} else [] {{ accuracy 60% }}\n  {ALL}"
    found = figures(items, tmp_path, mean="2", transient="10%")
    right, wrong = passing(2, Fraction(9, 10))
    there = Fraction(81, 100)
    assert found["success"] == pytest.approx(
        float(there * right + (1 - there) * Fraction(6, 10)), abs=1e-12
    )
    assert found["silent_error"] == pytest.approx(
        float(there * wrong + (1 - there) * Fraction(4, 10)), abs=1e-12
    )


@pytest.mark.parametrize(
    "items",
    [
        f"  {EACH}\n  {ALL}",
        f"  {EACH} else [] {{ accuracy 60% }}\n  {ALL}",
        f"  {EACH}\n  gate sure: all(x.confidence >= 90% for x in xs) else redo xs up to 1\n"
        "    else reject\n  gate very: not any(x.confidence < 95% for x in xs)\n"
        "    else escalate to people\n  return xs",
    ],
)
def test_simulated_runs_agree(items: str, tmp_path: Path) -> None:
    items = items.replace("accuracy from", "correlation 0% accuracy from")
    figures(items, tmp_path, mean="1.5", transient="10%")
    path = tmp_path / "f.pipe"
    report = analyse(path)["f"]
    loaded = pipelang.load(path, allow=RULES)
    pipeline = loaded.program.pipelines["f"]
    counts = simulate(loaded, pipeline, 3000, 1, spending(loaded.program, pipeline))
    assert not disagreements(counts, report)
