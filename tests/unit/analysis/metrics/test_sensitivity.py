"""The line of sensitivity: what hard cases that nobody declared could matter."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelang.interfaces.check.check import check_file, report_json
from pipelang.interfaces.cli.check.command import command as check_command

HEAD = '''
provider host { kind simulated available 100% }
tier z { provider host model "m" price $1 in, $1 out transient 0% context 100k tokens }
prompt a(x: text) """{{ x }}"""
role desk { people 1 accuracy 100% responds 1m median, 2m p95 }
'''
EASY, HARD = (0.1 - 0.1 * 0.5) / 0.9, 0.5
"""How often an answer is wrong that is so in 10% of all cases, five times as often if hard."""


def of(tmp_path: Path, body: str) -> dict[str, Any]:
    path = tmp_path / "p.pipe"
    text = f"{HEAD}pipeline p(x: text max 9 tokens) -> text max 9 tokens {{\n{body}\n}}\n"
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = report_json([check_file(str(path))])["pipelines"]["p"]
    return found


def step(name: str, given: str, options: str = "accuracy 90%") -> str:
    return f"step {name}: text max 9 tokens = ask a({given}) by z {{ {options} }} else reject"


def mixed(right: Any) -> float:
    """The share of a function of how often an answer is wrong, over both classes."""
    return float(0.1 * right(HARD) + 0.9 * right(EASY))


TOGETHER = {
    "two": (
        f"{step('s', 'x')}\n{step('t', 's')}\nreturn t",
        mixed(lambda e: (1 - e) ** 2),
    ),
    "vote": (
        f"{step('s', 'x', 'accuracy 90% vote 3 correlation 0%')}\nreturn s",
        mixed(lambda e: (1 - e) ** 3 + 3 * e * (1 - e) ** 2),
    ),
    "redo": (
        f"{step('s', 'x', 'accuracy 90% correlation 0%')}\n"
        "gate g: len(s) > 3 { catches 100% false_alarms 0% } else redo s up to 1 else reject\n"
        "return s",
        mixed(lambda e: (1 - e) * (1 + e)),
    ),
    "verifier": (
        f"{step('s', 'x')}\n"
        "gate g: len(s) > 3 { catches 50% false_alarms 0% } else reject\nreturn s",
        0.9,
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_outcomes_if_one_case_in_ten_were_hard(name: str, tmp_path: Path) -> None:
    body, success = TOGETHER[name]
    found = of(tmp_path, body)["sensitivity"]
    assert (found["hard"], found["times"]) == (0.1, 5)
    assert found["outcomes"]["success"]["value"] == pytest.approx(success, abs=1e-12)
    assert sum(one["value"] for one in found["outcomes"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "body",
    [
        f"{step('s', 'x')}\nreturn s",
        "\n".join(step(f"s{at}", f"s{at - 1}" if at else "x", "") for at in range(5))
        + "\nreturn s4",
        f"traffic {{ hard: 5% }}\n{step('s', 'x')}\n{step('t', 's')}\nreturn t",
        f"{step('s', 'x')}\n{step('t', 's', 'accuracy 90%, 60% if hard')}\nreturn t",
        "return x",
    ],
    ids=["one-answer", "too-much-unknown", "declared", "declared-by-a-rate", "no-answer"],
)
def test_none_where_nothing_hangs_together_or_it_is_declared(body: str, tmp_path: Path) -> None:
    assert of(tmp_path, body)["sensitivity"] is None


CHILD = """
pipeline kid(x: text max 9 tokens) -> text max 9 tokens {
  step k: text max 9 tokens = ask a(x) by z { accuracy 90% }
  return k
}
pipeline p(x: text max 9 tokens) -> text max 9 tokens {
  step s: text max 9 tokens = run kid(x)
  step t: text max 9 tokens = run kid(s)
  return t
}
pipeline many(xs: [text max 9 tokens] max 2) -> [text max 9 tokens] max 2 {
  traffic { xs.length: 2 mean }
  step s: [text max 9 tokens] max 2 = each x in xs { run kid(x) }
  return s
}
"""


@pytest.mark.parametrize("name", ["p", "many"])
def test_one_answer_that_is_asked_for_twice_decides_twice(name: str, tmp_path: Path) -> None:
    path = tmp_path / "p.pipe"
    path.write_text(HEAD + CHILD, encoding="utf-8")
    pipelines = report_json([check_file(str(path))])["pipelines"]
    assert pipelines["kid"]["sensitivity"] is None
    found = pipelines[name]["sensitivity"]
    success = mixed(lambda e: (1 - e) ** 2)
    assert found["outcomes"]["success"]["value"] == pytest.approx(success, abs=1e-12)
    assert found["changes"]["success"]["value"] == pytest.approx(success - 0.81, abs=1e-12)


TRIED = """
pipeline first(x: text max 9 tokens) -> text max 9 tokens {
  step s: text max 9 tokens = ask a(x) by z { accuracy 90% }
  gate g: len(s) > 3 { catches 50% false_alarms 0% } else fail "unsure"
  return s
}
pipeline second(x: text max 9 tokens) -> text max 9 tokens {
  step s: text max 9 tokens = ask a(x) by z { accuracy 90% }
  return s
}
pipeline p(x: text max 9 tokens) -> text max 9 tokens {
  step s: text max 9 tokens = run second(x)
  return s
}
pipeline tried(x: text max 9 tokens) -> text max 9 tokens {
  step s: text max 9 tokens = run first(x) else run second(x)
  return s
}
"""


def test_a_pipeline_that_fails_by_a_test_decides_with_what_is_tried_next(tmp_path: Path) -> None:
    path = tmp_path / "p.pipe"
    path.write_text(HEAD + TRIED, encoding="utf-8")
    pipelines = report_json([check_file(str(path))])["pipelines"]
    assert pipelines["p"]["sensitivity"] is None
    success = mixed(lambda e: (1 - e) * (1 + e / 2))
    found = pipelines["tried"]["sensitivity"]
    assert found["outcomes"]["success"]["value"] == pytest.approx(success, abs=1e-12)
    assert found["changes"]["success"]["value"] == pytest.approx(success - 0.945, abs=1e-12)


def test_wrong_more_often_than_always_is_always(tmp_path: Path) -> None:
    body = f"{step('s', 'x', 'accuracy 70%')}\n{step('t', 's', 'accuracy 70%')}\nreturn t"
    easy = (0.3 - 0.1) / 0.9
    found = of(tmp_path, body)["sensitivity"]["outcomes"]["success"]["value"]
    assert found == pytest.approx(0.9 * (1 - easy) ** 2, abs=1e-12)


def supposed(overall: float) -> tuple[float, float]:
    """How often an answer is right in easy and in hard cases, that is so often right in all."""
    hard = min(1.0, 5 * (1 - overall))
    return 1 - (1 - overall - 0.1 * hard) / 0.9, 1 - hard


def test_an_undeclared_accuracy_leaves_a_range_of_the_change(tmp_path: Path) -> None:
    """The second answer may be right however often: at 80% the hard cases hold all its errors."""
    found = of(tmp_path, f"{step('s', 'x')}\n{step('t', 's', '')}\nreturn t")["sensitivity"]
    changes, then = [], []
    for at in range(1001):
        easy, hard = zip(supposed(0.9), supposed(at / 1000), strict=True)
        then.append(0.9 * easy[0] * easy[1] + 0.1 * hard[0] * hard[1])
        changes.append(then[-1] - 0.9 * at / 1000)
    one, outcome = found["changes"]["success"], found["outcomes"]["success"]
    assert (one["low"], one["high"]) == pytest.approx((min(changes), max(changes)), abs=1e-9)
    assert (outcome["low"], outcome["high"]) == pytest.approx((min(then), max(then)), abs=1e-9)
    assert max(changes) == changes[800], "where hard cases begin to be always wrong"
    assert one["value"] is None


def test_changes_over_unknowns_hold_all_that_can_be(tmp_path: Path) -> None:
    """Two undeclared accuracies, a vote and an undeclared gate, against points at random."""
    body = "\n".join(
        (
            step("s", "x", ""),
            step("t", "s", "vote 3 correlation 0%"),
            step("u", "t"),
            "gate g: len(u) > 3 else reject",
            "return u",
        )
    )
    found = of(tmp_path, body)["sensitivity"]["changes"]
    rng = random.Random(19)
    points = [[rng.random() ** 0.3 for _ in range(2)] + [rng.random()] for _ in range(4_000)]
    points += [[a, b, 1.0] for a in (0.0, 0.8, 1.0) for b in (0.0, 0.8, 1.0)]
    moved = []
    for first, second, passes in points:
        now = first * _vote(second) * 0.9
        pairs = zip(supposed(first), supposed(second), supposed(0.9), strict=True)
        easy, hard = (a * _vote(b) * c for a, b, c in pairs)
        moved.append(passes * (0.9 * easy + 0.1 * hard - now))
    success = found["success"]
    assert success["low"] <= min(moved) + 1e-12
    assert max(moved) <= success["high"] + 1e-12
    assert success["high"] - max(moved) < 0.01
    assert min(moved) - success["low"] < 0.01


def _vote(right: float) -> float:
    return right * right * (3 - 2 * right)


def test_the_change_is_that_of_the_outcomes_where_all_is_known(tmp_path: Path) -> None:
    found = of(tmp_path, f"{step('s', 'x')}\n{step('t', 's')}\nreturn t")["sensitivity"]
    changed = found["changes"]["success"]["value"]
    assert changed == pytest.approx(mixed(lambda e: (1 - e) ** 2) - 0.81, abs=1e-12)


@pytest.mark.parametrize("form", ["text", "html", "json"])
def test_the_sentence_says_how_much_it_could_matter(form: str, tmp_path: Path) -> None:
    path = tmp_path / "p.pipe"
    body = f"{step('s', 'x')}\n{step('t', 's', '')}\nreturn t"
    path.write_text(f"{HEAD}pipeline p(x: text max 9 tokens) -> text max 9 tokens {{\n{body}\n}}\n")
    found = CliRunner().invoke(check_command, [str(path), "--format", form])
    if form == "json":
        told = json.loads(found.output)["pipelines"]["p"]["taken_for_granted"]
        assert told[0] == "no case is harder"
        assert told[-1] == "no outage outlasts a run"
        return
    said = " ".join(found.output.split())
    assert "no case is harder, what is declared holds and no outage outlasts a run" in said
    assert "(models 5 times as wrong): 0 to +3.6 points right, −3.6 to 0 wrong" in said
